"""How far something long is: bars that redraw themselves on a terminal, a plain line now and then elsewhere.

Nothing is shown with `--json` or `--quiet`. What is being done, and by whom, is left to the commands.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edgellm.cli.interrupt import Interrupt
from edgellm.cli.models_text import duration, percent, size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from edgellm.cli.output import Output

_EVERY = 5.0  # seconds between two plain lines
_PER_SECOND = 8  # how often bars are drawn
_LONGEST = 40  # of a file's name beside its bar


@dataclass(frozen=True, slots=True)
class Step:
    """How far one thing is: bytes done of `total` (None: unknown), and `words` to say beside it.

    `speed` is bytes per second, `left` seconds; None where that is not known. `message` is a sentence about trouble.
    """

    done: int
    total: int | None = None
    words: str = ""
    speed: float | None = None
    left: float | None = None
    message: str = ""


class Meter(Protocol):
    """Shows how far things are, each by its name."""

    def show(self, name: str, step: Step) -> None:
        """Show one of them."""
        ...

    def part(self, name: str, step: Step) -> None:
        """Show a part of one, where there is room for that; a part that is done is shown no more."""
        ...


@contextmanager
def meter(output: Output) -> Iterator[Meter]:
    """A meter that suits where the output goes; what it drew is gone afterwards."""
    if not output.animated:
        yield Lines(output)
        return
    bars = _progress(output)
    with bars:
        yield Bars(bars, output)


class Watch:
    """One long act of a command: how far it is, shown by a meter, and whether Ctrl-C was pressed."""

    def __init__(self, name: str, words: str, shown: Meter, stop: Interrupt) -> None:
        self._name, self._words, self._meter = name, words, shown
        self.cancelled = stop

    def progress(self, done: int, total: int | None) -> None:
        """Bytes done, and in all."""
        self.show(Step(done, total, self._words))

    def show(self, step: Step) -> None:
        """How far it is, with other words."""
        self._meter.show(self._name, step)

    def part(self, name: str, done: int, total: int | None) -> None:
        """How far a part of it is, such as one file."""
        self._meter.part(name, Step(done, total))


@contextmanager
def watch(output: Output, name: str, words: str = "") -> Iterator[Watch]:
    """Watch one long act, such as reading a model through; the first Ctrl-C asks it to stop."""
    with Interrupt() as stop, meter(output) as shown:
        yield Watch(name, words, shown, stop)


def describe(step: Step) -> str:
    """How far it is, in words: `43 % of 397 MB, 3.1 MB/s, 1 min 10 s left`."""
    if step.total:
        parts = [f"{percent(step.done, step.total)} of {size(step.total)}"]
    else:
        parts = [size(step.done)] if step.done else []
    return ", ".join([*parts, *_beside(step)])


def _beside(step: Step) -> list[str]:
    """What a bar does not show by itself."""
    parts = [step.words] if step.words else []
    if step.speed:
        parts.append(f"{size(step.speed)}/s")
    if step.left is not None and step.speed:
        parts.append(f"{duration(step.left)} left")
    return [*parts, *([step.message] if step.message else [])]


class Lines:
    """A line every few seconds, about what moved last, and one for each new message."""

    def __init__(self, output: Output, every: float = _EVERY) -> None:
        self._output = output
        self._every = every
        self._last = time.monotonic()
        self._messages: dict[str, str] = {}

    def show(self, name: str, step: Step) -> None:
        """Show one of them."""
        now, before = time.monotonic(), self._messages.get(name, "")
        self._messages[name] = step.message
        if step.message not in ("", before) or now - self._last >= self._every:
            self._last = now
            self._output.progress(f"{name}: {describe(step)}")

    def part(self, name: str, step: Step) -> None:
        """Lines are about the whole alone."""


class Bars:
    """One bar for each name."""

    def __init__(self, progress: Progress, output: Output) -> None:
        self._progress = progress
        self._output = output
        self._tasks: dict[str, TaskID] = {}

    def show(self, name: str, step: Step) -> None:
        """Draw one of them."""
        amount = f"{percent(step.done, step.total)} of {size(step.total)}" if step.total else size(step.done)
        beside = ", ".join(_beside(step))
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(
                self._output.clean(name), total=step.total, amount="", beside=""
            )
        self._progress.update(
            self._tasks[name], completed=step.done, total=step.total, amount=amount, beside=self._output.clean(beside)
        )

    def part(self, name: str, step: Step) -> None:
        """Draw a part while it is under way, below the whole."""
        if step.done and (step.total is None or step.done < step.total):
            self.show(f"  {name[-_LONGEST:]}", step)
        elif (task := self._tasks.pop(f"  {name[-_LONGEST:]}", None)) is not None:
            self._progress.remove_task(task)


def _progress(output: Output) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24, complete_style="cyan", finished_style="cyan"),
        TextColumn("{task.fields[amount]}", markup=False, style="none"),
        TextColumn("{task.fields[beside]}", markup=False, style="none"),
        console=Console(file=output.aside(), highlight=False, emoji=False),
        refresh_per_second=_PER_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
