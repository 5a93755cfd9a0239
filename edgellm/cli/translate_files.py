"""The part of `edgellm translate` for documents: each becomes a new file of its format, beside it or where `-o` says.

What was translated is kept, in the translation memory or, without one, until the file is written: after Ctrl-C or a
kill the same command goes on.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from edgellm.cli import source
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.session import INTERRUPTED, Session, describe
from edgellm.documents.load import Loader, load
from edgellm.documents.readers import SUFFIXES
from edgellm.errors import DocumentError, Stopped, StorageError, UsageError
from edgellm.tasks import document_translation, translation_output
from edgellm.tasks import glossary as terms
from edgellm.tasks.document_translation import Desk, Note
from edgellm.tasks.glossary import Glossary
from edgellm.tasks.languages import code_of, english_name
from edgellm.tasks.translate_file import Order, Report, Step
from edgellm.tasks.warning_groups import grouped, in_words

_EVERY = 2.0  # seconds between two lines about progress
_SHOWN = 12  # kinds of warnings of one file on a terminal


def chosen(arguments: Namespace) -> list[Path]:
    """The documents that the arguments name; none where they are a text, or a document's text is to be printed."""
    words = list(arguments.text)
    names = [*arguments.file, *words]
    if arguments.out == "-" or arguments.side_by_side or not names:
        return []
    if not all(_is_file(word) for word in words):
        return []
    paths = [Path(name).expanduser() for name in names]
    apart = len(paths) > 1 and arguments.out is not None and not Path(arguments.out).suffix
    return paths if apart or any(path.suffix.lower() in translation_output.SUFFIXES for path in paths) else []


def glossary(arguments: Namespace) -> Glossary:
    """The terms of `--glossary` and `--keep`. Raises `StorageError`, and `UsageError` for bad lines."""
    read = terms.read(Path(arguments.glossary).expanduser()) if arguments.glossary else ()
    return Glossary((*terms.kept(arguments.keep or ""), *read))


def check_text(out: Path, force: bool) -> None:
    """Raise `UsageError` for a file that is already there, or whose ending says that it holds no plain text."""
    if out.suffix.lower() in translation_output.NO_TEXT:
        raise UsageError(f"A text cannot be written as {out.suffix}.", "Name a file that ends in .txt.")
    check_free(out, force)


def check_free(out: Path, force: bool) -> None:
    """Raise `UsageError` for a file that is already there."""
    if out.exists() and not (force and out.is_file()):
        raise UsageError(f"{out} is already there.", "Add --force to replace it, or name another with -o.")


def forget(session: Session) -> int:
    """Clear the translation memory, and what unfinished translations have."""
    count = session.app.memory().clear()
    translation_output.forget(session.app.paths.translations)
    session.output.line(f"{count} paragraphs were forgotten.")
    session.output.document(forgotten=count)
    return 0


def run(paths: Sequence[Path], arguments: Namespace, session: Session) -> int:
    """Translate the documents one by one; the exit status is 1 when one of them was not."""
    target = code_of(arguments.to)
    origin = code_of(arguments.origin) if arguments.origin else ""
    places = _places(paths, arguments, target)
    stop, output = Interrupt(), session.output
    order = Order(target, origin, glossary(arguments), session.options(stop))
    results: list[dict[str, object]] = []
    failed = 0
    with stop, Loader() as loader:
        translators = desk(arguments, session, target, loader)
        for path, out in zip(paths, places, strict=True):
            try:
                check_free(out, arguments.force)
                report = _one(path, out, order, translators, session)
            except (DocumentError, UsageError, StorageError) as error:
                if len(paths) == 1:
                    raise
                failed += 1
                output.note(str(error) if error.message.startswith(path.name) else f"{path.name}: {error}")
                results.append({"file": str(path), "out": "", "error": error.message})
                continue
            except Stopped:
                break
            results.append({"file": str(path), "out": "" if report.stopped else str(out), **_facts(report)})
            if report.stopped:
                break
    if stop():
        output.note("Stopped; the same command goes on where it was.")
    output.document(files=results)
    return INTERRUPTED if stop() else 1 if failed else 0


