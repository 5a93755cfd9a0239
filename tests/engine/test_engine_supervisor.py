"""Tests of the supervisor with real engine processes: loading, errors, cancelling, several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_bench import FIRST, OLD, Bench, answer, ask, plan, split, wait_for

from edgellm.engine.status import Plan
from edgellm.errors import (
    ContextOverflow,
    EdgeError,
    EngineError,
    ModelDamaged,
    ModelNotFound,
    ModelTooLarge,
    OfflineError,
    OutOfMemory,
    UsageError,
)
from edgellm.runtimes.base import Chunk, Message


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_loads_streams_counts(bench: Bench) -> None:
    engine = bench.loaded(name="tale", reply="once upon a time there was", seconds_per_token=0.01)
    events = list(engine.generate(ask("two words")))
    text, finish = split(events)
    assert text == "once upon a time there was"
    assert len(events) > 3, "the text came in one piece"
    assert finish is not None
    assert (finish.reason, finish.prompt_tokens, finish.new_tokens) == ("stop", 2, 6)
    assert finish.peak_memory > 5_000_000
    assert engine.count((Message("user", "one two three"),)) == 3
    assert engine.info.name == "tale"
    status = engine.status()
    assert (status.state, status.model, status.device, status.reason) == ("ready", "tale", "CPU", "Reason 0.")
    assert status.peak_memory >= finish.peak_memory
    assert status.steps == ()


def test_a_fast_model_sends_few_messages_and_no_text_is_lost(bench: Bench) -> None:
    reply = " ".join(str(number) for number in range(3000))
    engine = bench.loaded(reply=reply, context=10_000)
    events = list(engine.generate(ask()))
    assert split(events)[0] == reply
    assert len(events) < 1500
    first = events[0]
    assert isinstance(first, Chunk)
    assert first.text == "0", "the first token waited for others"


def test_the_same_file_is_not_loaded_twice_and_a_changed_one_is(bench: Bench) -> None:
    engine, path = bench.engine(), bench.script(reply="first")
    engine.load(path)
    pid = engine.status().pid
    engine.load(path)
    assert engine.status().pid == pid
    bench.script(reply="second, changed")
    engine.load(path)
    assert engine.status().pid != pid
    assert answer(engine) == "second, changed"


def test_unload_and_another_model(bench: Bench) -> None:
    engine = bench.loaded(reply="a")
    engine.unload()
    assert engine.status().state == "empty"
    with pytest.raises(UsageError):
        _ = engine.info
    with pytest.raises(UsageError):
        list(engine.generate(ask()))
    engine.load(bench.script("other", reply="b"))
    assert answer(engine) == "b"
    assert engine.restarts == 0


def test_errors_keep_their_type_and_the_engine_goes_on(bench: Bench) -> None:
    faults = [
        {"prompt": "damaged", "kind": "error", "error": "ModelDamaged"},
        {"prompt": "overflow", "kind": "error", "error": "ContextOverflow"},
        {"prompt": "bug", "kind": "bug"},
        {"prompt": "memory", "kind": "memory"},
        {"prompt": "network", "kind": "network"},
        {"prompt": "chatter", "kind": "chatter", "after": 1},
    ]
    engine = bench.loaded(faults=faults)
    pid = engine.status().pid
    with pytest.raises(ModelDamaged, match="script"):
        list(engine.generate(ask("damaged")))
    with pytest.raises(ContextOverflow) as overflow:
        list(engine.generate(ask("overflow")))
    assert (overflow.value.prompt_tokens, overflow.value.context) == (9_000, 4_096)
    with pytest.raises(EdgeError, match="inside the engine") as bug:
        list(engine.generate(ask("bug")))
    assert "ZeroDivisionError" in bug.value.hint
    with pytest.raises(OutOfMemory):
        list(engine.generate(ask("memory")))
    with pytest.raises(OfflineError):
        list(engine.generate(ask("network")))
    assert answer(engine, ask("chatter on standard output")) == "chatter on standard output"
    assert engine.status().pid == pid
    assert "ZeroDivisionError" in (bench.paths.logs / "engine.log").read_text()


def test_bad_models_are_refused_by_type_and_a_good_one_follows(bench: Bench) -> None:
    engine = bench.engine(plan(FIRST, OLD))
    broken = bench.folder / "broken.fake.json"
    broken.write_text("{")
    with pytest.raises(ModelDamaged):
        engine.load(broken)
    with pytest.raises(ModelNotFound):
        engine.load(bench.folder / "missing.fake.json")
    with pytest.raises(UsageError):
        engine.load(bench.script("big", faults=[{"at": "load", "kind": "error", "error": "UsageError"}]))
    assert engine.status().steps == ()
    assert engine.status().pid is None
    engine.load(bench.script())
    assert answer(engine) == "hello there"


def test_a_plan_that_is_refused_leaves_no_process(bench: Bench) -> None:
    def refuse(_path: Path, _anyway: bool) -> Plan:
        raise ModelTooLarge("It needs 9 GB.", "Choose a smaller model.")

    engine = bench.engine(refuse)
    with pytest.raises(ModelTooLarge):
        engine.load(bench.script())
    assert engine.status().pid is None
    assert engine.status().reason == "It needs 9 GB."


def test_cancel_by_callback_keeps_the_engine(bench: Bench) -> None:
    engine = bench.loaded(reply="word ", repeat=1000, seconds_per_token=0.01)
    pid, stop = engine.status().pid, threading.Event()
    events = []
    for event in engine.generate(ask(), stop.is_set):
        events.append(event)
        stop.set()
    text, finish = split(events)
    assert finish is not None
    assert finish.reason == "cancelled"
    assert text.startswith("word")
    assert answer(engine, ask(max_tokens=2)) == "word word"
    assert engine.status().pid == pid


def test_cancel_answers_even_when_native_code_does_not(bench: Bench) -> None:
    engine = bench.loaded(faults=[{"prompt": "busy", "after": 1, "kind": "busy"}])
    pid, stop = engine.status().pid, threading.Event()
    threading.Timer(0.4, stop.set).start()
    text, finish = split(list(engine.generate(ask("busy for ever"), stop.is_set)))
    assert text == "busy"
    assert finish is not None
    assert finish.reason == "cancelled"
    assert answer(engine, ask("and now")) == "and now"  # the stuck process was replaced
    assert engine.status().pid != pid
    assert "did not stop" in engine.status().steps[0]


def test_cancel_and_status_from_another_thread(bench: Bench) -> None:
    engine = bench.loaded(reply="word ", repeat=100_000, seconds_per_token=0.005, context=1_000_000)
    seen: list[str] = []

    def watch() -> None:
        wait_for(lambda: engine.status().state == "generating")
        started = time.monotonic()
        seen.extend(engine.status().state for _ in range(100))
        seen.append(f"{time.monotonic() - started < 1}")
        engine.cancel()

    thread = threading.Thread(target=watch)
    thread.start()
    _, finish = split(list(engine.generate(ask())))
    thread.join()
    assert finish is not None
    assert finish.reason == "cancelled"
    assert set(seen) == {"generating", "True"}
    assert engine.status().state == "ready"


def test_cancel_while_the_model_comes_back(bench: Bench) -> None:
    engine = bench.loaded(load_seconds=0.1)
    path = bench.script(load_seconds=30)
    pid = engine.status().pid
    assert pid is not None
    engine._loader.drop()  # as after a crash
    stop = threading.Timer(0.5, engine.cancel)
    stop.start()
    _, finish = split(list(engine.generate(ask())))
    assert finish is not None
    assert finish.reason == "cancelled"
    assert engine.status().path == path
    assert engine.status().pid is None


def test_an_abandoned_answer_does_not_hold_up_the_next(bench: Bench) -> None:
    engine = bench.loaded(replies={"long": "word " * 5000}, seconds_per_token=0.005, context=100_000)
    events = engine.generate(ask("long"))
    next(events)
    with pytest.raises(UsageError, match="still writing"):
        list(engine.generate(ask("me too")))
    del events
    assert answer(engine, ask("short")) == "short"
    assert engine.restarts == 0


def test_other_threads_wait_for_their_turn(bench: Bench) -> None:
    engine = bench.loaded(seconds_per_token=0.01)
    answers: list[str] = []
    texts = [f"this is the question number {number}" for number in range(4)]
    threads = [threading.Thread(target=lambda text=text: answers.append(answer(engine, ask(text)))) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == texts


def test_who_waits_for_a_turn_can_give_up(bench: Bench) -> None:
    engine = bench.loaded(reply="word ", repeat=10_000, seconds_per_token=0.01, context=100_000)
    events = engine.generate(ask())
    next(events)
    found: list[str] = []

    def other() -> None:
        _, finish = split(list(engine.generate(ask("me"), lambda: True)))
        found.append(finish.reason if finish else "")

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(10)
    assert found == ["cancelled"]
    assert isinstance(next(events), Chunk)


def test_close_in_the_middle_of_an_answer(bench: Bench) -> None:
    engine = bench.loaded(reply="word ", repeat=10_000, seconds_per_token=0.01, context=100_000)
    pid = engine.status().pid
    events = engine.generate(ask())
    next(events)
    closer = threading.Thread(target=engine.close)
    closer.start()
    with pytest.raises(EngineError, match="closed"):
        list(events)
    closer.join()
    assert pid is not None
    assert engine.status().pid is None
    with pytest.raises(EngineError, match="closed"):
        engine.load(bench.script())
