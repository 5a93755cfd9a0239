"""The passages that an answer relies on: whether a quotation is in them, and which sentence supports an answer."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from edgellm.tasks import sentences
from edgellm.tasks.extract import Cited, Extract
from edgellm.tasks.function_words import likely
from edgellm.tasks.quotes import Folded
from edgellm.tasks.sentences import Sentence
from edgellm.tasks.terms import Terms

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_LONGEST = 600
_MOST = 8
_ENOUGH = 0.5


class Sources:
    """Extracts that were read. `cited` grows with every quotation that is found, `missing` counts the others."""

    def __init__(self, extracts: Sequence[Extract]) -> None:
        self._extracts = tuple(extracts)
        self._folded: dict[int, Folded] = {}
        self._sentences: dict[int, tuple[Sentence, ...]] = {}
        self.cited: list[Cited] = []
        self.missing = 0

    def add(self, quote: str) -> None:
        """Cite the sentence that a copied line comes from."""
        if not any(sign.isalnum() for sign in quote):
            return
        found = self._find(quote)
        if found is None:
            self.missing += 1
        else:
            self._cite(*found)

    def inline(self, quote: str) -> str | None:
        """The source's own words for a quotation inside the answer; None when it is not there."""
        found = self._find(quote)
        if found is None:
            return None
        self._cite(*found)
        number, start, end = found
        return " ".join(self._extracts[number].text[start:end].split())

    def holds(self, text: str) -> bool:
        """Whether the text stands word for word in one of the extracts."""
        return self._find(text) is not None

    def foreign_numbers(self, answer: str, question: str) -> list[str]:
        """Numbers of the answer that neither the extracts nor the question hold; single digits aside."""
        known = {
            number for text in (question, *(one.text for one in self._extracts)) for number in _NUMBER.findall(text)
        }
        return [one for one in dict.fromkeys(_NUMBER.findall(answer)) if len(one) > 1 and one not in known]

    def support(self, answer: str, question: str) -> tuple[Cited | None, float]:
        """The sentence that says most of an answer, and how much of it: 1 when it stands there word for word.

        Among equals the one that shares most with the question. No sentence when it says less than half.
        """
        best: tuple[float, float] = (0.0, 0.0)
        cited: Cited | None = None
        for number, extract in enumerate(self._extracts):
            cut = Terms(likely(extract.text), single=True)
            said, asked = set(cut.of(answer)), set(cut.of(question))
            for one in self._split(number):
                have = set(cut.of(one.text))
                literal = Folded.of(one.text).find(answer) is not None
                share = 1.0 if literal else len(said & have) / len(said) if said else 0.0
                grade = (share, float(len(asked & have)))
                if share > 0 and grade > best:
                    best, cited = grade, extract.cite(one.start, one.end)
        return (cited if best[0] >= _ENOUGH else None), best[0]

    def _find(self, quote: str) -> tuple[int, int, int] | None:
        for number, extract in enumerate(self._extracts):
            if number not in self._folded:
                self._folded[number] = Folded.of(extract.text)
            found = self._folded[number].find(quote)
            if found is not None:
                return number, *found
        return None

    def _cite(self, number: int, start: int, end: int) -> None:
        """Cite the whole sentences around what was quoted, so that nothing is torn out of them.

        A word or two alone are no evidence.
        """
        extract = self._extracts[number]
        first, last = self._around(number, start, end)
        if (start, end) != (first, last) and len(Terms().of(extract.text[start:end])) < 2:
            return
        cited = extract.cite(first, last)
        if cited not in self.cited and len(self.cited) < _MOST:
            self.cited.append(cited)

    def _around(self, number: int, start: int, end: int) -> tuple[int, int]:
        found = self._split(number)
        first = max(bisect_right([one.start for one in found], start) - 1, 0)
        inside = [one for one in found[first:] if one.start < end and one.end > start]
        if not inside or inside[-1].end - inside[0].start > max(_LONGEST, 2 * (end - start)):
            return start, end
        return min(start, inside[0].start), max(end, inside[-1].end)

    def _split(self, number: int) -> tuple[Sentence, ...]:
        if number not in self._sentences:
            text = self._extracts[number].text
            self._sentences[number] = sentences.split(text, likely(text))
        return self._sentences[number]
