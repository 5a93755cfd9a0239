"""What will be asked for a translation: the languages, the directions one after the other, and the prompt.

The starter was trained to and from English, so the twelve directions without English go through English; so do two
models for one pair of languages each. Asking is left to `translate.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgellm.errors import UsageError
from edgellm.runtimes.base import Message, ModelInfo
from edgellm.tasks import protect, special
from edgellm.tasks.detect import UNSURE, Detected, Detector
from edgellm.tasks.languages import NAMES, code_of, english_name
from edgellm.tasks.lexicon import Lexicon
from edgellm.tasks.starter import is_starter, words_note

LANGUAGES = {"en": "English", "fr": "French", "de": "German", "es": "Spanish", "zh": "Chinese"}
_PIVOT = "en"
_MARKS = ". Keep marks such as <x1/> exactly as they are, each once, where they belong"


def messages(text: str, source: str, target: str, marked: bool = False) -> tuple[Message, ...]:
    """The prompt; `source` and `target` are English names of languages ("French")."""
    return (Message("user", f"Translate from {source} to {target}{_MARKS if marked else ''}:\n{text}"),)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be asked. `directions` are pairs of language codes, one after the other; `unknown` are words of the
    text that the starter was not taught; `detected` says how the source was found (None: it was given)."""

    source: str
    target: str
    directions: tuple[tuple[str, str], ...]
    by_sentence: bool
    unknown: tuple[str, ...] = ()
    detected: Detected | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know beside the translation."""
        found = []
        if self.source == self.target:
            found.append(f"The text already looks {english_name(self.source)}; it is left as it is.")
        if self.detected and self.detected.confidence < UNSURE and self.source != self.target:
            found.append(f"The text may not be {english_name(self.source)}; say its language with --from.")
        if note := words_note(self.unknown):
            found.append(note)
        return tuple(found)


def prepare(
    info: ModelInfo,
    text: str,
    target: str,
    source: str = "",
    lexicon: Lexicon | None = None,
    detector: Detector | None = None,
) -> Plan:
    """Decide how to translate. `target` and `source` are codes or names; no `source` means: find out.

    `lexicon` is the starter's (None: the one that ships); a `detector` of all `NAMES` spares other models the loading
    of one. Raises `UsageError` for a language that the model cannot do.
    """
    starter = is_starter(info)
    made_for_it = special.is_seq2seq(info)
    known = (lexicon or Lexicon.load()) if starter else None
    to = code_of(target)
    shared = None if starter else detector
    finder = shared or Detector(tuple(LANGUAGES if starter else NAMES), known)
    detected = None if source else finder.detect(text)
    origin = detected.language if detected else code_of(source)
    if starter:
        for code in (origin, to):
            _check_taught(code)
    if made_for_it and origin != to:
        special.check_pair(info, origin, to)
    return Plan(
        origin,
        to,
        _directions(origin, to, _PIVOT if starter else special.through(info)),
        starter or made_for_it,
        unknown_words(_to_read(text), origin, known) if known and origin != to else (),
        detected,
    )


def likely_source(text: str) -> str:
    """The code of the text's language, of all that are known."""
    return Detector(tuple(NAMES)).detect(text).language


def unknown_words(text: str, language: str, lexicon: Lexicon | None = None) -> tuple[str, ...]:
    """The words of `text` that the starter was not taught, once each. `language` is a code."""
    return (lexicon or Lexicon.load()).unknown(text, language)


def _to_read(text: str) -> str:
    """The text without code, addresses and the like, which no model is asked to know."""
    return protect.replaced(text, [replace(one, text=" ") for one in protect.find(text)])


def _check_taught(code: str) -> None:
    if code not in LANGUAGES:
        raise UsageError(
            f"The built-in model does not know {english_name(code)}.",
            f"It translates between {', '.join(LANGUAGES.values())}; use a larger model with --model FILE.gguf.",
        )


def _directions(source: str, target: str, through: str) -> tuple[tuple[str, str], ...]:
    if source == target:
        return ()
    if not through or through in (source, target):
        return ((source, target),)
    return ((source, through), (through, target))
