"""What `edgellm batch` does to one file in each of its tasks: the same as the single commands.

The options of a task are checked when its row is made; the model is loaded with the first file.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from edgellm.cli import classify as labels
from edgellm.cli import summary_lines, translate_files
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.session import Session
from edgellm.cli.summarize import STYLE
from edgellm.documents.chunk import whole_text
from edgellm.documents.document import Document
from edgellm.documents.load import Loader
from edgellm.documents.readers import SUFFIXES
from edgellm.errors import DocumentEmpty, Stopped, UsageError
from edgellm.runtimes.base import Generator
from edgellm.tasks import classify, consult, document_translation, kept, summary, summary_styles, translation_output
from edgellm.tasks.batch import Item, Made, Work
from edgellm.tasks.classify import Rule
from edgellm.tasks.document_translation import Note
from edgellm.tasks.extract import Extract
from edgellm.tasks.kept import Kept
from edgellm.tasks.languages import code_of
from edgellm.tasks.options import Options
from edgellm.tasks.outline import Outline
from edgellm.tasks.summary_events import Begun, Progress, Summary
from edgellm.tasks.summary_events import Item as Point
from edgellm.tasks.translate_file import Order, Report, Step

_EVERY = 2.0  # seconds between two lines about one file
_TEXTS = frozenset((".txt", ".text"))  # written again as they are, like the formats of `translation_output`


def _by_name(name: str) -> tuple[str, ...]:
    return (f"{name}.txt",)


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it was asked for. `asked` is what its results depend on, `columns` are those of its table.

    `model` loads and names the one model of the batch; it is empty where each file has its own. `names` gives the
    possible names of a result, the best first. Without `texts` results are files of any format.
    """

    work: Work
    model: Callable[[], str]
    asked: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    suffixes: Collection[str] = frozenset(SUFFIXES)
    names: Callable[[str], tuple[str, ...]] = _by_name
    texts: bool = True


class Bench:
    """What all tasks work with: options, session, and the reader of documents."""

    def __init__(self, arguments: Namespace, session: Session, stop: Interrupt, loader: Loader) -> None:
        self.arguments = arguments
        self.session = session
        self.stop = stop
        self.loader = loader
        self._said = time.monotonic()

    @property
    def options(self) -> Options:
        """How a model is asked."""
        return self.session.options(self.stop)

    def read(self, item: Item) -> Document:
        """The document in a file. Raises a `DocumentError` also for one without text, and `Stopped`."""
        document = self.loader.load(item.path, self.stop)
        if not whole_text(document).strip():
            raise DocumentEmpty(item.path.name, "; ".join(document.notes).rstrip(".") or "it holds no text")
        return document

    def loaded(self, task: str) -> Callable[[], str]:
        """Loads the model for a task, and names it."""
        return lambda: self.session.generator(task).info.name

    def whole(self, made: Made) -> Made:
        """A result; one that was stopped in the middle is none: raises `Stopped`."""
        if self.stop():
            raise Stopped()
        return made

    def progress(self, name: str, done: int, total: int, what: str) -> None:
        """Say now and then how far a file is."""
        if time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            self.session.output.progress(f"{name}: {done} of {total} {what}")


def task(name: str, bench: Bench) -> Task:
    """The task of that name. Raises `UsageError` for options that it needs, or that belong to another."""
    for option in dict.fromkeys(one for options in _OPTIONS.values() for one in options):
        if getattr(bench.arguments, option) and option not in _OPTIONS[name]:
            owners = " and ".join(other for other, options in _OPTIONS.items() if option in options)
            raise UsageError(f"{_flag(option)} belongs to {owners}.", f"Leave it out for {name}.")
    needed = _NEEDED.get(name, ())
    if needed and not any((getattr(bench.arguments, one) or "").strip() for one in needed):
        named = " or ".join(map(_flag, needed))
        raise UsageError(f"{name} needs {named}.", f"Run: edgellm batch --help, for {named}.")
    return TASKS[name](bench)


def _flag(option: str) -> str:
    """As it is given on the command line."""
    return "--from" if option == "origin" else f"--{option.replace('_', '-')}"


def _summaries(bench: Bench) -> Task:
    given = bench.arguments
    asked = summary_styles.asked(given.style or STYLE, given.length or "", given.to or "")

    def work(item: Item) -> Made:
        document, generator, options = bench.read(item), bench.session.generator("summarize"), bench.options
        outline = Outline.of(document)
        wanted = (asked, options.sampling, options.max_tokens, options.system)
        held = Kept(bench.session.app.paths.summaries, kept.name(outline.text, generator.info, wanted))
        shown = summary_lines.Shown(asked.style)
        lines: list[str] = []
        for event in summary.run(generator, outline, asked, held, options):
            match event:
                case Point():
                    lines += shown.lines(event)
                case Begun(sections, before) if before:
                    bench.session.output.note(f"{item.name}: {before} of {sections} sections were read before.")
                case Progress(done, sections):
                    bench.progress(item.name, done, sections, "sections")
                case Summary():
                    read = f"{event.read} of {event.sections}"
                    return bench.whole(
                        Made(
                            "\n".join(lines) or event.text,
                            notes=(*document.notes, *event.notes),
                            details={"sections": read},
                            model=generator.info.name,
                        )
                    )
        raise AssertionError("a summary has an end")

    facts = {key: value for key, value in asdict(asked).items() if key != "language"}
    return Task(work, bench.loaded("summarize"), {**facts, "to": asked.language}, ("sections",))


