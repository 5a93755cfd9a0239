"""Tests of several answers at once, on tiny models and the starter: same tokens, limits, cancelling, a full cache."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm.errors import ContextOverflow, EngineError, ResponseFormatError, UsageError
from edgellm.paths import starter_model
from edgellm.runtimes.base import Chunk, Event, Finish, Message, Placement, Request, Sampling
from edgellm.runtimes.cancel import CancelWatch
from edgellm.runtimes.llama import LlamaRuntime
from edgellm.runtimes.llama_answer import Answer
from edgellm.runtimes.llama_context import SEQUENCES
from tests import tiny_gguf

PLACEMENT = Placement(context=2048, batch=128, threads=1, cpu_variant="haswell")
SENTENCES = (
    "Good morning.",
    "Where is the station?",
    "I would like a cup of coffee.",
    "The dog is in the garden.",
    "My brother works in a big city.",
    "It is raining today.",
    "She reads a book every evening.",
    "We are going to the market.",
    "How much does this cost?",
    "The train is late again.",
    "He bought a new car.",
    "The children play in the park.",
)
CLOSE = 0.25


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf.make(tmp_path_factory.mktemp("models") / "random.gguf")


@pytest.fixture(scope="module")
def model(file: Path) -> Iterator[LlamaRuntime]:
    runtime = LlamaRuntime.load(file, PLACEMENT)
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def starter_runtime() -> Iterator[LlamaRuntime]:
    runtime = LlamaRuntime.load(starter_model(), Placement(context=1024, threads=1, cpu_variant="haswell"))
    yield runtime
    runtime.close()


def ask(text: str, **rest: object) -> Request:
    return Request((Message("user", text),), **rest)  # type: ignore[arg-type]


def one(runtime: LlamaRuntime, request: Request) -> tuple[str, Finish]:
    events = list(runtime.generate(request))
    assert isinstance(events[-1], Finish)
    return "".join(event.text for event in events if isinstance(event, Chunk)), events[-1]


def gather(events: Iterator[tuple[int, Event]], count: int) -> list[tuple[str, Finish]]:
    """Text and facts of each; every one must end once, and say nothing after it."""
    texts, ends = [""] * count, dict[int, Finish]()
    for index, event in events:
        assert index not in ends
        if isinstance(event, Chunk):
            assert event.text
            texts[index] += event.text
        else:
            ends[index] = event
    return [(texts[index], ends[index]) for index in range(count)]


def many(runtime: LlamaRuntime, *requests: Request) -> list[tuple[str, Finish]]:
    return gather(runtime.generate_many(requests), len(requests))


def clean(runtime: LlamaRuntime) -> bool:
    """Whether only sequence 0 is left in the KV cache."""
    native = runtime._native
    return all(
        int(runtime._api.llama_memory_seq_pos_max(native._memory, sequence)) == -1
        for sequence in range(1, native.sequences + 1)
    )


def recorded(runtime: LlamaRuntime, monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    """From now on, every answer that is begun."""
    answers: list[Answer] = []
    prepare = runtime._prepare

    def keep(request: Request, started: float) -> Answer:
        answers.append(prepare(request, started))
        return answers[-1]

    monkeypatch.setattr(runtime, "_prepare", keep)
    return answers


def margin(runtime: LlamaRuntime, tokens: list[int], written: list[int]) -> float:
    """How much likelier the first choice is than the second, after these tokens computed one by one."""
    native = runtime._native
    with CancelWatch(native.cancel_buffer, lambda: False) as watch:
        native.clear()
        native.compute(tokens, watch)
        for token in written:
            native.compute((token,), watch)
    logits = runtime._api.llama_get_logits_ith(native.context, -1)[: runtime.info.vocabulary]
    second, first = sorted(logits)[-2:]
    return float(first - second)


def agree(runtime: LlamaRuntime, alone: Answer, beside: Answer) -> bool:
    """Whether both wrote the same. If not, the two must part where the likeliest tokens are almost as likely.

    llama.cpp adds numbers up in another order when there are more rows, and when one row looks at 512 cells or more.
    """
    if alone.written == beside.written:
        return True
    pairs = list(zip(alone.written, beside.written, strict=False))
    differ = next((at for at, (left, right) in enumerate(pairs) if left != right), len(pairs))
    assert margin(runtime, alone.prompt, alone.written[:differ]) < CLOSE
    return False


def test_the_starter_says_the_same_one_by_one_and_at_once(
    starter_runtime: LlamaRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [
        ask(f"Translate to {language}: {sentence}", max_tokens=40)
        for sentence in SENTENCES
        for language in ("French", "German", "Spanish")
    ]
    assert len(requests) > 2 * SEQUENCES
    answers = recorded(starter_runtime, monkeypatch)
    for request in requests:
        one(starter_runtime, request)
    many(starter_runtime, *requests)
    assert clean(starter_runtime)
    alone, beside = answers[: len(requests)], answers[len(requests) :]
    same = [agree(starter_runtime, left, right) for left, right in zip(alone, beside, strict=True)]
    assert sum(same) >= len(requests) - 1
    for fits, left, right in zip(same, alone, beside, strict=True):
        assert not fits or left.reason == right.reason


def test_what_prompts_begin_with_is_computed_once(starter_runtime: LlamaRuntime) -> None:
    words = "Read this: " + "the dog is in the garden and " * 20
    requests = [ask(words + end, max_tokens=4) for end in ("A.", "the cat sleeps.", "C.")]
    starter_runtime._native.clear()
    facts = [finish for _, finish in many(starter_runtime, *requests)]
    assert facts[0].cached_tokens == 0
    assert all(finish.cached_tokens > 0.8 * finish.prompt_tokens for finish in facts[1:])
    again = [finish for _, finish in many(starter_runtime, *requests)]
    assert again[0].cached_tokens == again[1].cached_tokens == facts[1].cached_tokens


def test_the_same_prompt_many_times_and_a_single_one(model: LlamaRuntime) -> None:
    expected = one(model, ask("go", max_tokens=9))[0]
    assert [text for text, _ in many(model, *[ask("go", max_tokens=9)] * 20)] == [expected] * 20
    assert many(model, ask("go", max_tokens=9))[0][0] == expected
    assert list(model.generate_many(())) == []


def test_each_has_its_own_limits_stops_and_seeds(tmp_path: Path) -> None:
    runtime = LlamaRuntime.load(tiny_gguf.make(tmp_path / "speaker.gguf", says="Hé 😀fox."), PLACEMENT)
    got = many(
        runtime,
        ask("a"),
        ask("b", max_tokens=2),
        ask("c", stop=("fox",)),
        ask("d", prefix="Hé 😀"),
        ask("e", sampling=Sampling(temperature=0.5, seed=3)),
        ask("f", max_tokens=1),
    )
    assert [text for text, _ in got] == ["Hé 😀fox.", "H", "Hé 😀", "fox.", "Hé 😀fox.", "H"]
    assert [finish.reason for _, finish in got] == ["stop", "length", "stop", "stop", "stop", "length"]
    assert [finish.truncated for _, finish in got] == [False, True, False, False, False, True]
    runtime.close()


def test_seeds_draw_the_same_as_alone(model: LlamaRuntime) -> None:
    requests = [ask("go", max_tokens=20, sampling=Sampling(temperature=1.2, seed=seed)) for seed in range(10)]
    apart = [one(model, request)[0] for request in requests]
    assert len(set(apart)) > 5
    assert [text for text, _ in many(model, *requests)] == apart


def test_schemas_beside_free_text(model: LlamaRuntime) -> None:
    schema = json.dumps({"type": "object", "properties": {"a": {"enum": ["x", "y"]}}, "required": ["a"]})
    requests = [ask("one", schema=schema), ask("two", max_tokens=12), ask("three", schema=schema)]
    apart = [one(model, request)[0] for request in requests]
    got = [text for text, _ in many(model, *requests)]
    assert got == apart
    assert json.loads(got[0])["a"] in ("x", "y")
    assert json.loads(got[2])["a"] in ("x", "y")


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ({"text": "q" * 5000}, ContextOverflow),
        ({"text": "go", "max_tokens": 0}, UsageError),
        ({"text": "go", "schema": "{"}, ResponseFormatError),
    ],
    ids=["too long", "no tokens", "no schema"],
)
def test_what_is_wrong_with_one_is_raised_before_anything_is_computed(
    model: LlamaRuntime, bad: dict[str, object], kind: type[Exception]
) -> None:
    before = list(model._native.tokens)
    text = str(bad.pop("text"))
    with pytest.raises(kind):
        many(model, ask("fine", max_tokens=3), ask(text, **bad))
    assert model._native.tokens == before
    assert many(model, ask("fine", max_tokens=3))[0][1].new_tokens == 3


def test_long_answers_share_the_context_and_none_is_cut_short(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten answers of 150 tokens in a cache of 512: they cannot all be there, and are what they would be alone.

    A noisy model like this one now and then finds two tokens equally likely; from there on both answers are right.
    """
    runtime = LlamaRuntime.load(file, Placement(context=512, batch=64, threads=1, cpu_variant="haswell"))
    requests = [ask(f"{number}", max_tokens=150) for number in range(10)]
    answers = recorded(runtime, monkeypatch)
    for request in requests:
        one(runtime, request)
    got = many(runtime, *requests)
    assert all(finish.new_tokens == 150 for _, finish in got)
    assert clean(runtime)
    same = sum(agree(runtime, alone, beside) for alone, beside in zip(answers[:10], answers[10:], strict=True))
    assert same >= 7
    runtime.close()


