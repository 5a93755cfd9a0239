"""Translate a text between languages.

A general model gets the text in pieces that fit its context. The starter was trained on single sentences to and from
English, so it gets one sentence at a time, and the twelve directions without English go through English; line breaks
stay where they are. Words it was never taught are listed to the person. A model that was made for translation gets one
sentence at a time too, and its languages beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgellm.errors import UsageError
from edgellm.runtimes.base import Chunk, Event, Finish, Generator, Message, ModelInfo
from edgellm.tasks import sentences, special
from edgellm.tasks.detect import UNSURE, Detected, Detector
from edgellm.tasks.languages import NAMES, UNSPACED, code_of, english_name
from edgellm.tasks.lexicon import Lexicon
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.result import collect, combined
from edgellm.tasks.scripts import has_letters
from edgellm.tasks.starter import is_starter, words_note
from edgellm.tasks.typography import as_taught

LANGUAGES = {"en": "English", "fr": "French", "de": "German", "es": "Spanish", "zh": "Chinese"}
_PIVOT = "en"
_CONTEXT_SHARE = 0.4
_FULL = 0.9  # of what a translation model reads at once


def messages(text: str, source: str, target: str) -> tuple[Message, ...]:
    """The prompt; `source` and `target` are English names of languages ("French")."""
    return (Message("user", f"Translate from {source} to {target}:\n{text}"),)


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


@dataclass(frozen=True, slots=True)
class Translation:
    """A finished translation with the plan it followed."""

    text: str
    plan: Plan
    finish: Finish

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know beside the translation."""
        return self.plan.notes


def prepare(info: ModelInfo, text: str, target: str, source: str = "", lexicon: Lexicon | None = None) -> Plan:
    """Decide how to translate. `target` and `source` are codes or names; no `source` means: find out.

    `lexicon` is the starter's (None: the one that ships). Raises `UsageError` for a language that the model cannot do.
    """
    starter = is_starter(info)
    made_for_it = special.is_seq2seq(info)
    known = (lexicon or Lexicon.load()) if starter else None
    to = code_of(target)
    detected = None if source else Detector(tuple(LANGUAGES if starter else NAMES), known).detect(text)
    origin = detected.language if detected else code_of(source)
    if starter:
        for code in (origin, to):
            _check_taught(code)
    if made_for_it and origin != to:
        special.check_pair(info, origin, to)
    return Plan(
        origin,
        to,
        _directions(origin, to, starter),
        starter or made_for_it,
        unknown_words(text, origin, known) if known and origin != to else (),
        detected,
    )


def likely_source(text: str) -> str:
    """The code of the text's language, of all that are known."""
    return Detector(tuple(NAMES)).detect(text).language


def unknown_words(text: str, language: str, lexicon: Lexicon | None = None) -> tuple[str, ...]:
    """The words of `text` that the starter was not taught, once each. `language` is a code."""
    return (lexicon or Lexicon.load()).unknown(text, language)


def run(generator: Generator, text: str, plan: Plan, options: Options = DEFAULT) -> Iterator[Event]:
    """Stream the translation; white space and line breaks between the pieces stay."""
    done: list[Finish] = []
    if not plan.directions:
        yield Chunk(text)
    else:
        for before, piece in _pieces(generator, text, plan, options):
            if before:
                yield Chunk(before)
            if not has_letters(piece):
                yield Chunk(piece)
                continue
            asked = as_taught(piece, plan.source) if is_starter(generator.info) else piece
            for event in _through(generator, asked, plan, options):
                if isinstance(event, Chunk):
                    yield event
                else:
                    done.append(event)
            if done[-1].reason == "cancelled":
                break
    yield combined(done)


def translate(
    generator: Generator, text: str, target: str, source: str = "", options: Options = DEFAULT
) -> Translation:
    """The whole translation at once."""
    plan = prepare(generator.info, text, target, source)
    text, finish = collect(run(generator, text, plan, options))
    return Translation(text, plan, finish)


def _check_taught(code: str) -> None:
    if code not in LANGUAGES:
        raise UsageError(
            f"The built-in model does not know {english_name(code)}.",
            f"It translates between {', '.join(LANGUAGES.values())}; use a larger model with --model FILE.gguf.",
        )


def _directions(source: str, target: str, starter: bool) -> tuple[tuple[str, str], ...]:
    if source == target:
        return ()
    if not starter or _PIVOT in (source, target):
        return ((source, target),)
    return ((source, _PIVOT), (_PIVOT, target))


def _through(generator: Generator, text: str, plan: Plan, options: Options) -> Iterator[Event]:
    """Stream one piece through the directions: all but the last are collected, and their facts added."""
    done: list[Finish] = []
    for source, target in plan.directions[:-1]:
        text, finish = collect(_ask(generator, text, source, target, options))
        text = text.strip()
        done.append(finish)
        if finish.reason == "cancelled" or not text:
            yield combined(done)
            return
    for event in _ask(generator, text, *plan.directions[-1], options):
        if isinstance(event, Chunk):
            yield event
        else:
            done.append(event)
    yield combined(done)


def _ask(generator: Generator, text: str, source: str, target: str, options: Options) -> Iterator[Event]:
    if special.is_seq2seq(generator.info):
        request = special.translation(generator.info, text, source, target, options)
    else:
        request = options.request(messages(text, english_name(source), english_name(target)))
    return generator.generate(request, options.cancelled)


def _pieces(generator: Generator, text: str, plan: Plan, options: Options) -> Iterator[tuple[str, str]]:
    """The pieces of the text with what stands before each: white space, or nothing where the target has no spaces."""
    at = 0
    for start, end in _spans(generator, text, plan, options):
        before = text[at:start]
        if at and not before.strip(" "):
            before = "" if plan.target in UNSPACED else before or " "
        yield before, text[start:end]
        at = end
    if text[at:]:
        yield text[at:], ""


def _spans(generator: Generator, text: str, plan: Plan, options: Options) -> Iterator[tuple[int, int]]:
    """Sentences for the starter, without their list marks; for others as much as fits, the whole text if it can be."""
    found = sentences.split(text, plan.source)
    if plan.by_sentence:
        for sentence in found:
            yield from _short(generator, text, sentences.after_mark(sentence), sentence.end)
        return
    room = int(generator.info.context * _CONTEXT_SHARE)
    names = english_name(plan.source), english_name(plan.target)

    def fits(start: int, end: int) -> bool:
        return generator.count(options.with_system(messages(text[start:end], *names))) <= room

    if found and fits(found[0].start, found[-1].end):
        yield found[0].start, found[-1].end
        return
    start = end = found[0].start if found else 0
    for sentence in found:
        if end > start and not fits(start, sentence.end):
            yield start, end
            start = sentence.start
        end = sentence.end
    if end > start:
        yield start, end


def _short(generator: Generator, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentence itself; one that is longer than a translation model reads is cut at its spaces, in halves."""
    too_long = special.is_seq2seq(generator.info) and (
        generator.count((Message("user", text[start:end]),)) > _FULL * generator.info.context
    )
    middle = text.rfind(" ", start + 1, (start + end) // 2 + 1) if too_long else -1
    if middle <= start:
        yield start, end
        return
    yield from _short(generator, text, start, middle)
    yield from _short(generator, text, middle + 1, end)
