"""What a model reads to answer a question from documents: all of them where they fit, else what is nearest to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edgellm.runtimes.base import Generator, Message
from edgellm.tasks import answer, consult_prompt, passages, sentences, special
from edgellm.tasks.extract import Cited, Extract
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.passages import Passage
from edgellm.tasks.scripts import UNSPACED_RUN
from edgellm.tasks.starter import is_starter, out_of_reach
from edgellm.tasks.terms import Terms

NEAR = 3
_CANDIDATES = 60
_TRIED = 4
_CLOSE = 0.6
_ENOUGH = 0.5
_CONTEXT_SHARE = 0.7
_AROUND = 400
_ENDS = tuple(".!?…。！？\"'”’»)）")
_NUMBERED = re.compile(r"\A(?:§\s*)?\d+(?:\.\d+)*[.)]?\s+")  # before a heading
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_FEW = 5  # words of a fragment
_SEPARATE = "\n\n"

Found = tuple[int, Passage]
Fits = Callable[[Sequence[Extract]], bool]
Wider = Callable[[int], Iterable[tuple[Extract, ...]]]


def nothing_wider(_room: int) -> Iterable[tuple[Extract, ...]]:
    """What was given is all there is."""
    return ()


@dataclass(frozen=True, slots=True)
class Consultation:
    """What the model will read: `read` together, or with `alone` one after the other until one answers.

    `near` are the sentences nearest to the question. `why` is the reason where the starter cannot read the nearest.
    `beyond` says that the files as a whole were tried, and do not fit.
    """

    question: str
    given: tuple[Extract, ...]
    read: tuple[Extract, ...]
    near: tuple[Cited, ...]
    alone: bool = False
    why: str = ""
    beyond: bool = False


def nearest(question: str, extracts: Sequence[Extract], count: int = NEAR) -> tuple[Found, ...]:
    """The sentences nearest to a question, the best first, each with the number of its extract.

    A heading or a question that says no more than what was asked comes behind the sentences, and a row of a table or a
    few words behind the first sentence that holds as much of what was asked.
    """
    found = passages.among(question, [one.text for one in extracts], max(count, _CANDIDATES))
    cut = Terms(single=True)
    asked = set(cut.of(question))
    bare = [_says_no_more(one.text) and set(cut.of(_NUMBERED.sub("", one.text))) <= asked for _, one in found]
    behind = sorted(zip(bare, found, strict=True), key=lambda pair: pair[0])
    return tuple(_sentences_first([pair for _, pair in behind]))[:count]


def _sentences_first(found: Sequence[Found]) -> list[Found]:
    """A fragment scores high because it is short, and says little without what stands around it."""
    whole = [pair for pair in found if not _is_fragment(pair[1].text)]
    behind: dict[int, list[Found]] = {}
    ordered: list[Found] = []
    for pair in found:
        if not _is_fragment(pair[1].text):
            ordered.append(pair)
            continue
        better = next((at for at, one in enumerate(whole) if _says_as_much(one[1], pair[1])), None)
        if better is None or whole[better] in ordered:
            ordered.append(pair)
        else:
            behind.setdefault(better, []).append(pair)
    for at, late in behind.items():
        place = ordered.index(whole[at]) + 1
        ordered[place:place] = late
    return ordered


def _says_as_much(sentence: Passage, fragment: Passage) -> bool:
    """Whether it holds all that was asked which the fragment holds, and one of its numbers, which may be the answer."""
    numbers = set(_NUMBER.findall(fragment.text))
    return fragment.shared <= sentence.shared and (
        not numbers or not numbers.isdisjoint(_NUMBER.findall(sentence.text))
    )


def _is_fragment(text: str) -> bool:
    row = " | " in text or (len(text.split()) <= _FEW and not UNSPACED_RUN.search(text))
    return row and not text.rstrip("\"'”’»)） ").endswith(_ENDS)


def _says_no_more(text: str) -> bool:
    return not text.endswith(_ENDS) or text.rstrip("\"'”’»)） ").endswith(("?", "？"))


def prepare(
    generator: Generator,
    question: str,
    extracts: Sequence[Extract],
    narrow: bool | None = None,
    options: Options = DEFAULT,
    wider: Wider = nothing_wider,
) -> Consultation:
    """Choose what the model reads. `narrow` None means: only the best sentences when the model is the starter.

    `wider` gives, for a number of tokens, the whole files that the extracts are from, or none: they are read in place
    of the extracts by a model that they fit.
    """
    question, given = question.strip(), tuple(one for one in extracts if one.text.strip())
    found = nearest(question, given, _CANDIDATES)
    near = tuple(given[number].cite(one.start, one.end) for number, one in found[:NEAR]) or beginnings(given)
    starter = is_starter(generator.info)
    if starter if narrow is None else narrow:
        tried = _tried(given, found)
        why = [out_of_reach(one.text) if starter else "" for one in tried]
        read = tuple(one for one, reason in zip(tried, why, strict=True) if not reason)
        return Consultation(question, given, read, near, True, why[0] if why else "")
    if starter or generator.info.kind == "span":
        return Consultation(question, given, given, near, starter)
    room = int(generator.info.context * _CONTEXT_SHARE)

    def fits(read: Sequence[Extract]) -> bool:
        return generator.count(options.with_system(messages(generator, question, read))) <= room

    for whole in wider(room):
        if fits(whole):
            return Consultation(question, whole, whole, near)
    read = given if fits(given) else _most(given, found, fits)
    return Consultation(question, given, read, near, beyond=wider is not nothing_wider)


def beginnings(given: Sequence[Extract], count: int = NEAR) -> tuple[Cited, ...]:
    """Where passages begin that were found by their meaning, for none of their sentences shares a word with it."""
    return tuple(one.cite(0, _first(one.text)) for one in given[:count] if not one.whole)


def _first(text: str) -> int:
    found = sentences.split(text)
    return min(found[0].end if found else len(text), _AROUND)


def messages(generator: Generator, question: str, read: Sequence[Extract]) -> tuple[Message, ...]:
    """The prompt about what is read, in the form that the model was made for."""
    if special.is_seq2seq(generator.info):
        return answer.messages(question, _SEPARATE.join(one.text for one in read))
    return consult_prompt.messages(question, read)


def _tried(given: Sequence[Extract], found: Sequence[Found]) -> tuple[Extract, ...]:
    """The best sentences that hold more than half of the question; two together where only both do."""
    if not found:
        return ()
    enough = [pair for pair in found if pair[1].coverage > _ENOUGH and pair[1].score >= _CLOSE * found[0][1].score]
    if enough:
        return tuple(given[number].cut(one.start, one.end) for number, one in enough[:_TRIED])
    (number, best), *others = found
    asked = round(len(best.shared) / best.coverage)
    for other, one in others[:1]:
        start, end = min(best.start, one.start), max(best.end, one.end)
        if other == number and end - start <= _AROUND and len(best.shared | one.shared) > _ENOUGH * asked:
            return (given[number].cut(start, end),)
    return ()


def _most(given: Sequence[Extract], found: Sequence[Found], fits: Fits) -> tuple[Extract, ...]:
    """As many passages as fit, the nearest first: those given, or stretches around the best sentences of long ones."""
    parts = list(given)
    if any(one.whole for one in given) or not fits(given[:1]):
        parts = _stretches(given, found)
    low, high = 0, len(parts)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(parts[:middle]) else (low, middle - 1)
    if not low and found:
        number, one = found[0]
        return (given[number].cut(one.start, one.end),)
    return tuple(parts[:low])


def _stretches(given: Sequence[Extract], found: Sequence[Found]) -> list[Extract]:
    """The text around each sentence that was found, the best first, without overlaps."""
    taken: list[tuple[int, int, int]] = []
    for number, one in found:
        text = given[number].text
        start, end = max(one.start - _AROUND, 0), min(one.end + _AROUND, len(text))
        for other, first, last in taken:
            if other == number and first < end and start < last:
                start, end = (last, end) if first <= start else (start, first)
        while start < end and start > 0 and text[start - 1].isalnum() and text[start].isalnum():
            start += 1
        if end - start > 0 and text[start:end].strip():
            taken.append((number, start, end))
    return [given[number].cut(start, end) for number, start, end in taken]
