"""The headings, paragraphs, list items and table cells of a Markdown file, and where in it their letters stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n.{0,200000}?\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_OUTSIDE = re.compile(r"[ \t]*(?:>[ \t]?|(?:[-*+]|\d{1,9}[.)])[ \t]+)*[ \t]*")  # quotes and list marks before a row
_HASHES = re.compile(r"[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*)*#{1,6}[ \t]+")
_KINDS = {"heading_open": "heading", "th_open": "cell", "td_open": "cell"}


@dataclass(frozen=True, slots=True)
class Text:
    """The inline text of a block. `places` are those of its letters in the file, and of what comes after them."""

    kind: str
    line: int
    content: str
    places: tuple[int, ...]


def texts(markdown: Any, whole: str, env: dict[str, Any]) -> Iterator[Text]:
    """All texts in their order; from the first on, `env` holds the definitions of all links.

    What cannot be found in the file letter by letter is left out, and so stays.
    """
    plain = re.sub(r"\r\n?", "\n", whole).replace("\0", "\ufffd")
    front = _FRONT_MATTER.match(plain)
    skipped = front[0].count("\n") if front else 0
    lines = [(one.start(1), one[1]) for one in _LINE.finditer(whole)][skipped:]
    tokens: list[Any] = []
    markdown.block.parse(plain[front.end() :] if front else plain, markdown, env, tokens)
    row: list[tuple[str, tuple[int, ...]]] = []
    for before, token in pairwise(tokens):
        if before.type == "tr_open":
            row = _cells(*lines[before.map[0]])
        if token.type != "inline" or not token.content:
            row = row[1:] if token.type == "inline" else row
            continue
        kind = _KINDS.get(before.type, "paragraph")
        kind = "paragraph" if before.markup in ("=", "-") else kind  # underlined: its first line may not look otherwise
        number = token.map[0] + skipped + 1
        if kind == "cell":
            content, places = row[0] if row else ("", ())
            row = row[1:]
            if content == token.content:
                yield Text(kind, number, content, places)
        elif found := _found(token.content, lines[slice(*token.map)], kind):
            yield Text(kind, number, token.content, found)


def _found(content: str, lines: list[tuple[int, str]], kind: str) -> tuple[int, ...]:
    """The places of each letter; none when the parser has changed one, as it does with tabs."""
    parts, places, end = content.split("\n"), list[int](), 0
    if len(parts) != len(lines):
        return ()
    for number, (part, (start, line)) in enumerate(zip(parts, lines, strict=True)):
        hashes = _HASHES.match(line) if kind == "heading" else None
        place = line.find(part, hashes.end()) if hashes else line.rfind(part)
        rest = line[place + len(part) :].strip(" \t")
        if place < 0 or (rest.strip("#") if hashes else rest):
            return ()
        if number:
            places.append(end)  # of the line's end
        places += range(start + place, start + place + len(part))
        end = start + place + len(part)
    return (*places, end)


def _cells(start: int, line: str) -> list[tuple[str, tuple[int, ...]]]:
    """The cells of a row, parted as the parser does it: a bar behind a backslash is a letter."""
    outside = _OUTSIDE.match(line)
    place = outside.end() if outside else 0
    cells: list[list[tuple[str, int]]] = [[]]
    ends = []
    for at in range(place, len(line)):
        if line[at] != "|":
            cells[-1].append((line[at], start + at))
        elif at > place and line[at - 1] == "\\":
            cells[-1][-1] = ("|", start + at - 1)
        else:
            ends.append(start + at)
            cells.append([])
    found = [_trimmed(cell, end) for cell, end in zip(cells, [*ends, start + len(line)], strict=True)]
    return found if found[0][0] else found[1:]


def _trimmed(cell: list[tuple[str, int]], end: int) -> tuple[str, tuple[int, ...]]:
    while cell and cell[-1][0] in " \t":
        end = cell.pop()[1]
    text = "".join(letter for letter, _ in cell)
    skipped = len(text) - len(text.lstrip(" \t"))
    return text[skipped:], (*(place for _, place in cell[skipped:]), end)
