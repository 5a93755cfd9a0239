"""Loading GGUF files: typed errors for those that cannot run, nothing left behind by those that ran."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from edgellm.errors import ModelDamaged, ModelError, ModelNotFound, ModelUnsupported
from edgellm.runtimes import llama_library, registry
from edgellm.runtimes.base import Finish, Message, Placement, Request
from edgellm.runtimes.build import Build, inspect
from edgellm.runtimes.llama import LlamaRuntime
from tests import tiny_gguf

PLACEMENT = Placement(context=512, batch=64, threads=1, cpu_variant="haswell")
ASK = Request((Message("user", "hello"),), max_tokens=4)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf.make(tmp_path_factory.mktemp("gguf") / "good.gguf")


def finish(runtime: LlamaRuntime) -> Finish:
    last = list(runtime.generate(ASK))[-1]
    assert isinstance(last, Finish)
    return last


def test_the_registry_loads_it(good: Path) -> None:
    runtime = registry.load(good, PLACEMENT)
    assert runtime.info.architecture == "llama"
    assert runtime.info.context == 512
    assert runtime.info.trained_context == tiny_gguf.CONTEXT
    assert runtime.info.vocabulary == tiny_gguf.make_vocabulary_size()
    runtime.close()


def test_a_missing_template_is_said(good: Path, tmp_path: Path) -> None:
    own = tiny_gguf.make(tmp_path / "own.gguf", template="{{ messages[0].content }}")
    for path, word in ((good, "ChatML"), (own, "from the file")):
        runtime = LlamaRuntime.load(path, PLACEMENT)
        assert word in runtime.info.metadata["chat_template"]
        runtime.close()


def test_missing_and_cut_short(good: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        LlamaRuntime.load(tmp_path / "no.gguf", PLACEMENT)
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(good.read_bytes()[:-100])
    with pytest.raises(ModelDamaged, match="cut short"):
        LlamaRuntime.load(cut, PLACEMENT)


@pytest.mark.parametrize("architecture", ["nosuch", "bert", "t5encoder"])
def test_other_architectures(tmp_path: Path, architecture: str) -> None:
    path = tiny_gguf.make(tmp_path / "other.gguf", architecture=architecture)
    with pytest.raises(ModelUnsupported):
        LlamaRuntime.load(path, PLACEMENT)


CHANGES: list[dict[str, Any]] = [
    {"output_norm.weight": None},
    {"blk.1.ffn_up.weight": None},
    {"blk.0.attn_q.weight": np.zeros((tiny_gguf.WIDTH, 32), np.float32)},
    {"token_embd.weight": np.zeros((7, tiny_gguf.WIDTH), np.float32)},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_missing_and_misshapen_tensors(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tiny_gguf.make(tmp_path / "bad.gguf", change=change)
    with pytest.raises(ModelDamaged):
        LlamaRuntime.load(path, PLACEMENT)


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    bad = np.full((tiny_gguf.WIDTH, tiny_gguf.WIDTH), np.nan, np.float32)
    path = tiny_gguf.make(tmp_path / "nan.gguf", change={"blk.0.attn_q.weight": bad})
    runtime = LlamaRuntime.load(path, PLACEMENT)
    with pytest.raises(ModelDamaged, match="no numbers"):
        finish(runtime)
    runtime.close()


def test_a_broken_chat_template_stops_the_loading(tmp_path: Path) -> None:
    path = tiny_gguf.make(tmp_path / "template.gguf", template="{% for %}")
    with pytest.raises(ModelUnsupported, match="template"):
        LlamaRuntime.load(path, PLACEMENT)


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits there")
def test_too_little_memory(good: Path) -> None:
    code = (
        "import resource, sys, pathlib\n"
        "from edgellm.errors import ModelTooLarge\n"
        "from edgellm.runtimes.base import Placement\n"
        "from edgellm.runtimes.llama import LlamaRuntime\n"
        "place = lambda n: Placement(context=n, batch=64, threads=1, cpu_variant='haswell')\n"
        "LlamaRuntime.load(pathlib.Path(sys.argv[1]), place(256)).close()\n"
        "import psutil; most = psutil.Process().memory_info().vms + (200 << 20)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "try: LlamaRuntime.load(pathlib.Path(sys.argv[1]), place(4 << 20))\n"
        "except ModelTooLarge as error: assert error.hint; sys.exit(7)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(good)], check=False, capture_output=True, timeout=60)
    assert done.returncode == 7, done.stderr.decode()[-2000:]


def test_the_adapter_needs_no_network_and_no_heavy_imports(good: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from edgellm.runtimes.base import Placement, Request, Message\n"
        "from edgellm.runtimes.llama import LlamaRuntime\n"
        "runtime = LlamaRuntime.load(pathlib.Path(sys.argv[1]), Placement(context=256, threads=1))\n"
        "list(runtime.generate(Request((Message('user', 'x'),), max_tokens=2)))\n"
        "bad = {'http', 'ssl', 'requests', 'httpx', 'urllib.request', 'numpy', 'torch', 'PySide6', 'transformers'}\n"
        "assert not bad & set(sys.modules), bad & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(good)], check=False, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def test_fifty_loads_leave_nothing_open(good: Path) -> None:
    process = psutil.Process()

    def once() -> None:
        runtime = LlamaRuntime.load(good, PLACEMENT)
        finish(runtime)
        runtime.close()

    for _ in range(3):
        once()
    files, threads, memory = process.num_fds(), process.num_threads(), process.memory_info().rss
    for _ in range(50):
        once()
    assert process.num_fds() == files
    for _ in range(100):  # a joined thread takes a moment to vanish from the system's list
        if process.num_threads() <= threads:
            break
        time.sleep(0.02)
    assert process.num_threads() <= threads
    assert process.memory_info().rss - memory < 30 << 20


def test_a_failed_load_leaves_nothing_open(tmp_path: Path) -> None:
    path = tiny_gguf.make(tmp_path / "bad.gguf", change={"output_norm.weight": None})
    process = psutil.Process()
    files = process.num_fds()
    for _ in range(10):
        with pytest.raises(ModelError):
            LlamaRuntime.load(path, PLACEMENT)
    assert process.num_fds() == files


@pytest.mark.parametrize(
    "change",
    [{"kv_type": "q8_0"}, {"repack": False}, {"mmap": False}, {"batch": 1}, {"batch": 4096}, {"gpu_layers": -1}],
    ids=str,
)
def test_every_part_of_a_placement(good: Path, change: dict[str, Any]) -> None:
    values: dict[str, Any] = {"context": 512, "batch": 64, "threads": 1, "cpu_variant": "haswell"}
    runtime = LlamaRuntime.load(good, Placement(**{**values, **change}))
    assert finish(runtime).new_tokens == 4
    assert runtime.info.metadata["kv_type"] == "f16"  # heads of 16 do not divide into the blocks of q8_0
    runtime.close()


@pytest.mark.skipif(not inspect().variants, reason="a plain build")
@pytest.mark.parametrize("variant", ["", "nosuch", "haswell", "x64"])
def test_cpu_libraries(good: Path, variant: str) -> None:
    """Each in a process of its own, since a process keeps the first."""
    code = (
        "import sys, pathlib\n"
        "from edgellm.runtimes.base import Placement, Request, Message\n"
        "from edgellm.runtimes.llama import LlamaRuntime\n"
        "placement = Placement(context=256, threads=1, cpu_variant=sys.argv[2])\n"
        "runtime = LlamaRuntime.load(pathlib.Path(sys.argv[1]), placement)\n"
        "*_, finish = runtime.generate(Request((Message('user', 'x'),), max_tokens=2))\n"
        "print(runtime.info.metadata['cpu_variant'], '|', finish.device)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(good), variant], check=False, capture_output=True, timeout=60, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    used, device = done.stdout.strip().split(" | ")
    assert used in inspect().variants
    assert variant not in inspect().variants or used == variant
    assert f"{used} library" in device


def test_the_variant_in_use_is_known_when_another_is_asked_for(good: Path) -> None:
    LlamaRuntime.load(good, PLACEMENT).close()
    _, first = llama_library.load(PLACEMENT)
    _, second = llama_library.load(Placement(cpu_variant="x64"))
    assert first == second


def test_the_high_level_class_stays_reachable() -> None:
    code = (
        "from edgellm.runtimes import llama_library; llama_library.binding(); from llama_cpp import Llama; print(Llama)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, timeout=60, text=True)
    assert "Llama" in done.stdout, done.stderr[-2000:]


class _PlainBuild:
    """The part of a binding that says whether a CPU backend is linked in."""

    class _lib:
        @staticmethod
        def ggml_backend_dev_by_type(kind: int) -> int:
            return 1


def test_a_plain_build_ignores_the_variant() -> None:
    assert llama_library._cpu(_PlainBuild, Build("1"), "haswell") == ""


def test_nothing_to_run_on_is_said() -> None:
    class Empty:
        class _lib:
            @staticmethod
            def ggml_backend_dev_by_type(kind: int) -> None:
                return None

    with pytest.raises(ModelUnsupported, match="no CPU library"):
        llama_library._cpu(Empty, Build("1"), "")
