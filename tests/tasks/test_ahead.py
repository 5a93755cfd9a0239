"""Several paragraphs at once: the same translations as one by one, in fewer rounds, and nothing lost by a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripted_generator import Scripted

from edgellm.documents.segment import Segment, Sheet
from edgellm.errors import ContextOverflow
from edgellm.runtimes.base import Cancelled, Chunk, Dropped, Event, Finish, Message, Request, never_dropped
from edgellm.tasks.ahead import Ahead
from edgellm.tasks.glossary import Glossary, Term
from edgellm.tasks.memory import Memory
from edgellm.tasks.options import Options
from edgellm.tasks.translate_file import FileTranslation, Order, Report


class Many(Scripted):
    """A model that answers several at once, the last one first; it can do nothing else meanwhile."""

    def __init__(self, reply: Callable[[str], str], *, context: int = 1_000) -> None:
        super().__init__(reply, context=context)
        self.rounds: list[int] = []
        self.busy = False

    def count(self, messages: tuple[Message, ...]) -> int:
        """Words of all messages."""
        assert not self.busy
        return super().count(messages)

    def generate(self, request: Request, cancelled: Cancelled = lambda: False) -> Iterator[Event]:
        """The scripted reply."""
        assert not self.busy
        return super().generate(request, cancelled)

    def generate_many(
        self, requests: tuple[Request, ...], cancelled: Cancelled = lambda: False, dropped: Dropped = never_dropped
    ) -> Iterator[tuple[int, Event]]:
        """The scripted replies."""
        if any("toolong" in request.messages[-1].content for request in requests):
            raise ContextOverflow(900, 100)
        self.rounds.append(len(requests))
        self.busy = True
        for index in reversed(range(len(requests))):
            for event in Scripted.generate(self, requests[index], cancelled):
                yield index, event
        self.busy = False


def upper(prompt: str) -> str:
    return prompt.partition("\n")[2].upper()


def losing(prompt: str) -> str:
    """Loses what stands in braces, and any mark but where the text is short."""
    text = prompt.partition("\n")[2]
    return "nothing" if "{" in text or ("<x" in text and len(text) > 30) else text.upper()


TEXTS: tuple[tuple[str, ...], ...] = (
    ("The dog is here.",),
    ("Hello {name}, ", "welcome", " to the house."),
    ("12:30",),
    ("The dog is here.",),
    ("Hi {a}.",),
    ("Call the dog of {owner} at once, or it is gone.",),
    ("",),
    ("It costs 30 euros, and the cat is ", "tired", "."),
    *((f"The {word} is on the table.",) for word in ("cup", "pen", "hat", "key")),
)


def sheet(texts: tuple[tuple[str, ...], ...] = TEXTS) -> Sheet:
    return Sheet("docx", tuple(Segment(one, f"slide {at}") for at, one in enumerate(texts, 1)), ())


def done(
    generator: Scripted, given: Sheet, folder: Path, options: Options | None = None
) -> tuple[dict[int, tuple[str, ...]], Report, int]:
    """What was translated, how it went, and how many steps there were."""
    order = Order("fr", "en", Glossary((Term("table", "TISCH"),)), options or Options())
    memory = Memory(folder / "m.db")
    work = FileTranslation(generator, given, order, memory)
    steps = list(work.run())
    memory.close()
    assert [step.done for step in steps] == list(range(1, len(steps) + 1))
    return work.translated, work.report(), len(steps)


@pytest.mark.parametrize("reply", [upper, losing])
@pytest.mark.parametrize("context", [1_000, 30])
def test_the_same_as_one_by_one(reply: Callable[[str], str], context: int, tmp_path: Path) -> None:
    long = (" ".join(f"This is sentence {word} of a long text." for word in ("one", "two", "three", "four")),)
    given = sheet((*TEXTS, long))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    single, several = Scripted(reply, context=context), Many(reply, context=context)
    text, report, steps = done(single, given, tmp_path / "a")
    found, other, count = done(several, given, tmp_path / "b")
    assert (found, other.warnings, other.line, count) == (text, report.warnings, report.line, steps)
    assert set(several.prompts) == set(single.prompts)
    assert sum(several.rounds) == len(several.prompts) <= len(single.prompts)  # none is asked twice
    assert len(several.rounds) < len(several.prompts) / 2


def test_more_than_fit_into_one_group(tmp_path: Path) -> None:
    words = [f"{first}{second}" for first in "abcdefgh" for second in "abcdefgh"]
    generator = Many(upper)
    found, report, _ = done(generator, sheet(tuple((f"The {word} is here.",) for word in words)), tmp_path)
    assert generator.rounds == [32, 32]
    assert [found[at][0] for at in range(64)] == [f"THE {word.upper()} IS HERE." for word in words]
    assert report.translated == 64


def test_a_stop_keeps_all_that_are_done_and_the_next_run_asks_the_rest(tmp_path: Path) -> None:
    texts = tuple((f"This is paragraph {word}.",) for word in ("one", "two", "three", "four", "five"))
    generator = Many(upper)
    options = Options(cancelled=lambda: len(generator.requests) > 3)
    found, report, _ = done(generator, sheet(texts), tmp_path, options)
    assert report.stopped
    assert sorted(found) == [2, 3, 4]  # it answers the last one first
    other = Many(upper)
    found, report, _ = done(other, sheet(texts), tmp_path)
    assert (len(other.prompts), report.reused, report.stopped) == (2, 3, False)
    assert len(found) == 5


def test_one_that_is_too_long_costs_only_the_speed(tmp_path: Path) -> None:
    class Small(Many):
        def generate(self, request: Request, cancelled: Cancelled = lambda: False) -> Iterator[Event]:
            if "toolong" in request.messages[-1].content:
                raise ContextOverflow(900, 100)
            return super().generate(request, cancelled)

    found, report, _ = done(Small(upper), sheet((("A toolong one.",), ("A dog.",), ("A cat.",))), tmp_path)
    assert found == {1: ("A DOG.",), 2: ("A CAT.",)}
    assert report.warnings[0].startswith("slide 1: left as it is. The text is 900 tokens")


def test_seconds_are_those_that_passed_and_add_up() -> None:
    generator = Many(str.upper)
    requests = [Request((Message("user", word),)) for word in ("one", "two", "three")]
    ahead = Ahead(generator)
    assert list(ahead.ready([lambda one=one: list(ahead.generate(one)) for one in requests])) == [2, 1, 0]  # type: ignore[misc]
    events = [list(ahead.generate(one)) for one in requests]
    assert [one[0] for one in events] == [Chunk("ONE"), Chunk("TWO"), Chunk("THREE")]
    finishes = [one[1] for one in events if isinstance(one[1], Finish)]
    assert 0 < sum(finish.seconds for finish in finishes) < 1.0  # the model itself says 1.0 of each
    assert len(generator.prompts) == 3


def test_without_a_look_ahead_the_model_is_asked() -> None:
    ahead = Ahead(Many(str.upper))
    assert next(iter(ahead.generate(Request((Message("user", "one"),))))) == Chunk("ONE")
