"""Tests of `edgellm doctor`: the report as text and as JSON, for a model that runs and for those that do not."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from command_line import CommandLine

from edgellm import paths
from edgellm.cli import doctor
from edgellm.errors import ModelNotFound
from edgellm.hardware.probe import Cpu, Gpu, Hardware, Memory, Power
from edgellm.paths import Paths
from edgellm.runtimes import build, prediction, report, speed_file
from edgellm.runtimes.base import Finish
from edgellm.runtimes.speed import Sample, SelfTest, Tuned, Way, file_key, machine_name
from edgellm.runtimes.workload import Work
from edgellm.settings import Settings, changed

GB = 1 << 30
FLAGS = frozenset({"sse4_2", "avx", "avx2", "f16c", "fma", "bmi2"})
OLD = Gpu("cuda", "GeForce Test", 0, 6 * GB, 5 * GB, "470.82", False, "its driver 470.82 is older than 525.60")


@dataclass
class Parts:
    """What the report needs of `App`, on a computer of our own."""

    model: Path
    paths: Paths = field(default_factory=paths.from_environment)
    settings: Settings = field(default_factory=Settings)
    free: float = 4.0

    def hardware(self) -> Hardware:
        """A laptop with an old graphics driver."""
        cpu = Cpu("Test CPU", FLAGS, 4, 8, "x86_64", 4)
        return Hardware(cpu, Memory(8 * GB, int(self.free * GB)), (OLD,), Power(True, 71.0), "Testix 1")

    def model_path(self, name: str = "") -> Path:
        """The one model there is."""
        if name == "missing":
            raise ModelNotFound("There is no model missing.", "Run: edgellm models")
        return self.model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A GGUF file with a header that makes sense, and nearly no weights."""
    path = tmp_path / "secret-folder" / "tiny.gguf"
    path.parent.mkdir()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Tiny Test")
    writer.add_context_length(2048)
    writer.add_embedding_length(64)
    writer.add_block_count(2)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_vocab_size(1000)
    for layer in range(2):
        writer.add_tensor(f"blk.{layer}.attn_q.weight", np.zeros((64, 64), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def run(parts: Parts, as_json: bool = False, name: str = "") -> tuple[int, str]:
    written: list[str] = []
    status = doctor.report(parts, name, as_json, written.append)
    return status, "".join(written)


def read(parts: Parts, name: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(parts, True, name)[1])
    return found


def test_the_text_holds_the_sum_the_reasons_and_the_ladder(model: Path) -> None:
    status, text = run(Parts(model))
    assert status == 0
    for part in (
        "Test CPU (x86_64), 4 physical and 8 logical cores",
        "4.00 GB free of 8.00 GB",
        "GeForce Test (cuda, driver 470.82, 5.00 GB free of 6.00 GB); not usable: its driver 470.82 is older",
        "on battery at 71%",
        "The model Tiny Test",
        "It fits: weights",
        "the GeForce Test cannot be used: its driver 470.82 is older than 525.60",
        "all that the model was trained for",
        "one for each physical core",
        "What is tried, in this order",
        "Without rearranged weights",
    ):
        assert part in text, part
    assert not re.search(r"[^\x20-\x7e\n]", text)


def test_the_json_holds_the_same(model: Path) -> None:
    found = read(Parts(model))
    assert found["problem"] is None
    assert found["hardware"]["memory"] == {"total": 8 * GB, "free": 4 * GB}
    assert found["hardware"]["cpu"]["flags"] == sorted(FLAGS)
    parts = found["selection"]["parts"]
    assert set(parts) == {
        "device", "gpu_layers", "threads", "batch", "context", "kv_type", "cpu_variant", "repack", "flash",
    }  # fmt: skip
    assert parts["context"] == {"value": 2048, "reason": "all that the model was trained for"}
    assert found["ladder"][0]["placement"]["context"] == 2048
    assert len(found["ladder"]) > 1
    budget = found["selection"]["budget"]
    assert budget["need"] == budget["weights"] + budget["kv"] + budget["compute"]
    assert [row["name"] for row in found["runtimes"]] == ["llama", "onnx", "torch", "remote"]
    amx = [row for row in found["build"]["variants"] if row["name"] == "sapphirerapids"]
    assert all(not row["usable"] and row["reason"] for row in amx)


def test_settings_are_shown_as_ones_own_choice(model: Path) -> None:
    found = read(Parts(model, settings=changed(Settings(), threads=3)))
    assert found["selection"]["parts"]["threads"] == {"value": 3, "reason": "because you set it"}


def test_a_model_that_cannot_run_is_reported_not_raised(model: Path) -> None:
    parts = Parts(model)
    status, text = run(parts, name="missing")
    assert status == 1
    assert "Problem: There is no model missing. Run: edgellm models" in text
    assert "Test CPU" in text
    model.write_bytes(model.read_bytes()[:200])
    found = read(parts)
    assert found["problem"]["kind"] == "ModelDamaged"
    assert "selection" not in found
    assert run(parts)[0] == 1


def test_what_crashed_here_is_listed(model: Path) -> None:
    parts = Parts(model)
    parts.paths.machine.parent.mkdir(parents=True)
    parts.paths.machine.write_text(
        '[[engine.fact]]\nmodel = "tiny.gguf:5:7"\nmachine = "m"\nplacement = "llama cpu zen4"\nresult = "crashed"\n'
        'what = "it was ended by signal 11"\ntime = 5\n'
        '[[engine.fact]]\nmodel = "a:5:7"\nmachine = "m"\nplacement = "x"\nresult = "proven"\nwhat = ""\ntime = 5\n'
    )
    assert read(parts)["crashed_here"] == ["tiny.gguf (llama cpu zen4): it was ended by signal 11"]
    assert "tiny.gguf (llama cpu zen4): it was ended by signal 11" in run(parts)[1]
    for broken in ("[[engine", "engine = 5", "[engine]\nfact = 3\n", "[[engine.fact]]\nmodel = 5\n"):
        parts.paths.machine.write_text(broken)
        assert read(parts)["crashed_here"] == []


def test_the_report_to_copy_holds_no_path(model: Path) -> None:
    text = run(Parts(model))[1]
    assert "This computer" in text
    for secret in (str(Path.home()), "secret-folder", str(model.parent)):
        assert secret not in text
        assert secret not in json.dumps(report.gather(Parts(model)))


def test_how_fast_it_is_stands_in_the_report(model: Path) -> None:
    parts = Parts(model)
    assert "not measured yet. Run: edgellm doctor --measure" in run(parts)[1]
    assert read(parts)["speed"]["test"] is None
    test = SelfTest(1_795_000_000, 4, 40e9, 36e9, 400e9, 2e9, 3000.0, 15_000.0, 9_000_000, 4_700_000, 4, 0.6, True)
    machine = machine_name(parts.hardware(), build.inspect())
    assert speed_file.keep_test(parts.paths.machine, machine, test)
    finish = Finish("stop", 100, 0, 64, 5.0, 12.5, "CPU", 0, False, 1.0)
    sample = Sample("a.gguf:1", "Model A", Work(400_000_000, 600_000_000, 28), Way("cpu", 0.0, 4), finish, 40)
    for measured in (12.5, 10.0):
        again = replace(sample, finish=replace(finish, tokens_per_second=measured))
        speed_file.record(parts.paths.machine, machine, again, prediction.foresee)
    text = run(parts)[1]
    for part in (
        "memory      reads 40.0 GB/s (36.0 in the median)",
        "arithmetic  400 GFLOP/s",
        "disk        reads 2.00 GB/s: a model of 2.7 GB loads in 1 s at best",
        "starter     writes about 2,250 and reads about 11,250 words/s",
        "Other programs used 60% of the processor",
        "It ran on battery",
        "English words/s from 4 billion weights (2.6 GB)",
        "measured    Model A: 11.2 tokens/s on the processor, over 2 runs",
        "predictions here were ",
    ):
        assert part in text, part
    found = read(parts)["speed"]
    assert found["models"][0]["tokens_per_second"] == 11.25
    assert found["predictions"]["runs"] == 2
    assert [row["billions"] for row in found["examples"]] == [1, 4, 8]


def test_tuned_settings_are_shown_and_used(model: Path) -> None:
    parts = Parts(model)
    machine = machine_name(parts.hardware(), build.inspect())
    key = file_key(model.name, model.stat().st_size)
    tuned = Tuned(key, "Tiny Test", 1_795_000_000, 3, 128, "q8_0", False, True, 20.0, 150.0)
    assert speed_file.keep_tuned(parts.paths.machine, machine, tuned)
    found = read(parts)
    assert found["selection"]["parts"]["threads"] == {"value": 3, "reason": f"measured here on {tuned.day}"}
    assert found["speed"]["tuned"][0]["repack"] is False
    text = run(parts)[1]
    said = (
        "Tiny Test: 3 threads, without rearranged weights, with flash attention, 128 tokens at a time, KV cache in q8_0"
    )
    assert f"  tuned       {said}, measured on {tuned.day}" in text
    set_by_hand = read(replace(parts, settings=changed(Settings(), threads=2)))["selection"]["parts"]
    assert set_by_hand["threads"] == {"value": 2, "reason": "because you set it"}


def test_tuning_is_for_gguf_models_and_not_beside_measuring(edgellm: CommandLine) -> None:
    refused = edgellm("doctor", "--tune", "--model", edgellm.script(reply="x"), status=2)
    assert "Only GGUF models have settings to try." in refused.err
    assert "not allowed with" in edgellm("doctor", "--tune", "--measure", status=2).err


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_leaves_the_measurement_before_it(tmp_path: Path) -> None:
    machine = tmp_path / "machine.toml"
    machine.write_text('[speed]\nmachine = "old"\n')
    command = [sys.executable, "-m", "edgellm", "doctor", "--measure"]
    environment = {**os.environ, "EDGELLM_HOME": str(tmp_path)}
    child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert child.stderr is not None
    while "reading memory" not in (line := child.stderr.readline()):
        assert line, "it ended before it began"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "the measurement before it is kept" in err
    assert "GB/s" not in out
    assert machine.read_text() == '[speed]\nmachine = "old"\n'
