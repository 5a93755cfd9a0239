"""The language of a summary: a chat model is asked in it; what comes in another language is translated.

The starter writes English only, so its sentences are translated. It is small: a sentence with mostly unknown words,
or whose translation does not come back as the same when it is translated back, is left as it is.
"""

from __future__ import annotations

from edgellm.errors import UsageError
from edgellm.runtimes.base import Finish, Generator
from edgellm.tasks import special, translate
from edgellm.tasks.detect import Detector
from edgellm.tasks.function_words import likely
from edgellm.tasks.languages import NAMES, english_name
from edgellm.tasks.options import Options
from edgellm.tasks.starter import is_starter
from edgellm.tasks.terms import Terms

_SURE = 0.8
_LETTERS = 24  # fewer say nothing about a language
_KNOWN = 0.6
_SAME = 0.8  # of a sentence's terms that come back from its translation


class Translator:
    """Brings what was written into the language that was asked for. `finishes` are the facts of what that took."""

    def __init__(self, generator: Generator, target: str, options: Options) -> None:
        """`target` is a code; empty leaves everything as it is. Raises `UsageError` where the model cannot do it."""
        self._generator, self._target, self._options = generator, target, options
        self._detector = Detector(tuple(translate.LANGUAGES if is_starter(generator.info) else NAMES))
        self._translated = self._left = 0
        self.finishes: list[Finish] = []
        if target and special.is_seq2seq(generator.info):
            raise UsageError(
                f"{generator.info.name} writes summaries in the language of the text.",
                f"Translate it afterwards: edgellm translate --to {target}",
            )
        if target and is_starter(generator.info):
            translate.prepare(generator.info, "", target, "en")

    def __call__(self, text: str) -> str:
        """The text in the language; line breaks stay."""
        if not self._target or len(text.strip()) == 0:
            return text
        starter = is_starter(self._generator.info)
        found = self._detector.detect(text)
        if found.language == self._target:
            return text
        language = found.language
        if not starter:
            language = likely(text) or (language if found.confidence >= _SURE and len(text) >= _LETTERS else "")
        if language in ("", self._target):
            return text
        plan = translate.prepare(self._generator.info, text, self._target, language)
        if starter and len(plan.unknown) > (1 - _KNOWN) * len(set(text.casefold().split())):
            self._left += 1
            return text
        done = translate.translate(self._generator, text, self._target, language, self._options)
        self.finishes.append(done.finish)
        if starter and not self._same(text, done.text, language):
            self._left += 1
            return text
        self._translated += 1
        return done.text.strip() or text

    def _same(self, text: str, translated: str, source: str) -> bool:
        """Whether a translation, translated back, still says what the text says: the starter may lose half of it."""
        back = translate.translate(self._generator, translated, source, self._target, self._options)
        self.finishes.append(back.finish)
        cut = Terms(source)
        wanted = set(cut.of(text))
        return len(wanted & set(cut.of(back.text))) >= _SAME * len(wanted)

    @property
    def asked_directly(self) -> bool:
        """Whether the model was asked to write in a language, which may not be that of the text."""
        return bool(self._target) and not is_starter(self._generator.info)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know about the translation."""
        said: tuple[str, ...] = ()
        name = english_name(self._target)
        if self._translated and is_starter(self._generator.info):
            said = (f"The built-in model summarizes in English only: the result was then translated into {name}.",)
        elif self._translated:
            said = (f"Where the model wrote in another language, its text was then translated into {name}.",)
        if self._left:
            many = "1 point is" if self._left == 1 else f"{self._left} points are"
            return (*said, f"{many} left untranslated: the built-in model could not keep the meaning.")
        return said
