"""Comparing an installed model with the hashes that were recorded when it came. Nothing is changed here.

What `repair` can fetch again is named by file and byte range. A file that has changed since its hashes last held was
changed on this machine, by its disk or by a program: the network is not at fault.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from edgellm.errors import EdgeError, ModelDamaged
from edgellm.models import catalog, disk, hashing
from edgellm.models import manifest as manifests
from edgellm.models.folder import SUFFIX
from edgellm.models.gguf import read_header
from edgellm.models.hashing import Cancelled, Progress, Work
from edgellm.models.installed import Installed
from edgellm.models.manifest import FILE_NAME, Manifest, ManifestFile


@dataclass(frozen=True, slots=True)
class BadPart:
    """Bytes from `start` up to `stop` of the file `path` (below the model's folder) are wrong or missing."""

    path: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Verification:
    """What checking found. `sentence` says it to a person; `known` is False where there were no hashes to compare with.

    `missing` and `extra` are files that should be there and are not, and the other way round; extra files do no harm.
    """

    ok: bool
    sentence: str
    bad: tuple[BadPart, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    known: bool = True


def verify(model: Installed, progress: Progress | None = None, cancelled: Cancelled | None = None) -> Verification:
    """Read every file of `model` and compare. `progress(done, total)` counts bytes.

    Raises `Stopped` when cancelled, `StorageError` when a file cannot be read.
    """
    work = Work(progress, cancelled)
    if model.builtin:
        return _shipped(model, work)
    if model.manifest is None:
        return _header_only(model)
    bad: list[BadPart] = []
    missing: list[str] = []
    with disk.told(model.folder, f"{model.name} could not be read"):
        work.begin(sum(_size(model.home / file.path) for file in model.manifest.files))
        for file in model.manifest.files:
            path = model.home / file.path
            if not os.path.isfile(path) or (not model.foreign and disk.leads_away(path, model.home)):
                missing.append(file.path)
            else:
                bad.extend(_bad_parts(path, file, model.manifest.chunk_size, work))
    extra = () if model.foreign else tuple(_extra(model.home, model.manifest))
    if not bad and not missing:
        _note(model)
    return _verification(model, model.manifest, tuple(bad), tuple(missing), extra)


def _bad_parts(path: Path, file: ManifestFile, chunk_size: int, work: Work) -> Iterator[BadPart]:
    found = hashing.digest(path, chunk_size, work)
    if found.sha256 == file.sha256 and found.size == file.size:
        return
    if not file.chunks:
        yield BadPart(file.path, 0, max(file.size, found.size))
        return
    for number, known in enumerate(file.chunks):
        start, stop = number * chunk_size, min((number + 1) * chunk_size, file.size)
        whole = found.chunks[number] if number < len(found.chunks) else ""
        # the last part of a file that grew is longer than it was, and its first bytes may be right
        if whole != known and not (stop == file.size < found.size and hashing.digest_range(path, start, stop) == known):
            yield BadPart(file.path, start, stop)
    if found.size > file.size:
        yield BadPart(file.path, file.size, found.size)


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _extra(home: Path, manifest: Manifest) -> Iterator[str]:
    listed = {file.path for file in manifest.files} | {FILE_NAME}
    for here, _, names in os.walk(home):
        for name in sorted(names):
            path = Path(here, name).relative_to(home).as_posix()
            if path not in listed:
                yield path


def _note(model: Installed) -> None:
    """Remember that the hashes held today; where the folder is read-only it is not remembered."""
    if model.manifest is None or model.foreign:
        return
    with suppress(OSError):
        manifests.write(model.home, replace(model.manifest, checked=manifests.now()))


def _verification(
    model: Installed, manifest: Manifest, bad: tuple[BadPart, ...], missing: tuple[str, ...], extra: tuple[str, ...]
) -> Verification:
    rest = f" Files that do not belong to it: {', '.join(extra[:5])}." if extra else ""
    if not bad and not missing:
        return Verification(True, f"{model.name} is whole: every byte is as it came.{rest}", extra=extra)
    since = (
        f"it was changed on this disk since it was checked on {manifest.checked[:10]}"
        if manifest.checked
        else "it was never checked before, so the disk or the way it came may be at fault"
    )
    parts = f"{len(bad)} of its parts {'is' if len(bad) == 1 else 'are'} wrong" if bad else ""
    files = f"{', '.join(missing[:5])} {'is' if len(missing) == 1 else 'are'} missing" if missing else ""
    what = " and ".join(piece for piece in (parts, files) if piece)
    return Verification(False, f"{model.name} is damaged: {what}; {since}.{rest}", bad, missing, extra)


def _shipped(model: Installed, work: Work) -> Verification:
    """The built-in model, whose hash stands in the program's catalog."""
    with disk.told(model.folder, f"{model.name} could not be read"):
        work.begin(_size(model.path))
        found = hashing.digest(model.path, hashing.CHUNK, work)
    if found.sha256 == catalog.shipped_hash():
        return Verification(True, f"{model.name} is whole: every byte is as it came with the program.")
    sentence = f"{model.name} is damaged: it is not the file that came with the program. Install EdgeLLM again."
    return Verification(False, sentence, (BadPart(model.path.name, 0, found.size),))


def _header_only(model: Installed) -> Verification:
    """For a model without recorded hashes: as much as can be said."""
    if model.problem:
        return Verification(False, model.problem, known=False)
    never = f"{model.name} was never checked: nothing is recorded of how it should be"
    if os.path.isdir(model.path):
        return Verification(True, f"{never}.", known=False)
    try:
        read_header(model.path)
    except ModelDamaged as error:
        return Verification(False, f"{error.message} It was never checked before.", known=False)
    except EdgeError as error:
        return Verification(True, f"{never}. {error.message}", known=False)
    ends = " Its header is sound." if model.path.name.lower().endswith(SUFFIX) else ""
    return Verification(True, f"{never}.{ends}", known=False)
