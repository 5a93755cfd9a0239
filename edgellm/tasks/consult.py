"""Answer a question from documents: every quotation is checked to be in them, and what was read is said.

A document that fits the context is read whole, else the passages nearest to the question. The starter is asked about
the few best sentences, one after the other. A general model copies its evidence first and answers then
(`consult_prompt.py`); a copy that is not in the documents is left out, a quotation inside the answer that is not there
loses its marks (`quotes.py`), and an answer that nothing supports is not shown. Where no model read anything, that is
said, and never that the documents do not say. Without a model, `search` ranks sentences.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from edgellm.documents.chunk import estimate
from edgellm.runtimes.base import Chunk, Finish, Generator, Message
from edgellm.tasks import answer, orders, special
from edgellm.tasks.answer import UNSUPPORTED
from edgellm.tasks.consult_prompt import Reply
from edgellm.tasks.consultation import NEAR, Consultation, beginnings, messages, nearest, prepare
from edgellm.tasks.extract import Cited, Extract
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.passages import Passage
from edgellm.tasks.quotes import Guard
from edgellm.tasks.result import collect, combined, without_model
from edgellm.tasks.sources import Sources
from edgellm.tasks.starter import is_starter
from edgellm.tasks.terms import Terms
from edgellm.tasks.typography import as_taught

SILENT = "Your documents do not say."
NEAREST = "These passages are nearest; no model read them."
NOTHING_NEAR = "No passage is near to the question; no model read any."
UNREAD = "The built-in model cannot read the passage that is nearest."
UNANSWERED = "The built-in model found no answer; these passages are nearest."
LEFT_OUT = "The model wrote an answer that nothing in your documents supports; it is not shown."
_NO_ANSWER = (SILENT, NEAREST, NOTHING_NEAR, UNREAD, UNANSWERED)
_AROUND = 500
_SEPARATE = "\n\n"
Mode = Literal["model", "search"]


@dataclass(frozen=True, slots=True)
class Consulted:
    """An answer with what it relies on. Every one of `quotes` and `near` is in a document, character for character.

    `said` is false when there is no answer; `near` are the sentences nearest to the question. `mode` is "model" when a
    model read something, else "search": then `near` is all there is, and `text` says so. `basis` says what was read
    and how many tokens (`tokens`) that was.
    """

    text: str
    said: bool
    quotes: tuple[Cited, ...]
    near: tuple[Cited, ...]
    finish: Finish
    notes: tuple[str, ...]
    basis: str
    tokens: int = 0
    mode: Mode = "model"


def search(question: str, extracts: Sequence[Extract], count: int = NEAR) -> tuple[tuple[Cited, Passage], ...]:
    """The sentences nearest to a question, the best first, without a model."""
    found = nearest(question, extracts, count)
    if not found:
        return tuple(
            (one, Passage(one.text, 0, len(one.text), 0.0, 0.0, frozenset())) for one in beginnings(extracts, count)
        )
    return tuple((extracts[number].cite(one.start, one.end), one) for number, one in found)


def consult(
    generator: Generator,
    question: str,
    extracts: Sequence[Extract],
    narrow: bool | None = None,
    options: Options = DEFAULT,
) -> Consulted:
    """The whole answer at once."""
    last = [one for one in run(generator, prepare(generator, question, extracts, narrow, options), options)][-1]
    assert isinstance(last, Consulted)
    return last


def run(generator: Generator, plan: Consultation, options: Options = DEFAULT) -> Iterator[Chunk | Consulted]:
    """Stream the answer, and then the whole of it with its quotes. No unverified quotation is in either."""
    if not plan.read:
        ended = _searched(plan)
    elif plan.alone:
        ended = _one_by_one(generator, plan, options)
    elif generator.info.kind == "span":
        ended = _by_span(generator, plan)
    else:
        yield from _together(generator, plan, options)
        return
    if ended.text:
        yield Chunk(ended.text)
    yield ended


def _searched(plan: Consultation) -> Consulted:
    """What there is when nothing is read: the nearest sentences, which are no answer."""
    text = NEAREST if plan.near else NOTHING_NEAR
    notes = (plan.why,) if plan.why else ()
    return replace(_ended(plan, text, without_model(), (), notes, _basis(plan, (), 0)), mode="search")


def _one_by_one(generator: Generator, plan: Consultation, options: Options) -> Consulted:
    """Ask about one stretch after the other; what is not in the stretch itself counts as no answer."""
    parts: list[Finish] = []
    read: list[Extract] = []
    question = as_taught(plan.question, "en") if is_starter(generator.info) else plan.question
    for extract in plan.read:
        request = options.request(answer.messages(question, extract.text))
        text, finish = collect(generator.generate(request, options.cancelled))
        parts.append(finish)
        read.append(extract)
        sources = Sources([extract])
        if not answer.is_refusal(text) and sources.holds(text) and _is_news(text, plan.question):
            cited, _ = sources.support(text, plan.question)
            tokens = _tokens(generator, read)
            text = sources.inline(text) or ""
            return _ended(
                plan, text, combined(parts), (cited,) if cited else (), basis=_basis(plan, read, tokens), tokens=tokens
            )
        if finish.reason == "cancelled":
            break
    tokens = _tokens(generator, read)
    basis, finish = _basis(plan, read, tokens), combined(parts)
    if finish.reason == "cancelled":
        return _ended(plan, "", finish, basis=basis, tokens=tokens)
    if plan.why:
        return _ended(plan, UNREAD, finish, (), (plan.why,), basis, tokens)
    # The starter refuses most of what it can be asked, so that its refusal says nothing about the documents
    text = UNANSWERED if is_starter(generator.info) and plan.near else SILENT
    return _ended(plan, text, finish, basis=basis, tokens=tokens)


def _is_news(text: str, question: str) -> bool:
    """Whether an answer is more than words of the question: a small model says "a dog" when asked for its color."""
    cut = Terms(single=True)
    return not set(cut.of(text)) <= set(cut.of(question))


def _by_span(generator: Generator, plan: Consultation) -> Consulted:
    """The best stretch that a model of this kind finds in any of the extracts."""
    started = time.perf_counter()
    best: tuple[float, Cited, str] | None = None
    for extract in plan.read:
        span = special.span_by(generator, plan.question, extract.text)
        if span is None or span.end <= span.start or (best is not None and span.score <= best[0]):
            continue
        text = " ".join(extract.text[span.start : span.end].split())
        near = extract.cut(max(span.start - _AROUND, 0), span.end + _AROUND)
        cited, _ = Sources([near]).support(text, plan.question)
        best = (span.score, cited or extract.cite(span.start, span.end), text)
    seconds = time.perf_counter() - started
    finish = replace(without_model(), seconds=seconds, device=special.device(generator.info))
    tokens = _tokens(generator, plan.read)
    text, quotes = (best[2], (best[1],)) if best is not None and best[2] else (SILENT, ())
    return _ended(plan, text, finish, quotes, basis=_basis(plan, plan.read, tokens), tokens=tokens)


def _together(generator: Generator, plan: Consultation, options: Options) -> Iterator[Chunk | Consulted]:
    """One reply about everything that is read. It is shown as it comes once its evidence has been found."""
    sources, reply = Sources(plan.read), Reply()
    guard, finish = Guard(sources.inline), without_model()
    body, shown, checked = "", 0, 0
    for event in generator.generate(options.request(messages(generator, plan.question, plan.read)), options.cancelled):
        if isinstance(event, Finish):
            finish = event
            body += guard.feed(reply.end()) + guard.end()
        else:
            body += guard.feed(reply.feed(event.text))
        body = body.lstrip()
        for quote in reply.quotes[checked:]:
            sources.add(quote)
        checked = len(reply.quotes)
        sure = len(body.rstrip())
        if sources.cited and sure > shown and not _may_refuse(body):
            yield Chunk(body[shown:sure])
            shown = sure
    tokens = _tokens(generator, plan.read)
    text, quotes, notes = _judged(plan, body.strip(), finish, sources)
    notes += _dropped(sources.missing, guard.dropped)
    if text[shown:]:
        yield Chunk(text[shown:])
    yield _ended(plan, text, finish, quotes, notes, _basis(plan, plan.read, tokens), tokens)


def _judged(
    plan: Consultation, body: str, finish: Finish, sources: Sources
) -> tuple[str, tuple[Cited, ...], tuple[str, ...]]:
    """What is shown of a reply: text, quotes and notes."""
    quotes = tuple(sources.cited)
    if finish.reason == "cancelled":
        return body, quotes, ()
    if not body and quotes:
        return " ".join(quotes[0].text.split()), quotes, ()
    if _refuses(body) or (not quotes and body.casefold().startswith(answer.NOT_SAID.rstrip(".").casefold())):
        return SILENT, (), ()
    notes: tuple[str, ...] = ()
    if numbers := sources.foreign_numbers(body, plan.question):
        notes = (f"Your documents do not hold {', '.join(numbers)}; do not rely on that.",)
    if quotes:
        return body, quotes, notes
    cited, share = sources.support(body, plan.question)
    if cited is not None and not numbers:
        return body, (cited,), ()
    if share > 0:
        return body, (), (UNSUPPORTED, *notes)
    return SILENT, (), (LEFT_OUT,)


def _refuses(text: str) -> bool:
    return answer.is_refusal(text) or text.strip().rstrip(".").casefold() == SILENT.rstrip(".").casefold()


def _may_refuse(text: str) -> bool:
    """Whether a refusal may begin like this."""
    begun = text.strip().casefold()
    return any(refusal.casefold().startswith(begun) for refusal in (answer.NOT_SAID, SILENT))


def _dropped(missing: int, inline: int) -> tuple[str, ...]:
    notes = []
    if missing:
        one = missing == 1
        notes.append(
            f"{missing} quotation{'' if one else 's'} of the model {'is' if one else 'are'} not in your documents and "
            f"{'was' if one else 'were'} left out."
        )
    if inline:
        one = inline == 1
        notes.append(
            f"{inline} quotation{'' if one else 's'} inside the answer {'is' if one else 'are'} "
            "not in your documents; the marks were left out."
        )
    return tuple(notes)


def _ended(
    plan: Consultation,
    text: str,
    finish: Finish,
    quotes: tuple[Cited, ...] = (),
    notes: tuple[str, ...] = (),
    basis: str = "",
    tokens: int = 0,
) -> Consulted:
    said = bool(text) and text not in _NO_ANSWER
    if orders.gives(one.text for one in (quotes if said else (*quotes, *plan.near))):
        notes = (*notes, orders.NOTE)
    return Consulted(text, said, quotes, plan.near, finish, notes, basis, tokens)


def _tokens(generator: Generator, read: Sequence[Extract]) -> int:
    text = _SEPARATE.join(one.text for one in read)
    if generator.info.kind not in ("decoder", "seq2seq"):
        return estimate(text)
    return generator.count((Message("user", text),))


def _basis(plan: Consultation, read: Sequence[Extract], tokens: int) -> str:
    """What was read, as a sentence."""
    if not read:
        return f"Searched {_some(plan.given)}; the model read nothing." if plan.given else "Nothing was found to read."
    size = f"({tokens:,} token{'' if tokens == 1 else 's'})"
    if all(one.whole for one in read):
        return f"Read the whole of {_documents(read)} {size}."
    return f"Read {_some(read)} {size}{'; the whole does not fit into its context' if plan.beyond else ''}."


def _some(read: Sequence[Extract]) -> str:
    if all(one.whole for one in read):
        return _documents(read)
    return f"{len(read)} passage{'' if len(read) == 1 else 's'} of {_documents(read)}"


def _documents(read: Sequence[Extract]) -> str:
    names = list(dict.fromkeys((one.path, one.document) for one in read))
    return (names[0][1] or "the text") if len(names) == 1 else f"{len(names)} documents"
