"""Results of the Summarize page as HTML with links, as plain text, as Markdown, and as a page of their own.

Texts of models and documents are escaped. A link is `place:N`, the number of a point among those of all results.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from edgellm.ui import markdown
from edgellm.ui.language import told, tr
from edgellm.ui.result_pane import PLACE
from edgellm.ui.summarize_result import Point, Result

_TOOLTIP = 200  # characters of the passage
_LINKS = 60  # below one text
_ONE_TEXT = ("line", "paragraph")
COMPARE = "compare"  # the style of results that compare files
_PAGE = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; line-height: 1.5; max-width: 46em; margin: 2em auto; padding: 0 1em; }}
.faint {{ color: #5f6368; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""

Row = list[tuple[int, Point]]


def points(results: Sequence[Result]) -> tuple[Point, ...]:
    """All points in the order of their numbers."""
    return tuple(point for one in results for point in one.points)


def as_html(results: Sequence[Result], style: str) -> str:
    """For the pane: with links into the source."""
    return "".join(_Html(style, True).all(results))


def as_page(results: Sequence[Result], style: str, title: str) -> str:
    """A file for a browser: the pages stand there, but lead nowhere."""
    return _PAGE.format(title=_escaped(title), body="\n".join(_Html(style, False).all(results)))


def plain(results: Sequence[Result], style: str) -> str:
    """For the clipboard and a text file."""
    return _written(results, style, ("", "", "- "))


def as_markdown(results: Sequence[Result], style: str) -> str:
    """For a Markdown file."""
    return _written(results, style, ("## ", "### ", "- "))


def where(point: Point, several: bool = False) -> str:
    """The page of a point, with the name of its file where there are several; empty where there is neither."""
    name = point.path.replace("\\", "/").rsplit("/", 1)[-1] if several else ""
    return ", ".join(filter(None, (name, tr("page {n}").format(n=point.page) if point.page else "")))


def coverage(one: Result) -> str:
    """How much of the text was read; empty before that is known."""
    if one.sections < 2:
        return tr("The whole text was read.") if one.sections and one.read else ""
    return tr("{done} of {total} sections").format(done=f"{one.read:,}", total=f"{one.sections:,}")


def remarks(one: Result) -> tuple[str, ...]:
    """What stands below a result."""
    said = {
        "working": tr("Read so far; the most important points are chosen at the end.") if one.draft else "",
        "waiting": tr("Still to be read."),
        "stopped": " ".join((tr("Stopped."), coverage(one))).strip(),
        "failed": " ".join((tr("It broke off."), coverage(one))).strip(),
    }
    return tuple(filter(None, (said.get(one.state, ""), *map(told, one.notes))))


@dataclass(frozen=True, slots=True)
class _Html:
    """Writes results. Without `linked` a place is named where it has a name, and is no link."""

    style: str
    linked: bool

    def all(self, results: Sequence[Result]) -> Iterator[str]:
        """Every result below its title."""
        first = 0
        for one in results:
            if one.title:
                yield f"<h2>{_escaped(one.title)}</h2>"
            yield from self._body(one, list(enumerate(one.points, first)))
            yield from (f'<p class="faint">{_escaped(note)}</p>' for note in remarks(one))
            first += len(one.points)

    def _body(self, one: Result, numbered: Sequence[tuple[int, Point]]) -> Iterator[str]:
        if self.style in _ONE_TEXT and one.text.strip():
            yield _prose(one.text)
            if places := self._places(numbered):
                yield f'<p class="faint">{_escaped(tr("From:"))} {places}</p>'
            return
        above: tuple[str, ...] = ()
        for heading, rows in _grouped(numbered, self.style):
            if heading and heading != above:
                yield f"<h3>{_escaped(' › '.join(heading))}</h3>"
            above = heading
            if self.style == "questions":
                yield from map(self._answer, rows)
            else:
                yield f"<ul>{''.join(map(self._item, rows))}</ul>"

    def _answer(self, row: Row) -> str:
        number, point = row[0]
        link = self._link(number, point, where(point) or tr("passage"))
        return f"<p><b>{_escaped(point.question)}</b><br>{_escaped(point.text)} {link}</p>"

    def _item(self, row: Row) -> str:
        """A point, and those that say about the same in other files."""
        parts, said = [], ""
        for number, point in row:
            if point.text != said:
                parts.append(f"{'<br>' if said else ''}{_escaped(point.text)}")
                said = point.text
            parts.append(self._link(number, point, where(point, self.style == COMPARE) or tr("passage")))
        return f"<li>{' '.join(parts)}</li>"

    def _places(self, numbered: Iterable[tuple[int, Point]]) -> str:
        """What a text was made from, each page once, or each passage by its number."""
        seen: dict[str, str] = {}
        for number, point in numbered:
            words = where(point) or tr("passage {n}").format(n=len(seen) + 1)
            if words not in seen:
                seen[words] = self._link(number, point, words)
        shown = [link for link in seen.values() if link]
        return " · ".join(shown[:_LINKS]) + (" …" if len(shown) > _LINKS else "")

    def _link(self, number: int, point: Point, words: str) -> str:
        if not self.linked:
            named = point.page or self.style == COMPARE
            return f'<span class="faint">({_escaped(words)})</span>' if named else ""
        behind = " ".join(point.passage[:_TOOLTIP].split()) + ("…" if len(point.passage) > _TOOLTIP else "")
        return f'<a href="{PLACE}:{number}" title="{_escaped(behind)}">{_escaped(words)}</a>'


def _grouped(numbered: Iterable[tuple[int, Point]], style: str) -> Iterator[tuple[tuple[str, ...], list[Row]]]:
    """Points under the headings of their sections where that is asked for; joined ones in one row."""
    heading: tuple[str, ...] = ()
    rows: list[Row] = []
    for number, point in numbered:
        page = where(point)
        own = (point.headings or ((page,) if page else ())) if style == "sections" else ()
        if rows and own != heading:
            yield heading, rows
            rows = []
        heading = own
        if point.joined and rows:
            rows[-1].append((number, point))
        else:
            rows.append([(number, point)])
    if rows:
        yield heading, rows


def _prose(text: str) -> str:
    found = markdown.blocks(text)
    return "".join(
        one.html if isinstance(one, markdown.Prose) else f"<pre>{_escaped(one.source)}</pre>" for one in found
    )


def _escaped(text: str) -> str:
    return html.escape(text)


def _written(results: Sequence[Result], style: str, marks: tuple[str, str, str]) -> str:
    return "\n".join(_lines(results, style, *marks)).strip() + "\n" if results else ""


def _lines(results: Sequence[Result], style: str, title: str, heading: str, mark: str) -> Iterator[str]:
    for one in results:
        if one.title:
            yield from (f"{title}{one.title}", "")
        if style in _ONE_TEXT and one.text.strip():
            yield from (one.text.strip(), "")
        else:
            yield from _listed(one, style, heading, mark)
        for note in remarks(one):
            yield from (note, "")


def _listed(one: Result, style: str, heading: str, mark: str) -> Iterator[str]:
    above: tuple[str, ...] = ()
    for titles, rows in _grouped(enumerate(one.points), style):
        if titles and titles != above:
            yield from (f"{heading}{' › '.join(titles)}", "")
        above = titles
        for row in rows:
            if style == "questions":
                yield from (f"{heading}{row[0][1].question}", f"{_cited(row[0][1], False)}", "")
                continue
            for place, (_, point) in enumerate(row):
                yield f"{' ' * len(mark) if place else mark}{_cited(point, style == COMPARE)}"
        yield ""


def _cited(point: Point, several: bool) -> str:
    place = where(point, several)
    return " ".join(point.text.split()) + (f" ({place})" if place else "")
