"""Context, KV precision, batch and GPU layers that make a model fit into the memory that is free.

Searches from what a person would like best to what needs least. The sums are those of `budget.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

from edgellm.errors import ModelTooLarge
from edgellm.hardware.probe import Gpu, Hardware
from edgellm.models.gguf import GgufHeader
from edgellm.runtimes import budget as sums
from edgellm.runtimes.budget import Budget, KvType
from edgellm.settings import Settings

Fit = Literal["fits", "tight", "swap"]
CONTEXT = 4096
LARGER = (8192, 16_384, 32_768)
LARGEST_ON_CPU = 16_384  # beyond it, reading a full window takes minutes
SMALLER = (2048, 1024, 512)
USEFUL = 2048
BATCH, SMALL_BATCH = 512, 128


@dataclass(frozen=True, slots=True)
class Fitted:
    """One way to run the model, its sum, and how well it fits."""

    context: int
    kv_type: KvType
    batch: int
    layers: int
    budget: Budget
    fit: Fit


@dataclass(frozen=True, slots=True)
class Case:
    """What the search is about: a model, on a computer, on one of its devices, as the person wants it."""

    header: GgufHeader
    hardware: Hardware
    gpu: Gpu | None
    settings: Settings


def room(gpu: Gpu) -> int:
    """Bytes of the GPU's memory that a model may take."""
    return gpu.free - (sums.METAL_RESERVE if gpu.kind == "metal" else sums.GPU_RESERVE)


def find(case: Case, anyway: bool = False) -> Fitted | None:
    """The best way that fits. None: the GPU is not worth it. Raises `ModelTooLarge`, unless `anyway`."""
    best: Fitted | None = None
    if case.gpu is not None and case.settings.gpu_layers < 0:
        best = _whole_on_gpu(case)
        if best is None and not _worthwhile(case):
            return None
    if best is None:
        best = _search(case, anyway)
    return _larger(case, best)


def _whole_on_gpu(case: Case) -> Fitted | None:
    first = contexts(case)[0]
    for option in _options(case, (first,)):
        if option.layers > case.header.block_count and option.fit == "fits":
            return option
    return None


def _worthwhile(case: Case) -> bool:
    """Whether an eighth of the layers or more would be on the GPU: with fewer, moving data costs what it saves."""
    most = max((option.layers for option in _options(case, contexts(case)[:1])), default=0)
    return most >= max(case.header.block_count // 8, 1)


def _search(case: Case, anyway: bool) -> Fitted:
    sizes = contexts(case)
    useful = tuple(size for size in sizes if size >= min(USEFUL, sizes[0]))
    for group in (useful, sizes):
        options = list(_options(case, group))
        for grade in ("fits", "tight"):
            for option in options:
                if option.fit == grade:
                    return option
    for option in (list(_options(case, useful))[-1], list(_options(case, sizes))[-1]):
        if anyway or option.budget.in_main <= case.hardware.memory.total:
            return option
    raise _too_large(case, option.budget)


def _larger(case: Case, found: Fitted) -> Fitted:
    """A larger window where memory is plentiful: half of what is free stays free, a fifth on a GPU."""
    if case.settings.context or found.fit != "fits" or found.kv_type != kv_types(case.settings)[0]:
        return found
    trained, whole = case.header.context_length, case.header.block_count + 1
    on_gpu = case.gpu is not None and found.layers == whole
    limit = min(trained, LARGER[-1] if on_gpu else LARGEST_ON_CPU)
    for size in sorted({*LARGER, limit}):
        if not found.context < size <= limit or found.context < min(CONTEXT, trained):
            continue
        option = evaluate(case, size, found.kv_type, min(case.settings.batch, size) or found.batch)
        free = case.hardware.memory.free - sums.RESERVE
        plentiful = option.budget.in_main * 2 <= free
        if case.gpu is not None:
            plentiful = plentiful and option.budget.on_gpu * 5 <= room(case.gpu) * 4
        if case.gpu is not None and case.gpu.kind == "metal":
            plentiful = plentiful and option.budget.need * 2 <= free
        if option.fit != "fits" or option.layers != found.layers or not plentiful:
            break
        found = option
    return found


def contexts(case: Case) -> tuple[int, ...]:
    """Context sizes to try, the most wanted first. None is above what the model was trained for."""
    trained = case.header.context_length
    if case.settings.context:
        return (min(case.settings.context, trained) if trained else case.settings.context,)
    first = min(CONTEXT, trained) if trained else CONTEXT
    return (first, *(size for size in SMALLER if size < first))


def kv_types(settings: Settings) -> tuple[KvType, ...]:
    """Precisions to try, the exact one first."""
    return ("f16", "q8_0") if settings.kv_type == "auto" else (cast("KvType", settings.kv_type),)


def _options(case: Case, sizes: Iterable[int]) -> Iterator[Fitted]:
    """Every way for these contexts; for each, less precision comes before a smaller batch."""
    kinds, asked = kv_types(case.settings), case.settings.batch
    for size in sizes:
        for kind, batch in (*((kind, asked or BATCH) for kind in kinds), (kinds[-1], asked or SMALL_BATCH)):
            yield evaluate(case, size, kind, min(batch, size))


def evaluate(case: Case, context: int, kv_type: KvType, batch: int) -> Fitted:
    """The sum of one way, with as many layers on the GPU as fit there (or as the person set)."""
    header, memory, gpu = case.header, case.hardware.memory, case.gpu
    whole = sums.budget(header, context, batch, kv_type, memory.free, memory.total)
    if gpu is None:
        return Fitted(context, kv_type, batch, 0, whole, grade(whole.need, memory.free))
    layers = case.settings.gpu_layers
    if layers < 0:
        layers = sums.layers_that_fit(header, whole, room(gpu))
    layers = min(layers, header.block_count + 1)
    there = sums.on_gpu(header, whole, layers)
    all_there = layers > header.block_count
    free, total = (gpu.free, gpu.total) if all_there else (memory.free, memory.total)
    budget = Budget(whole.weights, whole.kv, whole.compute, free, total, there)
    in_main = budget.need if gpu.kind == "metal" else budget.in_main  # with Metal, one memory holds everything
    fit = grade(in_main, memory.free)
    if there > room(gpu):
        fit = "swap" if there > gpu.free else "tight" if fit == "fits" else fit
    return Fitted(context, kv_type, batch, layers, budget, fit)


def grade(need: int, free: int) -> Fit:
    """How well `need` bytes fit into main memory."""
    if need <= free - sums.RESERVE:
        return "fits"
    return "tight" if need <= free else "swap"


def _too_large(case: Case, budget: Budget) -> ModelTooLarge:
    asked = case.settings.context
    hint = "Choose a smaller model, or a smaller file of this one (such as Q4_K_M)."
    if asked > SMALLER[-1]:
        hint = f"Set a smaller context than {asked:,}, or choose a smaller model."
    memory = case.hardware.memory.total
    return ModelTooLarge(
        f"{case.header.name} is too large for this computer: weights {sums.gigabytes(budget.weights)} + KV cache "
        f"{sums.gigabytes(budget.kv)} + compute {sums.gigabytes(budget.compute)} = {sums.gigabytes(budget.need)}, "
        f"and there are {sums.gigabytes(memory)} of memory.",
        hint,
    )
