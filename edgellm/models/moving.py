"""Moving a model to another models folder: by a rename, or by a checked copy when that is on another disk.

At every moment one of the two folders has the model whole. A copy is prepared out of sight in the new folder, then
published, and only then is the old one removed. A note in the `journal`, a folder of the program's own, lets the next
start finish or undo that: it does not lie beside the models, whose disk may come from a stranger.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgellm import files
from edgellm.errors import ModelDamaged, ModelError
from edgellm.models import disk, hashing
from edgellm.models.hashing import Work
from edgellm.models.installed import Installed
from edgellm.models.staging import Staging, guarded, locked, retire, still_prepared, taken

JOURNAL = ".moves"
_LARGEST = 4 << 20


@dataclass(frozen=True, slots=True)
class _Step:
    """One file or folder: where it was, where its copy is prepared, and where that goes."""

    item: Path
    copy: Path
    goal: Path


def move(model: Installed, folder: Path, journal: Path, work: Work) -> None:
    """Move `model` to the models folder `folder`. Raises `ModelError`, `ModelDamaged`, `StorageError`, `Stopped`."""
    pairs = [(item, folder / item.relative_to(model.folder)) for item in model.items]
    with disk.told(folder, f"{model.name} could not be moved"):
        if len(pairs) == 1 and _renamed(*pairs[0], folder):
            work.add(model.size)
            disk.prune(pairs[0][0].parent, model.folder)
            return
        disk.check_room(folder, model.size, model.name)
        with Staging(folder) as staging:
            steps = [_Step(item, staging.folder / goal.relative_to(folder), goal) for item, goal in pairs]
            for step in steps:
                step.copy.parent.mkdir(parents=True, exist_ok=True)
                _bring(model, step, work)
            note = journal / f"{staging.folder.name}.json"
            with guarded(folder):
                for step in steps:
                    _refuse_taken(step.goal, folder)
                with locked(journal):
                    _write(note, model.folder, staging.folder, steps)
                for step in steps:
                    step.goal.parent.mkdir(parents=True, exist_ok=True)
                    os.rename(step.copy, step.goal)
                    disk.settle(step.goal.parent)
            for step in steps:
                retire(step.item, model.folder)
            note.unlink(missing_ok=True)


def recover(journal: Path) -> None:
    """Finish or undo the moves that were cut off; those with a folder that is not there now are left for later.

    To be called before `staging.recover`. Raises `StorageError`.
    """
    if not os.path.isdir(journal):
        return
    with disk.told(journal, "A move that was cut off could not be finished"):
        with locked(journal):
            for half_written in journal.glob(".*.json.*"):
                half_written.unlink()
        for note in sorted(journal.glob("[!.]*.json")):
            found = _read(note)
            if found is None:
                note.unlink(missing_ok=True)
                continue
            source, staged, steps = found
            if os.path.isdir(source) and os.path.isdir(staged.parent) and not still_prepared(staged):
                _settle(source, steps)
                note.unlink(missing_ok=True)


def _settle(source: Path, steps: list[_Step]) -> None:
    """What was published whole replaces the old one; else what was published goes, and the old one stays."""
    published = [step for step in steps if not os.path.lexists(step.copy) and os.path.lexists(step.goal)]
    for step in published:
        gone = not os.path.lexists(step.item)
        if len(published) == len(steps) and (gone or _tree(step.item) == _tree(step.goal)):
            retire(step.item, source)
        elif not gone and _tree(step.item) == _tree(step.goal):
            disk.erase(step.goal)


def _tree(item: Path) -> set[tuple[str, int]]:
    """Names and sizes of what is below."""
    if os.path.isfile(item):
        return {("", item.stat().st_size)}
    return {
        (path.relative_to(item).as_posix(), path.lstat().st_size) for path in item.rglob("*") if os.path.isfile(path)
    }


def _write(note: Path, source: Path, staged: Path, steps: list[_Step]) -> None:
    lines = [[str(path) for path in (step.item, step.copy, step.goal)] for step in steps]
    files.write(note, json.dumps({"source": str(source), "staged": str(staged), "steps": lines}))


def _read(note: Path) -> tuple[Path, Path, list[_Step]] | None:
    try:
        document = json.loads(disk.read_small(note, _LARGEST))
        steps = [_Step(*map(Path, step)) for step in document["steps"]]
        return Path(document["source"]), Path(document["staged"]), steps
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _refuse_taken(goal: Path, folder: Path) -> None:
    name = goal.relative_to(folder).as_posix()
    if taken(folder, name.removesuffix(".gguf")):
        raise ModelError(f"There already is a {name} in {folder}.", "Remove one of the two first.")


def _renamed(item: Path, goal: Path, folder: Path) -> bool:
    """Move by a rename; False where that cannot be: it is another disk, or a link, which would lead elsewhere."""
    with guarded(folder):
        _refuse_taken(goal, folder)
        if os.path.islink(item) or not disk.same_disk(item.parent, folder):
            return False
        goal.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(item, goal)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return False
        disk.settle(goal.parent)
        return True


def _bring(model: Installed, step: _Step, work: Work) -> None:
    """Copy a file or a folder, compared on the way with the hashes that are known."""
    if os.path.isfile(step.item):
        _bring_file(model, step.item, step.copy, work)
        return
    for source, target in _walk(step.item, step.copy):
        if os.path.islink(source):
            os.symlink(os.readlink(source), target)
        else:
            _bring_file(model, source, target, work)


def _walk(item: Path, copy: Path) -> Iterator[tuple[Path, Path]]:
    """Every file below `item` and its place below `copy`, whose folders are made."""
    for here, folders, names in os.walk(item):
        place = copy / Path(here).relative_to(item)
        place.mkdir()
        links = [name for name in folders if os.path.islink(Path(here, name))]
        yield from ((Path(here, name), place / name) for name in (*names, *links))
        disk.settle(place)


def _bring_file(model: Installed, source: Path, target: Path, work: Work) -> None:
    if len(model.items) > 1 and disk.same_disk(source.parent, target.parent) and disk.link(source, target):
        work.add(source.stat().st_size)
        return
    manifest = model.manifest
    found = hashing.copy(source, target, manifest.chunk_size if manifest else hashing.CHUNK, work)
    file = manifest.file(source.relative_to(model.home).as_posix()) if manifest else None
    if file is not None and file.sha256 != found.sha256:
        raise ModelDamaged(
            f"{model.name} was not moved: {file.path} has changed on its disk.",
            f"Run: edgellm models repair {model.name}",
        )
