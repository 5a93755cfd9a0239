"""`edgellm translate`: translate a text, or documents into new files of the same format.

The source language is found when it is not given. Documents are left to `translate_files.py`; with `-o -` their plain
text is translated and printed.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from edgellm import files
from edgellm.cli import source, translate_files
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.errors import StorageError, UsageError
from edgellm.tasks import translate
from edgellm.tasks.alignment import Pair
from edgellm.tasks.languages import code_of
from edgellm.tasks.result import collect


def configure(parser: Parser) -> None:
    """Add the arguments."""
    source.add_text_argument(parser, "What to translate")
    parser.add_argument("--to", metavar="LANGUAGE", help="A code (fr) or a name (French).")
    parser.add_argument("--from", dest="origin", metavar="LANGUAGE", help="The text's language; found if left out.")
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="Where the translation goes; left out, a document becomes NAME.fr.docx beside it, and text is printed. "
        "For several documents a folder; - prints their text.",
    )
    parser.add_argument("--force", action="store_true", help="Replace a file that is already there.")
    parser.add_argument("--glossary", metavar="FILE", help="Terms and their translations: a CSV or TSV file.")
    parser.add_argument("--keep", type=typed, metavar="A,B", help="Words that stay as they are, with commas between.")
    parser.add_argument("--no-memory", action="store_true", help="Do not use or keep paragraphs translated before.")
    parser.add_argument("--forget", action="store_true", help="Clear the translation memory, and do nothing else.")
    parser.add_argument("--side-by-side", action="store_true", help="Print each sentence with its translation.")
    add_model_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Translate the text, or the documents."""
    if arguments.forget:
        return translate_files.forget(session)
    if not arguments.to:
        raise UsageError("The following arguments are required: --to.", "Run: edgellm translate --help")
    documents = translate_files.chosen(arguments)
    if documents:
        return translate_files.run(documents, arguments, session)
    return _text(arguments, session)


def _text(arguments: Namespace, session: Session) -> int:
    """Stream the translation of a text."""
    target = code_of(arguments.to)
    origin = code_of(arguments.origin) if arguments.origin else ""
    glossary = translate_files.glossary(arguments)
    text = source.read(arguments.text, arguments.file, session.output)
    out = None if arguments.out in (None, "-") else Path(arguments.out).expanduser()
    if out is not None:
        translate_files.check_text(out, arguments.force)
    stop = Interrupt()
    options = session.options(stop)
    likely = "" if session.app.settings.model else origin or translate.likely_source(text)
    generator = session.translator(likely, target)
    plan = translate.prepare(generator.info, text, target, origin)
    work = translate.Translator(generator, plan, options, glossary)
    with stop:
        if arguments.side_by_side or out is not None:
            result, finish = collect(work.stream(text))
        else:
            result, finish = session.stream(work.stream(text))
    pairs = work.pairs(text, result) if arguments.side_by_side or session.output.as_json else ()
    if out is not None and not stop():
        _save(out, result)
        session.output.line(str(out))
    elif out is not None:
        session.output.note(f"Stopped; {out} was not written. This is what there is of it.")
        session.output.line(result)
    elif arguments.side_by_side:
        _print_pairs(session, text, result, pairs)
    sentences = [_sentence(text, result, pair) for pair in pairs]
    return session.conclude(
        result, finish, (*plan.notes, *work.notes), **facts(plan), kept=work.kept, sentences=sentences
    )


def facts(plan: translate.Plan) -> dict[str, Any]:
    """What the JSON object says of the plan."""
    return {
        "source": plan.source,
        "target": plan.target,
        "confidence": plan.detected.confidence if plan.detected else 1.0,
        "pivot": plan.directions[0][1] if len(plan.directions) > 1 else "",
        "unknown_words": list(plan.unknown),
    }


def _save(out: Path, text: str) -> None:
    try:
        files.write(out, text if text.endswith("\n") else text + "\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageError(f"{out} cannot be written: {reason}.", "Choose another place with -o.") from error


def _print_pairs(session: Session, text: str, result: str, pairs: tuple[Pair, ...]) -> None:
    for pair in pairs:
        for side, span in ((text, pair.source), (result, pair.target)):
            session.output.line(" ".join(side[slice(*span)].split()) or "-")
        session.output.line()


def _sentence(text: str, result: str, pair: Pair) -> dict[str, Any]:
    return {
        "source": text[slice(*pair.source)],
        "target": result[slice(*pair.target)],
        "source_span": list(pair.source),
        "target_span": list(pair.target),
    }
