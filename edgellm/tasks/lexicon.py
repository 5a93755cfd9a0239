"""The words the built-in starter was taught, so that a text can be told from one it can only guess at.

The file is `assets/starter/words.json`: for each language code a list of surface forms, of one or several words.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from edgellm import paths
from edgellm.errors import StorageError
from edgellm.tasks.scripts import HAN_RUN

_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_PART = re.compile(r"['’\-]")
_ELIDED = frozenset({"l", "d", "j", "m", "t", "s", "c", "n", "qu", "ll", "re", "ve"})


class Lexicon:
    """Known surface forms by language code."""

    def __init__(self, forms: Mapping[str, Sequence[str]]) -> None:
        self._known = {language: frozenset(_pieces(words, language)) for language, words in forms.items()}
        self._longest = max((len(word) for word in self._known.get("zh", ())), default=1)

    @classmethod
    def load(cls, path: Path | None = None) -> Lexicon:
        """Read the file that ships with the starter, or another. Raises `StorageError`."""
        path = path or paths.starter_model().with_name("words.json")
        try:
            forms = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StorageError(
                f"The word list of the built-in model cannot be read ({path.name}).", "Install EdgeLLM again."
            ) from error
        return cls(forms)

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages it has words of."""
        return tuple(self._known)

    def unknown(self, text: str, language: str) -> tuple[str, ...]:
        """The words of `text` that are not in the lexicon, once each, in order; all of them for another language."""
        known = self._known.get(language, frozenset())
        text = unicodedata.normalize("NFC", text)
        missing = self._unknown_runs(text, known) if language == "zh" else _unknown_words(text, known)
        return tuple(dict.fromkeys(missing))

    def share(self, text: str, language: str) -> float:
        """Share of the words of `text` that are known, 0 to 1; Chinese is counted in characters."""
        text = unicodedata.normalize("NFC", text)
        if language == "zh":
            letters = sum(map(len, HAN_RUN.findall(text))) + sum(map(len, _WORD.findall(HAN_RUN.sub(" ", text))))
            missed = sum(map(len, self._unknown_runs(text, self._known.get("zh", frozenset()))))
        else:
            letters = len(_WORD.findall(text))
            missed = len(list(_unknown_words(text, self._known.get(language, frozenset()))))
        return (letters - missed) / letters if letters else 0.0

    def _unknown_runs(self, text: str, known: frozenset[str]) -> Iterator[str]:
        """Stretches of Han characters that no segmentation into known words covers, and words of other scripts."""
        for run in HAN_RUN.findall(text):
            yield from self._segment(run, known)
        yield from _unknown_words(HAN_RUN.sub(" ", text), known)

    def _segment(self, run: str, known: frozenset[str]) -> Iterator[str]:
        """Uncovered stretches under the segmentation that covers most, with the fewest words (so the longest)."""
        best: list[tuple[int, int, int]] = [(0, 0, 0)]
        for end in range(1, len(run) + 1):
            missed, words, _ = best[end - 1]
            choice = (missed + 1, words + 1, end - 1)
            for start in range(max(0, end - self._longest), end):
                if run[start:end] in known:
                    missed, words, _ = best[start]
                    choice = min(choice, (missed, words + 1, start))
            best.append(choice)
        stretch, end = "", len(run)
        while end:
            start = best[end][2]
            if best[end][0] > best[start][0]:
                stretch = run[start:end] + stretch
            elif stretch:
                yield stretch
                stretch = ""
            end = start
        if stretch:
            yield stretch


def _pieces(forms: Sequence[str], language: str) -> Iterator[str]:
    """Each form whole, and the words inside it."""
    for form in forms:
        folded = unicodedata.normalize("NFC", form).casefold()
        if language == "zh":
            yield from HAN_RUN.findall(folded)
        for word in _WORD.findall(folded):
            yield word
            yield from _PART.split(word)


def _unknown_words(text: str, known: frozenset[str]) -> Iterator[str]:
    for word in _WORD.findall(text):
        folded = word.casefold()
        if folded in known or folded.replace("’", "'") in known:
            continue
        if all(part in known or part in _ELIDED for part in _PART.split(folded)):
            continue
        yield word
