"""Advice about a model in the words of the window: the badge, the sum behind it, the speed and where it is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgellm.ui import facts
from edgellm.ui.language import told, tr

if TYPE_CHECKING:
    from edgellm.runtimes.advice import Advice
    from edgellm.runtimes.budget import Budget

_SLOW = 2.0  # words a second: below, `recommend` looks for speed alone


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model fits this computer: one of four kinds or none, in a word, with the reason and the sum behind."""

    kind: str = ""
    word: str = ""
    reason: str = ""
    budget: str = ""


def fit(advice: Advice | None) -> Fit:
    """The badge of a model."""
    if advice is None:
        return Fit()
    words = {
        "fits": (tr("Fits"), tr("It fits into the memory that is free now.")),
        "tight": (tr("Tight"), tr("It fits, but little memory is left for other programs.")),
        "swap": (tr("Will swap"), tr("Memory does not hold it, so the disk would make it very slow.")),
        "unsupported": (tr("Not supported"), ""),
    }
    word, reason = words[advice.fit]
    if advice.budget is None:
        return Fit(advice.fit, word, told(advice.sentence))
    window = advice.placement.context if advice.placement is not None else 0
    return Fit(advice.fit, word, reason, _sum(advice.budget, window, estimated=advice.estimated))


def broken(problem: str) -> Fit:
    """The badge of an installed model that lacks something."""
    return Fit("swap", tr("Damaged"), told(problem))


def _sum(total: Budget, window: int, *, estimated: bool) -> str:
    from edgellm.runtimes.budget import gigabytes

    whole = tr("at most {size}") if estimated else "{size}"
    parts = tr("weights {weights} + KV cache {kv} + compute {compute} = {need}").format(
        weights=gigabytes(total.weights),
        kv=gigabytes(total.kv),
        compute=gigabytes(total.compute),
        need=whole.format(size=gigabytes(total.need)),
    )
    free = tr("{free} of {total} free").format(free=gigabytes(total.free), total=gigabytes(total.total))
    lines = [tr("Memory: {sum}; {free}.").format(sum=parts, free=free)]
    if total.on_gpu:
        lines.append(tr("{size} of it on the graphics card.").format(size=gigabytes(total.on_gpu)))
    if window:
        lines.append(tr("Reckoned with a context of {n} tokens.").format(n=f"{window:,}"))
    return " ".join(lines)


def speed(advice: Advice | None) -> tuple[str, str]:
    """The expected speed, and where it is from; without a speed the second says why there is none."""
    if advice is None or advice.fit == "unsupported":
        return "", ""
    if advice.speed is None:
        if advice.fit == "swap":
            return "", tr("Its speed cannot be foretold: the disk decides it.")
        if advice.unknown == "first":
            return "", tr("Its speed is not known yet: it has not run here.")
        return "", tr("Its speed is not known yet: this computer has not been measured.")
    bases = {
        "measured": tr("measured here"),
        "scaled": tr("scaled from another model that ran here"),
        "test": tr("estimated from the self-test"),
        "assumed": tr("assumed for an ordinary laptop, until this computer is measured"),
    }
    words = tr("about {rate}").format(rate=facts.rate(advice.speed.words_per_second))
    accuracy = advice.speed.accuracy
    basis = bases[advice.speed.basis]
    if accuracy is not None:
        off = tr("such figures were {error} off here, in {n} runs").format(
            error=f"{accuracy.error:.0%}", n=accuracy.runs
        )
        basis = f"{basis}; {off}"
    return words, basis


def why(advice: Advice | None, jobs: str) -> str:
    """Why this is the model to take for these jobs."""
    return " ".join(filter(None, (tr("Recommended here for: {jobs}.").format(jobs=jobs), short_why(advice))))


def short_why(advice: Advice | None) -> str:
    """The same without the jobs."""
    if advice is None or advice.budget is None:
        return ""
    from edgellm.runtimes.budget import gigabytes

    if advice.fit == "tight":
        text = tr("It just fits into the {free} that are free.")
    elif advice.words_per_second is not None and advice.words_per_second < _SLOW:
        text = tr("No other that fits into the {free} that are free is faster.")
    else:
        text = tr("The most capable one that fits well into the {free} that are free.")
    return text.format(free=gigabytes(advice.budget.free))
