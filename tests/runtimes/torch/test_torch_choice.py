"""Device, kind of numbers, threads and memory of a safetensors model; and what is said without PyTorch."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import site
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import ModelTooLarge
from edgellm.hardware.probe import Cpu, Gpu, Hardware, Memory, Power
from edgellm.runtimes import plans
from edgellm.runtimes.plans import Situation, kind_of, ways
from edgellm.runtimes.torch import choice, describe, extra
from edgellm.runtimes.torch.folder import TorchFolder
from edgellm.runtimes.torch.table import ARCHITECTURES
from edgellm.runtimes.torch.weights import Tensor
from edgellm.settings import Settings
from tests import tiny_onnx, tiny_torch

pytestmark = pytest.mark.filterwarnings("ignore")
GB = 1 << 30
RTX = Gpu("cuda", "RTX", 0, 8 * GB, 7 * GB, "570", True, "")


def machine(free: float = 6, total: float = 8, gpus: tuple[Gpu, ...] = (), flags: str = "avx2") -> Hardware:
    cpu = Cpu("A processor", frozenset(flags.split()), 4, 8, "x86_64")
    return Hardware(cpu, Memory(int(total * GB), int(free * GB)), gpus, Power(None, None), "Linux")


def folder(parameters: float, precision: Any = "bf16", **config: int) -> TorchFolder:
    sizes = {"num_hidden_layers": 10, "num_attention_heads": 8, "num_key_value_heads": 4, "hidden_size": 512}
    return TorchFolder(
        path=Path("a-model"),
        architecture="llama",
        row=ARCHITECTURES["llama"],
        config={**sizes, "max_position_embeddings": 32_768, **config},
        generation={},
        files=(),
        held={},
        tensors={"a": Tensor("BF16", (int(parameters),), 2 * int(parameters))},
        tokenizer=Path("tokenizer.json"),
        template="",
        specials={},
        precision=precision,
    )


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyTorch that was built for CUDA."""
    monkeypatch.setattr(extra, "has_cuda", lambda: True)


def test_bf16_where_the_processor_has_it_and_fp32_after_it() -> None:
    first, second, third = choice.rungs(folder(5e8), machine(flags="avx2 avx512_bf16"), Settings())
    assert [step.value.precision for step in (first, second, third)] == ["bf16", "fp32", "fp32"]
    assert "this processor has avx512_bf16, and its file has bf16" in first.reason
    assert third.value.threads == 1 and first.value.threads == 4
    assert (first.value.context, first.value.batch) == (4096, 128)
    plain = choice.rungs(folder(5e8), machine(), Settings())
    assert plain[0].value.precision == "fp32" and "no instructions for it" in plain[0].reason
    for flag in ("amx_bf16", "bf16"):
        assert choice.rungs(folder(5e8), machine(flags=flag), Settings())[0].value.precision == "bf16"


def test_fp32_stays_fp32_unless_it_would_not_fit() -> None:
    roomy = choice.rungs(folder(5e8, "fp32"), machine(flags="amx_bf16"), Settings())[0]
    assert roomy.value.precision == "fp32" and "its file has fp32" in roomy.reason
    short = choice.rungs(folder(1.2e9, "fp32"), machine(free=5), Settings())[0]
    assert short.value.precision == "bf16" and "would not fit" in short.reason
    slow = choice.rungs(folder(1.2e9), machine(free=5), Settings())[0]
    assert slow.value.precision == "bf16" and "would not fit into memory in fp32" in slow.reason


def test_memory_is_summed_and_said() -> None:
    found = choice.need(folder(1e9), "bf16", 4096)
    assert found.weights == 2_000_000_000
    assert found.kv == 2 * 10 * 4 * 64 * 4096 * 2
    tight = choice.rungs(folder(2.2e9), machine(free=5, flags="bf16"), Settings())[0]
    assert "Memory is short: weights 4.10 GB + KV cache" in tight.reason
    with pytest.raises(ModelTooLarge, match="weights 16") as error:
        choice.rungs(folder(9e9), machine(flags="bf16"), Settings())
    assert "GGUF" in error.value.hint
    assert choice.rungs(folder(9e9), machine(), Settings(), anyway=True)


def test_what_a_person_sets_is_taken() -> None:
    first = choice.rungs(folder(1e6), machine(), Settings(threads=3, device="cpu", context=999, batch=64))[0]
    assert (first.value.threads, first.value.context, first.value.batch) == (3, 999, 64)
    assert "because you set it" in first.reason
    assert choice.rungs(folder(1e6), machine(), Settings(context=99_999))[0].value.context == 32_768
    asked = choice.rungs(folder(1e6), machine(), Settings(device="cuda"))[0]
    assert asked.value.device == "cpu" and "you asked for cuda" in asked.reason
    assert "no Vulkan" in choice.rungs(folder(1e6), machine(), Settings(device="vulkan"))[0].reason