def _answers(bench: Bench) -> Task:
    question = bench.arguments.question.strip()
    narrow = False if bench.arguments.whole else None

    def work(item: Item) -> Made:
        document, generator = bench.read(item), bench.session.generator("answer")
        found = consult.consult(generator, question, [Extract.of_document(document)], narrow, bench.options)
        quoted = found.quotes if found.said else (*found.quotes, *found.near)
        first = found.quotes[0] if found.quotes else None
        details = {"answered": "yes" if found.said else "no"}
        if first is not None:
            page = str(first.page) if first.page else ""
            details |= {"quote": " ".join(first.text.split()), "page": page, "heading": " › ".join(first.headings)}
        return bench.whole(
            Made(
                "\n".join([found.text, *(quote.line for quote in quoted)]),
                notes=(*document.notes, *found.notes, found.basis),
                details=details,
                model=generator.info.name,
            )
        )

    asked = {"question": question, **({"whole": True} if narrow is False else {})}
    return Task(work, bench.loaded("answer"), asked, ("answered", "quote", "page", "heading"))


def _labels(bench: Bench) -> Task:
    given = bench.arguments
    chosen, rule = labels.chosen_labels(given, bench.session), Rule(given.unsure, given.samples)

    def work(item: Item) -> Made:
        document, generator = bench.read(item), bench.session.generator("classify")
        found = classify.classify(generator, whole_text(document), chosen, bench.options, rule)
        scores = ", ".join(f"{label} {100 * score:.0f} %" for label, score in found.scores)
        return bench.whole(
            Made(
                found.label or "unsure",
                found.confidence,
                (*document.notes, *found.notes),
                details={"best": found.best, "scores": scores},
                model=generator.info.name,
            )
        )

    plain = given.labels if given.labels and not any(label.description for label in chosen) else None
    asked: dict[str, Any] = {"labels": plain.strip() if plain else [asdict(label) for label in chosen]}
    if rule != Rule():
        asked |= asdict(rule)
    return Task(work, bench.loaded("classify"), asked, ("best", "scores"))


def _translations(bench: Bench) -> Task:
    given, session = bench.arguments, bench.session
    target = code_of(given.to)
    origin = code_of(given.origin) if given.origin else ""
    terms = translate_files.glossary(given)
    order = Order(target, origin, terms, bench.options)
    desk = translate_files.desk(given, session, target, bench.loader)

    def work(item: Item) -> Made:
        used: list[str] = []

        def named(source: str) -> Generator:
            generator = desk.generator(source)
            used.append(generator.info.name)
            return generator

        own = replace(desk, generator=named)
        if _keeps_format(item.name):
            events = document_translation.run(item.path, item.out, order, own)
        else:
            events = document_translation.run_plain(bench.read(item), item.out, order, own)
        notes: list[str] = []
        for event in events:
            match event:
                case Note(text):
                    notes.append(text)
                case Step(done, total):
                    bench.progress(item.name, done, total, "paragraphs")
                case Report(stopped=True):
                    break
                case Report():
                    return Made(
                        notes=(*notes, event.line.capitalize() + "."),
                        warnings=event.warnings,
                        details={"from": event.source, "to": event.target},
                        model=used[-1],
                        written=True,
                    )
        raise Stopped()

    def names(name: str) -> tuple[str, ...]:
        path = PurePosixPath(name)
        usual = path.with_name(translation_output.name(Path(path.name), target))
        ending = f".{given.pdf or 'txt'}" if path.suffix.lower() == ".pdf" else "" if _keeps_format(name) else ".txt"
        if not ending:
            return (usual.as_posix(),)
        return (usual.with_suffix(ending).as_posix(), f"{name}.{target}{ending}")

    asked = {
        "to": target,
        "from": origin,
        "files": "own formats",
        "pdf": given.pdf or "txt",
        "terms": terms.fingerprint,
    }
    suffixes = frozenset(SUFFIXES) | translation_output.SUFFIXES | _TEXTS
    return Task(work, _named_model(session), asked, ("from", "to"), suffixes, names, texts=False)


def _named_model(session: Session) -> Callable[[], str]:
    """Each file has the model for its language, unless the person has named one."""
    return lambda: session.generator("translate").info.name if session.app.settings.model else ""


def _keeps_format(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in translation_output.SUFFIXES | _TEXTS


_NEEDED = {"translate": ("to",), "ask": ("question",), "classify": ("labels", "label_set")}
# Options that are false or empty where they are not given
_OPTIONS: dict[str, tuple[str, ...]] = {
    "translate": ("to", "origin", "glossary", "keep", "no_memory", "pdf"),
    "summarize": ("to", "style", "length"),
    "ask": ("question", "whole"),
    "classify": ("labels", "label_set", "unsure", "samples"),
}
TASKS: dict[str, Callable[[Bench], Task]] = {
    "summarize": _summaries,
    "translate": _translations,
    "ask": _answers,
    "classify": _labels,
}
