"""How far the summaries of the page are: the file, sections read of all, and about how long the rest takes."""

from __future__ import annotations

import time

from edgellm.ui import summarize_view
from edgellm.ui.language import tr
from edgellm.ui.summarize_result import Result
from edgellm.ui.summarize_work import Step


class Pace:
    """How far the work is, and about how long the rest takes."""

    def __init__(self) -> None:
        self._number = -1
        self._kept = 0
        self._started = time.monotonic()

    def note(self, step: Step) -> tuple[int, int]:
        """Take a step in; returns what the progress bar shows."""
        if step.number != self._number or step.kept:
            self._number, self._kept, self._started = step.number, step.kept, time.monotonic()
        sections = step.result.sections
        if step.count == 1:
            return step.result.read, sections
        share = step.result.read / sections if sections else 0.0
        return round((step.number + share) * 1000), step.count * 1000

    def words(self, step: Step) -> str:
        """One line."""
        result = step.result
        several = tr("{name} ({n} of {total})").format(name=result.title, n=step.number + 1, total=step.count)
        parts = [several if step.count > 1 else "", summarize_view.coverage(result), self._left(result)]
        return " · ".join(filter(None, parts)) or tr("Reading")

    def _left(self, result: Result) -> str:
        fresh = result.read - self._kept
        if fresh <= 0:
            return ""
        return about((time.monotonic() - self._started) / fresh * (result.sections - result.read))


def about(seconds: float) -> str:
    """About how long something takes, for a person; empty below a few seconds."""
    if seconds < 5:
        return ""
    if seconds < 90:
        return tr("about {n} seconds left").format(n=max(round(seconds / 5) * 5, 5))
    minutes = round(seconds / 60)
    if minutes < 90:
        return tr("about {n} minutes left").format(n=minutes)
    return tr("about {n} hours left").format(n=round(minutes / 60))
