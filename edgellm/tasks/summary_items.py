"""Points of a summary as a person sees them: with the sentence of the text that is behind each, and its page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from edgellm.tasks import answer
from edgellm.tasks.answer import Evidence, Quote
from edgellm.tasks.digest import Part, Point
from edgellm.tasks.outline import Outline, Place
from edgellm.tasks.summary_events import Draft, Item
from edgellm.tasks.summary_language import Translator
from edgellm.tasks.summary_questions import Pair
from edgellm.tasks.terms import Terms

_SUPPORT = 0.3  # of a point's terms that its sentence holds


class Items:
    """Makes the items of one summary. `notes` say how many points hardly share a word with their section."""

    def __init__(self, outline: Outline, translate: Translator) -> None:
        self._outline, self._translate = outline, translate
        self._terms = Terms()
        self._unsupported = 0

    def make(self, line: str, point: Point) -> Item:
        """A line of a point, brought into the language that was asked for."""
        quote = self._behind(line, point.part)
        if quote is None and point.written and not self._translate.asked_directly:
            self._unsupported += 1
        text = self._translate(line)
        return replace(self._item(text, point.part, quote, point.written), quoted=not point.written and text == line)

    def drafts(self, point: Point) -> Iterator[Draft]:
        """The lines of a point as they are, to be seen until the final ones are chosen."""
        for line in point.lines:
            item = self._item(line, point.part, self._behind(line, point.part), point.written)
            yield Draft(replace(item, quoted=not point.written))

    def answered(self, pair: Pair, part: Part) -> Item:
        """A question with its answer."""
        item = self._item(self._translate(pair.answer), part, pair.quote, pair.written)
        return replace(item, question=self._translate(pair.question) if pair.written else pair.question)

    def _item(self, text: str, part: Part, quote: Quote | None, written: bool) -> Item:
        place = self._outline.place(part.start, part.end)
        if quote is None:
            return Item(text, place, written)
        exact = self._outline.place(part.start + quote.start, part.start + quote.end)
        nearer = Place(exact.file, exact.page, exact.headings, place.start, place.end)
        return Item(text, nearer, written, quote=Quote(quote.text, exact.start, exact.end))

    def _behind(self, line: str, part: Part) -> Quote | None:
        """The sentence of the part that shares most terms with the line, if those are enough."""
        found = answer.support(line, part.text, Evidence("", "", ()))
        if found is None:
            return None
        wanted = set(self._terms.of(line))
        shared = wanted & set(self._terms.of(found.text))
        return found if len(shared) >= _SUPPORT * len(wanted) else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be doubted about the points."""
        if not self._unsupported:
            return ()
        many = "1 point shares" if self._unsupported == 1 else f"{self._unsupported} points share"
        return (f"{many} hardly a word with the text; compare before you rely on that.",)
