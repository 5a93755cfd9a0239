"""A micro training proves the recipe: it learns to translate meanings it never saw, resumes, and converts exactly."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from edgellm.runtimes.base import Placement  # noqa: E402
from edgellm.runtimes.registry import load_writer as load_runtime  # noqa: E402
from starter.convert import load, write  # noqa: E402
from starter.decode import greedy  # noqa: E402
from starter.examples.example import Example, Source  # noqa: E402
from starter.examples.mix import held_out  # noqa: E402
from starter.examples.translate import translation  # noqa: E402
from starter.measures import ask  # noqa: E402
from starter.model import Starter  # noqa: E402
from starter.tokenizer import render  # noqa: E402
from starter.train import MICRO, Recipe, Training, schedule  # noqa: E402
from starter.words import Lexicon  # noqa: E402

RECIPE = replace(MICRO, tokens=1_000_000)
SMALL = Lexicon.read().first_stage()


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("micro")
    Training(folder, RECIPE).run(io.StringIO())
    return folder


def unseen(count: int) -> list[Example]:
    source = Source(SMALL, random.Random(77))
    return [translation(source, True, pair) for _ in range(count) for pair in (("en", "de"), ("de", "en"))]


def test_it_learns_unseen_meanings(run: Path) -> None:
    model, tokenizer = load(run)
    found = unseen(40)
    right = sum(greedy(model, tokenizer, example.messages, 40) == example.answer for example in found)
    torch.manual_seed(0)
    blank = Starter(model.shape)
    assert sum(greedy(blank, tokenizer, example.messages, 40) == example.answer for example in found[:10]) == 0
    assert right / len(found) > 0.3


def test_it_learns_to_choose_a_label(run: Path) -> None:
    model, tokenizer = load(run)
    found = list(islice(held_out(SMALL, random.Random(5), "classify"), 80))
    right = sum(greedy(model, tokenizer, example.messages, 8) == example.answer for example in found)
    assert right / len(found) > 0.5  # about 0.38 by chance


def test_the_file_says_what_torch_says(run: Path, tmp_path: Path) -> None:
    model, tokenizer = load(run)
    path = tmp_path / "micro.gguf"
    write(model, tokenizer, path, "f32")
    runtime = load_runtime(path, Placement(threads=1, context=512))
    try:
        found = [*unseen(10), *islice(held_out(SMALL, random.Random(6), "classify"), 10)]
        for example in found:
            assert runtime.count(example.messages) == len(tokenizer.encode(render(example.messages)).ids)
        same = sum(ask(runtime, example.messages) == greedy(model, tokenizer, example.messages) for example in found)
        assert same >= len(found) - 1  # a tie in the last bit may fall either way
    finally:
        runtime.close()


def test_a_resumed_run_goes_on(run: Path, tmp_path: Path) -> None:
    recipe = replace(MICRO, vocabulary=1200, tokens=20_000)
    first = Training(tmp_path, recipe)
    first.run(io.StringIO())
    again = Training(tmp_path, replace(recipe, tokens=40_000))
    again.load()
    assert (again.step, again.seen) == (first.step, first.seen)
    assert torch.equal(again.model.embedding, first.model.embedding)
    again.run(io.StringIO())
    assert again.seen >= 40_000
    assert not torch.equal(again.model.embedding, first.model.embedding)


def test_the_rate_always_ends_its_decay() -> None:
    recipe = Recipe()
    rates = [schedule(step / 100, recipe) for step in range(101)]
    assert rates[30] == 1.0
    assert rates[0] < 0.2
    assert rates[-1] <= 0.01
    assert all(later <= earlier for earlier, later in pairwise(rates[2:]))
