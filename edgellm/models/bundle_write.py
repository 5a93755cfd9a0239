"""Writing a bundle: installed models into one signed file, whole or not at all.

What is read is checked against the hashes that were signed before it; the form itself is left to `bundle`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from edgellm import __version__
from edgellm.errors import ModelDamaged, StorageError, UsageError
from edgellm.models import bundle, disk, hashing
from edgellm.models.bundle import Contents
from edgellm.models.catalog import ModelCard
from edgellm.models.folder import SUFFIX
from edgellm.models.hashing import Work
from edgellm.models.installed import Installed
from edgellm.models.manifest import CHUNK, FILE_NAME, Manifest, ManifestFile
from edgellm.models.names import check_distinct, check_relative, is_code, plain_name
from edgellm.models.rate import Control
from edgellm.models.signing import OwnKey
from edgellm.models.store import now

_PIECE = 1 << 20
_FAT_LIMIT = (4 << 30) - 1
_FAT = ("vfat", "msdos", "fat", "fat16", "fat32")
_WEIGHTS = {".onnx": "onnx", ".safetensors": "safetensors"}


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle that was written: its file and size in bytes, what is in it, and the fingerprint of who signed it."""

    path: Path
    size: int
    contents: Contents
    fingerprint: str


def write(
    models: Sequence[Installed],
    cards: Sequence[ModelCard],
    out: Path,
    key: OwnKey,
    control: Control,
    replacing: bool = False,
) -> Written:
    """Write `models` and their catalog cards to `out`, signed with `key`. `control` counts bytes of the files.

    Raises `UsageError` for a name or model that cannot be bundled, `ModelDamaged` when a model is not what its
    manifest says, `StorageError`, and `Stopped`. Nothing is left behind then.
    """
    _check_out(out, replacing)
    for model in models:
        _check_model(model)
    unknown = [model for model in models if not _is_known(model)]
    sources = [_sources(model) for model in models]
    work = Work(control.progress, control.cancelled)
    work.begin(sum(model.size for model in models) + sum(model.size for model in unknown))
    drafts = [_draft(model, files, work) for model, files in zip(models, sources, strict=True)]
    if len({draft.name for draft in drafts}) < len(drafts):
        raise UsageError("The same model is named twice.", "Name each model once.")
    contents = Contents(tuple(drafts), tuple(cards), __version__, now())
    listing = bundle.encode(contents)
    if len(listing) > bundle.LARGEST_LISTING or len(drafts) > bundle.MOST_MODELS:
        raise UsageError("This is too much for one bundle.", "Bundle fewer models at a time.")
    size = _size(contents, listing)
    _check_room(out, size)
    places = {draft.name: files for draft, files in zip(drafts, sources, strict=True)}
    with _finished(out, size) as file:
        _stream(
            file, contents, listing, key, lambda model, one: _pieces(places[model.name][one.path], model, one, work)
        )
    return Written(out, size, contents, key.fingerprint)


def _check_out(out: Path, replacing: bool) -> None:
    if os.path.isdir(out) or not out.name:
        raise UsageError(f"{out} is a folder.", f"Name the file to write, such as models{bundle.SUFFIX}.")
    if os.path.lexists(out) and not (replacing and os.path.isfile(out)):
        raise UsageError(f"There already is a file {out.name}.", "Choose another name, or replace it with --force.")
    if not os.path.isdir(out.absolute().parent):
        raise UsageError(f"There is no folder {out.parent}.", "Make it, or write somewhere else.")


def _check_model(model: Installed) -> None:
    if model.builtin:
        raise UsageError(f"{model.name} comes with the program and need not be carried.", "Leave it out.")
    if model.problem:
        raise ModelDamaged(model.problem)
    if not model.path.exists() or model.path.name.endswith(".json"):
        raise UsageError(f"{model.name} is no model that can be bundled.", "To see what is installed: edgellm models")


def _is_known(model: Installed) -> bool:
    """Whether all its hashes are known, so that the files need not be read twice."""
    return model.manifest is not None and all(file.chunks or not file.size for file in model.manifest.files)


def _draft(model: Installed, sources: Mapping[str, Path], work: Work) -> Manifest:
    """The manifest that goes into the bundle, with all hashes."""
    name = plain_name(model.name)
    if model.manifest is not None and _is_known(model):
        return _public(model.manifest, name)
    check_distinct(sources)
    found = tuple(_hashed(model, path, source, work) for path, source in sources.items())
    if model.manifest is not None:
        title = model.manifest.title or Path(model.name).name
        return replace(_public(model.manifest, name), files=found, title=title, chunk_size=CHUNK)
    suffixes = {Path(path).suffix.lower() for path in sources}
    form = next((kind for suffix, kind in _WEIGHTS.items() if suffix in suffixes), "gguf")
    return Manifest(name=name, files=found, title=Path(model.name).name, format=form)


def _public(manifest: Manifest, name: str) -> Manifest:
    """A manifest without what concerns this computer alone."""
    return replace(manifest, name=name, source="", added="", checked="")


