"""`edgellm summarize`: whole documents in several styles by the model, key sentences without one, or a comparison.

A long text is read section by section; what was read is kept until the summary is finished, so that it can go on.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from edgellm.cli import source, summary_input, summary_lines
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.output import Output
from edgellm.cli.parser import Parser, whole_number
from edgellm.cli.session import Session
from edgellm.errors import EdgeError, UsageError
from edgellm.runtimes.base import Chunk
from edgellm.tasks import kept, summary, summary_job, summary_styles
from edgellm.tasks.kept import Kept
from edgellm.tasks.keysentences import in_a_line
from edgellm.tasks.outline import Outline
from edgellm.tasks.result import without_model
from edgellm.tasks.summary_events import Begun, Item, Progress, Summary, SummaryEvent
from edgellm.tasks.summary_styles import LENGTHS, OLD, STYLES, Asked

STYLE = "line"


def configure(parser: Parser) -> None:
    """Add the arguments."""
    source.add_text_argument(parser, "What to summarize")
    parser.add_argument(
        "--key-sentences",
        type=whole_number(1),
        metavar="N",
        help="Show the N most important sentences instead, word for word, without --length; needs no model "
        "and works in any language.",
    )
    add_style_options(parser)
    parser.add_argument("--to", metavar="LANGUAGE", help="The language of the summary: a code (fr) or a name (French).")
    parser.add_argument(
        "--compare", action="store_true", help="Show what several files have in common, and what only one of them says."
    )
    parser.add_argument(
        "--fresh", action="store_true", help="Begin anew, and not where an earlier run of the same was stopped."
    )
    add_model_options(parser)


def add_style_options(parser: Parser, usual: str = STYLE) -> None:
    """Add the style and the length; `sentence` and `points` are older names. `usual` is what is not given."""
    group = parser.add_argument_group("summarize")
    group.add_argument(
        "--style",
        choices=(*STYLES, *OLD),
        default=usual,
        help="One line, a paragraph, bullets, points under each heading, or questions with answers (default: line); "
        "sentence is line, and points is bullets with one for each section.",
    )
    group.add_argument("--length", choices=LENGTHS, help="How much of it (default: medium).")


def run(arguments: Namespace, session: Session) -> int:
    """Summarize in the way that was asked for."""
    asked = summary_styles.asked(arguments.style, arguments.length or "", arguments.to or "")
    if arguments.key_sentences and asked.language:
        raise UsageError("Key sentences are the text's own words.", "Leave out --to, or --key-sentences.")
    if arguments.key_sentences and arguments.length and not arguments.compare:
        raise UsageError("--key-sentences N says itself how many.", "Leave out --length, or --key-sentences.")
    documents = summary_input.read(arguments.text, arguments.file, session.output)
    if arguments.compare:
        from edgellm.cli import summary_compare

        return summary_compare.run(documents, asked, arguments, session)
    outline = Outline.of(*documents)
    if arguments.key_sentences:
        return _key_sentences(outline, arguments.key_sentences, session)
    return _summary(outline, asked, arguments.fresh, session)


def _summary(outline: Outline, asked: Asked, fresh: bool, session: Session) -> int:
    stop = Interrupt()
    options, generator = session.options(stop), session.generator("summarize")
    name = kept.name(outline.text, generator.info, (asked, options.sampling, options.max_tokens, options.system))
    held = Kept(session.app.paths.summaries, name)
    if fresh:
        held.clear()
    try:
        with stop:
            done = show(summary.run(generator, outline, asked, held, options), asked, session.output)
    except EdgeError:
        if len(held):
            session.output.note("What was read so far is kept; the same command goes on from there.")
        raise
    if done.finish.reason == "cancelled" and 0 < done.read < done.sections:
        session.output.note(
            f"Stopped after {done.read} of {done.sections} sections; the same command goes on from there."
        )
    points = [_fields(item) for item in done.items]
    extra: dict[str, Any] = {"style": asked.style, "points": points, "read": done.read, "sections": done.sections}
    return session.conclude(done.text, done.finish, done.notes, **extra)


def show(events: Iterable[SummaryEvent], asked: Asked, output: Output) -> Summary:
    """Print what comes, and how far it is; returns the whole."""
    shown = summary_lines.Shown(asked.style)
    pace = summary_lines.Pace(output)
    for event in events:
        if isinstance(event, Summary):
            output.end()
            return event
        if isinstance(event, Chunk):
            output.chunk(event.text)
        elif isinstance(event, Item):
            for line in shown.lines(event):
                output.line(line)
        elif isinstance(event, Begun):
            pace.begin(event)
        elif isinstance(event, Progress):
            pace.show(event)
    raise AssertionError("a summary has an end")


def _fields(item: Item) -> dict[str, Any]:
    """A point as JSON."""
    place = asdict(item.place)
    quote = asdict(item.quote) if item.quote else None
    return {"text": item.text, "question": item.question, **place, "written": item.written, "quote": quote}


def _key_sentences(outline: Outline, count: int, session: Session) -> int:
    found = summary_job.key_points(outline, count)
    for item in found:
        session.output.line(f"{in_a_line(item.text)}{summary_lines.where(item.place)}")
    joined = "\n".join(item.text for item in found)
    sentences = [{"text": item.text, **asdict(item.place), "score": item.score} for item in found]
    return session.conclude(joined, without_model(), sentences=sentences)
