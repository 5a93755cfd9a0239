"""Which model of the catalog suits this computer best for a task, which come next, and why not the others.

Judged by the memory that is free and by the speed to expect, not by the class of the machine. Among those that fit and
are fast enough the most capable one wins; what a card is worth for a task is left to `ranking.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from edgellm.models.catalog import ModelCard
from edgellm.runtimes import device, ranking
from edgellm.runtimes.advice import Advice, Here, advise, rate
from edgellm.runtimes.base import Choice
from edgellm.runtimes.budget import gigabytes

# Words a second below which waiting for a task is no pleasure. People read aloud at about three, so that is the floor
# where the text is read as it comes.
FLOORS: Mapping[str, float] = MappingProxyType(
    {"chat": 3.0, "generate": 3.0, "answer": 3.0, "translate": 2.0, "summarize": 2.0, "classify": 1.0}
)
_BATTERY_TIMES = 2.0  # when it is nearly empty, each second of computing counts
_MOST_RUNNERS = 4
_LARGE_UNSEEN = 6e9  # bytes; too much to fetch on the strength of an assumption
_WHY_ASIDE = "it always thinks aloud before it answers"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A model with its advice and a reason, in words: for it, or against it."""

    card: ModelCard
    advice: Advice
    reason: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The best model for a task with its reason, those that come next, and those passed over with why.

    `choice.value` is None where nothing can be used, `advice` then too. `later` are models that would suit, once a
    later version runs them.
    """

    task: str
    choice: Choice[ModelCard | None]
    advice: Advice | None
    runners_up: tuple[Ranked, ...] = ()
    passed_over: tuple[Ranked, ...] = ()
    later: tuple[Ranked, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    card: ModelCard
    advice: Advice
    speed: float
    slow: bool
    aside: bool
    split: bool
    capability: float

    @property
    def assumed(self) -> bool:
        """Whether its speed is only assumed."""
        return self.advice.speed is not None and self.advice.speed.basis == "assumed"

    @property
    def daring(self) -> bool:
        """Whether it is a large download that may prove too slow, since nothing was measured here."""
        return self.assumed and (self.card.size or 0) > _LARGE_UNSEEN

    @property
    def rank(self) -> tuple[bool, bool, bool, bool, bool, float]:
        """Smaller is better: enough speed, no large download unseen, room to spare, all on the GPU, no thinking aloud,
        then what it can do. Among slow ones speed decides.
        """
        worth = self.speed if self.slow else self.capability
        return self.slow, self.daring, self.advice.fit != "fits", self.split, self.aside, -worth


def recommend(cards: Iterable[ModelCard], task: str, here: Here, language: str = "") -> Recommendation:
    """The model for `task` (as in a card's `tasks`), in a language if one is named (`de`)."""
    candidates: list[_Candidate] = []
    passed: list[Ranked] = []
    later: list[Ranked] = []
    floor = FLOORS.get(task, 2.0) * (_BATTERY_TIMES if _nearly_empty(here) else 1.0)
    gpu = device.pick(here.hardware, here.settings, here.build).value is not None
    for card in cards:
        if not ranking.is_for(card, task):
            continue
        advice = advise(card, here, language or "en")
        if language and not ranking.speaks(card, language):
            passed.append(Ranked(card, advice, f"it does not speak {language}"))
        elif advice.fit == "unsupported":
            (later if card.format != "gguf" else passed).append(Ranked(card, advice, _lower(advice.sentence)))
        elif advice.fit == "swap":
            passed.append(Ranked(card, advice, _too_large(advice)))
        else:
            candidates.append(_candidate(card, advice, task, (floor, language), gpu))
    candidates.sort(key=lambda one: one.rank)
    if not candidates:
        reason = f"Nothing that is for this fits into the {gigabytes(here.hardware.memory.free)} that are free."
        return Recommendation(task, Choice(None, reason), None, (), tuple(passed), _best_later(later, task))
    best, rest = candidates[0], candidates[1:]
    runners = tuple(Ranked(one.card, one.advice, _against(one, best)) for one in rest[:_MOST_RUNNERS])
    others = tuple(Ranked(one.card, one.advice, _against(one, best)) for one in rest[_MOST_RUNNERS:])
    reason = _why(best, candidates, here, (task, floor))
    return Recommendation(
        task, Choice(best.card, reason), best.advice, runners, (*others, *passed), _best_later(later, task)
    )


def _candidate(card: ModelCard, advice: Advice, task: str, wish: tuple[float, str], gpu: bool) -> _Candidate:
    floor, language = wish
    speed, whole = advice.words_per_second, advice.all_on_gpu
    if speed is None:  # nothing ran on this GPU yet: an ordinary computer decides whether it is far too slow
        speed = float("inf") if whole else ranking.ordinary_words(card, language)
    split = gpu and not whole and not card.builtin
    return _Candidate(
        card, advice, speed, speed < floor, ranking.is_aside(card, task), split, ranking.capability(card, task)
    )


def _nearly_empty(here: Here) -> bool:
    power = here.hardware.power
    return bool(power.on_battery) and power.percent is not None and power.percent < device.LOW_BATTERY


def _too_large(advice: Advice) -> str:
    if advice.budget is None:
        return "it does not fit"
    return f"it needs about {gigabytes(advice.budget.need)}, and {gigabytes(advice.budget.free)} are free"


def _lower(sentence: str) -> str:
    """A sentence as a part of one."""
    text = sentence.rstrip(".")
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _why(best: _Candidate, candidates: list[_Candidate], here: Here, wish: tuple[str, float]) -> str:
    """The reason for the choice."""
    task, floor = wish
    free = gigabytes(best.advice.budget.free) if best.advice.budget else ""
    if len(candidates) == 1:
        text = f"The only one for this that can be used in the {free} that are free"
    elif best.slow:
        text = f"None reaches {floor:.0f} words/s here, and this is the fastest that fits into the {free} that are free"
    elif best.advice.fit == "tight":
        text = f"It just fits into the {free} that are free"
    else:
        where = " on the GPU" if best.advice.all_on_gpu else ""
        text = f"The most capable one that fits well into the {free} that are free{where}"
    if best.advice.speed is not None:
        text += f"; {rate(best.advice.speed.words_per_second)}, {best.advice.speed.because}"
    elif not best.card.builtin:
        text += "; how fast it is here is not known yet"
    if best.card.tasks == (task,):
        text += "; made for this alone"
    if best.aside:
        text += f"; {_WHY_ASIDE}" if ranking.thinks(best.card) else ""
    if _nearly_empty(here):
        text += "; twice the usual speed was asked for, because the battery is nearly empty"
    license = best.card.license_line.rstrip(".")
    return f"{text}. License: {license}."


def _against(one: _Candidate, best: _Candidate) -> str:
    """Why this one does not come first."""
    known = one.advice.words_per_second is not None
    speed = f" ({rate(one.speed)})" if known else ""
    if one.slow and not best.slow:
        here = known and not one.assumed
        return f"too slow here{speed}" if here else f"too slow on an ordinary laptop{speed}; not measured here"
    if one.daring and not best.daring:
        return f"at {gigabytes(one.card.size or 0)} too large to try before edgellm doctor --measure has run"
    if one.advice.budget is None:
        return "its size is not known"
    if one.advice.fit != "fits" and best.advice.fit == "fits":
        return "memory would be tight"
    if one.split and not best.split:
        return "not all of it would be on the GPU"
    if one.aside and not best.aside:
        return _WHY_ASIDE if ranking.thinks(one.card) else "a plainer choice for older programs"
    if ranking.size(one.card) > 0.85 * ranking.size(best.card):
        if not ranking.is_free(one.card) and ranking.is_free(best.card):
            return f"its license has conditions, or is not known{speed}"
        return f"as large or larger, but not the first pick for this{speed}"
    if known and one.speed > 1.2 * best.speed:
        return f"faster{speed}, but smaller, so it can do less"
    return f"smaller, so it can do less{speed}"


def _best_later(later: list[Ranked], task: str) -> tuple[Ranked, ...]:
    """Of those that cannot run yet, the ones that the catalog marks for this task."""
    return tuple(one for one in later if any(mark.startswith(f"{task}:") for mark in one.card.recommended))
