"""Making a damaged model whole again by fetching only what is wrong: bad parts where part hashes are known, else files.

The caller says where a file can be had; fetching is `transfer.py`'s. Each part is written once its hash is right.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from edgellm.errors import ModelDamaged, ModelError, UsageError
from edgellm.models import disk
from edgellm.models.check import BadPart, Verification, verify
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.models.rate import Control
from edgellm.models.staging import Staging
from edgellm.models.transfer import Connect, Tuning, Wanted, fetch, fetch_ranges

Addresses = Callable[[Manifest, ManifestFile], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was wrong `before`, how it is `now`, and the bytes that were fetched for it."""

    before: Verification
    now: Verification
    received: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """Where files can be had: the addresses of a file of a model, and how to connect."""

    addresses: Addresses
    connect: Connect
    tuning: Tuning | None = None


def repair(model: Installed, source: Source, control: Control) -> Repaired:
    """Check `model`, fetch what is wrong, and check again. `control.checking` counts the bytes that are checked.

    Raises `UsageError` for a model that has no hashes or is not ours, `ModelError` when it is not known where a file
    comes from, what `transfer.fetch` raises, `StorageError`, `Stopped`. What was repaired so far stays repaired.
    """
    manifest = model.manifest
    if model.foreign:
        raise UsageError(f"{model.name} belongs to {model.foreign} and is not repaired here.", "Do that there.")
    if manifest is None:
        raise UsageError(
            model.problem or f"{model.name} has no recorded hashes, so there is nothing to compare it with.",
            "Remove it and get it again: edgellm models pull",
        )
    before = verify(model, control.checking, control.cancelled)
    received = 0
    with disk.told(model.folder, f"{model.name} could not be repaired"):
        for path, parts in groupby(before.bad, lambda part: part.path):
            received += _parts(model, _file(manifest, path), tuple(parts), source, control)
        for path in before.missing:
            received += _whole(model, _file(manifest, path), source, control)
    now = verify(model, control.checking, control.cancelled) if not before.ok else before
    if not now.ok:
        raise ModelDamaged(f"{model.name} was fetched again and is damaged still.", "The disk may be failing.")
    return Repaired(before, now, received)


def _file(manifest: Manifest, path: str) -> ManifestFile:
    file = manifest.file(path)
    assert file is not None, "what was checked is in the manifest"
    return file


def _wanted(model: Installed, file: ManifestFile, source: Source) -> Wanted:
    assert model.manifest is not None
    addresses = source.addresses(model.manifest, file)
    if not addresses:
        raise ModelError(
            f"It is not known where {file.path} of {model.name} came from.",
            "Import it again from where you have it, or remove it and pull it.",
        )
    return Wanted(addresses, file.size, file.sha256, chunks=file.chunks)


def _parts(model: Installed, file: ManifestFile, parts: tuple[BadPart, ...], source: Source, control: Control) -> int:
    """Fetch the bad parts of a file into it; returns the bytes received."""
    chunk = model.manifest.chunk_size if model.manifest else 0
    tuning = source.tuning or Tuning()
    if not file.chunks or chunk != tuning.chunk:
        return _whole(model, file, source, control)
    path = model.home / file.path
    numbers = sorted({part.start // chunk for part in parts if part.start < file.size})
    received = 0
    if numbers:
        received = fetch_ranges(_wanted(model, file, source), path, numbers, source.connect, control, tuning)
    if path.stat().st_size > file.size:
        os.truncate(path, file.size)
    return received


def _whole(model: Installed, file: ManifestFile, source: Source, control: Control) -> int:
    """Fetch a file again and put it in its place; returns the bytes received."""
    wanted = _wanted(model, file, source)
    with Staging(model.folder) as staging:
        fetched = fetch(wanted, staging.folder / "file.part", source.connect, control, source.tuning)
        target: Path = model.home / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(fetched.path, target)
        disk.settle(target.parent)
    return fetched.received
