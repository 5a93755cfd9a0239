"""What a summary consists of while it is made: how far it is, points with their places, and the whole at the end."""

from __future__ import annotations

from dataclasses import dataclass

from edgellm.runtimes.base import Chunk, Finish
from edgellm.tasks.answer import Quote
from edgellm.tasks.outline import Place


@dataclass(frozen=True, slots=True)
class Begun:
    """How many sections there are, and how many of them an earlier run has read."""

    sections: int
    kept: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How many sections are read."""

    done: int
    sections: int


@dataclass(frozen=True, slots=True)
class Item:
    """A point, a key sentence, or the answer to `question`.

    `place` is the stretch of the text that it stands for, with the page of the sentence behind it; `quote` is that
    sentence (offsets as in `place`), None where there is none. `written` is false for the text's own words; `quoted`
    says that they stand among a model's, so that they are to be told apart.
    """

    text: str
    place: Place
    written: bool
    score: float = 0.0
    quote: Quote | None = None
    question: str = ""
    quoted: bool = False

    @property
    def shown(self) -> str:
        """The text, in quotation marks where it is a quotation among a model's own sentences."""
        return f"“{self.text}”" if self.quoted else self.text


@dataclass(frozen=True, slots=True)
class Draft:
    """A point that was read while the final ones are not chosen yet; those replace all drafts."""

    item: Item


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole: `text` for copying, `read` of `sections`, sentences for the person, and the facts."""

    text: str
    items: tuple[Item, ...]
    read: int
    sections: int
    notes: tuple[str, ...]
    finish: Finish


SummaryEvent = Begun | Progress | Draft | Chunk | Item | Summary
