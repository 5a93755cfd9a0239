"""`edgellm batch`: one task over all documents of a folder; it goes on where it was, and keeps a manifest."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from edgellm.cli.classify import add_label_options
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.output import Output
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import INTERRUPTED, Session
from edgellm.cli.summarize import add_style_options
from edgellm.errors import Stopped, UsageError
from edgellm.tasks import batch
from edgellm.tasks.batch import Entry
from edgellm.tasks.options import DEFAULT, Options

_UNUSED = {"to": "", "question": "", "labels": ""}  # every manifest has them
_NAMES = ("ask", "classify", "summarize", "translate")


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("task", choices=_NAMES, metavar="TASK", help=f"One of: {', '.join(_NAMES)}.")
    parser.add_argument("folder", metavar="FOLDER", help="All documents below it are taken, one by one.")
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="OUT",
        help="The folder for results, manifest.jsonl and results.csv; the same command goes on in it.",
    )
    parser.add_argument("--retry", action="store_true", help="Try again also the files that could not be done.")
    parser.add_argument("--force", action="store_true", help="Replace files in OUT that are not of this batch.")
    parser.add_argument("--to", metavar="LANGUAGE", help="For translate and summarize: a code (fr) or a name (French).")
    group = parser.add_argument_group("translate")
    group.add_argument("--from", dest="origin", metavar="LANGUAGE", help="The language of all files; else found.")
    group.add_argument("--glossary", metavar="FILE", help="Terms and their translations: a CSV or TSV file.")
    group.add_argument("--keep", type=typed, metavar="A,B", help="Words that stay as they are, with commas between.")
    group.add_argument("--pdf", choices=("txt", "docx"), help="What a PDF becomes (default: txt).")
    group.add_argument("--no-memory", action="store_true", help="Do not use or keep paragraphs translated before.")
    add_style_options(parser, usual="")
    group = parser.add_argument_group("ask")
    group.add_argument("--question", type=typed, metavar="QUESTION", help="What every file is asked.")
    group.add_argument("--whole", action="store_true", help="Let even the small built-in model read whole files.")
    add_label_options(parser)
    add_model_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Do the files one by one; the exit status is 1 when one of them has no result."""
    from edgellm.cli.batch_work import Bench, task
    from edgellm.documents.load import Loader
    from edgellm.tasks import batch_manifest, batch_places

    folder, out = (Path(name).expanduser().absolute() for name in (arguments.folder, arguments.out))
    if not folder.is_dir():
        raise UsageError(f"{arguments.folder} is not a folder.", "Name a folder with documents in it.")
    if out.resolve() == folder.resolve():
        raise UsageError("The results cannot go among the documents themselves.", "Choose another folder with -o.")
    stop = Interrupt()
    with Loader() as loader:
        job = task(arguments.task, Bench(arguments, session, stop, loader))
        found = batch_places.choose(folder, out, job.suffixes)
        for note in (*found.notes, *found.closed):
            session.output.note(note)
        if not found.paths:
            raise UsageError(
                f"There is no document in {arguments.folder}.", "PDF, DOCX, HTML, text and others are read."
            )
        batch_manifest.check_place(out)
        names = [path.relative_to(folder).as_posix() for path in found.paths]
        planned = [] if arguments.force else batch_places.places(names, job.names).values()
        asked = {
            "task": arguments.task,
            **_UNUSED,
            **job.asked,
            "model": job.model(),
            **_unusual(session.options(stop)),
        }
        manifest = batch.Manifest(out, asked, planned)
        if arguments.retry:
            manifest.entries = {name: entry for name, entry in manifest.entries.items() if not entry.error}
        known = {name: manifest.entries[name].output for name in names if name in manifest.entries}
        places = batch_places.places(names, job.names, {name: place for name, place in known.items() if place})
        with stop:
            every = batch.run(folder, {name: places[name] for name in names}, out, manifest, job.work)
            counts = _followed(every, len(names), stop, session.output)
    batch.table(out, manifest, names, job.columns, job.texts)
    counts["failed"] += len(found.closed)
    return _conclude(session.output, out, len(names), counts, stop())


def _followed(every: Iterator[tuple[Entry, bool]], total: int, stop: Interrupt, output: Output) -> Counter[str]:
    """Tell of each file as it is done, until the end or a stop; returns the counts."""
    counts: Counter[str] = Counter(done=0, before=0, failed=0, warned=0)
    try:
        for number, (entry, now) in enumerate(every, 1):
            counts["failed" if entry.error else "done" if now else "before"] += 1
            counts["warned"] += bool(entry.warnings)
            if entry.error:
                output.note(entry.error)
            elif now:
                more = f", {len(entry.warnings)} warning{'s' if len(entry.warnings) > 1 else ''}"
                said = more if entry.warnings else ""
                output.progress(f"{number} of {total}: {entry.file}, {entry.seconds:.1f} s{said}")
            if stop():
                break
    except Stopped:
        output.note("Stopped; the same command goes on with this file.")
    return counts


def _conclude(output: Output, out: Path, files: int, counts: Counter[str], stopped: bool) -> int:
    failed, warned = counts["failed"], counts["warned"]
    again = " (--retry tries them again)" if failed else ""
    doubts = f" {warned} with warnings." if warned else ""
    output.line(
        f"{counts['done']} of {files} files done now, {counts['before']} before, {failed} have no result{again}."
        f"{doubts} Results: {out / batch.TABLE}"
    )
    output.document(out=str(out), files=files, **counts)
    return INTERRUPTED if stopped else 1 if failed else 0


def _unusual(options: Options) -> dict[str, Any]:
    """How the model is asked, where that is not as usual."""
    if replace(options, cancelled=DEFAULT.cancelled) == DEFAULT:
        return {}
    return {
        "options": {"sampling": asdict(options.sampling), "max_tokens": options.max_tokens, "system": options.system}
    }
