"""Provider, threads and memory of an ONNX model, with reasons."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edgellm.errors import ModelTooLarge
from edgellm.hardware.probe import Cpu, Gpu, Hardware, Memory, Power
from edgellm.runtimes.base import Placement
from edgellm.runtimes.onnx import choice
from edgellm.runtimes.onnx.folder import OnnxFile, OnnxFolder
from edgellm.runtimes.onnx.session import PROVIDERS
from edgellm.settings import Settings

GB = 1 << 30


def machine(free: int = 6, total: int = 8, gpus: tuple[Gpu, ...] = ()) -> Hardware:
    cpu = Cpu("A processor", frozenset({"avx2"}), 4, 8, "x86_64")
    return Hardware(cpu, Memory(total * GB, free * GB), gpus, Power(None, None), "Linux")


def folder(size: int) -> OnnxFolder:
    files = {"model": OnnxFile(Path("model.onnx"), "int8", size)}
    return OnnxFolder(Path("a-model"), "bert", "encoder", files, Path("tokenizer.json"))


def test_the_processor_with_its_reason_and_a_safer_step() -> None:
    first, last = choice.rungs(folder(100 << 20), machine(), Settings())
    assert first.value == Placement(runtime="onnx", device="cpu", threads=4, repack=False)
    assert "nothing faster here" in first.reason
    assert "4 threads" in first.reason
    assert last.value.threads == 1


def test_memory_is_summed_and_said() -> None:
    tight = choice.rungs(folder(2 * GB), machine(free=3), Settings())[0]
    assert "Memory is short: weights 2.00 GB + work" in tight.reason
    with pytest.raises(ModelTooLarge, match="weights 9"):
        choice.rungs(folder(9 * GB), machine(), Settings())
    assert choice.rungs(folder(9 * GB), machine(), Settings(), anyway=True)


def test_what_a_person_sets_is_taken() -> None:
    first = choice.rungs(folder(1 << 20), machine(), Settings(threads=3, device="cpu"))[0]
    assert first.value.threads == 3
    assert "because you set it" in first.reason
    asked = choice.rungs(folder(1 << 20), machine(), Settings(device="cuda"))[0]
    assert asked.value.device == "cpu"
    assert "you asked for cuda" in asked.reason


def test_a_gpu_is_taken_by_a_runtime_that_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libonnxruntime_providers_cuda.so").touch()
    monkeypatch.setattr(choice, "_library_folder", lambda: tmp_path)
    gpu = Gpu("cuda", "RTX", 0, 8 * GB, 7 * GB, "570", True, "")
    first, second, third = choice.rungs(folder(1 << 20), machine(gpus=(gpu,)), Settings())
    assert [step.value.device for step in (first, second, third)] == ["cuda", "cpu", "cpu"]
    assert "the RTX is faster" in first.reason
    old = dataclasses.replace(gpu, usable=False, reason="its driver is too old")
    assert choice.rungs(folder(1 << 20), machine(gpus=(old,)), Settings())[0].value.device == "cpu"
    assert next(one for one in choice.providers(machine(gpus=(old,))) if one.name == "cuda").reason == old.reason


def test_every_provider_says_why() -> None:
    found = choice.providers(machine())
    assert {provider.name for provider in found} == set(PROVIDERS)
    assert all(provider.reason for provider in found)
    assert found[-1] == choice.Provider("cpu", True, "always there")
    assert choice.version()
