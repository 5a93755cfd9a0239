"""What the Translate page asks of the engine's thread for a text, and what both its halves share.

Knows no widgets. What comes of the work are the values below, beside `Chunk` and `Finish`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgellm.runtimes.base import Chunk, Finish, Sampling
from edgellm.ui.engine_client import EngineClient
from edgellm.ui.task_work import Body, TaskWork
from edgellm.ui.translate_models import Translators

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.settings import Settings
    from edgellm.tasks.glossary import Glossary
    from edgellm.tasks.options import Options
    from edgellm.tasks.translate import Plan, Translator

Four = tuple[int, int, int, int]  # a sentence: from and to in the text, from and to in its translation


@dataclass(frozen=True, slots=True)
class Wish:
    """What a translation is to be: codes of languages (no source: find out), a glossary file, words that stay.

    `pdf` is the ending of what a PDF becomes, as it cannot stay one.
    """

    target: str
    source: str = ""
    glossary: str = ""
    keep: str = ""
    pdf: str = ".txt"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the work asks: the program's services, and who translates between two languages."""

    app: App
    translators: Translators


@dataclass(frozen=True, slots=True)
class Languages:
    """Which languages it is between. `sure` is whether the source is; `given`, whether the person named it."""

    source: str
    target: str
    sure: bool = True
    given: bool = True


@dataclass(frozen=True, slots=True)
class Translated:
    """A text and its translation, as far as it went. `unknown` are words that the built-in model was not taught."""

    text: str
    result: str
    languages: Languages
    pairs: tuple[Four, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    finished: bool = True
    by_sentence: bool = False

    def beginning(self, text: str, wish: Wish) -> Translated | None:
        """This one, where a translation of `text` can go on behind its last sentence."""
        same = self.text == text and self.languages.target == wish.target
        same = same and wish.source in ("", self.languages.source)
        return self if same and self.by_sentence and self.pairs and not self.finished else None


def text_body(text: str, wish: Wish, asked: Asked, before: Translated | None = None) -> Body:
    """Translate a text; the result of the body is a `Translated`. It goes on behind `before`."""

    def body(engine: EngineClient, work: TaskWork) -> Translated:
        from edgellm.tasks.languages import UNSPACED
        from edgellm.tasks.translate import Translator, prepare

        who, given = asked.translators, before.languages.source if before else wish.source
        generator = who.generator(engine, given or who.detector.detect(text).language, wish.target, work.put)
        plan = prepare(generator.info, text, wish.target, given, detector=who.detector)
        found = before.languages if before else languages(plan)
        work.put(found)
        at, head = (before.pairs[-1][1], before.result[: before.pairs[-1][3]]) if before else (0, "")
        rest = text[at:]
        gap = rest[: len(rest) - len(rest.lstrip(" "))] if at and plan.target in UNSPACED else ""
        at, rest = at + len(gap), rest[len(gap) :]
        if head:
            work.put(Chunk(head))
        translator = Translator(generator, plan, options(asked.app.settings, work), glossary(wish))
        parts, stopped = [head], False
        for event in translator.stream(rest):
            work.put(event)
            if isinstance(event, Finish):
                stopped = event.reason == "cancelled"
            else:
                parts.append(event.text)
        made = _pairs(translator, rest, "".join(parts[1:]), stopped)
        pairs = tuple((a + at, b + at, c + len(head), d + len(head)) for a, b, c, d in made)
        return Translated(
            text,
            "".join(parts),
            found,
            (*(before.pairs if before else ()), *pairs),
            plan.unknown,
            _notes(translator),
            not stopped,
            plan.by_sentence and bool(plan.directions),
        )

    return body


def options(settings: Settings, work: TaskWork) -> Options:
    """How the engine is asked."""
    from edgellm.tasks.options import Options

    sampling = Sampling(temperature=settings.temperature)
    return Options(sampling=sampling, max_tokens=settings.max_tokens or None, cancelled=work.cancelled)


def glossary(wish: Wish) -> Glossary:
    """The terms of a wish. Raises `StorageError`, and `UsageError` for bad lines."""
    from edgellm.tasks import glossary as terms

    read = terms.read(Path(wish.glossary)) if wish.glossary else ()
    return terms.Glossary((*terms.kept(wish.keep), *read))


def languages(plan: Plan) -> Languages:
    """What a plan is between."""
    from edgellm.tasks.detect import UNSURE

    sure = plan.detected is None or plan.detected.confidence >= UNSURE
    return Languages(plan.source, plan.target, sure, plan.detected is None)


def _pairs(translator: Translator, text: str, result: str, stopped: bool) -> tuple[Four, ...]:
    found = tuple((*pair.source, *pair.target) for pair in translator.pairs(text, result))
    return found[:-1] if stopped else found


def _notes(translator: Translator) -> tuple[str, ...]:
    cut = any(finish.truncated for finish in translator.done)
    return (*translator.notes, *(("The translation was cut at the limit of tokens.",) if cut else ()))
