"""Sizes, times and tables of the `models` commands as text."""

from __future__ import annotations

from collections.abc import Sequence

from edgellm.models import disk


def size(count: float | None) -> str:
    """Bytes for a person: `397 MB`; a word where they are not known."""
    return "unknown" if count is None else disk.amount(count)


def percent(done: int, total: int) -> str:
    """How much of it: `43 %`. Only all of it is 100 %."""
    share = 100 if done >= total else min(99, int(100 * done / total))
    return f"{share} %"


def duration(seconds: float) -> str:
    """A time for a person: `8 s`, `1 min 10 s`, `2 h 5 min`."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as lines with aligned columns; the columns of `right` end at the same place, empty ones are left out."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            if width
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def pairs(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Names and values, one a line, indented; what has no value is left out."""
    kept = [(name, value) for name, value in rows if value]
    width = max((len(name) for name, _ in kept), default=0)
    return [f"  {name:<{width}}  {value}" for name, value in kept]
