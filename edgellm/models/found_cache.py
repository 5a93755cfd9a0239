"""The cache of the Hugging Face libraries: `models--owner--name/snapshots/<commit>/file`, links into blobs. Read only.

Each file of a snapshot is a link to `../../blobs/<hash>`, or a plain file where links are not allowed. A link to any
other place is not followed. The blob of a large file is named by its sha256.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from edgellm.models import disk
from edgellm.models.folder import SUFFIX, WEIGHTS
from edgellm.models.gguf import split_of
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile

_MOST, _DEEPEST = 5_000, 4
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def read(folder: Path) -> list[Installed]:
    """The models of the cache: "hf/owner/name" for a folder, "hf/owner/name/file" for a GGUF file."""
    found: list[Installed] = []
    with suppress(OSError):
        for repository in sorted(folder.iterdir())[:_MOST]:
            if repository.name.startswith("models--") and os.path.isdir(repository) and not os.path.islink(repository):
                found.extend(_repository(repository, folder))
    return found


def _repository(repository: Path, folder: Path) -> Iterator[Installed]:
    snapshot = _snapshot(repository)
    if snapshot is None:
        return
    name = repository.name.removeprefix("models--").replace("--", "/")
    files = dict(_files(snapshot, repository / "blobs"))
    weights = [path for path in files if path.suffix.lower() in WEIGHTS]
    if snapshot / "config.json" in files and weights:
        yield _installed(f"hf/{name}", snapshot, files, name, folder)
    for path in files:
        if path.suffix.lower() != SUFFIX or path.name.lower().startswith("mmproj"):
            continue
        split = split_of(path.name)
        if split is None:
            yield _installed(f"hf/{name}/{path.stem}", path, {path: files[path]}, name, folder)
        elif split.number == 1 and all(path.with_name(part) in files for part in split.names):
            parts = {path.with_name(part): files[path.with_name(part)] for part in split.names}
            yield _installed(f"hf/{name}/{split.stem}", path, parts, name, folder)


def _snapshot(repository: Path) -> Path | None:
    """The snapshot that `main` means, else the one that was made last."""
    with suppress(OSError, ValueError):
        commit = disk.read_small(repository / "refs" / "main", 100).decode().strip()
        if _COMMIT.fullmatch(commit) and os.path.isdir(repository / "snapshots" / commit):
            return repository / "snapshots" / commit
    with suppress(OSError):
        known = [one for one in (repository / "snapshots").iterdir() if os.path.isdir(one) and not os.path.islink(one)]
        return max(known, key=lambda one: one.stat().st_mtime, default=None)
    return None


def _files(snapshot: Path, blobs: Path) -> Iterator[tuple[Path, Path]]:
    """The files of a snapshot, and where their bytes lie."""
    real, seen = os.path.realpath(blobs), 0
    for here, folders, names in os.walk(snapshot):
        folders[:] = [one for one in folders if len(Path(here).relative_to(snapshot).parts) < _DEEPEST]
        for name in sorted(names):
            path = Path(here, name)
            target = Path(os.path.realpath(path))
            seen += 1
            inside = os.path.dirname(target) == real if os.path.islink(path) else True
            if inside and os.path.isfile(target):
                yield path, target
        if seen > _MOST:
            return


def _installed(name: str, path: Path, files: dict[Path, Path], repository: str, folder: Path) -> Installed:
    home = path if os.path.isdir(path) else path.parent
    listed, size = [], 0
    for file, blob in files.items():
        length = blob.stat().st_size
        size += length
        if _SHA256.fullmatch(blob.name):
            listed.append(ManifestFile(file.relative_to(home).as_posix(), length, blob.name))
    kinds = {one.suffix.lower() for one in files}
    manifest = Manifest(
        name=name,
        files=tuple(listed),
        repo=repository,
        revision=next((part for part in reversed(path.parts) if _COMMIT.fullmatch(part)), ""),
        format="onnx" if ".onnx" in kinds else "safetensors" if ".safetensors" in kinds else "gguf",
        source=f"huggingface.co/{repository}",
    )
    return Installed(
        name, path, size, folder=folder, manifest=manifest if listed else None, origin="hf-cache", items=tuple(files)
    )
