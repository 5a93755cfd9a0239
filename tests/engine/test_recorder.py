"""Tests of what real runs leave behind, and of the self-test: with the engine and the model that ships."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from engine_bench import Bench as Folder
from engine_bench import answer, ask, plan

from edgellm.engine import selftest
from edgellm.engine.recorder import Recorder
from edgellm.engine.status import Run
from edgellm.engine.supervisor import Engine
from edgellm.hardware import probe
from edgellm.paths import Paths, starter_model
from edgellm.runtimes import build, speed_file
from edgellm.runtimes.advice import Here, advise_file
from edgellm.runtimes.base import Finish, Placement, Sampling
from edgellm.runtimes.speed import SelfTest, Speeds, machine_name
from edgellm.settings import Settings


@pytest.fixture(scope="module")
def hardware() -> probe.Hardware:
    """This computer."""
    return probe.probe()


@pytest.fixture
def bench(tmp_path: Path, hardware: probe.Hardware) -> selftest.Bench:
    """Everything in a folder of its own."""
    paths = Paths.under(tmp_path, tmp_path, tmp_path / "logs")
    return selftest.Bench(paths, hardware, Settings(), build.inspect())


@pytest.fixture
def engine(bench: selftest.Bench) -> Iterator[Engine]:
    """An engine that records."""
    engine = Engine(bench.paths, bench.plan, on_finish=Recorder(bench.paths.machine))
    yield engine
    engine.close()


def known(bench: selftest.Bench) -> Speeds:
    """What is kept."""
    return speed_file.load(bench.paths.machine, machine_name(bench.hardware, bench.build))


def test_a_real_run_changes_the_advice(bench: selftest.Bench, engine: Engine) -> None:
    path = starter_model()
    before = advise_file(path, Here(bench.hardware, bench.settings, bench.build, known(bench)))
    assert before.speed is not None and before.speed.basis == "assumed"
    engine.load(path)
    runs: list[float] = []
    for seed in range(40):
        request = ask("Tell me about the market in the village.", sampling=Sampling(1.0, seed=seed), max_tokens=48)
        finish = list(engine.generate(request))[-1]
        assert isinstance(finish, Finish)
        runs += [finish.tokens_per_second] if finish.new_tokens >= speed_file.SHORTEST else []
        if len(runs) == 3:
            break
    speeds = known(bench)
    (model,) = speeds.models
    assert model.key == f"starter.gguf:{path.stat().st_size}"
    assert model.decode == tuple(round(speed, 3) for speed in runs)
    assert len(speeds.misses) == 2, "the first run had no prediction before it"
    after = advise_file(path, Here(bench.hardware, bench.settings, bench.build, speeds))
    assert after.basis == "measured here, over 3 runs"
    assert after.speed is not None
    assert after.speed.tokens_per_second == model.tokens_per_second
    assert after.error is not None


def test_what_is_no_measurement_is_not_kept(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    engine = Engine(folder.paths, plan(), on_finish=Recorder(folder.paths.machine))
    try:
        engine.load(folder.script(reply="word", repeat=50))
        answer(engine)
    finally:
        engine.close()
    assert "speed" not in folder.paths.machine.read_text()


def test_a_file_that_is_gone_or_damaged_is_no_reason_to_fail(tmp_path: Path) -> None:
    record = Recorder(tmp_path / "machine.toml")
    finish = Finish("stop", 100, 0, 64, 5.0, 20.0, "CPU", 0, False, 1.0)
    run = Run(tmp_path / "gone.gguf", "gone.gguf:1:1", "m", Placement(), finish, 40)
    record(run)
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    record(replace(run, path=tmp_path / "bad.gguf", model="bad.gguf:1:1"))
    assert not (tmp_path / "machine.toml").exists()


def test_the_self_test_measures_and_keeps(bench: selftest.Bench) -> None:
    steps: list[str] = []
    test = selftest.run(bench, lambda step, _done: steps.append(step), lambda: False, 1.0)
    assert test is not None
    assert known(bench).test == test
    assert test.decode > 0
    assert test.prefill > test.decode
    assert (test.weights, test.layers) == (4_720_896, 4)
    assert 0 <= test.busy <= 1
    assert len(steps) == 6
    assert steps[-1] == "done"


@pytest.mark.parametrize("at", ["looking", "reading memory", "letting the starter"])
def test_a_cancelled_self_test_leaves_the_one_before(bench: selftest.Bench, at: str) -> None:
    old = SelfTest(time=5, threads=1, bandwidth=1e9, compute=1e9)
    speed_file.keep_test(bench.paths.machine, machine_name(bench.hardware, bench.build), old)
    seen: list[str] = []
    stop = lambda: any(step.startswith(at) for step in seen)  # noqa: E731
    assert selftest.run(bench, lambda step, _done: seen.append(step), stop, 1.0) is None
    assert known(bench).test == old
    assert "done" not in seen