def _one(path: Path, out: Path, order: Order, desk: Desk, session: Session) -> Report:
    """Translate one document. Nothing is written when it was stopped."""
    output, said = session.output, time.monotonic()
    if _becomes_text(path):
        read = desk.loader.load if desk.loader else load
        events = document_translation.run_plain(read(path), out, order, desk)
    else:
        events = document_translation.run(path, out, order, desk)
    for event in events:
        match event:
            case Note(text):
                output.note(f"{path.name}: {text}")
            case Step(done, total, where) if time.monotonic() - said >= _EVERY:
                said = time.monotonic()
                output.progress(f"{path.name}: {done} of {total} paragraphs, {where}")
            case Report():
                report = event
    if report.stopped:
        done = report.translated + report.reused
        output.note(f"{path.name}: {done} of {report.paragraphs} paragraphs are done, and kept.")
    else:
        _say(path, out, report, session)
    return report


def desk(arguments: Namespace, session: Session, target: str, loader: Loader) -> Desk:
    """Who translates into a language (code), and where paragraphs are kept."""
    memory = None
    if session.app.settings.translation_memory and not arguments.no_memory:
        memory = session.app.memory()
        session.output.note(memory.notice)
    return Desk(lambda source: session.translator(source, target), memory, session.app.paths.translations, loader)


def _say(path: Path, out: Path, report: Report, session: Session) -> None:
    output = session.output
    groups = grouped(report.warnings)
    for group in groups[:_SHOWN]:
        output.note(f"{path.name}, {in_words(group)}")
    if len(groups) > _SHOWN or any(group.places for group in groups):
        output.note(f"{path.name}: {len(report.warnings):,} warnings in all; --json has each of them.")
    languages = f"{english_name(report.source)} to {english_name(report.target)}"
    output.line(f"{out}: {report.line} ({languages})")
    output.facts(describe(report.finish, session.reason(report.finish)))


def _facts(report: Report) -> dict[str, object]:
    return {"error": "", **asdict(report)}


def _is_file(word: str) -> bool:
    """Whether an argument names a file, even one that is not there."""
    if word == source.STDIN:
        return False
    named = not any(sign.isspace() for sign in word) and Path(word).suffix.lower() in translation_output.SUFFIXES
    return named or source.names_file(word)


def _becomes_text(path: Path) -> bool:
    """Whether its format can be read, but not written again."""
    suffix = path.suffix.lower()
    return suffix in SUFFIXES and SUFFIXES[suffix] != "text" and suffix not in translation_output.SUFFIXES


def _name(path: Path, target: str) -> str:
    name = translation_output.name(path, target)
    return f"{Path(name).stem}.txt" if _becomes_text(path) else name


def _places(paths: Sequence[Path], arguments: Namespace, target: str) -> list[Path]:
    """Where each document goes. Raises `UsageError` where two would go to the same place, or one onto itself."""
    named = Path(arguments.out).expanduser() if arguments.out else None
    if named is not None and len(paths) == 1 and not named.is_dir():
        places = [named]
    else:
        places = [(named or path.parent) / _name(path, target) for path in paths]
        if named is not None:
            try:
                named.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(
                    f"{named} is no folder.", "For several documents, give a folder with -o, or none."
                ) from error
    for number, (path, out) in enumerate(zip(paths, places, strict=True)):
        if out in places[:number]:
            raise UsageError(f"Two documents would become {out}.", "Translate them one by one, each with its own -o.")
        if out.absolute() == path.absolute() or (out.exists() and path.exists() and out.samefile(path)):
            raise UsageError(f"{out.name} is the document itself.", "Name another file with -o.")
    return places
