"""What the Documents page shows of a question, as plain values and as HTML, text and Markdown. No widget here.

Texts of models and documents are escaped; links are `place:N`, the number of a quotation of the entry.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgellm.ui import markdown
from edgellm.ui.language import told, tr
from edgellm.ui.passage_window import Place, where
from edgellm.ui.result_pane import PLACE

if TYPE_CHECKING:
    from edgellm.documents.retrieve import Passage
    from edgellm.tasks.extract import Cited

State = Literal["asking", "done", "stopped", "failed"]
_STATES = ("asking", "done", "stopped", "failed")
_SHOWN = 420  # characters of a passage in a list; the link shows it where it stands
_BEFORE = 120
_LINES = re.compile(r"\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Quote:
    """A stretch of a document, from the character `start` of its whole text; `marks` are the words in it to mark."""

    text: str
    path: str
    page: int = 0
    headings: tuple[str, ...] = ()
    start: int = 0
    marks: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, cited: Cited) -> Quote:
        """From the citation of an answer."""
        return cls(cited.text, cited.path, cited.page, cited.headings, cited.start)

    @classmethod
    def of_passage(cls, found: Passage, marks: tuple[tuple[int, int], ...]) -> Quote:
        """From a passage that a search found."""
        return cls(found.text, str(found.path), found.page, found.headings, found.start, marks)

    @property
    def place(self) -> Place:
        """As the window of a passage takes it; it looks for the passage from `start` on."""
        return Place(self.text, 0, len(self.text), Path(self.path), self.page, self.headings)

    @property
    def where(self) -> str:
        """Document, page and heading."""
        return where(self.place)


@dataclass(frozen=True, slots=True)
class Entry:
    """A question and what came of it. `search`: passages were listed, without a model."""

    question: str
    collection: str = ""
    search: bool = False
    state: State = "asking"
    text: str = ""
    said: bool = True
    quotes: tuple[Quote, ...] = ()
    near: tuple[Quote, ...] = ()
    notes: tuple[str, ...] = ()
    basis: str = ""

    @property
    def places(self) -> tuple[Quote, ...]:
        """What the links of the entry lead to, by their number."""
        return self.quotes + self.near


def kept(entry: Entry) -> dict[str, Any]:
    """The entry as JSON can carry it."""
    return asdict(entry)


def again(state: object) -> Entry | None:
    """The entry that was kept; None for what is none."""
    if not isinstance(state, Mapping) or not isinstance(state.get("question"), str):
        return None
    values: dict[str, Any] = {}
    for one in fields(Entry):
        value, default = state.get(one.name), getattr(Entry(""), one.name)
        if one.name in ("quotes", "near"):
            values[one.name] = tuple(filter(None, map(_quote, _list(value))))
        elif one.name == "notes":
            values[one.name] = tuple(note for note in _list(value) if isinstance(note, str))
        else:
            values[one.name] = value if type(value) is type(default) else default
    if values["state"] not in _STATES:
        values["state"] = "done"
    return Entry(**values)


def _quote(state: object) -> Quote | None:
    if not isinstance(state, Mapping):
        return None
    text, path, page, start = (state.get(name) for name in ("text", "path", "page", "start"))
    if not (isinstance(text, str) and isinstance(path, str) and isinstance(page, int) and isinstance(start, int)):
        return None
    headings = tuple(one for one in _list(state.get("headings")) if isinstance(one, str))
    pairs = [one for one in _list(state.get("marks")) if isinstance(one, list | tuple) and len(one) == 2]
    marks = tuple((a, b) for a, b in pairs if isinstance(a, int) and isinstance(b, int) and 0 <= a < b <= len(text))
    return Quote(text, path, page, headings, max(start, 0), marks)


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


# For the screen


def as_html(entry: Entry) -> str:
    """The entry with its links."""
    parts = [f"<h3>{_escaped(entry.question)}</h3>"]
    if entry.search:
        parts += [_found(number, quote) for number, quote in enumerate(entry.quotes)]
        if entry.state == "done" and not entry.quotes:
            parts.append(f"<p>{_escaped(tr('No passage has these words.'))}</p>")
    else:
        parts += [_body(entry)] if entry.text else []
        parts += [_said(number, quote) for number, quote in enumerate(entry.quotes)]
    if entry.near:
        parts.append(f"<p><b>{_escaped(tr('The nearest passages:'))}</b></p>")
        parts += [_said(number, quote) for number, quote in enumerate(entry.near, len(entry.quotes))]
    parts += [f'<p class="faint">{_escaped(note)}</p>' for note in remarks(entry)]
    return "".join(parts)


def remarks(entry: Entry) -> tuple[str, ...]:
    """What is said below an answer: what was read, notes, and that it was stopped."""
    if entry.text or entry.search:
        ending = {"stopped": tr("Stopped; this is what there was."), "failed": tr("The answer broke off.")}
    else:
        ending = {"stopped": tr("Stopped before there was an answer."), "failed": tr("There is no answer.")}
    return tuple(filter(None, (ending.get(entry.state, ""), *map(told, entry.notes), told(entry.basis))))


def _text(entry: Entry) -> str:
    """The answer; where the documents do not say, the sentence about that."""
    return entry.text if entry.said else told(entry.text)


def _body(entry: Entry) -> str:
    found = markdown.blocks(_text(entry))
    prose = (one.html if isinstance(one, markdown.Prose) else f"<pre>{html.escape(one.source)}</pre>" for one in found)
    return "".join(prose)


def _said(number: int, quote: Quote) -> str:
    return _barred(f"<p>“{_escaped(quote.text)}”</p>{_link(number, quote)}")


def _found(number: int, quote: Quote) -> str:
    return f"<p>{_link(number, quote, tag='b')}<br>{_excerpt(quote)}</p>"


def _link(number: int, quote: Quote, tag: str = "p") -> str:
    return f'<{tag}><a href="{PLACE}:{number}">{_escaped(quote.where)}</a></{tag}>'


def _barred(inner: str) -> str:
    cells = f'<td class="bar" width="3"></td><td class="said">{inner}</td>'
    return f'<table width="100%" cellspacing="0" cellpadding="0"><tr>{cells}</tr></table>'


def _excerpt(quote: Quote) -> str:
    """The part of a passage that holds its first marks, which are marked."""
    first = quote.marks[0][0] if quote.marks else 0
    start = max(first - _BEFORE, 0) if first + _BEFORE > _SHOWN else 0
    while start and start < first and not quote.text[start - 1].isspace():
        start += 1
    end = min(start + _SHOWN, len(quote.text))
    parts, at = ["…" if start else ""], start
    for left, right in quote.marks:
        if start <= left and right <= end and left >= at:
            marked = f'<span class="hit">{_escaped(quote.text[left:right], trim=False)}</span>'
            parts += [_escaped(quote.text[at:left], trim=False), marked]
            at = right
    return "".join([*parts, _escaped(quote.text[at:end], trim=False), "…" if end < len(quote.text) else ""])


def _escaped(text: str, *, trim: bool = True) -> str:
    return html.escape(" ".join(text.split())) if trim else _LINES.sub("<br>", html.escape(text))


# For files and the clipboard


def plain(entry: Entry) -> str:
    """The entry as text."""
    return "\n".join(_lines(entry, "", "")).strip() + "\n"


def as_markdown(entry: Entry) -> str:
    """The entry as Markdown."""
    return "\n".join(_lines(entry, "## ", "> ")).strip() + "\n"


def _lines(entry: Entry, heading: str, quoted: str) -> Iterable[str]:
    def cite(quotes: Iterable[Quote]) -> Iterable[str]:
        for quote in quotes:
            yield f"{quoted}“{' '.join(quote.text.split())}”"
            yield f"{quoted}{'— ' if quoted else '  '}{quote.where}"
            yield ""

    yield f"{heading}{entry.question}"
    yield ""
    if entry.text:
        yield _text(entry)
        yield ""
    yield from cite(entry.quotes)
    if entry.near:
        yield tr("The nearest passages:")
        yield ""
        yield from cite(entry.near)
    for note in remarks(entry):
        yield note
        yield ""
