"""What to try, in order, until a model runs: each step is safer than the one before, and says why it is tried.

All layers on the GPU, some of them, the best CPU library, the same without rearranged weights, older libraries, a
smaller context. Walking the ladder, and remembering what crashed here, is left to the supervisor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgellm.errors import ModelTooLarge
from edgellm.hardware.probe import Hardware
from edgellm.runtimes import variants
from edgellm.runtimes.base import Choice, Placement
from edgellm.runtimes.fitting import SMALL_BATCH, SMALLER
from edgellm.runtimes.select import Selection, choose
from edgellm.settings import changed

if TYPE_CHECKING:
    from edgellm.runtimes.build import Build


def ladder(selection: Selection, hardware: Hardware, build: Build) -> tuple[Choice[Placement], ...]:
    """The selection itself, then each safer placement with its reason. No placement comes twice."""
    steps = [selection.choice]
    first = selection.choice.value
    if first.device != "cpu":
        if first.gpu_layers > 1:
            some = replace(first, gpu_layers=first.gpu_layers // 2)
            steps.append(Choice(some, f"Half the layers on the GPU ({some.gpu_layers}), in case its memory ran out."))
        steps.append(Choice(_on_cpu(selection, hardware, build), "The processor alone, in case the GPU is at fault."))
    steps += _processor_steps(steps[-1].value, hardware, build)
    unique: dict[Placement, Choice[Placement]] = {}
    for step in steps:
        unique.setdefault(step.value, step)
    return tuple(unique.values())


def _on_cpu(selection: Selection, hardware: Hardware, build: Build) -> Placement:
    """The best placement without a GPU: chosen anew, because main memory may hold less or more."""
    first = selection.choice.value
    if selection.header is not None:
        try:
            settings = changed(selection.settings, device="cpu", gpu_layers=-1)
            return choose(selection.header, hardware, settings, build, tuned=selection.tuned).choice.value
        except ModelTooLarge:
            pass
    return replace(first, device="cpu", gpu_layers=0)


def _processor_steps(best: Placement, hardware: Hardware, build: Build) -> list[Choice[Placement]]:
    plain = replace(best, repack=False)
    steps = [Choice(plain, "Without rearranged weights, in case their fast path is at fault.")]
    for name in variants.steps_down(build.variants, hardware.cpu, best.cpu_variant):
        what = variants.words(name)
        steps.append(Choice(replace(plain, cpu_variant=name), f"An older CPU library ({name}: {what})."))
    smaller = next((size for size in SMALLER if size < best.context), 0)
    while smaller:
        small = replace(plain, context=smaller, batch=min(best.batch, SMALL_BATCH, smaller))
        steps.append(Choice(small, f"A smaller context ({smaller:,} tokens), in case memory ran out."))
        smaller = next((size for size in SMALLER if size < smaller), 0)
    return steps
