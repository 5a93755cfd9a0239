"""The settings of llama.cpp that were fastest for a model on this processor: what to try, what wins, and its use.

A typical request decides: 500 tokens are read and 150 written, so that neither reading nor writing counts alone. What
is tried changes one setting each; what gains enough is then tried together. Running it is left to `engine/tuner.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar

from edgellm.runtimes import fitting
from edgellm.runtimes.base import Choice, Placement
from edgellm.runtimes.device import LOW_BATTERY, YOU
from edgellm.runtimes.variants import has_amx
from edgellm.settings import Settings, changed

if TYPE_CHECKING:
    from edgellm.hardware.probe import Hardware
    from edgellm.runtimes.fitting import Case, Fitted
    from edgellm.runtimes.speed import Tuned

READ, WRITTEN = 500, 150  # tokens of a typical request
SMALLER_BATCH = 128
# Shares of the time that a change must save: more on a busy computer, where figures scatter, and more for a KV cache of
# lower precision, which is not free
GAIN, BUSY_GAIN, EXACT_GAIN = 0.04, 0.12, 0.10
_ALIKE = 0.02
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """One setting of a placement that is tried: what it is, in words, and what is said of leaving it and taking it."""

    part: str
    value: Any
    words: str
    left: str
    taken: str

    def of(self, placement: Placement) -> Placement:
        """The placement with it."""
        return replace(placement, **{self.part: self.value})


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens a second of reading and of writing, each the median of what was measured."""

    prefill: float
    decode: float

    @classmethod
    def of(cls, prefill: Sequence[float], decode: Sequence[float]) -> Pace:
        """From the figures of several rounds, one at least."""
        return cls(median(prefill), median(decode))

    @property
    def seconds(self) -> float:
        """Seconds of a typical request."""
        return READ / self.prefill + WRITTEN / self.decode


def changes(placement: Placement, hardware: Hardware, settings: Settings) -> tuple[Change, ...]:
    """What is worth trying against a placement, likely gains first; nothing that the person set."""
    found: list[Change] = []
    if placement.repack or not (has_amx(hardware.cpu) and not placement.cpu_variant):
        found.append(_repack(not placement.repack))
    if not settings.threads:
        found += [_threads(count, placement.threads) for count in _counts(placement.threads, hardware)]
    found.append(_flash(not placement.flash))
    if not settings.batch and placement.batch > SMALLER_BATCH:
        usual, words = placement.batch, f"with {SMALLER_BATCH} tokens read at a time"
        found.append(Change("batch", SMALLER_BATCH, words, f"left at {usual}", f"set to {SMALLER_BATCH}"))
    if settings.kv_type == "auto" and placement.kv_type == "f16":
        words = "with the KV cache in half the memory"
        found.append(Change("kv_type", "q8_0", words, "left in full precision", "set to q8_0"))
    return tuple(found)


def _counts(threads: int, hardware: Hardware) -> list[int]:
    """All logical cores, and one core fewer, which leaves one to other programs."""
    wanted = (hardware.cpu.logical_cores if not hardware.cpu.limit else threads, threads - 1)
    return [count for count in wanted if count > 0 and count != threads]


def _threads(count: int, usual: int) -> Change:
    words = f"with {count} thread{'s' if count != 1 else ''} instead of {usual}"
    return Change("threads", count, words, f"left at {usual}", f"set to {count}")


def _repack(on: bool) -> Change:
    if on:
        return Change("repack", True, "with rearranged weights", "left off", "turned on")
    return Change("repack", False, "without rearranged weights", "kept on", "turned off")


def _flash(on: bool) -> Change:
    if on:
        return Change("flash", True, "with flash attention", "left off", "turned on")
    return Change("flash", False, "without flash attention", "kept on", "turned off")


