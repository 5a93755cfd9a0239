"""What is being done with a model now, as plain values: downloads, checks, moves; how far they are, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgellm.ui import facts
from edgellm.ui.language import in_line, told, tr

if TYPE_CHECKING:
    from edgellm.models.progress import Progress

_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of the strip. `fraction` runs from 0 to 1 (None: unknown); `actions` are keys of its buttons.

    `name` is the model, `kind` what is done with it.
    """

    kind: str
    name: str
    title: str
    words: str
    fraction: float | None = None
    actions: tuple[str, ...] = ()
    trouble: bool = False

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.kind}:{self.name}"


def download(progress: Progress, title: str, *, locked: bool) -> Activity:
    """A download as it stands; `locked`: the offline lock holds it back."""
    actions = {
        "queued": ("pause", "cancel"),
        "running": ("pause", "cancel"),
        "checking": ("cancel",),
        "paused": ("resume", "cancel"),
        "failed": ("resume", "cancel"),
    }
    words = _words(progress, locked=locked)
    trouble = progress.state == "failed"
    steps = ("unlock", "cancel") if locked and progress.state != "paused" else actions.get(progress.state, ())
    return Activity("download", progress.name, title, words, progress.fraction, steps, trouble and not locked)


def _words(progress: Progress, *, locked: bool) -> str:
    amount = _amount(progress.received, progress.total)
    if progress.state == "paused":
        return _dots(tr("Paused"), amount)
    if locked:
        return _dots(tr("Waits for the offline lock"), amount)
    if progress.state == "failed":
        return in_line(told(progress.message), told(progress.hint)) or tr("The download stopped.")
    if progress.state == "queued":
        return in_line(told(progress.message), told(progress.hint)) or _dots(tr("Waiting"), amount)
    if progress.state == "checking":
        return _dots(tr("Checking what arrived"), amount)
    if progress.state == "done":
        return tr("Done")
    speed = tr("{size}/s").format(size=facts.size(progress.speed)) if progress.speed >= 1 else ""
    left = tr("{time} left").format(time=duration(progress.seconds_left)) if progress.seconds_left is not None else ""
    return _dots(amount, speed, left, told(progress.message))


def _amount(received: int, total: int | None) -> str:
    if total is None:
        return facts.size(received) if received else ""
    return tr("{done} of {total}").format(done=facts.size(received), total=facts.size(total))


def duration(seconds: float) -> str:
    """A time to wait, for reading: coarse, so that it does not flicker."""
    whole = int(seconds)
    if whole < _MINUTE:
        return tr("{n} s").format(n=max(whole, 1))
    if whole < _HOUR:
        return tr("{n} min").format(n=round(whole / _MINUTE))
    return tr("{hours} h {minutes} min").format(hours=whole // _HOUR, minutes=whole % _HOUR // _MINUTE)


def _dots(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
