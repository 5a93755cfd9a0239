"""Taking in a model that is already on this computer: a GGUF file, a set of them, or a folder of an ONNX model.

Every file is read through once: its header is checked, its hashes are recorded. It is then linked, which takes no
second space, or copied. The original is never changed. What is code or pickle, or leads elsewhere, is left out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from edgellm.errors import ModelDamaged, ModelNotFound, ModelUnsupported, StorageError, UsageError
from edgellm.models import disk, hashing
from edgellm.models.details import weights
from edgellm.models.folder import SUFFIX, WEIGHTS
from edgellm.models.gguf import read_header, split_of
from edgellm.models.hashing import Cancelled, Digest, Progress, Work
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile, now
from edgellm.models.names import MANIFEST, check_distinct, check_name, check_relative, is_code, plain_name
from edgellm.models.staging import Staging, taken
from edgellm.models.store import ModelStore

How = Literal["auto", "link", "copy"]
_MOST = 2_000
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Imported:
    """The model that was taken in. `left_out` are files of a folder that were not; `linked` that it takes no space."""

    model: Installed
    linked: bool
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """What is to be taken in: names inside the model -> files, and what is known of the model."""

    files: dict[str, Path]
    facts: Manifest
    left_out: tuple[str, ...] = ()


def import_model(
    store: ModelStore,
    path: Path,
    name: str = "",
    how: How = "auto",
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Imported:
    """Take in the model at `path` as `name`, or under a name made of its own. `progress(done, total)` counts bytes.

    "auto" links where the file system can and copies where not; "link" raises `StorageError` there. The same content
    under the same name is only returned. Raises `ModelNotFound`, `ModelDamaged`, `ModelUnsupported`, `ModelError` for
    a name that is taken, `UntrustedName`, `UsageError`, `StorageError`, or `Stopped` when it was cancelled.
    """
    if name:
        check_name(name)
    top, source = store.ready(), Path(os.path.abspath(path.expanduser()))
    if any(folder == source or folder in source.parents for folder in store.folders):
        raise UsageError(f"{source.name} is in a folder for models already.", "It can be used as it is.")
    with disk.told(source.parent, f"{source.name} could not be imported"), Staging(top) as staging:
        found = _look(source)
        work = Work(progress, cancelled)
        work.begin(sum(file.stat().st_size for file in found.files.values()))
        listed, links = [], 0
        for inside, file in found.files.items():
            digest, link = _take(file, staging.folder / inside, how, work)
            links += link
            listed.append(ManifestFile(inside, digest.size, digest.sha256, digest.chunks))
        draft = replace(found.facts, files=tuple(listed), name=name or plain_name(found.facts.name))
        draft = replace(draft, source=f"imported from {source}", added=now(), checked=now())
        return Imported(_publish(store, staging, draft, fixed=bool(name)), links == len(listed), found.left_out)


def _publish(store: ModelStore, staging: Staging, draft: Manifest, fixed: bool) -> Installed:
    """Install under the name, or unless it is `fixed` under the next that is free; the same model is not doubled."""
    number, name = 1, draft.name
    while (there := store.same(draft)) is None and not fixed and taken(staging.top, draft.name):
        number += 1
        draft = replace(draft, name=f"{name[:90]}-{number}")
    return there or store.publish(staging, draft)


def _take(source: Path, target: Path, how: How, work: Work) -> tuple[Digest, bool]:
    """Bring a file in and read it through; its hashes, and whether it is linked."""
    target.parent.mkdir(parents=True, exist_ok=True)
    before = source.stat()
    linked = how != "copy" and disk.link(source, target)
    if not linked and how == "link":
        raise StorageError(
            f"{source.name} cannot be linked: it is on another disk, or its disk knows no links.",
            "Import a copy of it.",
        )
    if linked:
        digest = hashing.digest(target, hashing.CHUNK, work)
    else:
        disk.check_room(target.parent, before.st_size, source.name)
        digest = hashing.copy(source, target, hashing.CHUNK, work)
    after = source.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or digest.size != after.st_size:
        raise ModelDamaged(f"{source.name} was changed while it was read.", "Try again when nothing writes to it.")
    return digest, linked


def _look(source: Path) -> _Found:
    if os.path.isdir(source):
        return _folder(source)
    if not os.path.exists(source):
        raise ModelNotFound(f"There is no file {source}.", "Check the path.")
    if not stat.S_ISREG(source.stat().st_mode):
        raise ModelUnsupported(f"{source.name} is not a file.", "Choose a .gguf file, or the folder of a model.")
    if source.suffix.lower() in WEIGHTS:
        raise ModelUnsupported(f"{source.name} is one file of a model.", f"Import its folder: {source.parent}")
    return _gguf(source)


def _gguf(source: Path) -> _Found:
    """One GGUF file, or the whole set that it is a part of. Raises what the header reader raises."""
    split = split_of(source.name)
    names = split.names if split else (source.name,)
    missing = [name for name in names if not os.path.isfile(source.parent / name)]
    if missing:
        raise ModelDamaged(f"{source.name} is one of {len(names)} files; {missing[0]} is missing.", "Put it beside.")
    header = read_header(source.parent / names[0])
    stem = split.stem if split else source.stem if source.suffix.lower() == SUFFIX else source.name
    name = plain_name(stem)
    files = {
        f"{name}{f'-{number:05}-of-{len(names):05}' if split else ''}{SUFFIX}": source.parent / part
        for number, part in enumerate(names, 1)
    }
    license_ = header.metadata.get("general.license")
    facts = Manifest(
        name=name,
        files=(),
        title=header.name if header.name != source.stem else stem,
        license=license_ if isinstance(license_, str) else "",
        architecture=header.architecture,
        quantization=header.quantization,
        parameters=weights(header.parameters),
        context=header.context_length,
    )
    return _Found(files, facts)


def _folder(source: Path) -> _Found:
    """The folder of an ONNX or safetensors model, or of one GGUF model."""
    files, left_out = dict[str, Path](), []
    for inside, path in _walk(source):
        if os.path.islink(path) or not os.path.isfile(path) or is_code(path.name):
            left_out.append(inside)
        else:
            files[str(check_relative(inside))] = path
        if len(files) > _MOST:
            raise ModelUnsupported(f"{source.name} holds more than {_MOST} files.", "Choose the folder of one model.")
    check_distinct(files)
    kinds = {path.suffix.lower() for path in files.values()}
    weights_ = [path for inside, path in files.items() if inside.lower().endswith(SUFFIX)]
    if not kinds & set(WEIGHTS) and weights_:
        firsts = [path for path in weights_ if (split := split_of(path.name)) is None or split.number == 1]
        if len(firsts) == 1:
            return _gguf(firsts[0])
        raise UsageError(f"{source.name} holds {len(firsts)} models.", f"Import one of them, such as {firsts[0].name}.")
    if not kinds & set(WEIGHTS) or "config.json" not in files:
        raise ModelUnsupported(
            f"{source.name} is not the folder of a model.", "It must hold config.json and .onnx or .safetensors files."
        )
    form = "onnx" if ".onnx" in kinds else "safetensors"
    return _Found(files, Manifest(name=source.name, files=(), title=source.name, format=form), tuple(left_out))


def _walk(source: Path) -> Iterator[tuple[str, Path]]:
    for here, folders, names in os.walk(source):
        depth = len(Path(here).relative_to(source).parts)
        folders[:] = sorted(one for one in folders if not one.startswith(".") and depth < _DEEPEST)
        for name in sorted(names):
            path = Path(here, name)
            if not name.startswith(".") and name != MANIFEST:
                yield path.relative_to(source).as_posix(), path
