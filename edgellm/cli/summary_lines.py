"""The lines in which a summary is shown: points with their page, under headings or a question; how far it is."""

from __future__ import annotations

import time
from collections.abc import Iterator

from edgellm.cli.output import Output
from edgellm.tasks.keysentences import in_a_line
from edgellm.tasks.outline import Place
from edgellm.tasks.summary_events import Begun, Item, Progress, SummaryEvent
from edgellm.tasks.summary_styles import Style

_EVERY = 2.0  # seconds between two lines of progress


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
        yield f"- {item.shown}{where(item.place)}"

    def _answer(self, item: Item) -> Iterator[str]:
        if self._above is not None:
            yield ""
        self._above = ("", (), 0)
        yield item.question
        yield f"{item.text}{where(item.place)}"
        if item.quote and in_a_line(item.quote.text) != item.text:
            yield f"“{in_a_line(item.quote.text)}”"

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


class Pace:
    """Says now and then how many sections are read, and about how long the others take."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._started = self._last = time.monotonic()
        self._before = 0

    def hear(self, event: SummaryEvent) -> None:
        """Show how far it is, and nothing else."""
        if isinstance(event, Begun):
            self.begin(event)
        elif isinstance(event, Progress):
            self.show(event)

    def begin(self, begun: Begun) -> None:
        """Say how many there are, where there are several."""
        self._started = self._last = time.monotonic()
        self._before = begun.kept
        if begun.kept:
            self._output.note(
                f"{begun.kept} of {begun.sections} sections were read by an earlier run; it goes on there."
            )
        elif begun.sections > 1:
            self._output.progress(f"The text is read in {begun.sections} sections.")

    def show(self, progress: Progress) -> None:
        """A line, at most every few seconds."""
        now = time.monotonic()
        if now - self._last < _EVERY or progress.done <= self._before:
            return
        self._last = now
        each = (now - self._started) / (progress.done - self._before)
        left = about(each * (progress.sections - progress.done))
        self._output.progress(f"{progress.done} of {progress.sections} sections{left}")


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
