"""Which language a text is in, and how sure that is.

Long texts go to `py3langid` (M. Lui and T. Baldwin, "langid.py: An Off-the-shelf Language Identification Tool", 2012).
Its model takes half a second to load and needs a few words, so the script, the starter's lexicon and the function
words of a language answer first where they can.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgellm.tasks.function_words import QUESTION, STOP
from edgellm.tasks.lexicon import Lexicon
from edgellm.tasks.scripts import han_share, has_letters

_WORD = re.compile(r"[^\W\d_]+")
_ENOUGH = 0.6
_LEAD = 0.25
_LONG = 4_000
UNSURE = 0.5


@dataclass(frozen=True, slots=True)
class Detected:
    """A language code, a confidence between 0 and 1, and how it was found, in plain words."""

    language: str
    confidence: float
    how: str


class Detector:
    """Finds a text's language among `languages` (codes). Loads the statistical model when it is first needed."""

    def __init__(self, languages: Sequence[str], lexicon: Lexicon | None = None) -> None:
        self._languages = tuple(languages)
        self._lexicon = lexicon
        self._identifier: Any = None

    def detect(self, text: str) -> Detected:
        """The likeliest language; the first one, with confidence 0, for a text without letters."""
        text = text[:_LONG]
        if not has_letters(text):
            return Detected(self._languages[0], 0.0, "there are no letters in the text")
        if "zh" in self._languages and (share := han_share(text)) > 0.5:
            return Detected("zh", share, "its characters are Chinese")
        ranked = self._by_words(text)
        near = [code for code, share in ranked if share >= ranked[0][1] - _LEAD] if ranked else []
        if len(near) == 1:
            return Detected(near[0], round(ranked[0][1], 3), "its words are known")
        return self._by_statistics(text, near or list(self._languages))

    def _by_words(self, text: str) -> list[tuple[str, float]]:
        """Languages by the share of their words that are known, best first; none where the best is not enough."""
        codes = [code for code in self._languages if code in STOP and code != "zh"]
        ranked = sorted(((code, self._share(text, code)) for code in codes), key=lambda pair: -pair[1])
        return ranked if ranked and ranked[0][1] >= _ENOUGH else []

    def _share(self, text: str, language: str) -> float:
        words = [word.casefold() for word in _WORD.findall(text)]
        common = STOP[language] | QUESTION[language]
        share = sum(word in common for word in words) / len(words) if words else 0.0
        return max(share, self._lexicon.share(text, language)) if self._lexicon else share

    def _by_statistics(self, text: str, near: Sequence[str]) -> Detected:
        """The likeliest of `near` by the statistical model; the first of them where it cannot tell."""
        if self._identifier is None:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier

            self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
            self._identifier.set_languages(list(self._languages))
        scores = {str(code): float(score) for code, score in self._identifier.rank(text)}
        best = max(near, key=lambda code: scores[code])  # the first among equals
        return Detected(best, round(scores[best], 3), "its letters look like it")
