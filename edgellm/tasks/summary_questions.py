"""Questions that a text answers, each with an answer that a sentence of the text supports.

A chat model writes the questions and answers each from its section; what the text does not support is left out, and
counted. A model that was not taught to ask gets questions made from key words, answered by the text's own sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from edgellm.runtimes.base import Finish, Generator
from edgellm.tasks import answer, digest, summary_styles
from edgellm.tasks.answer import Quote
from edgellm.tasks.digest import Part, Want
from edgellm.tasks.function_words import likely
from edgellm.tasks.keysentences import in_a_line, key_sentences, most_salient, says_something
from edgellm.tasks.options import Options
from edgellm.tasks.result import combined
from edgellm.tasks.scripts import UNSPACED_RUN
from edgellm.tasks.summary_styles import Asked
from edgellm.tasks.terms import Terms

_WORD = re.compile(r"[^\W\d_]{2,}")
_SUPPORT = 0.5  # of an answer's terms that its quote holds
_SPARE = 3  # sentences that stand by where the words of others were asked about
_MOST = 6  # questions that one section is asked for
_ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "en": "What does the text say about “{word}”?",
        "fr": "Que dit le texte à propos de « {word} » ?",
        "de": "Was sagt der Text über „{word}“?",
        "es": "¿Qué dice el texto sobre «{word}»?",
        "zh": "关于“{word}”，文中说了什么？",
    }
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its answer; `quote` counts in the text of its part."""

    question: str
    answer: str
    quote: Quote
    written: bool


class Asking:
    """Asks about one section after the other."""

    def __init__(self, generator: Generator, asked: Asked, options: Options, single: bool) -> None:
        """`single`: the model takes no instruction, so that it is not asked."""
        self._generator, self._asked, self._options, self._single = generator, asked, options, single
        self._each = 1
        self._left_out = 0
        self._finishes: list[Finish] = []
        self._known = set[str]()

    def chosen(self, parts: Sequence[Part]) -> list[Part]:
        """The sections to ask about: all where there are enough questions, else those that say most."""
        count = self._asked.count
        self._each = min(max(count // max(len(parts), 1), 1), _MOST)
        if self._asked.length == "long" or len(parts) <= count:
            return list(parts)
        return [parts[at] for at in most_salient([part.text for part in parts], count)]

    def about(self, part: Part, read: str = "") -> Iterator[Pair]:
        """The questions of a section with their answers; `read` is its text without headings."""
        if self._single:
            yield from self._from_words(part, read or part.text)
            return
        want = Want(summary_styles.questions(self._asked, self._each), self._each)
        for point in list(
            digest.points(self._generator, (part,), self._options, want)
        ):  # all, before the next is asked
            self._finishes.append(point.finish)
            if not point.written:
                self._left_out += 1
                return
            for question in point.lines:
                if (pair := self._answered(question, part)) is not None:
                    yield pair
                if self._options.cancelled():
                    return

    def _answered(self, question: str, part: Part) -> Pair | None:
        """None for what is no question, for one that was there before, and for an answer without support."""
        if question.casefold() in self._known:
            return None
        self._known.add(question.casefold())
        found = answer.answer(self._generator, question, part.text, False, self._options)
        self._finishes.append(found.finish)
        if found.finish.reason == "cancelled":
            return None
        quoted = found.quote if found.said else None
        if quoted is None or not _is_question(question) or not _holds(found.text, quoted):
            self._left_out += 1
            return None
        return Pair(question, found.text, quoted, True)

    def _from_words(self, part: Part, read: str) -> Iterator[Pair]:
        """A question about the commonest word of the section, with the key sentence that holds it as the answer."""
        language = likely(read)
        made = 0
        for sentence in key_sentences(read, self._each + _SPARE, language):
            word = next((one for one in _words(sentence.text, read, language) if one.casefold() not in self._known), "")
            at = part.text.find(sentence.text)
            if not word or at < 0 or made == self._each or not says_something(sentence.text):
                continue
            made += 1
            self._known.add(word.casefold())
            question = _ABOUT.get(self._asked.language or language, _ABOUT["en"]).format(word=word)
            quote = Quote(sentence.text, at, at + len(sentence.text))
            yield Pair(question, in_a_line(sentence.text), quote, False)

    @property
    def facts(self) -> Finish:
        """What all of it took."""
        asked = [one for one in self._finishes if one.new_tokens]
        return combined(asked)

    @property
    def notes(self) -> tuple[str, ...]:
        """How the questions were made, and what was left out."""
        if self._single:
            return (
                "This model was not taught to ask: the questions are made from words of the text, "
                "and its own sentences answer them.",
            )
        if not self._left_out:
            return ()
        many = "1 question was" if self._left_out == 1 else f"{self._left_out} questions were"
        return (f"{many} left out, because no sentence of the text supports an answer.",)


def _is_question(text: str) -> bool:
    return text.rstrip().endswith(("?", "？", ";", "؟"))


def _holds(text: str, quote: Quote) -> bool:
    """Whether the sentence has most of what the answer says."""
    cut = Terms(single=True)
    wanted = set(cut.of(text))
    return len(wanted & set(cut.of(quote.text))) >= _SUPPORT * len(wanted)


def _words(sentence: str, text: str, language: str) -> list[str]:
    """The words of a sentence that a question can be about, the commonest in `text` first, among equals the longer."""
    cut = Terms(language)
    common = Counter(cut.of(text))
    found: dict[str, tuple[int, int]] = {}
    for match in _WORD.finditer(sentence):
        word = match.group()
        pieces = cut.of(word) if UNSPACED_RUN.search(word) else [word]
        for piece in pieces:
            terms = cut.of(piece)
            if terms and len(piece) > 1:
                found.setdefault(piece, (common[terms[0]], len(piece)))
    return sorted(found, key=lambda word: found[word], reverse=True)
