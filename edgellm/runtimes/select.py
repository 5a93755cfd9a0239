"""How a model should run on this computer: every part of the placement with its reason, and the sum behind it.

Puts together `device.py` (which device, threads), `variants.py` (which CPU library) and `fitting.py` (what fits).
What to try when the choice fails is left to `ladder.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from edgellm.errors import EngineError
from edgellm.hardware.probe import Gpu, Hardware
from edgellm.models.gguf import GgufHeader
from edgellm.runtimes import device, fitting, tuning, variants
from edgellm.runtimes.base import Choice, Placement
from edgellm.runtimes.budget import Budget, gigabytes
from edgellm.runtimes.device import YOU
from edgellm.runtimes.fitting import Case, Fit, Fitted
from edgellm.settings import Settings

if TYPE_CHECKING:
    from edgellm.runtimes.build import Build
    from edgellm.runtimes.speed import Tuned

__all__ = ["Budget", "Fit", "Selection", "choose"]


@dataclass(frozen=True, slots=True)
class Selection:
    """The placement and everything that led to it.

    `parts` has one choice each for device, gpu_layers, threads, batch, context, kv_type, cpu_variant, repack and
    flash. `warning` is a sentence where memory is short, else empty. `tuned` is what was measured of this model.
    """

    choice: Choice[Placement]
    budget: Budget
    fit: Fit
    parts: Mapping[str, Choice[Any]]
    warning: str = ""
    header: GgufHeader | None = None
    settings: Settings = field(default_factory=Settings)
    tuned: Tuned | None = None


def choose(
    header: GgufHeader,
    hardware: Hardware,
    settings: Settings,
    build: Build,
    *,
    anyway: bool = False,
    tuned: Tuned | None = None,
) -> Selection:
    """Choose device, layers, threads, batch, context, KV precision and CPU library for this model.

    What was `tuned` for it counts on the processor, where the person set nothing else and memory allows it.
    Raises `ModelTooLarge` when no way fits into all of the memory, unless `anyway`, and `EngineError` when no CPU
    library of this build runs on the processor.
    """
    wanted = device.pick(hardware, settings, build)
    gpu, why = wanted.value, wanted.reason
    case = Case(header, hardware, gpu, settings)
    found = fitting.find(case, anyway)
    if found is None and gpu is not None:
        why = f"the {gpu.name} has {gigabytes(gpu.free)} free, too little for this model"
        gpu, case = None, replace(case, gpu=None)
        found = fitting.find(case, anyway)
    if found is None:
        raise AssertionError("the processor is always worth trying")
    measured = tuning.usable(tuned, case)
    found = tuning.refit(measured, case, found)
    variant = variants.best(build.variants, hardware.cpu)
    if build.variants and not variant.value:
        raise EngineError(
            "No part of the installed llama.cpp runs on this processor.",
            "Install llama-cpp-python again, built on this computer.",
        )
    parts: dict[str, Choice[Any]] = {
        "device": Choice(device.device_name(gpu), why),
        "gpu_layers": _layers(case, found),
        "threads": tuning.threads(measured, case, device.threads(hardware, settings)),
        "batch": tuning.part(measured, "batch", _batch(case, found)),
        "context": _context(case, found),
        "kv_type": tuning.part(measured, "kv_type", _kv(case, found)),
        "cpu_variant": variant,
        "repack": tuning.repack(measured, device.repack(hardware, variant.value)),
        "flash": tuning.flash(measured),
    }
    placement = Placement(**{name: part.value for name, part in parts.items()})
    warning = _warning(found, hardware)
    reason = _sentence(gpu, why, case, found)
    return Selection(
        Choice(placement, f"{reason} {warning}".strip()),
        found.budget,
        found.fit,
        parts,
        warning,
        header,
        settings,
        measured,
    )


def _layers(case: Case, found: Fitted) -> Choice[int]:
    every = case.header.block_count + 1
    if case.gpu is None:
        return Choice(0, "the model runs on the processor")
    if case.settings.gpu_layers >= 0:
        return Choice(found.layers, YOU)
    free = gigabytes(case.gpu.free)
    if found.layers >= every:
        return Choice(found.layers, f"all {every} layers fit into the {free} that are free on the GPU")
    return Choice(found.layers, f"{found.layers} of {every} layers fit into the {free} that are free on the GPU")


def _batch(case: Case, found: Fitted) -> Choice[int]:
    asked = case.settings.batch
    if asked and found.batch == asked:
        return Choice(found.batch, YOU)
    if found.batch == fitting.BATCH and not asked:
        return Choice(found.batch, "tokens read at a time, as is usual")
    if found.batch == found.context:
        return Choice(found.batch, "as many tokens as the context holds")
    return Choice(found.batch, "fewer tokens at a time than usual, to save memory")


def _context(case: Case, found: Fitted) -> Choice[int]:
    trained, asked = case.header.context_length, case.settings.context
    if asked:
        if found.context < asked:
            return Choice(found.context, f"you set {asked:,}, but the model was trained for {trained:,}")
        return Choice(found.context, YOU)
    if found.context == trained:
        return Choice(found.context, "all that the model was trained for")
    if found.context > fitting.CONTEXT:
        return Choice(found.context, "more than usual, because memory is plentiful")
    if found.context == fitting.CONTEXT:
        return Choice(found.context, "the usual window; a larger one is a setting")
    return Choice(found.context, f"smaller than the usual {min(fitting.CONTEXT, trained or 4096):,}, to save memory")


def _kv(case: Case, found: Fitted) -> Choice[str]:
    if case.settings.kv_type != "auto":
        return Choice(found.kv_type, YOU)
    if found.kv_type == "f16":
        return Choice("f16", "the KV cache fits in full precision")
    return Choice("q8_0", "half the memory for the KV cache, which makes the difference here")


def _sentence(gpu: Gpu | None, why: str, case: Case, found: Fitted) -> str:
    if gpu is None:
        if why == YOU or why.startswith("because"):
            return f"Runs on the processor, {why}."
        return f"Runs on the processor: {why}."
    every = case.header.block_count + 1
    if found.layers >= every:
        return f"Runs on the {gpu.name}, {why}." if why == YOU else f"Runs on the GPU: {why}."
    return f"Runs partly on the {gpu.name}: {found.layers} of {every} layers fit there."


def _warning(found: Fitted, hardware: Hardware) -> str:
    if found.fit == "fits":
        return ""
    need, free = gigabytes(found.budget.in_main), gigabytes(hardware.memory.free)
    if found.budget.on_gpu and found.budget.in_main <= hardware.memory.free and found.fit == "swap":
        there = gigabytes(found.budget.on_gpu)
        return f"The layers you set need {there} on the GPU, more than is free there; set fewer."
    if found.fit == "tight":
        return f"Memory is tight: {need} of the {free} that are free; close other programs if it slows down."
    return f"It needs {need} and {free} are free: the computer will swap and be slow; a smaller model runs better."
