"""What the Classify page asks of the engine: one text, every row of a table, or several files. No widget is known here.

Results of tables and files lie in the page's own folder, so that they survive a stop and a restart; the same work goes
on where it was. Where the person wants them in the end is left to `save`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgellm.errors import DocumentEmpty, Stopped, UsageError
from edgellm.tasks.label_sets import Label
from edgellm.ui.classify_kept import Place, line_of_entry
from edgellm.ui.classify_rows import Line
from edgellm.ui.engine_client import EngineClient
from edgellm.ui.language import tr
from edgellm.ui.task_work import Body, TaskWork

if TYPE_CHECKING:
    from edgellm.tasks.classify import Classification
    from edgellm.tasks.options import Options

_SHOWN = 600  # letters of a text that the page keeps for showing it


@dataclass(frozen=True, slots=True)
class Asked:
    """What every text is asked: the labels, and the share below which none of them counts."""

    labels: tuple[Label, ...]
    unsure: float = 0.0


@dataclass(frozen=True, slots=True)
class Begun:
    """What an earlier run had finished, and how many there are in all."""

    lines: tuple[Line, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Source:
    """A table: the index of the column with the texts, and whether its first row names them (None: found)."""

    path: Path
    column: int
    named: bool | None = None


def one_text(text: str, path: Path | None, asked: Asked, place: Place) -> Body:
    """One typed text, or one document; the result is a `Classification`."""

    def body(engine: EngineClient, work: TaskWork) -> Classification:
        options = _ready(engine, work)
        place.begin("text")
        if path is None:
            return _classified(engine, text, asked, options)
        from edgellm.documents.load import Loader

        with Loader() as loader:
            return _classified(engine, _text_of(loader, path, work), asked, options)

    return body


def table_rows(source: Source, asked: Asked, place: Place) -> Body:
    """Every row of a table; each is told as a `Line` once it is in the page's own result."""

    def body(engine: EngineClient, work: TaskWork) -> None:
        from edgellm.tasks import classify_many
        from edgellm.tasks.classify import Rule
        from edgellm.ui import classify_table

        options = _ready(engine, work)
        place.begin("table")
        table, form = classify_table.look(source.path, source.named)
        if source.column >= len(table.header):
            raise UsageError(tr("The table has changed."), tr("Choose the column with the texts again."))
        rule = Rule(asked.unsure)
        job = classify_many.Job(
            replace(table, column=source.column), place.result, asked.labels, rule, options=options, force=True
        )
        before = classify_many.done_before(job, engine.info.name)
        if not before:
            place.part.unlink(missing_ok=True)
            place.result.unlink(missing_ok=True)
        lines = classify_table.lines_of(place.part, table.delimiter, source.column) if before else ()
        work.put(Begun(lines[:before], form.total))
        for row in classify_many.run(engine, job):
            work.put(_line(row.text, row.result, row.note))
            if row.result is not None:
                work.put(row.result.finish)

    return body


def several_files(paths: Sequence[Path], asked: Asked, place: Place) -> Body:
    """Each file as a whole; what is wrong with one is said in its `Line`. Unchanged files are not asked about again."""

    def body(engine: EngineClient, work: TaskWork) -> None:
        from edgellm.documents.load import Loader
        from edgellm.tasks import batch

        options = _ready(engine, work)
        place.begin("files")
        root = common_folder(paths)
        manifest = _manifest(place, root, asked, engine.info.name)
        manifest.entries = {name: entry for name, entry in manifest.entries.items() if not entry.error}
        names = _places(root, paths, manifest)
        work.put(Begun((), len(paths)))
        with Loader() as loader:

            def made(item: batch.Item) -> batch.Made:
                from edgellm.documents.chunk import whole_text

                result = _classified(engine, whole_text(loader.load(item.path, work.cancelled)), asked, options)
                if result.finish.reason == "cancelled" or work.cancelled():
                    raise Stopped()
                work.put(result.finish)
                kept = {"label": result.label, "best": result.best, "note": note_of(result)}
                return batch.Made(json.dumps(kept, ensure_ascii=False), result.confidence)

            for entry, _now in batch.run(root, names, place.files, manifest, made):
                work.put(line_of_entry(place.files, entry))
                if work.cancelled():
                    return

    return body


def _places(root: Path, paths: Sequence[Path], manifest: Any) -> dict[str, str]:
    """Names below `root`, each with that of its result; what was done before keeps its place."""
    from edgellm.tasks import batch_places

    names = [path.relative_to(root).as_posix() for path in paths]
    known = {name: entry.output for name, entry in manifest.entries.items() if entry.output}
    places = batch_places.places(names, lambda name: (f"{name}.json",), known)
    return {name: places[name] for name in names}


def common_folder(paths: Sequence[Path]) -> Path:
    """The folder that holds all of them. Raises `UsageError` for files on different disks."""
    try:
        return Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:
        raise UsageError(
            tr("The files are on different disks."), tr("Classify the files of one disk at a time.")
        ) from None


def note_of(result: Classification) -> str:
    """What is to be seen beside the label, apart from that it is unsure, which the row itself shows."""
    notes = []
    if result.cut:
        notes.append(tr("Only the beginning was read."))
    if not result.exact:
        notes.append(tr("The model answered something else; the nearest label was taken."))
    return " ".join(notes)


def _line(text: str, result: Classification | None, note: str) -> Line:
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    if result is None:
        return Line(shown, note=note, failed=True)
    return Line(shown, result.label, result.confidence, result.best, note_of(result))


def _manifest(place: Place, root: Path, asked: Asked, model: str) -> Any:
    """The record of what was asked; one that asked for something else is removed."""
    from edgellm.tasks import batch

    labels = [[label.name, label.description] for label in asked.labels]
    head = {"task": "classify", "root": str(root), "labels": labels, "unsure": asked.unsure, "model": model}
    try:
        return batch.Manifest(place.files, head)
    except UsageError:
        shutil.rmtree(place.files, ignore_errors=True)
        return batch.Manifest(place.files, head)


def _ready(engine: EngineClient, work: TaskWork) -> Options:
    """How to ask. Raises `UsageError` where the model cannot classify."""
    from edgellm.tasks.options import Options

    if engine.info.kind not in ("decoder", "classify"):
        raise UsageError(
            tr("{name} cannot classify.").format(name=engine.info.name),
            tr("Choose another model at the top of the window."),
        )
    return Options(cancelled=work.cancelled)


def _classified(engine: EngineClient, text: str, asked: Asked, options: Options) -> Classification:
    from edgellm.tasks import classify

    return classify.classify(engine, text, asked.labels, options, classify.Rule(asked.unsure))


def _text_of(loader: Any, path: Path, work: TaskWork) -> str:
    from edgellm.documents.chunk import whole_text

    text = whole_text(loader.load(path, work.cancelled))
    if not text.strip():
        raise DocumentEmpty(path.name, "it holds no text")
    return text


def shown(result: Classification) -> dict[str, Any] | None:
    """What the page shows, and keeps, of one text's result; None where there is none."""
    label = result.label or (tr("unsure ({label}?)").format(label=result.best) if result.best else "")
    notes = [note_of(result)]
    if not label:
        return None
    if not result.scores:
        notes.append(tr("This model does not say how sure it is."))
    if result.measure == "agreement":
        notes.append(tr("Shown is how many of its answers agree."))
    scores = [[name, share] for name, share in result.scores] or [[label, None]]
    return {"label": label, "scores": scores, "note": " ".join(filter(None, notes))}
