"""Tests of what the supervisor tells of every answer that came to its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_bench import FIRST, QUICK, Bench, answer, ask, plan

from edgellm.engine.memory import model_key
from edgellm.engine.status import Run
from edgellm.engine.supervisor import Engine
from edgellm.errors import ContextOverflow, EngineError
from edgellm.runtimes.base import Finish


@pytest.fixture
def told(tmp_path: Path) -> Iterator[tuple[Bench, Engine, list[Run]]]:
    bench, runs = Bench(tmp_path), list[Run]()
    engine = Engine(bench.paths, plan(machine="this one"), QUICK, runs.append)
    yield bench, engine, runs
    engine.close()


def test_every_answer_is_told_with_its_model_its_placement_and_its_words(
    told: tuple[Bench, Engine, list[Run]],
) -> None:
    bench, engine, runs = told
    path = bench.script(reply="one two, three 四五", seconds_per_token=0.01)
    engine.load(path)
    assert runs == [], "the smoke run is no answer"
    answer(engine)
    answer(engine, ask("again"))
    assert len(runs) == 2
    run = runs[0]
    assert (run.path, run.model, run.machine, run.placement) == (path, model_key(path), "this one", FIRST)
    assert (run.words, run.finish.new_tokens, run.finish.prompt_tokens) == (5, 4, 2)
    assert run.finish.tokens_per_second > 0


def test_the_last_event_comes_before_it_is_told(told: tuple[Bench, Engine, list[Run]]) -> None:
    bench, engine, runs = told
    engine.load(bench.script(reply="one two"))
    for event in engine.generate(ask()):
        assert not runs
        if isinstance(event, Finish):
            break  # a consumer that takes the last event and leaves
    assert len(runs) == 1


def test_an_answer_that_failed_or_was_left_is_not_told(told: tuple[Bench, Engine, list[Run]]) -> None:
    bench, engine, runs = told
    faults = [
        {"after": 1, "kind": "abort", "prompt": "die"},
        {"after": 1, "kind": "error", "error": "ContextOverflow", "prompt": "long"},
    ]
    engine.load(bench.script(reply="one two three", faults=faults, seconds_per_token=0.05))
    with pytest.raises(EngineError):
        answer(engine, ask("die"))
    with pytest.raises(ContextOverflow):
        answer(engine, ask("long"))
    events = engine.generate(ask())
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert runs == []
    answer(engine)
    assert len(runs) == 1