def test_answers_without_a_limit_fill_the_context_each(file: Path) -> None:
    runtime = LlamaRuntime.load(file, Placement(context=256, batch=64, threads=1, cpu_variant="haswell"))
    got = many(runtime, *[ask(f"number {number}") for number in range(3)])
    assert [finish.prompt_tokens + finish.new_tokens for _, finish in got] == [256] * 3
    assert all(finish.truncated for _, finish in got)
    runtime.close()


@pytest.mark.parametrize("batch", [1, 2, 3, 16])
def test_small_batches(file: Path, batch: int) -> None:
    runtime = LlamaRuntime.load(file, Placement(context=512, batch=batch, threads=1, cpu_variant="haswell"))
    requests = [ask(f"number {number}", max_tokens=6) for number in range(5)]
    apart = [one(runtime, request)[0] for request in requests]
    assert [text for text, _ in many(runtime, *requests)] == apart
    runtime.close()


def test_cancel_all_ends_each_with_its_text(model: LlamaRuntime) -> None:
    texts, ends = [""] * 20, dict[int, Finish]()

    def stopped() -> bool:
        return all(len(text) > 3 for text in texts[:SEQUENCES])

    for index, event in model.generate_many(tuple(ask(f"n{n}") for n in range(20)), stopped):
        if isinstance(event, Finish):
            ends[index] = event
        else:
            texts[index] += event.text
    assert {finish.reason for finish in ends.values()} == {"cancelled"}
    assert sorted(ends) == list(range(20))
    assert all(texts[:SEQUENCES])
    assert not any(texts[SEQUENCES:])
    assert clean(model)
    assert many(model, ask("go", max_tokens=2))[0][1].new_tokens == 2


