"""Tests of guessing ahead: the same tokens as without, in fewer steps, and no guesses where they are wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from edgellm.paths import starter_model
from edgellm.runtimes import llama_draft
from edgellm.runtimes.base import Chunk, Event, Finish, Message, Placement, Request, Sampling
from edgellm.runtimes.cancel import CancelWatch
from edgellm.runtimes.llama import LlamaRuntime
from edgellm.runtimes.llama_draft import Drafter
from tests import tiny_gguf

SENTENCES = (
    "The dog is in the garden.",
    "My brother works in a big city.",
    "She reads a book every evening.",
    "The train to the city is late again.",
    "He bought a new car for his mother.",
    "The children play in the park after school.",
    "We are going to the market to buy bread.",
    "The old man lives in a small house near the river.",
    "I would like a cup of coffee.",
    "The museum is open every day.",
)
QUESTIONS = ("Where is it?", "Who is it?", "What happens?", "When is it?")


@pytest.fixture(scope="module")
def runtime() -> Iterator[LlamaRuntime]:
    runtime = LlamaRuntime.load(starter_model(), Placement(context=1024, threads=1, cpu_variant="haswell"))
    yield runtime
    runtime.close()


def ask(text: str, **rest: object) -> Request:
    return Request((Message("user", text),), **rest)  # type: ignore[arg-type]


def prompts() -> list[str]:
    some = SENTENCES[:7]
    texts = [f"Summarize in one sentence:\n{one} {two}" for one in some for two in some if one != two]
    texts += [f"{one} {two}\n{question}" for one, two in pairwise(SENTENCES) for question in QUESTIONS[:2]]
    return texts + [f"Translate to French: {sentence}" for sentence in SENTENCES]


def run(runtime: LlamaRuntime, request: Request, drafts: bool) -> tuple[list[Event], int]:
    """Events, and how many computations they took."""
    runtime.drafts = drafts
    runtime._native.clear()
    steps, compute = 0, runtime._native.compute

    def counted(tokens: Sequence[int], watch: CancelWatch, every: bool = False) -> bool:
        nonlocal steps
        steps += 1
        return compute(tokens, watch, every)

    runtime._native.compute = counted  # type: ignore[method-assign]
    try:
        return list(runtime.generate(request)), steps
    finally:
        runtime._native.compute = compute  # type: ignore[method-assign]


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Chunk))


def end(events: list[Event]) -> Finish:
    assert isinstance(events[-1], Finish)
    return events[-1]


def test_the_same_text_and_facts_with_and_without_on_many_prompts(runtime: LlamaRuntime) -> None:
    steps = [0, 0]
    for prompt in prompts():
        request = ask(prompt, max_tokens=48)
        plain, one = run(runtime, request, False)
        drafted, two = run(runtime, request, True)
        assert text(drafted) == text(plain)
        left, right = end(plain), end(drafted)
        assert (left.reason, left.new_tokens, left.truncated) == (right.reason, right.new_tokens, right.truncated)
        steps[0] += one
        steps[1] += two
    print(f"{steps[0]} steps without, {steps[1]} with")
    assert steps[1] < steps[0]


def test_a_repeated_text_takes_few_steps(tmp_path: Path) -> None:
    said = "Hé 😀foxjums-wr."
    runtime = LlamaRuntime.load(
        tiny_gguf.make(tmp_path / "speaker.gguf", says=said),
        Placement(context=512, batch=128, threads=1, cpu_variant="haswell"),
    )
    request = ask(f"Say {said} and nothing else")
    plain, one = run(runtime, request, False)
    drafted, two = run(runtime, request, True)
    assert text(plain) == text(drafted) == said
    assert two < one / 2
    assert runtime._native.tokens[: end(drafted).prompt_tokens] == runtime._prompt(request.messages, "")
    for limit in range(1, 14):
        shorter = ask(f"Say {said} and nothing else", max_tokens=limit)
        plain, drafted = run(runtime, shorter, False)[0], run(runtime, shorter, True)[0]
        assert text(plain) == text(drafted)
        assert end(plain).new_tokens == end(drafted).new_tokens
    again = end(list(runtime.generate(request)))
    assert again.cached_tokens == again.prompt_tokens - 1
    runtime.close()


def test_nothing_of_a_wrong_guess_stays_in_the_cache(runtime: LlamaRuntime) -> None:
    """The next turn must find exactly the tokens that were said."""
    first = ask(f"Summarize in one sentence:\n{' '.join(SENTENCES[:4])}", max_tokens=40)
    events, _ = run(runtime, first, True)
    held = runtime._native
    assert int(runtime._api.llama_memory_seq_pos_max(held._memory, 0)) == len(held.tokens) - 1
    follow = Request(
        (*first.messages, Message("assistant", text(events)), Message("user", SENTENCES[5])), max_tokens=20
    )
    runtime.drafts = False
    warm = list(runtime.generate(follow))
    cold, _ = run(runtime, follow, False)
    assert text(warm) == text(cold)


def test_schemas_and_sampling(runtime: LlamaRuntime) -> None:
    schema = json.dumps(
        {"type": "object", "properties": {"dog": {"enum": ["the dog is in the garden"]}}, "required": ["dog"]}
    )
    for request in (
        ask('{"dog": "the dog is in the garden"}', schema=schema),
        ask(SENTENCES[0] * 3, max_tokens=30, sampling=Sampling(temperature=0.8, seed=4)),
        ask(SENTENCES[0] * 3, max_tokens=30, sampling=Sampling(presence_penalty=0.7)),
    ):
        assert text(run(runtime, request, True)[0]) == text(run(runtime, request, False)[0])


def test_cancel_between_guesses(runtime: LlamaRuntime) -> None:
    runtime.drafts, seen = True, list[Event]()
    for event in runtime.generate(
        ask(f"Summarize in one sentence:\n{SENTENCES[7]} {SENTENCES[3]}"), lambda: len(seen) > 2
    ):
        seen.append(event)
    assert end(seen).reason == "cancelled"
    native = runtime._native
    assert int(runtime._api.llama_memory_seq_pos_max(native._memory, 0)) == len(native.tokens) - 1


def test_an_undecided_model_gets_no_guesses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Hé 😀foxjums-wr."
    runtime = LlamaRuntime.load(
        tiny_gguf.make(tmp_path / "speaker.gguf", says=said),
        Placement(context=512, batch=128, threads=1, cpu_variant="haswell"),
    )
    request = ask(f"Say {said} and nothing else")
    sure = end(run(runtime, request, True)[0])
    monkeypatch.setattr(llama_draft, "_UNSURE", float("inf"))
    _, plain = run(runtime, request, False)
    events, steps = run(runtime, request, True)
    assert (text(events), steps) == (said, plain)
    assert end(events).new_tokens == sure.new_tokens
    runtime.close()


def test_guesses_follow_the_text() -> None:
    drafter = Drafter(list(range(1, 31)))
    assert drafter.guess(8) == [], "the end must not find itself"
    drafter.add((1, 2, 3, 4))
    assert drafter.guess(8) == [], "only one token was foreseen"
    drafter.add((5,))
    assert drafter.guess(8) == [6, 7, 8, 9]
    assert drafter.guess(3) == [6, 7, 8]
    assert drafter.guess(2) == [], "so few gain nothing"
    drafter.checked(4, 4)
    drafter.add((6, 7, 8, 9))
    assert drafter.guess(20) == list(range(10, 25)), "longer after more was foreseen"


def test_a_circle_goes_on() -> None:
    drafter = Drafter([9, 8, 7])
    drafter.add((1, 2) * 5)
    assert drafter.guess(8) == [], "an answer that repeats itself often stops doing so"
    drafter.add((1, 2) * 40)
    assert drafter.guess(8) == [1, 2] * 4


def test_a_prompt_that_repeats_itself_foresees_nothing_of_the_answer() -> None:
    drafter = Drafter([1, 2, 3] * 20)
    assert drafter.guess(8) == []


def test_wrong_guesses_cost_a_bounded_share_of_the_answer() -> None:
    """Stretches of six tokens that are known, and a guess beyond them that is always wrong."""
    known, drafter, lost, guesses, said = list(range(3000)), Drafter(list(range(3000))), 0.0, 0, 0
    for start in range(0, 3000, 6):
        for token in known[start : start + 6]:
            drafter.add((token,))
            said += 1
            if guess := drafter.guess(15):
                drafter.checked(len(guess), 0)
                lost, guesses = lost + 0.53 * len(guess), guesses + 1
                assert lost <= 2.21 + 0.03 * (said + start / 6)
        drafter.add((10_000 + start,))
    assert 10 < guesses < 60, guesses
    assert (drafter.accepted, drafter.drafted) == (0, 4 * guesses)
    drafter.add(range(5000, 5200))
    drafter.add(range(5000, 5100))
    assert drafter.guess(15) == list(range(5100, 5115)), "and a long stretch is trusted again"


def test_switched_off() -> None:
    drafter = Drafter([1, 2, 3, 4] * 5, on=False)
    drafter.add((1, 2, 3))
    assert drafter.guess(8) == []
