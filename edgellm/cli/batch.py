"""`edgellm batch`: one task over all documents of a folder; it goes on where it was, and keeps a manifest."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from edgellm.cli import summary_lines
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import INTERRUPTED, Session
from edgellm.cli.summarize import add_style_options
from edgellm.documents.chunk import whole_text
from edgellm.documents.document import Document
from edgellm.errors import Stopped, UsageError
from edgellm.runtimes.base import Generator
from edgellm.tasks import batch, classify, consult, kept, summary, summary_styles, translate
from edgellm.tasks.batch import Made, Work
from edgellm.tasks.extract import Extract
from edgellm.tasks.kept import Kept
from edgellm.tasks.languages import code_of
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.outline import Outline
from edgellm.tasks.summary_events import Item, Summary


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("task", choices=sorted(_TASKS), metavar="TASK", help=f"One of: {', '.join(sorted(_TASKS))}.")
    parser.add_argument("folder", metavar="FOLDER", help="All documents below it are read.")
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help="The folder for results and manifest.")
    parser.add_argument("--to", metavar="LANGUAGE", help="For translate and summarize: a code (fr) or a name (French).")
    add_style_options(parser)
    parser.add_argument("--question", type=typed, metavar="QUESTION", help="For ask: what every file is asked.")
    parser.add_argument("--labels", type=typed, metavar="A,B,C", help="For classify: with commas between them.")
    parser.add_argument("--retry", action="store_true", help="Try again the files that could not be read.")
    add_model_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Do the files one by one; the exit status is 1 when one of them has no result."""
    from edgellm.documents.index import plain_files
    from edgellm.documents.load import Loader
    from edgellm.documents.readers import SUFFIXES

    folder, out = (Path(name).expanduser().absolute() for name in (arguments.folder, arguments.out))
    if not folder.is_dir():
        raise UsageError(f"{arguments.folder} is not a folder.", "Name a folder with documents in it.")
    if out == folder:
        raise UsageError("The results cannot go among the documents themselves.", "Choose another folder with -o.")
    needed = _NEEDED.get(arguments.task, "")
    if needed and not (getattr(arguments, needed) or "").strip():
        raise UsageError(f"{arguments.task} needs --{needed}.", f"Run: edgellm batch --help, for --{needed}.")
    found = [path for path in plain_files(folder) if path.suffix.lower() in SUFFIXES and out not in path.parents]
    if not found:
        raise UsageError(f"There is no document in {arguments.folder}.", "PDF, DOCX, HTML, text and others are read.")
    stop, output, counts = Interrupt(), session.output, {"done": 0, "before": 0, "failed": 0}
    generator = session.generator({"ask": "answer"}.get(arguments.task, arguments.task))
    options = session.options(stop)
    work = _TASKS[arguments.task](arguments, generator, options, session)
    manifest = batch.Manifest(out, _asked(arguments, generator, options))
    if arguments.retry:
        manifest.entries = {name: entry for name, entry in manifest.entries.items() if not entry.error}
    with stop, Loader() as loader:
        try:
            read = partial(loader.load, cancelled=stop)
            every = batch.run(folder, found, out, manifest, read, lambda document: _whole(work(document), stop))
            for number, (entry, now) in enumerate(every, 1):
                counts["failed" if entry.error else "done" if now else "before"] += 1
                if now and entry.error:
                    output.note(entry.error)
                elif now:
                    output.progress(f"{number} of {len(found)}: {entry.file}, {entry.seconds:.1f} s")
                if stop():
                    break
        except Stopped:
            output.note("Stopped; the same command goes on with this file.")
    names = [path.relative_to(folder).as_posix() for path in found]
    batch.table(out, manifest, names)
    output.line(
        f"{counts['done']} of {len(found)} files done now, {counts['before']} before, {counts['failed']} have "
        f"none. Results: {out / batch.TABLE}"
    )
    output.document(out=str(out), files=len(found), **counts)
    return INTERRUPTED if stop() else 1 if counts["failed"] else 0


def _whole(result: str | Made, stop: Interrupt) -> str | Made:
    """A result that was stopped in the middle is none."""
    if stop():
        raise Stopped()
    return result


def _asked(arguments: Namespace, generator: Generator, options: Options) -> dict[str, Any]:
    """What the results depend on; a batch that asks for something else does not mix with them."""
    usual = replace(options, cancelled=DEFAULT.cancelled) == DEFAULT
    said = {"sampling": asdict(options.sampling), "max_tokens": options.max_tokens, "system": options.system}
    summaries = asdict(_style(arguments)) if arguments.task == "summarize" else {}
    return {
        "task": arguments.task,
        **({key: value for key, value in summaries.items() if key != "language"}),
        "to": code_of(arguments.to) if arguments.to and arguments.task in ("translate", "summarize") else "",
        "question": (arguments.question or "").strip() if arguments.task == "ask" else "",
        "labels": (arguments.labels or "").strip() if arguments.task == "classify" else "",
        "model": generator.info.name,
        **({} if usual else {"options": said}),
    }


def _style(arguments: Namespace) -> summary_styles.Asked:
    return summary_styles.asked(arguments.style, arguments.length or "", arguments.to or "")


def _summaries(arguments: Namespace, generator: Generator, options: Options, session: Session) -> Work:
    asked = _style(arguments)

    def work(document: Document) -> Made:
        outline = Outline.of(document)
        wanted = (asked, options.sampling, options.max_tokens, options.system)
        held = Kept(session.app.paths.summaries, kept.name(outline.text, generator.info, wanted))
        shown = summary_lines.Shown(asked.style)
        lines: list[str] = []
        for event in summary.run(generator, outline, asked, held, options):
            if isinstance(event, Item):
                lines += shown.lines(event)
            elif isinstance(event, Summary):
                return Made("\n".join(lines) or event.text, notes=event.notes)
        raise AssertionError("a summary has an end")

    return work


def _translations(arguments: Namespace, generator: Generator, options: Options, _session: Session) -> Work:
    target = code_of(arguments.to)

    def work(document: Document) -> Made:
        found = translate.translate(generator, whole_text(document), target, "", options)
        return Made(found.text, notes=found.notes)

    return work


def _answers(arguments: Namespace, generator: Generator, options: Options, _session: Session) -> Work:
    question = arguments.question.strip()

    def work(document: Document) -> Made:
        found = consult.consult(generator, question, [Extract.of_document(document)], None, options)
        return Made("\n".join([found.text, *(quote.line for quote in found.quotes)]), notes=found.notes)

    return work


def _labels(arguments: Namespace, generator: Generator, options: Options, _session: Session) -> Work:
    labels = classify.checked(arguments.labels.split(","))

    def work(document: Document) -> Made:
        found = classify.classify(generator, whole_text(document), labels, options)
        return Made(found.label, found.confidence)

    return work


_NEEDED = {"translate": "to", "ask": "question", "classify": "labels"}
_TASKS: dict[str, Callable[[Namespace, Generator, Options, Session], Work]] = {
    "summarize": _summaries,
    "translate": _translations,
    "ask": _answers,
    "classify": _labels,
}
