"""What the Translate page asks of the engine's thread for files: each becomes a new file of its format.

Knows no widgets. A file that was stopped goes on where it was: its paragraphs are in the translation memory, or in one
of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgellm.errors import DocumentError, EdgeError, NoModel, Stopped, StorageError, UsageError
from edgellm.ui import translate_work
from edgellm.ui.engine_client import EngineClient
from edgellm.ui.source_files import listed
from edgellm.ui.task_work import Body, TaskWork
from edgellm.ui.translate_work import Asked, Languages, Wish

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.documents.load import Loader
    from edgellm.runtimes.base import Generator
    from edgellm.tasks.translate_file import Order

_PLAIN = (".txt", ".text")  # alone it is read into the text box; of a folder it is translated like the others


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file to translate, and what it becomes; `numbered` says that its usual name was taken."""

    path: Path
    out: Path
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Went:
    """How far a file is: `done` of `total` paragraphs."""

    path: Path
    done: int
    total: int
    where: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a file ended: `state` is done, stopped or failed. `out` was written only by one that is done."""

    path: Path
    out: Path
    state: str
    line: str = ""
    warnings: tuple[str, ...] = ()
    languages: Languages | None = None


def files_body(files: Sequence[Chosen], wish: Wish, asked: Asked) -> Body:
    """Translate files, each to a new one beside it or where its `out` says."""

    def body(engine: EngineClient, work: TaskWork) -> None:
        from edgellm.documents.load import Loader
        from edgellm.tasks.translate_file import Order

        order = Order(
            wish.target, wish.source, translate_work.glossary(wish), translate_work.options(asked.app.settings, work)
        )
        with Loader() as loader:
            for file in files:
                if work.cancelled():
                    break
                try:
                    work.put(_one(file, order, _Desk(engine, work, asked, loader)))
                except NoModel:  # the file is as good as before
                    work.put(Ended(file.path, file.out, "waiting"))
                    raise
                except (DocumentError, UsageError, StorageError) as error:
                    work.put(Ended(file.path, file.out, "failed", f"{error.message} {error.hint}".strip()))
                except EdgeError as error:  # the engine: what is done of this file is kept, and the others wait
                    work.put(Ended(file.path, file.out, "stopped"))
                    if not isinstance(error, Stopped):
                        raise

    return body


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who translates, who is told, and what all files share."""

    engine: EngineClient
    work: TaskWork
    asked: Asked
    loader: Loader


def _one(file: Chosen, order: Order, desk: _Desk) -> Ended:
    """Translate one file; nothing is written when it was stopped."""
    from edgellm.tasks import document_translation
    from edgellm.tasks.document_translation import Note
    from edgellm.tasks.translate_file import Step
    from edgellm.tasks.translation_plan import Plan

    app, who, work = desk.asked.app, desk.asked.translators, desk.work
    work.put(Went(file.path, 0, 0))
    memory = app.memory() if app.settings.translation_memory else None
    places, notes = [file.out], list[str]()

    def settle(out: Path) -> Path:
        places.append(free(out))
        return places[-1]

    def generator(source: str) -> Generator:
        return who.generator(desk.engine, source, order.target, work.put)

    common = document_translation.Desk(generator, memory, app.paths.translations, desk.loader, who.detector, settle)
    found, planned = None, list[str]()
    for event in document_translation.run(file.path, file.out, order, common):
        match event:
            case Plan():
                found, planned = translate_work.languages(event), list(event.notes)
                work.put(found)
            case Note(text):
                notes.append(text)
            case Step(done, total, where):
                work.put(Went(file.path, done, total, where))
            case _:
                report = event
    if report.finish.new_tokens:
        work.put(report.finish)
    if report.stopped:
        return Ended(file.path, file.out, "stopped", "", report.warnings, found)
    # The languages have a line of their own
    said = (*(note for note in notes if note not in planned), *filter(None, [memory.notice if memory else ""]))
    return Ended(file.path, places[-1], "done", report.line, (*said, *report.warnings), found)


def free(out: Path, taken: frozenset[Path] = frozenset()) -> Path:
    """`out`, or with the next number behind its name where that is there already or `taken`."""
    place, number = out, 2
    while place in taken or place.exists() or place.is_symlink():
        place = out.with_name(f"{out.stem} ({number}){out.suffix}")
        number += 1
    return place


def places(paths: Sequence[Path], wish: Wish, folder: Path | None, taken: frozenset[Path]) -> tuple[Chosen, ...]:
    """What each file becomes: a name that no other file has, neither on the disk nor among `taken`."""
    from edgellm.tasks import translation_output

    found: list[Chosen] = []
    for path in paths:
        usual = (folder or path.parent) / translation_output.name(path, wish.target)
        if path.suffix.lower() == ".pdf":
            usual = usual.with_suffix(wish.pdf)
        out = free(usual, taken)
        taken |= {out}
        found.append(Chosen(path, out, out != usual))
    return tuple(found)


def keeps_format(path: Path) -> bool:
    """Whether a file of this kind can be written again with other words."""
    from edgellm.tasks import translation_output

    return path.suffix.lower() in translation_output.SUFFIXES


def clear_memory(app: App) -> int:
    """Forget all that was translated before; how many paragraphs that were."""
    from edgellm.tasks import translation_output

    count = app.memory().clear()
    translation_output.forget(app.paths.translations)
    return count


def sorted_out(paths: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The files that can be written again with other words, and the others; of a folder only the former.

    Raises `StorageError` for a folder that cannot be opened.
    """
    fit, others = list[Path](), list[Path]()
    for path in paths:
        if path.is_dir():
            inner = sorted(one for name in listed(path) if not name.startswith(".") and (one := path / name).is_file())
            fit += (one for one in inner if keeps_format(one) or one.suffix.lower() in _PLAIN)
        else:
            (fit if keeps_format(path) else others).append(path)
    return tuple(dict.fromkeys(fit)), tuple(dict.fromkeys(others))
