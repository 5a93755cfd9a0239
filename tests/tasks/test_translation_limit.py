"""A model that never stops costs its own paragraph: a limit for each, once more alone, a warning, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_generator import Scripted

from edgellm.app import App
from edgellm.documents.segment import Segment, Sheet
from edgellm.runtimes.base import Cancelled, Chunk, Dropped, Event, Finish, Generator, Placement, Request, never_dropped
from edgellm.runtimes.fake import FakeRuntime
from edgellm.tasks import translation_limit
from edgellm.tasks.memory import Memory
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.translate import Translator, prepare
from edgellm.tasks.translate_file import FileTranslation, Order

TEXTS = ("The dog is here.", "The loop is here.", "The cat is here.")
CUT = "slide 2: the translation was cut at the limit of tokens."


def sheet(texts: tuple[str, ...] = TEXTS) -> Sheet:
    return Sheet("docx", tuple(Segment((text,), f"slide {at}") for at, text in enumerate(texts, 1)), ())


def work(generator: Generator, memory: Memory, options: Options = DEFAULT) -> FileTranslation:
    made = FileTranslation(generator, sheet(), Order("fr", "en", options=options), memory)
    assert len(list(made.run())) == 3
    return made


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = Memory(tmp_path / "m.db")
    yield opened
    opened.close()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A model that never stops where it reads of a loop."""
    path = tmp_path / "endless.fake.json"
    path.write_text(json.dumps({"replies": {"loop": "encore " * 9_000, "dog": "Le chien.", "cat": "Le chat."}}))
    return path


def test_a_limit_grows_with_the_text_and_is_never_above_the_persons_own() -> None:
    text = "Le chien est très fatigué."
    tight, wide = (translation_limit.within(DEFAULT, text, wide).max_tokens or 0 for wide in (False, True))
    assert len(text) < tight < wide < 500
    assert translation_limit.within(DEFAULT, text * 10).max_tokens == 10 * (tight - 64) + 64
    assert translation_limit.within(Options(max_tokens=7), text, wide=True).max_tokens == 7
    assert translation_limit.within(Options(max_tokens=10_000), text).max_tokens == tight


def test_a_model_that_never_stops_in_the_group(script: Path, memory: Memory) -> None:
    app = App.create({"model": str(script)})
    try:
        engine = app.engine()
        engine.load(script)
        made = work(engine, memory)
    finally:
        app.close()
    wide = translation_limit.within(DEFAULT, TEXTS[1], wide=True).max_tokens
    assert made.translated[0] == ("Le chien.",)
    assert made.translated[2] == ("Le chat.",)
    assert made.translated[1][0].split() == ["encore"] * (wide or 0)
    assert made.report().warnings == (CUT,)
    assert memory.count() == 2  # what was cut is not kept


def test_and_alone(script: Path, memory: Memory) -> None:
    runtime = FakeRuntime.load(script, Placement(context=4_096))
    made = work(runtime, memory)
    assert made.report().warnings == (CUT,)
    assert made.translated[2] == ("Le chat.",)
    typed = Translator(runtime, prepare(runtime.info, "The loop.", "fr", "en"))
    events = list(typed.stream("The loop."))
    assert isinstance(events[-1], Finish)
    assert events[-1].truncated
    assert len(events) - 1 == translation_limit.within(DEFAULT, "The loop.", wide=True).max_tokens


def test_what_the_person_allows_is_not_asked_for_twice(memory: Memory) -> None:
    generator = Endless()
    made = work(generator, memory, Options(max_tokens=5))
    assert [request.max_tokens for request in generator.requests] == [5] * 3
    assert made.report().warnings == (CUT,)


class Endless(Scripted):
    """Never stops where it reads of a loop, and says no more than it may."""

    def __init__(self) -> None:
        super().__init__(lambda prompt: "encore " * 9_000 if "loop" in prompt else prompt.partition("\n")[2].upper())

    def generate(self, request: Request, cancelled: Cancelled = lambda: False) -> Iterator[Event]:
        """The scripted reply up to the limit."""
        limit = request.max_tokens or 9_000
        for made, event in enumerate(super().generate(request, cancelled)):
            if isinstance(event, Chunk) and made == limit:
                yield Finish("length", 5, 0, made, 1.0, 10.0, "cpu", 100, True)
                return
            yield event


class Crowded(Endless):
    """Answers several at once, and has too little room for that: all are cut after two tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds: list[int] = []

    def generate_many(
        self, requests: tuple[Request, ...], cancelled: Cancelled = lambda: False, dropped: Dropped = never_dropped
    ) -> Iterator[tuple[int, Event]]:
        """Two words of each."""
        self.rounds.append(len(requests))
        for index in range(len(requests)):
            yield index, Chunk("x ")
            yield index, Chunk("y")
            yield index, Finish("length", 5, 0, 2, 1.0, 10.0, "cpu", 100, True)


def test_what_had_to_give_way_to_the_others_is_asked_for_alone(memory: Memory) -> None:
    generator = Crowded()
    made = work(generator, memory)
    assert generator.rounds == [3]
    assert made.translated[0] == ("THE DOG IS HERE.",)
    assert made.translated[2] == ("THE CAT IS HERE.",)
    assert made.report().warnings == (CUT,)
    assert len(generator.requests) == 4  # the endless one twice, with more room
