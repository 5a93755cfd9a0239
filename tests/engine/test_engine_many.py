"""Tests of several answers in one order, through real engine processes: scripted models, and the starter."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_bench import Bench, answer, ask, plan, split, wait_for

from edgellm.errors import ContextOverflow, EngineError, UsageError
from edgellm.runtimes.base import Chunk, Event, Finish, Placement, Request
from edgellm.runtimes.many import answer_all

STARTER = Placement(context=1024, threads=1, cpu_variant="haswell")
NOBODY = frozenset[int]().__contains__


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def gather(events: Iterator[tuple[int, Event]], count: int) -> tuple[list[str], dict[int, Finish]]:
    texts, ends = [""] * count, dict[int, Finish]()
    for index, event in events:
        assert index not in ends, "something came after the end"
        if isinstance(event, Chunk):
            texts[index] += event.text
        else:
            ends[index] = event
    return texts, ends


def test_a_model_that_cannot_answers_one_after_the_other(bench: Bench) -> None:
    engine = bench.loaded(replies={"one": "first answer", "two": "second one"})
    texts, ends = gather(engine.generate_many((ask("one"), ask("two"), ask("three words here"))), 3)
    assert texts == ["first answer", "second one", "three words here"]
    assert [ends[index].new_tokens for index in range(3)] == [2, 2, 3]
    assert all(finish.peak_memory > 5_000_000 for finish in ends.values())
    assert engine.status().state == "ready"
    assert list(engine.generate_many(())) == []


def test_the_starter_through_its_engine(bench: Bench, starter: Path) -> None:
    engine = bench.engine(plan(STARTER))
    engine.load(starter)
    requests = tuple(
        ask(f"Translate to French: The {word} is here.", max_tokens=30) for word in "dog cat man sun".split()
    )
    requests *= 3
    apart = [answer(engine, request) for request in requests]
    texts, ends = gather(answer_all(engine, requests, lambda: False, NOBODY), len(requests))
    assert texts == apart
    assert {finish.reason for finish in ends.values()} <= {"stop", "length"}


def test_an_error_comes_typed_and_once(bench: Bench) -> None:
    faults = [
        {"prompt": "overflow", "kind": "error", "error": "ContextOverflow"},
        {"prompt": "bug", "kind": "bug"},
    ]
    engine = bench.loaded(faults=faults)
    pid = engine.status().pid
    with pytest.raises(ContextOverflow):
        gather(engine.generate_many((ask("fine"), ask("overflow"))), 2)
    texts, ends = gather(engine.generate_many((ask("fine"), ask("again"))), 2)
    assert texts == ["fine", "again"]
    assert engine.status().pid == pid
    assert len(ends) == 2


def test_killed_in_the_middle_keeps_the_texts_and_raises_once(bench: Bench, starter: Path) -> None:
    engine = bench.engine(plan(STARTER))
    engine.load(starter)
    requests = tuple(ask(f"Tell me a story about {word}.", max_tokens=400) for word in "dogs cats men the sun".split())
    texts, errors = [""] * len(requests), list[EngineError]()
    pid = engine.status().pid
    assert pid is not None
    try:
        for index, event in engine.generate_many(requests):
            if isinstance(event, Chunk):
                texts[index] += event.text
            if sum(map(bool, texts)) >= 3:
                os.kill(pid, signal.SIGKILL)
    except EngineError as error:
        errors.append(error)
    assert len(errors) == 1
    assert sum(map(bool, texts)) >= 3
    whole, _ = gather(engine.generate_many(requests), len(requests))
    assert all(full.startswith(part) for full, part in zip(whole, texts, strict=True))
    assert engine.restarts == 1


def test_killed_before_it_said_anything_is_not_noticed(bench: Bench) -> None:
    engine = bench.loaded(name="m", reply="here it is", faults=[{"prompt": "deadly", "kind": "kill", "once": True}])
    texts, _ = gather(engine.generate_many((ask("deadly"), ask("b"))), 2)
    assert texts == ["here it is"] * 2


@pytest.mark.parametrize("by", ["callback", "engine"])
def test_cancel_ends_all_at_once(bench: Bench, by: str) -> None:
    engine = bench.loaded(reply="word ", repeat=1000, seconds_per_token=0.01)
    pid, stop = engine.status().pid, threading.Event()
    pressed = 0.0
    ends: dict[int, Finish] = {}
    for index, event in engine.generate_many((ask("a"), ask("b"), ask("c")), stop.is_set):
        if isinstance(event, Finish):
            ends[index] = event
        elif not pressed:
            pressed = time.monotonic()
            stop.set() if by == "callback" else engine.cancel()
    waited = time.monotonic() - pressed
    assert {index: finish.reason for index, finish in ends.items()} == dict.fromkeys(range(3), "cancelled")
    print(f"cancelled within {waited * 1000:.0f} ms")
    assert waited < 0.3
    assert answer(engine, ask(max_tokens=2)) == "word word"
    assert engine.status().pid == pid


def test_cancel_answers_even_when_native_code_does_not(bench: Bench) -> None:
    engine = bench.loaded(faults=[{"prompt": "busy", "after": 1, "kind": "busy"}])
    stop = threading.Event()
    threading.Timer(0.4, stop.set).start()
    texts, ends = gather(engine.generate_many((ask("busy for ever"), ask("b")), stop.is_set), 2)
    assert texts == ["busy", ""]
    assert [ends[index].reason for index in range(2)] == ["cancelled"] * 2
    assert answer(engine, ask("and now")) == "and now"


def test_one_of_several_is_given_up(bench: Bench) -> None:
    engine = bench.loaded(replies={"long": "word " * 3000}, seconds_per_token=0.005, context=100_000)
    seen: set[int] = set()
    texts, ends = [""] * 3, dict[int, Finish]()
    for index, event in engine.generate_many((ask("a"), ask("long"), ask("c")), dropped=lambda index: index in seen):
        if isinstance(event, Finish):
            assert index not in ends
            ends[index] = event
        else:
            assert index not in ends
            texts[index] += event.text
            if index == 1:
                seen.add(1)
    assert [ends[index].reason for index in range(3)] == ["stop", "cancelled", "stop"]
    assert (texts[0], texts[2]) == ("a", "c")
    assert 0 < len(texts[1]) < 3000
    assert answer(engine, ask("next")) == "next"


def test_an_abandoned_order_does_not_hold_up_the_next(bench: Bench) -> None:
    engine = bench.loaded(replies={"long": "word " * 5000}, seconds_per_token=0.005, context=100_000)
    events = engine.generate_many((ask("long"), ask("long")))
    next(events)
    with pytest.raises(UsageError, match="still writing"):
        list(engine.generate(ask("me too")))
    del events
    assert answer(engine, ask("short")) == "short"
    assert engine.restarts == 0


def test_cancelled_before_its_turn(bench: Bench) -> None:
    engine = bench.loaded(replies={"long": "word " * 5000}, seconds_per_token=0.005, context=100_000)
    got: list[tuple[int, Event]] = []
    stop = threading.Event()
    thread = threading.Thread(target=lambda: got.extend(engine.generate_many((ask("a"), ask("b")), stop.is_set)))
    first = engine.generate(ask("long"))
    next(first)
    thread.start()
    time.sleep(0.1)
    stop.set()
    thread.join(10)
    assert [(index, split([event])[1] is not None) for index, event in got] == [(0, True), (1, True)]
    assert wait_for(lambda: not thread.is_alive())
    del first


def test_two_threads_take_turns(bench: Bench) -> None:
    engine = bench.loaded(seconds_per_token=0.005)
    results: list[list[str]] = []

    def run(name: str) -> None:
        requests: tuple[Request, ...] = tuple(ask(f"{name} {number}") for number in range(3))
        results.append(gather(engine.generate_many(requests), 3)[0])

    threads = [threading.Thread(target=run, args=(name,)) for name in ("x", "y")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [["x 0", "x 1", "x 2"], ["y 0", "y 1", "y 2"]]