def gains(change: Change, base: Pace, other: Pace, busy: bool) -> bool:
    """Whether a change saves enough of a typical request to be taken."""
    least = max(BUSY_GAIN if busy else GAIN, EXACT_GAIN if change.part == "kv_type" else 0.0)
    return 1 - other.seconds / base.seconds >= least


def sentence(change: Change, base: Pace, other: Pace | None, taken: bool) -> str:
    """What a change did, such as `Without rearranged weights it reads 20 % faster but writes 16 % slower: kept on.`

    `other` is None for one that could not be run.
    """
    verdict = change.taken if taken else change.left
    start = f"{change.words[0].upper()}{change.words[1:]} it"
    if other is None:
        return f"{start} did not run: {verdict}."
    reads, writes = other.prefill / base.prefill - 1, other.decode / base.decode - 1
    if abs(reads) < _ALIKE and abs(writes) < _ALIKE:
        return f"{start} is as fast: {verdict}."
    joint = "but" if (reads < -_ALIKE < _ALIKE < writes) or (writes < -_ALIKE < _ALIKE < reads) else "and"
    return f"{start} reads {_faster(reads)} {joint} writes {_faster(writes)}: {verdict}."


def _faster(share: float) -> str:
    if abs(share) < _ALIKE:
        return "as fast"
    return f"{abs(share) * 100:.0f} % {'faster' if share > 0 else 'slower'}"


def together(taken: Iterable[Change], placement: Placement) -> Placement:
    """A placement with several changes; of two that are about the same setting the first counts."""
    parts: dict[str, Change] = {}
    for change in taken:
        parts.setdefault(change.part, change)
    for change in parts.values():
        placement = change.of(placement)
    return placement


def usable(tuned: Tuned | None, case: Case) -> Tuned | None:
    """What was measured, where it holds: on the processor, with as many cores as there were."""
    if tuned is None or case.gpu is not None or tuned.threads > max(case.hardware.cpu.logical_cores, 1):
        return None
    return tuned


def refit(tuned: Tuned | None, case: Case, found: Fitted) -> Fitted:
    """The fit with the measured batch and KV precision, where the person set none and the memory is there."""
    if tuned is None or found.fit != "fits" or found.kv_type != fitting.kv_types(case.settings)[0]:
        return found
    batch = min(tuned.batch, found.context) if not case.settings.batch else found.batch
    kind = tuned.kv_type if case.settings.kv_type == "auto" else found.kv_type
    settings = changed(case.settings, batch=batch, kv_type=kind)
    option = fitting.evaluate(
        replace(case, settings=settings), found.context, fitting.kv_types(settings)[0], min(batch, found.context)
    )
    return option if option.fit == "fits" else found


def part(tuned: Tuned | None, name: str, choice: Choice[T]) -> Choice[T]:
    """The choice, with its reason where it is what was measured."""
    if tuned is None or choice.reason == YOU or getattr(tuned, name) != choice.value:
        return choice
    return Choice(choice.value, _reason(tuned))


def threads(tuned: Tuned | None, case: Case, choice: Choice[int]) -> Choice[int]:
    """The measured number of threads, unless the person set one or the battery is nearly empty."""
    power = case.hardware.power
    empty = power.on_battery and power.percent is not None and power.percent < LOW_BATTERY
    if tuned is None or choice.reason == YOU or empty:
        return choice
    return Choice(tuned.threads, _reason(tuned))


def repack(tuned: Tuned | None, choice: Choice[bool]) -> Choice[bool]:
    """Whether weights are rearranged, as measured; never where that is unsafe."""
    if tuned is None or (tuned.repack and not choice.value):
        return choice
    return Choice(tuned.repack, _reason(tuned))


def flash(tuned: Tuned | None) -> Choice[bool]:
    """Whether flash attention may be used."""
    return Choice(tuned.flash, _reason(tuned)) if tuned else Choice(True, "used where llama.cpp can")


def _reason(tuned: Tuned) -> str:
    return f"measured here on {tuned.day}"
