"""For the tests of rewriting: random words in several scripts, and a file read, translated and written in one go."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from edgellm.documents import rewriters
from edgellm.documents.segment import Rewriting, Sheet
from edgellm.documents.source import Limits, open_source

WORDS = (
    "plum tree garden river stone bread window letter summer evening Haus Garten schön über été forêt niño "
    "{name} %s %(count)d ${price} 42 3.5 it's “so” — a I"
).split()
OTHERS = ("春天花开了", "北京是首都。", "東京に行く", "شجرة البرقوق", "дом и сад")


def swapped(text: str) -> str:
    """A translation that can be taken back: capitals for small letters."""
    return text.swapcase()


def words(chance: random.Random, most: int = 8) -> str:
    """A few words; never none, and the first of them is one of letters."""
    some = [chance.choice(WORDS) for _ in range(chance.randrange(most))]
    return " ".join([chance.choice(WORDS[:8]), *some, *([chance.choice(OTHERS)] if chance.random() < 0.3 else [])])


def sheet(path: Path) -> Sheet:
    """What can be translated in a file."""
    return rewriters.segments(path)


def rewritten(path: Path, change: Callable[[str], str], language: str = "", suffix: str = "") -> bytes:
    """The file with every piece changed."""
    found = rewriters.segments(path)
    pieces = {number: tuple(map(change, one.pieces)) for number, one in enumerate(found.segments)}
    order = Rewriting(open_source(path, Limits()), pieces, language, suffix or path.suffix)
    return rewriters.rewritten(order, found.sha256)


def replaced(path: Path, texts: dict[int, tuple[str, ...]], language: str = "", suffix: str = "") -> bytes:
    """The file with some segments changed."""
    source = open_source(path, Limits())
    return rewriters.rewritten(Rewriting(source, texts, language, suffix or path.suffix))