def _sources(model: Installed) -> dict[str, Path]:
    """The files of a model by their names in the bundle.

    Of another program's model a manifest does not name every file, and Ollama's files have no name but their hash.
    What is code, hidden, or a link in a folder that a person put there is left out, as at an import.
    """
    if model.manifest is not None and not model.foreign:
        found = {file.path: model.home / file.path for file in model.manifest.files}
        if code := next(filter(is_code, found), None):
            raise UsageError(f"{model.name} holds {code}, which may run code and is not carried.", "Leave it out.")
        return found
    found = {}
    for item in model.items or (model.path,):
        inside = _inside(item) if item.is_dir() else [item]
        for path in inside:
            name = path.relative_to(model.home).as_posix()
            if model.manifest is not None and model.manifest.format == "gguf" and path.suffix.lower() != SUFFIX:
                name = f"{plain_name(model.name)}{SUFFIX}"
            if path.name != FILE_NAME and not is_code(name) and not name.startswith("."):
                found[str(check_relative(name))] = path
    return found


def _inside(folder: Path) -> list[Path]:
    """The files of a folder, without hidden ones and links: those may lead to anything."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not disk.leads_away(path, folder))
    return sorted(path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _hashed(model: Installed, path: str, source: Path, work: Work) -> ManifestFile:
    with disk.told(source.parent, f"{model.name} could not be read"):
        found = hashing.digest(source, CHUNK, work)
    known = model.manifest.file(source.relative_to(model.home).as_posix()) if model.manifest else None
    if known is not None and (known.size, known.sha256) != (found.size, found.sha256):
        raise _changed(model.name, path)
    return ManifestFile(path, found.size, found.sha256, found.chunks)


def _changed(name: str, path: str) -> ModelDamaged:
    return ModelDamaged(
        f"{name} is damaged: {path} is not what it was when it was installed, so no bundle was written.",
        f"Run: edgellm models verify {name}",
    )


def _size(contents: Contents, listing: bytes) -> int:
    size = bundle.member_size(bundle.LISTING, len(listing))
    size += bundle.member_size(bundle.SIGNATURE, bundle.SIGNATURE_SIZE)
    size += sum(bundle.member_size(name, file.size) for _, file, name in contents.members())
    return size + len(bundle.end(size))


def _check_room(out: Path, size: int) -> None:
    folder = out.absolute().parent
    with disk.told(folder, "The bundle could not be written"):
        free = disk.room(folder)
    if size > _FAT_LIMIT and file_system(folder).lower() in _FAT:
        raise _too_large_for_fat(size)
    if size > free:
        raise StorageError(
            f"The bundle needs {disk.amount(size)}, and {folder} has {disk.amount(free)} free.",
            "Make room, choose another disk, or bundle fewer models.",
        )


def _too_large_for_fat(size: int) -> StorageError:
    return StorageError(
        f"The bundle has {disk.amount(size)}, and this disk's file system (FAT) holds no file above 4.3 GB.",
        "Bundle fewer models at a time, or format the stick as exFAT.",
    )


def file_system(folder: Path) -> str:
    """The kind of file system that `folder` lies on, as the system calls it; empty where it does not tell."""
    import psutil

    place = os.path.realpath(folder)
    best, kind = "", ""
    try:
        for part in psutil.disk_partitions(all=True):
            inside = place == part.mountpoint or place.startswith(part.mountpoint.rstrip(os.sep) + os.sep)
            if inside and len(part.mountpoint) >= len(best):
                best, kind = part.mountpoint, part.fstype
    except (OSError, RuntimeError):
        return ""
    return kind


@contextmanager
def _finished(out: Path, size: int) -> Iterator[BinaryIO]:
    """A file of `size` bytes that is written aside, and has its name once everything is on the disk."""
    folder = out.absolute().parent
    aside = folder / f"{out.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        with aside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, out)
        disk.settle(folder)
    except OSError as error:
        if error.errno == errno.EFBIG and size > _FAT_LIMIT:
            raise _too_large_for_fat(size) from error
        raise disk.failure(folder, "The bundle could not be written", error) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _stream(
    file: BinaryIO,
    contents: Contents,
    listing: bytes,
    key: OwnKey,
    pieces: Callable[[Manifest, ManifestFile], Iterator[bytes]],
) -> None:
    signature = bundle.sign(listing, key).encode()
    for name, data in ((bundle.LISTING, listing), (bundle.SIGNATURE, signature)):
        file.write(bundle.header(name, len(data)) + data + bytes(bundle.padding(len(data))))
    for model, one, name in contents.members():
        file.write(bundle.header(name, one.size))
        for piece in pieces(model, one):
            file.write(piece)
        file.write(bytes(bundle.padding(one.size)))
    file.write(bundle.end(file.tell()))


def _pieces(source: Path, model: Manifest, file: ManifestFile, work: Work) -> Iterator[bytes]:
    """The content of a file, which must be what was signed."""
    whole, left = hashlib.sha256(), file.size
    with disk.told(source.parent, f"{model.name} could not be read"), source.open("rb") as opened:
        while piece := opened.read(min(_PIECE, left + 1)):
            left -= len(piece)
            if left < 0:
                break
            whole.update(piece)
            work.add(len(piece))
            yield piece
    if left or whole.hexdigest() != file.sha256:
        raise _changed(model.name, file.path)
