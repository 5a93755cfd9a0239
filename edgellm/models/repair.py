"""Making a damaged model whole again by fetching only what is wrong: bad parts where part hashes are known, else files.

The caller says where a file can be had; fetching is left to `transfer` and `ranges`. A part is written only once its
hash is right. A file is mended where it lies when only bytes of it are wrong; one that is too short or too long, or
that has a second name elsewhere, is mended as a copy that then takes its place. So whatever ends a repair, the model is
as it was or better, and a file that a quick look finds wrong is not made to look right before it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from edgellm.errors import ModelDamaged, ModelError, Stopped, StorageError, UsageError
from edgellm.models import disk, sharing
from edgellm.models import folder as folders
from edgellm.models.catalog_schema import is_repo
from edgellm.models.check import BadPart, Verification, verify
from edgellm.models.download_records import FOLDER, Records
from edgellm.models.hub import address
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.models.ranges import fetch_ranges
from edgellm.models.rate import Control
from edgellm.models.reference import is_link
from edgellm.models.retry import Tuning
from edgellm.models.source import Connect
from edgellm.models.staging import Staging
from edgellm.models.transfer import Wanted, fetch

_BLOCK = 1 << 20
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


def addresses_of(manifest: Manifest, file: ManifestFile, endpoints: Sequence[str]) -> tuple[str, ...]:
    """Where a file of an installed model can be had again: the hub and its mirrors, or the link it came from.

    A manifest may be a stranger's: what is no repository or no address that a person could pull from is not used.
    """
    if is_repo(manifest.repo):
        return tuple(address(endpoint, manifest.repo, manifest.revision, file.path) for endpoint in endpoints)
    return (manifest.source,) if len(manifest.files) == 1 and is_link(manifest.source) else ()


def repair(model: Installed, source: Source, control: Control) -> Repaired:
    """Check `model`, fetch what is wrong, and check again. `control.checking` counts the bytes that are checked.

    Raises `UsageError` for a model that has no hashes or is not ours, `ModelError` when it is not known where a file
    comes from, what `transfer.fetch` raises, `StorageError`, `Stopped`. What was repaired so far stays repaired.
    """
    if model.foreign:
        raise UsageError(f"{model.name} belongs to {model.foreign} and is not repaired here.", "Do that there.")
    if model.builtin:
        raise UsageError("The built-in model is part of EdgeLLM.", "If it is damaged, install EdgeLLM again.")
    if model.manifest is None:
        raise UsageError(
            model.problem or f"{model.name} has no recorded hashes, so there is nothing to compare it with.",
            "Remove it and get it again: edgellm models pull",
        )
    claim = Records(model.folder / FOLDER).claim(model.home.name)
    if claim is None:
        raise StorageError(f"Another EdgeLLM is at work on {model.name}.", "Wait until it is done.")
    try:
        return _Repair(model, model.manifest, source, control).run()
    finally:
        claim.release()


class _Repair:
    """One repair."""

    def __init__(self, model: Installed, manifest: Manifest, source: Source, control: Control) -> None:
        self._model = model
        self._manifest = manifest
        self._source = source
        self._control = control
        self._tuning = replace(source.tuning or Tuning(), chunk=manifest.chunk_size)

    def run(self) -> Repaired:
        """Check, fetch, check."""
        before = self._verify()
        if before.ok:
            return Repaired(before, before)
        name, received = self._model.name, 0
        wanted = {path: self._wanted(path) for path in dict.fromkeys([*(p.path for p in before.bad), *before.missing])}
        with disk.told(self._model.folder, f"{name} could not be repaired"):
            for path, parts in groupby(before.bad, lambda part: part.path):
                received += self._mend(path, wanted[path], tuple(parts))
            for path in before.missing:
                received += self._fetch(path, wanted[path])
            sharing.share(self._model.home, self._manifest, self._others())
        now = self._verify()
        if not now.ok:
            raise ModelDamaged(f"{name} was fetched again and is damaged still.", "The disk may be failing.")
        return Repaired(before, now, received)

    def _verify(self) -> Verification:
        return verify(self._model, self._control.checking, self._control.cancelled)

    def _wanted(self, path: str) -> Wanted:
        file = self._manifest.file(path)
        addresses = self._source.addresses(self._manifest, file) if file else ()
        if file is None or not addresses:
            raise ModelError(
                f"It is not known where {path} of {self._model.name} came from.",
                "Import it again from where you have it, or remove it and pull it.",
            )
        return Wanted(addresses, file.size, file.sha256, chunks=file.chunks)

    def _mend(self, path: str, wanted: Wanted, parts: tuple[BadPart, ...]) -> int:
        """Fetch the bad parts of a file; returns the bytes received."""
        place, size = self._model.home / path, wanted.size or 0
        if not wanted.chunks:
            return self._fetch(path, wanted)
        chunks = sorted({part.start // self._tuning.chunk for part in parts if part.start < size})
        info = place.stat()
        if info.st_nlink == 1 and info.st_size == size:
            return self._ranges(wanted, place, chunks)
        with Staging(self._model.folder) as staging:
            copy = staging.folder / "copy"
            self._copy(place, copy, size, frozenset(chunks))
            received = self._ranges(wanted, copy, chunks)
            self._put(copy, place)
        return received

    def _ranges(self, wanted: Wanted, place: Path, chunks: list[int]) -> int:
        return fetch_ranges(wanted, place, chunks, self._source.connect, self._control, self._tuning)

    def _copy(self, place: Path, copy: Path, size: int, bad: frozenset[int]) -> None:
        """Copy what is right of a file. What is wrong is left out: a failing disk may not even let it be read."""
        chunk = self._tuning.chunk
        with place.open("rb") as read, copy.open("xb") as write:
            for number in range(-(-size // chunk)):
                if number not in bad:
                    for start in range(number * chunk, min((number + 1) * chunk, size), _BLOCK):
                        stop = min(start + _BLOCK, (number + 1) * chunk, size)
                        read.seek(start)
                        write.seek(start)
                        write.write(read.read(stop - start))
                if self._control.cancelled():
                    raise Stopped()
            write.truncate(size)
            write.flush()
            os.fsync(write.fileno())

    def _fetch(self, path: str, wanted: Wanted) -> int:
        """Fetch a whole file and put it in its place; returns the bytes received."""
        with Staging(self._model.folder) as staging:
            part = staging.folder / "file.part"
            fetched = fetch(wanted, part, self._source.connect, self._control, self._tuning)
            self._put(fetched.path, self._model.home / path)
        return fetched.received

    def _put(self, new: Path, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(new, place)
        disk.settle(place.parent)

    def _others(self) -> Iterator[Installed]:
        """The models that may have the same files, damaged in the same way."""
        return (one for one in folders.scan(self._model.folder) if one.home != self._model.home)
