"""The lines in which a summary is shown: points with their page, under headings, or below their question."""

from __future__ import annotations

from collections.abc import Iterator

from edgellm.tasks.outline import Place
from edgellm.tasks.summary_events import Item
from edgellm.tasks.summary_styles import Style


class Shown:
    """Makes the lines of one item after the other; a heading stands above its first one."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._above: tuple[str, tuple[str, ...], int] | None = None

    def lines(self, item: Item) -> Iterator[str]:
        """What to print for an item."""
        if item.question:
            yield from self._answer(item)
            return
        if self._style == "sections":
            yield from self._heading(item.place)
            yield f"- {item.text}{where(item.place)}"
        else:
            yield f"- {item.text}{where(item.place)}"

    def _answer(self, item: Item) -> Iterator[str]:
        if self._above is not None:
            yield ""
        self._above = ("", (), 0)
        yield item.question
        yield f"{item.text}{where(item.place)}"
        if item.quote and " ".join(item.quote.text.split()) != item.text:
            yield f"“{' '.join(item.quote.text.split())}”"

    def _heading(self, place: Place) -> Iterator[str]:
        above = (place.file, place.headings, 0 if place.headings else place.page)
        if above == self._above:
            return
        if self._above is not None:
            yield ""
        self._above = above
        title = " > ".join(place.headings) or (f"Page {place.page}" if place.page else "")
        if text := ": ".join(filter(None, (place.file, title))):
            yield text


def where(place: Place) -> str:
    """Where a point comes from, behind it; empty where there is one file without pages."""
    parts = [place.file] if place.file else []
    parts += [f"page {place.page}"] if place.page else []
    return f" ({', '.join(parts)})" if parts else ""


def about(seconds: float) -> str:
    """About how long something takes, for a person; empty below a few seconds."""
    if seconds < 5:
        return ""
    if seconds < 90:
        return f", about {max(round(seconds / 5) * 5, 5)} seconds left"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f", about {minutes} minutes left"
    return f", about {round(minutes / 60)} hours left"
