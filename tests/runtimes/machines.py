"""Computers and models to choose for, as values: what the tests of the choice, the budget and the ladder share."""

from __future__ import annotations

from typing import Any

from edgellm.hardware.probe import Cpu, Gpu, Hardware, Memory, Power
from edgellm.models.gguf import GgufHeader
from edgellm.runtimes.build import Build

GB, MB = 1 << 30, 1 << 20
SSE = frozenset({"sse2", "ssse3", "sse4_1", "sse4_2"})
AVX = SSE | {"avx"}
IVY = AVX | {"f16c"}
AVX2 = IVY | {"fma", "avx2", "bmi1", "bmi2"}
ALDER = AVX2 | {"avx_vnni"}
AVX512 = AVX2 | {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"}
ZEN4 = AVX512 | {"avx512vbmi", "avx512_vnni", "avx512_bf16"}
AMX = ZEN4 | {"amx_tile", "amx_int8", "amx_bf16"}
ALL = (
    "sapphirerapids", "zen4", "cooperlake", "icelake", "cascadelake", "cannonlake", "skylakex", "alderlake", "haswell",
    "piledriver", "ivybridge", "sandybridge", "sse42", "x64",
)  # fmt: skip
EVERY = Build("0.3.36", ALL)
CUDA = Build("0.3.36", ALL, ("cuda",))
METAL = Build("0.3.36", (), ("metal",))
PLAIN = Build("0.3.36")


def computer(
    total: float, free: float, *gpus: Gpu, flags: frozenset[str] = AVX2, cores: int = 4, **rest: Any
) -> Hardware:
    """A computer with these GB of memory."""
    power = rest.pop("power", Power(False, 100.0))
    architecture = rest.pop("architecture", "x86_64")
    notes = rest.pop("notes", ())
    cpu = Cpu("Test CPU", flags, cores, cores * 2, architecture, rest.pop("fast", cores), rest.pop("limit", ""))
    assert not rest
    return Hardware(cpu, Memory(int(total * GB), int(free * GB)), gpus, power, "Testix 1", notes)


def nvidia(total: float, free: float | None = None, index: int = 0, **rest: Any) -> Gpu:
    """An NVIDIA card with these GB."""
    room = total - 0.4 if free is None else free
    return Gpu(
        "cuda", f"NVIDIA Test {total:g} GB", index, int(total * GB), int(room * GB), **{"driver": "550.54", **rest}
    )


def model(
    name: str, parameters: float, size: int, layers: int, width: int, heads: int, kv: int, head: int, **rest: Any
) -> GgufHeader:
    """The header of a model."""
    architecture = rest.pop("architecture", "qwen3")
    return GgufHeader(
        architecture=architecture,
        name=name,
        block_count=layers,
        context_length=rest.pop("context", 40_960),
        embedding_length=width,
        head_count=heads,
        head_count_kv=kv,
        key_length=head,
        value_length=head,
        vocab=rest.pop("vocab", 151_936),
        file_size=size,
        tensor_bytes=size - MB,
        parameters=int(parameters),
        quantization="Q4_K_M",
        metadata={f"{architecture}.{key}": value for key, value in rest.items()},
    )


STARTER = model("Starter", 9e6, 10 * MB, 6, 256, 4, 2, 64, vocab=8000, context=1024, architecture="llama")
SMALL = model("Qwen3 0.6B", 0.6e9, 397 * MB, 28, 1024, 16, 8, 128)
FOUR = model("Qwen3 4B", 4.0e9, 2382 * MB, 36, 2560, 32, 8, 128)
EIGHT = model("Qwen3 8B", 8.2e9, 4795 * MB, 36, 4096, 32, 8, 128)
FOURTEEN = model("Qwen3 14B", 14.8e9, 8585 * MB, 40, 5120, 40, 8, 128)
HYBRID = model(
    "Qwen3.5 4B", 4.2e9, 2614 * MB, 32, 2560, 16, 4, 256, architecture="qwen35", context=262_144, vocab=248_320,
    full_attention_interval=4,
    **{"ssm.inner_size": 4096, "ssm.state_size": 128, "ssm.conv_kernel": 4, "ssm.group_count": 16},
)  # fmt: skip
