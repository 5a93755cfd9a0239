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
        return self._by_words(text) or self._by_statistics(text)

    def _by_words(self, text: str) -> Detected | None:
        """The language most of whose words are known, if it leads clearly."""
        shares = {code: self._share(text, code) for code in self._languages if code in STOP and code != "zh"}
        ranked = sorted(shares, key=lambda code: -shares[code])
        if not ranked:
            return None
        best, second = ranked[0], shares[ranked[1]] if len(ranked) > 1 else 0.0
        if shares[best] < _ENOUGH or shares[best] - second < _LEAD:
            return None
        return Detected(best, round(shares[best], 3), "its words are known")

    def _share(self, text: str, language: str) -> float:
        words = [word.casefold() for word in _WORD.findall(text)]
        common = STOP[language] | QUESTION[language]
        share = sum(word in common for word in words) / len(words) if words else 0.0
        return max(share, self._lexicon.share(text, language)) if self._lexicon else share

    def _by_statistics(self, text: str) -> Detected:
        if self._identifier is None:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier

            self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
            self._identifier.set_languages(list(self._languages))
        language, confidence = self._identifier.classify(text)
        return Detected(str(language), round(float(confidence), 3), "its letters look like it")
