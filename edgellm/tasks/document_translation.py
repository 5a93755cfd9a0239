"""Translate one document into a new file: of its own format, or as plain text where that cannot be written again.

The whole way from reading to writing, for every face of the program. What was translated is kept in a memory, so that a
run that was stopped or killed goes on; the translating itself is `translate_file.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from edgellm import files
from edgellm.documents import rewrite
from edgellm.documents.chunk import BETWEEN
from edgellm.documents.document import Document
from edgellm.documents.load import Loader
from edgellm.documents.segment import Segment, Sheet
from edgellm.errors import StorageError, UsageError
from edgellm.runtimes.base import Generator
from edgellm.tasks import translation_output
from edgellm.tasks.detect import Detector
from edgellm.tasks.languages import NAMES
from edgellm.tasks.memory import Memory
from edgellm.tasks.translate_file import FileTranslation, Order, Report, Step, sample
from edgellm.tasks.translation_plan import Plan


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for the person about the document."""

    text: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Who translates, and where paragraphs are kept.

    `generator` gives the model for the code of the document's likely language, which `detector` finds. Without a
    `memory` one of the document alone is kept in the folder `unfinished` until its translation is written. With a
    `loader` one process reads many files. `settle` is asked for the last place of a file when it is to be written.
    """

    generator: Callable[[str], Generator]
    memory: Memory | None
    unfinished: Path
    loader: Loader | None = None
    detector: Detector = field(default_factory=lambda: Detector(tuple(NAMES)))
    settle: Callable[[Path], Path] = Path


Event = Note | Plan | Step | Report


def run(path: Path, out: Path, order: Order, desk: Desk) -> Iterator[Event]:
    """Translate the file at `path` into one of its format at `out`: its `Plan` and `Note`s, steps, at last a `Report`.

    Nothing is written when it was stopped, and an existing `out` is replaced: whether it may be is the caller's matter.
    Raises a `DocumentError`, `UsageError` for a language or a place that cannot be, `StorageError`, and `Stopped`.
    """
    sheet = rewrite.segments(path, cancelled=order.options.cancelled, loader=desk.loader)
    yield from map(Note, sheet.notes)
    _check(path, sheet)
    try:
        translation_output.rehearse(path, out, sheet, desk.loader)
    except UsageError as error:
        if out.suffix != path.suffix:
            raise
        said = f"{path.name} is named {path.suffix}, but what is in it is {sheet.format}."
        raise UsageError(said, "Give it the ending of what it is.") from error

    def write(work: FileTranslation) -> None:
        translation_output.write(path, desk.settle(out), work.translated, order.target, sheet.sha256)

    yield from _translated(sheet, order, desk, _Place(path, out, write))


def run_plain(document: Document, out: Path, order: Order, desk: Desk) -> Iterator[Event]:
    """The same for a document that was read, in a format that cannot be written again: `out` is its plain text."""
    sheet = _sheet(document)
    yield from map(Note, (*document.notes, "Its format cannot be written again; the translation is plain text."))
    _check(document.path, sheet)

    def write(work: FileTranslation) -> None:
        texts = ["".join(work.translated.get(at, one.pieces)) for at, one in enumerate(sheet.segments)]
        try:
            files.write(desk.settle(out), BETWEEN.join(texts).rstrip("\n") + "\n")
        except OSError as error:
            raise StorageError(f"{out.name} cannot be written: {error.strerror}.", "Choose another place.") from error

    yield from _translated(sheet, order, desk, _Place(document.path, out, write))


@dataclass(frozen=True, slots=True)
class _Place:
    """From where to where, and how the file is written."""

    path: Path
    out: Path
    write: Callable[[FileTranslation], None]


def _translated(sheet: Sheet, order: Order, desk: Desk, place: _Place) -> Iterator[Event]:
    generator = desk.generator(order.source or desk.detector.detect(sample(sheet)).language)
    own = None if desk.memory else translation_output.unfinished(desk.unfinished, place.path, place.out)
    memory = desk.memory or own
    assert memory is not None
    with closing(own) if own else nullcontext():
        work = FileTranslation(generator, sheet, order, memory, desk.detector)
        yield work.plan
        yield from map(Note, (*filter(None, [memory.notice if own else ""]), *work.plan.notes))
        yield from work.run()
        report = work.report()
        if not report.stopped:
            place.write(work)
            if own:
                own.remove()
    yield report


def _check(path: Path, sheet: Sheet) -> None:
    if not sheet.segments:
        raise UsageError(f"{path.name} holds no text that can be translated.", "")


def _sheet(document: Document) -> Sheet:
    """A segment for each block."""
    found = [
        Segment((block.text,), f"page {page.number}" if page.number else "")
        for page in document.pages
        for block in page.blocks
    ]
    return Sheet(document.format, tuple(found), (), "", document.sha256)