@pytest.mark.usefixtures("cuda")
def test_a_gpu_comes_first_when_the_model_fits_into_it() -> None:
    steps = choice.rungs(folder(1e9), machine(gpus=(RTX,), flags="amx_bf16"), Settings())
    assert [step.value.device for step in steps] == ["cuda:0", "cpu", "cpu", "cpu"]
    assert steps[0].value.gpu_layers == -1 and "the RTX is faster" in steps[0].reason
    large = choice.rungs(folder(4e9), machine(12, 16, (RTX,), "amx_bf16"), Settings())[0]
    assert large.value.device == "cpu" and "the RTX has 7.00 GB free, and" in large.reason
    old = dataclasses.replace(RTX, usable=False, reason="its driver is too old")
    assert "its driver is too old" in choice.rungs(folder(1e6), machine(gpus=(old,)), Settings())[0].reason
    assert choice.rungs(folder(1e6), machine(gpus=(RTX,)), Settings(device="cpu"))[0].value.device == "cpu"
    assert choice.rungs(folder(1e6), machine(gpus=(RTX,)), Settings(gpu_layers=0))[0].value.device == "cpu"


def test_a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    apple = Gpu("metal", "Apple M3", 0, 12 * GB, 9 * GB)
    first = choice.rungs(folder(1e9), machine(gpus=(apple,)), Settings())[0]
    assert first.value.device == "metal" and "Runs on Metal in bf16" in first.reason


def test_every_way_says_why() -> None:
    found = choice.ways(machine(gpus=(RTX,)))
    assert [way.name for way in found] == ["CUDA", "Metal", "CPU in bf16", "CPU in fp32"]
    assert all(way.reason for way in found) and found[-1].usable
    assert "built without CUDA" in found[0].reason or extra.has_cuda()
    lines = list(describe.way_lines(describe.ways(machine())))
    assert lines[0].startswith("  torch on    CPU in fp32") and "not Metal" in lines[2]


def test_onnx_wins_where_both_are_and_says_so(tmp_path: Path) -> None:
    both = Path(shutil.copytree(tiny_onnx.seq2seq("marian")[0], tmp_path / "both"))
    assert kind_of(both) == "onnx"
    shutil.copy(tiny_torch.saved("marian")[0] / "model.safetensors", both)
    assert kind_of(both) == "onnx"
    found = ways(both, Situation(machine(), Settings()))
    assert found.rungs[0].value.runtime == "onnx"
    assert "The folder holds safetensors too; ONNX is taken" in found.rungs[0].reason
    decoder = Path(shutil.copytree(tiny_torch.saved("llama")[0], tmp_path / "decoder"))
    (decoder / "onnx").mkdir()
    shutil.copy(both / "encoder_model.onnx", decoder / "onnx" / "model.onnx")
    assert kind_of(decoder) == "safetensors", "ONNX has no way to run it"
    assert ways(decoder, Situation(machine(), Settings())).machine.startswith("A processor; PyTorch 2")
    assert plans.kind_of(tmp_path / "x.gguf") == "gguf"


def without_torch(place: Path) -> dict[str, str]:
    """An environment in which PyTorch cannot be found: every installed package but that."""
    place.mkdir()
    for entry in Path(site.getsitepackages()[0]).iterdir():
        if not entry.name.startswith(("torch", "transformers")):
            (place / entry.name).symlink_to(entry)
    root = Path(__file__).parents[3]
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{place}", "EDGELLM_HOME": str(place.parent / "home")}


def test_without_pytorch_one_sentence_names_the_command(tmp_path: Path) -> None:
    model, _ = tiny_torch.saved("llama")
    outside = without_torch(tmp_path / "packages")

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-S", "-m", "edgellm", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=outside, cwd=tmp_path)

    done = call("generate", "--model", str(model), "Hi")
    assert done.returncode == 1
    assert "safetensors models need PyTorch and transformers, which are not installed." in done.stderr
    assert "Run: pip install 'edgellm[torch]'" in done.stderr
    assert "Traceback" not in done.stderr
    report = json.loads(call("doctor", "--model", str(model), "--json").stdout)
    assert "pip install 'edgellm[torch]'" in report["problem"]["hint"]
    assert not any(way["usable"] for way in report["torch"])
    child = (
        "from edgellm.models.catalog import ModelCard, CardFile\n"
        "from edgellm.runtimes.architectures import unsupported_card\n"
        "print(unsupported_card(ModelCard('x', 'X', 'x', (CardFile('m.safetensors', 1),), format='safetensors')))"
    )
    said = subprocess.run([sys.executable, "-S", "-c", child], capture_output=True, text=True, env=outside, check=True)
    assert said.stdout.strip() == extra_sentence()


def extra_sentence() -> str:
    return (
        "safetensors models need PyTorch and transformers, which are not installed. Run: pip install 'edgellm[torch]'"
    )
