"""Classify every row of a table: rows stream from a CSV file into another one, any number of them.

Reading the table is `csv_rows`'s. What is finished lies in a hidden file beside the result until all is; after a
kill the same call goes on behind the last whole row, so that no row is done twice.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgellm import files
from edgellm.errors import ContextOverflow, StorageError, UsageError
from edgellm.runtimes.base import Generator
from edgellm.tasks import classify, csv_out, csv_rows
from edgellm.tasks.classify import Classification, Rule
from edgellm.tasks.csv_rows import Record, Table
from edgellm.tasks.csv_write import write_row
from edgellm.tasks.label_sets import Label, checked
from edgellm.tasks.options import DEFAULT, Options

ADDED = ("label", "confidence", "best_guess", "label_note")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was done: `line` is where it begins in the source, `text` what was classified.

    `result` is None where there was nothing to classify; `note` then says why.
    """

    line: int
    text: str
    result: Classification | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done: `table` into the CSV file `out`. `force` overwrites what is there."""

    table: Table
    out: Path
    labels: tuple[Label, ...]
    rule: Rule = field(default_factory=Rule)
    options: Options = DEFAULT
    force: bool = False

    @property
    def part(self) -> Path:
        """The rows that are finished while others are not."""
        return self.out.with_name(f".{self.out.name}.part")

    @property
    def order(self) -> Path:
        """What they were made of."""
        return self.out.with_name(f".{self.out.name}.part.json")

    @property
    def lock(self) -> Path:
        """Held by the run that writes them."""
        return self.out.with_name(f".{self.out.name}.part.lock")


def done_before(job: Job, model: str) -> int:
    """Rows that an earlier run has finished, ready to go on with. Raises `UsageError` for work on something else."""
    asked = _asked(job, model)
    check_out(job)
    if not (job.order.exists() and job.part.exists()):
        return 0
    try:
        before = json.loads(job.order.read_bytes())
    except (OSError, ValueError):
        before = None
    if before == asked:
        return max(_whole_rows(job.part)[0] - 1, 0)
    if job.force:
        return 0
    raise UsageError(
        f"An unfinished run for {job.out.name} was asked for something else.",
        "Give the same table, labels and model to go on, or add --force to begin anew.",
    )


def run(generator: Generator, job: Job) -> Iterator[Row]:
    """Classify the rows that are not done yet; each comes once it is written.

    `job.out` appears, whole, after the last. When `job.options.cancelled` says so the iterator ends early, and the
    same call goes on. Raises `UsageError`, `StorageError`, and what asking the model raises.
    """
    from filelock import FileLock, Timeout

    labels = checked(job.labels)
    check_out(job)
    lock = FileLock(job.lock, timeout=0, thread_local=False)
    try:
        job.out.parent.mkdir(parents=True, exist_ok=True)
        with lock:
            yield from _rows(generator, job, labels, done_before(job, generator.info.name))
            job.lock.unlink(missing_ok=True)
    except Timeout:
        raise UsageError(f"{job.out.name} is being written by another run.", "Wait for it, or stop it.") from None
    except OSError as error:
        raise StorageError(
            f"{job.out} cannot be written: {error.strerror}.",
            "Check the folder and the free space; the same command goes on.",
        ) from error


def _rows(generator: Generator, job: Job, labels: tuple[Label, ...], before: int) -> Iterator[Row]:
    table, stop = job.table, job.options.cancelled
    begun = _prepare(job, generator.info.name, before)
    with job.part.open("a", encoding="utf-8", newline="") as stream:
        if not begun:
            stream.write("\ufeff")  # spreadsheets take a CSV file for an old encoding without it
            write_row(stream, (*table.header, *_added(table.header)), table.delimiter)
            stream.flush()
        for number, record in enumerate(csv_rows.records(table)):
            if number < before:
                continue
            if stop():
                return
            row = _one(generator, job, labels, record)
            if row.result is not None and row.result.finish.reason == "cancelled":
                return
            write_row(stream, (*table.fitted(record.cells), *_cells(row)), table.delimiter)
            stream.flush()
            yield row
        os.fsync(stream.fileno())
    os.replace(job.part, job.out)
    with suppress(OSError):
        job.order.unlink()


def _one(generator: Generator, job: Job, labels: tuple[Label, ...], record: Record) -> Row:
    text = job.table.text(record)
    if record.problem or not text.strip():
        return Row(record.line, text, None, record.problem or "empty")
    try:
        result = classify.classify(generator, text, labels, job.options, job.rule)
    except ContextOverflow:
        return Row(record.line, text, None, "too long for the model")
    notes = {
        "unsure": result.unsure,
        "only the beginning was read": result.cut,
        "the model answered something else; the nearest label was taken": not result.exact,
    }
    return Row(record.line, text, result, "; ".join(note for note, holds in notes.items() if holds))


def _cells(row: Row) -> list[str]:
    if row.result is None:
        return ["", "", "", row.note]
    confidence = row.result.confidence
    shown = "" if confidence is None else f"{confidence:.4f}"
    return [row.result.label, shown, row.result.best, row.note]


def _added(header: Sequence[str]) -> list[str]:
    """The names of the columns that are added, made different from those that are there."""
    names = []
    for name in ADDED:
        number, free = 2, name
        while free in header:
            free, number = f"{name}_{number}", number + 1
        names.append(free)
    return names


def _asked(job: Job, model: str) -> Mapping[str, Any]:
    """What the rows depend on."""
    return {
        "source": job.table.sha256,
        "form": [job.table.encoding, job.table.delimiter, job.table.column, job.table.named],
        "labels": [[label.name, label.description] for label in checked(job.labels)],
        "rule": [job.rule.unsure, job.rule.samples],
        "system": job.options.system,
        "model": unicodedata.normalize("NFC", model),
    }


def check_out(job: Job) -> None:
    """Raise `UsageError` or `StorageError` when the result cannot go there."""
    csv_out.check(job.out, job.order, job.table.path, job.force)


def _prepare(job: Job, model: str, before: int) -> bool:
    """Make the hidden file ready to be written on; whether its header is there already."""
    rows, end = _whole_rows(job.part) if before else (0, 0)
    if rows:
        os.truncate(job.part, end)
        return True
    job.part.unlink(missing_ok=True)
    files.write(job.order, json.dumps(_asked(job, model), ensure_ascii=False))
    with suppress(FileExistsError):
        os.close(os.open(job.part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return False


def _whole_rows(part: Path) -> tuple[int, int]:
    """Rows of a file of ours that are whole, and where the last of them ends.

    A line break ends a row where the number of quotes before it is even: those within a cell are doubled.
    """
    rows = end = at = 0
    even = True
    with part.open("rb") as stream:
        while block := stream.read(_BLOCK):
            for mark in re.finditer(rb'["\n\0]', block):
                if mark.group() == b"\0":  # what a power failure leaves
                    return rows, end
                if mark.group() == b'"':
                    even = not even
                elif even:
                    rows, end = rows + 1, at + mark.end()
            at += len(block)
    return rows, end
