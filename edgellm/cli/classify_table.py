"""The table of `edgellm classify --csv`: every row gets a label; a run that was stopped goes on where it was."""

from __future__ import annotations

import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from edgellm.cli.interrupt import Interrupt
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import INTERRUPTED, Session
from edgellm.errors import UsageError
from edgellm.tasks import classify_many, csv_form
from edgellm.tasks.classify import Rule
from edgellm.tasks.classify_many import Job, Row
from edgellm.tasks.label_sets import Label

_EVERY = 5.0  # seconds between two lines of progress
_SHOWN = 10  # bad rows that are named


def configure(parser: Parser) -> None:
    """Add the arguments."""
    group = parser.add_argument_group("table")
    group.add_argument("--csv", metavar="FILE", help="Classify every row of this CSV file.")
    group.add_argument("--column", type=typed, metavar="NAME", help="The column with the texts: its name, or number.")
    group.add_argument("-o", "--out", metavar="FILE", help="The CSV file for the result; all columns are kept.")
    group.add_argument("--delimiter", choices=sorted(csv_form.DELIMITERS), help="What is between cells; else found.")
    group.add_argument("--encoding", metavar="NAME", help="The file's encoding, such as windows-1252; else found.")
    header = group.add_mutually_exclusive_group()
    header.add_argument("--header", action="store_true", help="The first row names the columns.")
    header.add_argument("--no-header", action="store_true", help="The first row is data.")
    group.add_argument("--force", action="store_true", help="Replace the result of an earlier run.")


def check_unused(arguments: Namespace) -> None:
    """Raise `UsageError` for an option of tables without a table."""
    given = [name for name in ("column", "out", "delimiter", "encoding") if getattr(arguments, name)]
    if given:
        raise UsageError(f"--{given[0]} belongs to a table.", "Name it with --csv FILE.")


def run(arguments: Namespace, session: Session, labels: tuple[Label, ...], rule: Rule) -> int:
    """Classify all rows; the exit status is 1 when some could not be."""
    if arguments.text or arguments.file:
        raise UsageError("A table and a text cannot be classified at once.", "Leave out the text, or --csv.")
    if not arguments.out:
        raise UsageError("Say where the result goes.", "For example: -o labels.csv")
    path, out = (Path(name).expanduser().absolute() for name in (arguments.csv, arguments.out))
    table = csv_form.open_table(
        path,
        arguments.column or "",
        named=True if arguments.header else False if arguments.no_header else None,
        delimiter=csv_form.DELIMITERS.get(arguments.delimiter or "", ""),
        encoding=arguments.encoding or "",
    )
    for note in table.notes:
        session.output.note(note)
    stop = Interrupt()
    job = Job(table, out, labels, rule, session.options(stop), arguments.force)
    classify_many.check_out(job)
    generator = session.generator("classify")
    before = classify_many.done_before(job, generator.info.name)
    if before:
        session.output.note(f"Going on behind {before} rows that an earlier run has finished.")
    counts: Counter[str] = Counter()
    with stop:
        for row in _told(session, classify_many.run(generator, job), before):
            counts["bad" if row.result is None else "unsure" if row.result.unsure else "done"] += 1
            if row.result is not None and row.result.label:
                counts[f"label {row.result.label}"] += 1
            elif row.result is None and counts["bad"] <= _SHOWN:
                session.output.note(row.note if row.note.startswith("line") else f"line {row.line}: {row.note}")
    return _conclude(session, job, counts, before, stop())


def _told(session: Session, rows: Iterator[Row], before: int) -> Iterator[Row]:
    """The rows, with a line about how far they are now and then."""
    started = last = time.monotonic()
    for number, row in enumerate(rows, 1):
        yield row
        now = time.monotonic()
        if now - last >= _EVERY:
            last = now
            session.output.progress(f"{before + number} rows, {number / (now - started):.1f} rows/s")


def _conclude(session: Session, job: Job, counts: Counter[str], before: int, stopped: bool) -> int:
    output, done = session.output, counts["done"] + counts["unsure"]
    if counts["bad"] > _SHOWN:
        output.note(f"{counts['bad'] - _SHOWN} more rows could not be classified; the result names each.")
    parts = [f"{done} rows classified now"]
    parts += [f"{before} before"] if before else []
    parts += [f"{counts['unsure']} of them unsure"] if counts["unsure"] else []
    parts += [f"{counts['bad']} not classified"] if counts["bad"] else []
    end = "Stopped; the same command goes on." if stopped else f"Result: {job.out}"
    output.line(f"{', '.join(parts)}. {end}")
    shares = {name.removeprefix("label "): count for name, count in counts.items() if name.startswith("label ")}
    if shares:
        output.line(", ".join(f"{name} {count}" for name, count in sorted(shares.items(), key=lambda one: -one[1])))
    output.document(
        out=str(job.out),
        done=done,
        before=before,
        unsure=counts["unsure"],
        bad=counts["bad"],
        labels=shares,
        stopped=stopped,
    )
    return INTERRUPTED if stopped else 1 if counts["bad"] else 0
