"""safetensors models through the real engine process and the command line; the program itself never imports PyTorch."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm.engine.status import Plan
from edgellm.engine.supervisor import Engine
from edgellm.errors import EngineError, ModelDamaged
from edgellm.paths import Paths
from edgellm.runtimes.base import Choice, Chunk, Finish, Message, Placement, Request
from tests import tiny_torch

pytestmark = pytest.mark.filterwarnings("ignore")
HELLO = Request((Message("user", "Anna went to the market."),), max_tokens=12)
COMMAND = """
import sys
from edgellm.cli.main import main
code = main(sys.argv[1:])
bad = sorted({name.split(".")[0] for name in sys.modules} & {"torch", "transformers", "tokenizers", "safetensors"})
print("imported here:", bad, file=sys.stderr)
raise SystemExit(code)
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    rung = Choice(Placement(runtime="torch", threads=1, precision="fp32"), "A test.")
    made = Engine(Paths.under(tmp_path, tmp_path, tmp_path / "logs"), lambda path, anyway: Plan((rung,), "here"))
    yield made
    made.close()


def text_of(engine: Engine) -> str:
    *chunks, finish = engine.generate(HELLO)
    assert isinstance(finish, Finish)
    assert finish.device == "CPU, 1 thread, fp32"
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk))


@pytest.mark.logs("ERROR")
def test_an_answer_survives_a_kill_and_a_damaged_model_does_not_stay(engine: Engine, tmp_path: Path) -> None:
    path, _ = tiny_torch.saved("llama")
    info = engine.load(path)
    assert (info.kind, info.architecture, info.quantization) == ("decoder", "llama", "fp32")
    first = text_of(engine)
    pid = engine.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert text_of(engine) == first
    broken = Path(shutil.copytree(path, tmp_path / "broken"))
    data = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises((ModelDamaged, EngineError), match="damaged"):
        engine.load(broken)
    assert engine.load(tiny_torch.saved("t5")[0]).kind == "seq2seq"


def test_the_command_line_says_where_and_why(tmp_path: Path) -> None:
    path, _ = tiny_torch.saved("qwen3", "bfloat16")
    words = ["generate", "--model", str(path), "Hi", "--max-tokens", "8", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *words],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "EDGELLM_HOME": str(tmp_path / "home")},
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["device"].startswith("CPU, ") and answer["device"].endswith(("bf16", "fp32"))
    assert answer["reason"].startswith("Runs on the processor in ")
    assert answer["facts"]["new_tokens"] <= 8
    assert "imported here: []" in done.stderr