def test_cancel_before_the_start(model: LlamaRuntime) -> None:
    got = gather(model.generate_many((ask("a"), ask("b")), lambda: True), 2)
    assert [(text, finish.reason, finish.new_tokens) for text, finish in got] == [("", "cancelled", 0)] * 2


def test_cancel_one_leaves_the_others_alone(model: LlamaRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = tuple(ask(f"number {n}", max_tokens=60) for n in range(10))
    answers = recorded(model, monkeypatch)
    apart = [one(model, request)[0] for request in requests]
    seen = [""] * 10

    def dropped(index: int) -> bool:
        return index == 9 or (index == 2 and len(seen[2]) > 10)

    ends = dict[int, Finish]()
    for index, event in model.generate_many(requests, dropped=dropped):
        if isinstance(event, Chunk):
            seen[index] += event.text
        else:
            ends[index] = event
    assert [index for index in range(10) if ends[index].reason == "cancelled"] == [2, 9]
    assert apart[2].startswith(seen[2])
    assert 10 < len(seen[2]) < len(apart[2])
    assert all(ends[index].new_tokens == 60 for index in range(10) if index not in (2, 9))
    assert sum(agree(model, answers[n], answers[10 + n]) for n in range(10) if n not in (2, 9)) >= 6


def test_cancel_in_the_middle_of_a_batch(file: Path) -> None:
    runtime = LlamaRuntime.load(file, Placement(context=8192, batch=8192, threads=1, cpu_variant="haswell"))
    requests = (ask("a" + "q" * 7000, max_tokens=1), ask("b", max_tokens=1))
    started = time.perf_counter()
    many(runtime, *requests)
    whole = time.perf_counter() - started
    runtime._native.clear()
    started = time.perf_counter()
    limit = min(0.05, whole / 4)
    got = gather(runtime.generate_many(requests, lambda: time.perf_counter() - started > limit), 2)
    assert time.perf_counter() - started < whole
    assert [(text, finish.reason) for text, finish in got] == [("", "cancelled")] * 2
    assert clean(runtime)
    assert many(runtime, ask("again", max_tokens=2))[0][1].new_tokens == 2
    runtime.close()


def test_a_run_that_is_dropped_leaves_the_model_usable(model: LlamaRuntime) -> None:
    expected = one(model, ask("hello", max_tokens=6))[0]
    run = model.generate_many((ask("something long"), ask("and another")))
    next(run)
    assert one(model, ask("hello", max_tokens=6))[0] == expected
    with pytest.raises(EngineError, match="Another answer"):
        list(run)
    run = model.generate_many((ask("something long"), ask("and another")))
    next(run)
    del run
    assert clean(model)
    assert one(model, ask("hello", max_tokens=6))[0] == expected


def test_a_closed_model_says_so(file: Path) -> None:
    runtime = LlamaRuntime.load(file, PLACEMENT)
    run = runtime.generate_many((ask("a"), ask("b")))
    next(run)
    runtime.close()
    with pytest.raises(EngineError):
        list(run)
    with pytest.raises(EngineError, match="not loaded"):
        list(runtime.generate_many((ask("a"),)))
