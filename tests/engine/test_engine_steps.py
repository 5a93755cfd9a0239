"""Tests of the ladder with real engine processes: stepping down, what is remembered, models that are refused."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_bench import FIRST, OLD, PLAIN, SMALL, Bench, answer, ask, broken, plan

from edgellm.engine.memory import Memory, model_key, placement_key
from edgellm.engine.status import Plan
from edgellm.errors import (
    EngineError,
    ModelTooLarge,
    OutOfMemory,
)
from edgellm.runtimes.base import Placement


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.mark.parametrize("at", ["load", "generate"])
def test_steps_down_past_crashes_and_remembers_them(bench: Bench, at: str) -> None:
    fault = {"at": at, "kind": "abort", "when": {"cpu_variant": "new"}}
    path, planner = bench.script(faults=[fault]), plan(FIRST, PLAIN, OLD)
    engine = bench.engine(planner)
    engine.load(path)
    status = engine.status()
    assert (status.state, status.placement, status.reason) == ("ready", OLD, "Reason 2.")
    assert len(status.steps) == 2
    assert "SIGABRT" in status.steps[0]
    assert "Next: Reason 1." in status.steps[0]
    assert answer(engine) == "hello there"

    later = bench.engine(planner)
    later.load(path)
    assert later.status().placement == OLD
    assert all("passed over: it crashed here before" in step for step in later.status().steps)

    elsewhere = bench.engine(plan(FIRST, OLD, machine="another build"))
    elsewhere.load(path)
    assert "SIGABRT" in elsewhere.status().steps[0], "a fact of one build was believed for another"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every file name is text")
def test_a_file_whose_name_is_no_text_loads_and_is_remembered(bench: Bench) -> None:
    path = bench.script("caf\udce9", faults=[{"at": "load", "kind": "abort", "when": {"repack": True}}])
    for _ in range(2):
        engine = bench.engine(plan(FIRST, OLD))
        engine.load(path)
        assert len(engine.status().steps) == 1
    assert "it crashed here before" in engine.status().steps[0]


def test_what_has_answered_before_is_not_tested_again(bench: Bench) -> None:
    path = bench.script(faults=[{"prompt": "short test", "kind": "abort"}])
    Memory(bench.paths.machine).note(model_key(path), "here", placement_key(FIRST), "proven")
    engine = bench.engine(plan(FIRST, OLD))
    engine.load(path)
    assert engine.status().placement == FIRST


def test_out_of_memory_goes_straight_to_less_memory(bench: Bench) -> None:
    for kind in ("memory", "no memory"):
        fault = {"at": "load", "kind": kind, "when": {"context": 4096}}
        engine = bench.engine(plan(FIRST, PLAIN, OLD, SMALL))
        engine.load(bench.script(kind.replace(" ", ""), faults=[fault]))
        status = engine.status()
        assert status.placement == SMALL
        assert len(status.steps) == 1
        assert "memory" in status.steps[0]


def test_out_of_memory_without_a_smaller_way_is_said_once(bench: Bench) -> None:
    engine = bench.engine(plan(FIRST, PLAIN))
    path = bench.script(faults=[{"at": "load", "kind": "memory"}])
    with pytest.raises(OutOfMemory, match="smaller"):
        engine.load(path)
    assert engine.status().steps == ("There is not enough memory for this model.",)
    assert engine.status().state == "stopped"
    assert engine.status().pid is None


def test_a_kill_by_the_kernel_for_want_of_memory_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = itertools.count()
    monkeypatch.setattr("edgellm.engine.process.kernel_kills", lambda: next(counter))
    engine = bench.engine(plan(FIRST, PLAIN, SMALL))
    engine.load(bench.script(faults=[{"at": "load", "kind": "kill", "when": {"context": 4096}}]))
    assert engine.status().placement == SMALL
    assert engine.status().steps == ("The engine stopped: out of memory while loading. Next: Reason 2.",)


def test_a_gpu_that_fails_gives_way_to_the_processor(bench: Bench) -> None:
    gpu = Placement(runtime="fake", device="cuda:0", gpu_layers=20)
    for error in ("EngineError", "ModelUnsupported"):
        fault = {"at": "load", "kind": "error", "error": error, "when": {"device": "cuda:0"}}
        engine = bench.engine(plan(gpu, FIRST))
        engine.load(bench.script(error, faults=[fault]))
        status = engine.status()
        assert (status.device, status.reason, len(status.steps)) == ("CPU", "Reason 1.", 1)


def test_every_way_crashing_is_refused_until_asked_again(bench: Bench) -> None:
    path = bench.script(faults=[{"at": "load", "kind": "segfault"}])
    with pytest.raises(EngineError, match="SIGSEGV"):
        bench.engine(plan(FIRST, OLD)).load(path)
    later = bench.engine(plan(FIRST, OLD))
    with pytest.raises(EngineError, match="Every way to run model"):
        later.load(path)
    with pytest.raises(EngineError, match="Every way"):
        list(later.generate(ask()))
    with pytest.raises(EngineError, match="SIGSEGV"):
        later.load(path)  # asked again: the safest way gets one more try


def test_three_crashes_in_a_minute_mark_the_model(bench: Bench) -> None:
    boom = [{"prompt": "boom", "after": 1, "kind": "abort"}]
    engine = bench.engine(plan(FIRST, PLAIN, OLD))
    path = bench.script(faults=boom)
    engine.load(path)
    for _ in range(2):
        with pytest.raises(EngineError, match="while answering"):
            list(engine.generate(ask("boom boom")))
    with pytest.raises(EngineError, match="three times within a minute") as caught:
        list(engine.generate(ask("boom boom")))
    assert "Load it again" in caught.value.hint
    with pytest.raises(EngineError, match="three times"):
        list(engine.generate(ask("something harmless")))

    later = bench.engine(plan(FIRST, PLAIN, OLD))
    with pytest.raises(EngineError, match="was not loaded"):
        later.load(path)
    assert later.status().state == "stopped"
    later.load(path)  # the person insists
    assert answer(later, ask("something harmless")) == "something harmless"
    bench.engine(plan(FIRST, PLAIN, OLD)).load(path)


def test_a_person_who_names_a_marked_model_gets_it(bench: Bench) -> None:
    path = bench.script()
    Memory(bench.paths.machine).note(model_key(path), "here", "", "marked", "It aborted.")
    engine = bench.engine()
    engine.load(path, asked=True)
    assert answer(engine) == "hello there"


def test_two_crashes_while_answering_step_down(bench: Bench) -> None:
    fault = {"prompt": "boom", "after": 1, "kind": "segfault", "when": {"repack": True}}
    engine = bench.loaded(plan(FIRST, PLAIN), faults=[fault])
    for _ in range(2):
        text, error = broken(engine.generate(ask("boom boom")))
        assert text == "boom"
        assert "SIGSEGV" in error.message
    assert answer(engine, ask("boom boom")) == "boom boom"
    assert engine.status().placement == PLAIN
    assert engine.restarts == 2


def test_loading_anyway_reaches_the_plan_and_still_holds_after_a_restart(bench: Bench) -> None:
    told: list[bool] = []

    def planner(path: Path, anyway: bool) -> Plan:
        told.append(anyway)
        if not anyway:
            raise ModelTooLarge("It is too large.", "Choose a smaller one.")
        return plan()(path, anyway)

    engine = bench.engine(planner)
    path = bench.script(reply="it fits", faults=[{"at": "generate", "prompt": "hello", "kind": "kill", "once": True}])
    with pytest.raises(ModelTooLarge):
        engine.load(path)
    engine.load(path, anyway=True)
    assert answer(engine) == "it fits"
    assert told == [False, True, True]
    engine.unload()
    with pytest.raises(ModelTooLarge):
        engine.load(path)
