"""Which of llama.cpp's CPU libraries runs on this processor, and which is best.

The table is that of ggml's build (`ggml_add_cpu_backend_variant` in its CMakeLists) in the order of its own scores,
with the names of /proc/cpuinfo for the instruction sets. Loading the library is left to the adapter.
"""

from __future__ import annotations

from collections.abc import Iterable

from edgellm.hardware.cpu import Cpu
from edgellm.runtimes.base import Choice

_SSE = frozenset({"sse4_2"})
_AVX = _SSE | {"avx"}
_F16C = _AVX | {"f16c"}
_FMA = _F16C | {"fma"}
_AVX2 = _FMA | {"avx2", "bmi2"}
_AVX512 = _AVX2 | {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"}
_VBMI, _VNNI, _BF16 = frozenset({"avx512vbmi"}), frozenset({"avx512_vnni"}), frozenset({"avx512_bf16"})
_DOT = frozenset({"asimddp"})
_FP16 = _DOT | {"asimdhp"}
_SVE = _FP16 | {"sve"}

# Best first. A name that is not here (a newer build) is never chosen.
_NEEDS: dict[str, dict[str, frozenset[str]]] = {
    "x86_64": {
        "sapphirerapids": _AVX512 | _VBMI | _VNNI | _BF16 | {"amx_tile", "amx_int8"},
        "zen4": _AVX512 | _VBMI | _VNNI | _BF16,
        "cooperlake": _AVX512 | _VNNI | _BF16,
        "icelake": _AVX512 | _VBMI | _VNNI,
        "cascadelake": _AVX512 | _VNNI,
        "cannonlake": _AVX512 | _VBMI,
        "skylakex": _AVX512,
        "alderlake": _AVX2 | {"avx_vnni"},
        "haswell": _AVX2,
        "piledriver": _FMA,
        "ivybridge": _F16C,
        "sandybridge": _AVX,
        "sse42": _SSE,
        "x64": frozenset(),
    },
    "aarch64": {
        "apple_m4": _DOT | {"i8mm", "sme"},
        "apple_m2_m3": _DOT | {"i8mm"},
        "apple_m1": _DOT,
        "armv9.2_2": _SVE | {"i8mm", "sve2", "sme"},
        "armv9.2_1": _SVE | {"i8mm", "sme"},
        "armv8.6_2": _SVE | {"i8mm", "sve2"},
        "armv8.6_1": _SVE | {"i8mm"},
        "armv8.2_3": _SVE,
        "armv8.2_2": _FP16,
        "armv8.2_1": _DOT,
        "armv8.0_1": frozenset(),
    },
}
# Its matrix unit is left in a state in which the first prompt of a quantized model ends the process.
CRASHES = frozenset({"sapphirerapids"})
# One step down for each family of instruction sets that could be the culprit
_STEPS = ("haswell", "sandybridge", "sse42", "x64", "armv8.2_1", "armv8.0_1", "apple_m1")
_WORDS = {
    "zen4": "AVX-512 with VNNI and BF16",
    "cooperlake": "AVX-512 with VNNI and BF16",
    "icelake": "AVX-512 with VNNI",
    "cascadelake": "AVX-512 with VNNI",
    "cannonlake": "AVX-512",
    "skylakex": "AVX-512",
    "alderlake": "AVX2 with VNNI",
    "haswell": "AVX2",
    "piledriver": "AVX and FMA, but no AVX2",
    "ivybridge": "AVX, but no AVX2",
    "sandybridge": "AVX, but no AVX2",
    "sse42": "SSE 4.2, but no AVX",
    "x64": "only what every 64-bit PC has",
}


def has_amx(cpu: Cpu) -> bool:
    """Whether this processor has the matrix unit with which llama.cpp crashes."""
    return "amx_tile" in cpu.flags or "amx_int8" in cpu.flags


def missing(name: str, cpu: Cpu) -> str:
    """Why this library cannot run on this processor, or should not; empty when it can."""
    needs = _NEEDS.get(cpu.architecture, {}).get(name)
    if needs is None:
        return "it is not known here"
    lacking = needs - cpu.flags
    if lacking:
        return f"this processor has no {', '.join(sorted(lacking))}"
    return "its matrix unit (AMX) crashes, so it is never chosen by itself" if name in CRASHES else ""


def usable(variants: Iterable[str], cpu: Cpu) -> tuple[str, ...]:
    """Those that run on this processor, best first, without those that crash."""
    present = frozenset(variants)
    return tuple(name for name in _NEEDS.get(cpu.architecture, {}) if name in present and not missing(name, cpu))


def best(variants: Iterable[str], cpu: Cpu) -> Choice[str]:
    """The library to load. Empty with a plain build, and where none can run on this processor."""
    present = tuple(variants)
    if not present:
        return Choice("", "this llama.cpp has one CPU library, linked in")
    if cpu.architecture not in _NEEDS:
        return Choice(min(present), "the simplest of this llama.cpp, because this kind of processor is not known here")
    names = usable(present, cpu)
    if not names:
        return Choice("", "no CPU library of this llama.cpp runs on this processor")
    reason = f"the fastest that this processor runs: it has {_WORDS.get(names[0], 'what it needs')}"
    if has_amx(cpu):
        reason += "; the one for AMX is left out, because it crashes"
    return Choice(names[0], reason)


def steps_down(variants: Iterable[str], cpu: Cpu, start: str) -> tuple[str, ...]:
    """Safer libraries below `start`: one for each family of instructions, and not one for each processor."""
    names = usable(variants, cpu)
    below = names[names.index(start) + 1 :] if start in names else ()
    chosen = [name for name in below if name in _STEPS]
    return tuple(chosen) or below[-1:]


def words(name: str) -> str:
    """The instruction sets of a library, for a person."""
    return _WORDS.get(name, "fewer instruction sets")
