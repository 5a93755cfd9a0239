"""Where a line of text may end, in scripts with and without spaces: filling lines, and parting a text evenly."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence

# A space, but none before the marks that stand off from their word in French, nor inside its quotation marks; or the
# gap between two letters of a script without spaces, but not before a mark that closes something.
_BREAK = re.compile(
    r"(?<![«‹ ]) +(?![ ?!:;»›])"
    r"|(?<=[\u3001-\u30ff\u3400-\u9fff\uff01-\uff60])(?=[\u3040-\u30ff\u3400-\u9fff\uff10-\uff5a])"
    r"(?<![\u300c\u300e\u3010\u3014\uff08])(?![\u3063\u3083\u3085\u3087\u30c3\u30e3\u30e5\u30e7\u30fc])"
)
_BLANKS = " \t"
_CLOSED = re.compile(r"[\u3001-\u30ff\u3400-\u9fff\uff01-\uff65]")


def width(text: str) -> int:
    """Columns that a text takes: two for a letter of full width."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def run_on(lines: Sequence[str]) -> str:
    """Lines as one text: with a space where one ended, or none where the script has none. The blanks there go."""
    parts = list(lines[:1])
    for line in lines[1:]:
        while parts and not parts[-1].rstrip(_BLANKS):
            parts.pop()
        before, after = (parts.pop().rstrip(_BLANKS) if parts else ""), line.lstrip(_BLANKS)
        glued = before and after and _CLOSED.match(before[-1]) and _CLOSED.match(after[0])
        parts += (before, "" if glued else " ", after)
    return "".join(parts)


def joined(lines: Iterable[str]) -> str:
    """Lines as one, without the blanks around them."""
    return run_on([line.strip() for line in lines if line.strip()])


def filled(text: str, room: int, first: int = 0, rest: int = 0) -> list[str]:
    """Lines no wider than `room` where a break allows it. `first` and `rest` are columns taken before a line."""
    lines, start, taken = [], 0, first
    end, resume = 0, 0  # the last break that fits, and where the next line would begin after it
    for place, after in [*((one.start(), one.end()) for one in _BREAK.finditer(text)), (len(text), len(text))]:
        if end > start and taken + width(text[start:place]) > room:
            lines.append(text[start:end])
            start, taken = resume, rest
        end, resume = place, after
    lines.append(text[start:])
    return lines


def parted(text: str, count: int) -> list[tuple[int, int]]:
    """The `count - 1` places (from, to) that part a text into lines of about one width; fewer if it has fewer."""
    if count < 2:
        return []
    breaks = [one.span() for one in _BREAK.finditer(text) if one.start() > 0 and one.end() < len(text)]
    before, place, columns = [], 0, 0  # the columns before each break
    for start, _ in breaks:
        columns += width(text[place:start])
        before.append(columns)
        place = start
    whole = columns + width(text[place:])
    chosen: list[int] = []
    for number in range(1, count):
        ideal, low = whole * number / count, chosen[-1] + 1 if chosen else 0
        if low < len(breaks):
            above = min(bisect_left(before, ideal, low), len(breaks) - 1)
            below = max(above - 1, low)
            chosen.append(min((below, above), key=lambda one: abs(before[one] - ideal)))
    return [breaks[one] for one in chosen]
