"""What lies in one models folder: models with a manifest, and model files that a person put there. Only reads.

Links inside a model's folder are not followed: what a manifest lists must lie where it says. Hidden folders are ours
(`.incoming`, `.bin`, `.downloads`) and are passed over.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from edgellm.errors import EdgeError
from edgellm.models import disk
from edgellm.models.gguf import split_of
from edgellm.models.installed import Installed
from edgellm.models.manifest import FILE_NAME, Manifest, read

SUFFIX = ".gguf"
_DEEPEST = 4
_MOST = 20_000
WEIGHTS = (".onnx", ".safetensors")


def scan(folder: Path, manifests: bool = True) -> list[Installed]:
    """The models in `folder` by name. What cannot be read is left out; a folder that is not there holds none.

    Unless `manifests`, those mean nothing.
    """
    found: list[Installed] = []
    seen = 0
    for here, folders, names in os.walk(folder):
        place = Path(here)
        depth = len(place.relative_to(folder).parts)
        seen += len(names) + len(folders)
        name = place.relative_to(folder).as_posix()
        if seen > _MOST:
            break
        if depth and manifests and FILE_NAME in (*names, *folders):
            found.append(_with_manifest(name, place, folder))
            folders[:] = []
        elif depth and (model := _loose_folder(name, place, folder, names)):
            found.append(model)
            folders[:] = []
        else:
            found.extend(_loose_files(place, folder, names))
            folders[:] = sorted(one for one in folders if not one.startswith(".") and depth < _DEEPEST)
    return sorted(found, key=lambda one: one.name)


def _with_manifest(name: str, place: Path, folder: Path) -> Installed:
    whole = Installed(name, place, 0, folder=folder, items=(place,))
    try:
        manifest = read(place)
    except EdgeError as error:
        return replace(whole, size=_size(_below(place)), problem=str(error))
    whole = replace(whole, manifest=manifest, size=manifest.size)
    try:
        return replace(whole, path=load_path(place, manifest), problem=_problem(place, manifest))
    except ValueError as error:
        return replace(whole, problem=str(error))


def load_path(place: Path, manifest: Manifest) -> Path:
    """What a runtime is given. Raises `ValueError` with a sentence when there is nothing."""
    if manifest.format != "gguf":
        return place
    names = [file for file in manifest.files if file.path.lower().endswith(SUFFIX)]
    if not names:
        raise ValueError(f"{place.name} holds no GGUF file.")
    best = max(names, key=lambda file: (not Path(file.path).name.lower().startswith("mmproj"), file.size))
    split = split_of(Path(best.path).name)
    return place / Path(best.path).with_name(split.names[0]) if split else place / best.path


def _problem(place: Path, manifest: Manifest) -> str:
    """A sentence for what a quick look finds wrong: a file that is missing, cut, or leads elsewhere."""
    for file in manifest.files:
        path = place / file.path
        if disk.leads_away(path, place):
            return f"{place.name}: {file.path} is a link to another place, and is not followed."
        try:
            size = path.stat().st_size
        except OSError:
            return f"{place.name} lacks the file {file.path}. Run: edgellm models repair {place.name}"
        if size != file.size or not os.path.isfile(path):
            return (
                f"{place.name}: {file.path} has {size:,} bytes, not {file.size:,}. "
                f"Run: edgellm models repair {place.name}"
            )
    return ""


def _loose_folder(name: str, place: Path, folder: Path, names: list[str]) -> Installed | None:
    """A folder of an ONNX or safetensors model that a person put here."""
    if "config.json" not in names or not any(one.lower().endswith(WEIGHTS) for one in _names_below(place)):
        return None
    return Installed(name, place, _size(_below(place)), folder=folder, origin="file", items=(place,))


def _names_below(place: Path) -> Iterator[str]:
    return (path.name for path in _below(place))


def _below(place: Path) -> Iterator[Path]:
    seen = 0
    for here, folders, names in os.walk(place):
        folders[:] = [one for one in folders if len(Path(here).relative_to(place).parts) < _DEEPEST]
        seen += len(names)
        if seen > _MOST:
            return
        yield from (Path(here, name) for name in names)


def _size(paths: Iterable[Path]) -> int:
    size = 0
    for path in paths:
        with suppress(OSError):  # gone meanwhile, or another person's
            info = path.lstat()
            size += info.st_size if stat.S_ISREG(info.st_mode) else 0
    return size


def _loose_files(place: Path, folder: Path, names: list[str]) -> list[Installed]:
    files = [name for name in names if name.lower().endswith(SUFFIX) and not name.startswith(".")]
    sets: dict[tuple[str, int], list[str]] = {}
    found = []
    for name in sorted(files):
        if split := split_of(name):
            sets.setdefault((split.stem, split.count), []).append(name)
        elif os.path.isfile(path := place / name):
            found.append(_loose(path.relative_to(folder).as_posix()[: -len(SUFFIX)], (path,), folder))
    for (stem, count), parts in sets.items():
        paths = tuple(place / part for part in parts)
        model = _loose((place / stem).relative_to(folder).as_posix(), paths, folder)
        missing = count - len(parts)
        lacks = f"{stem} lacks {missing} of its {count} files. Put them beside the others." if missing else ""
        found.append(replace(model, problem=lacks))
    return found


def _loose(name: str, paths: tuple[Path, ...], folder: Path) -> Installed:
    try:
        size = sum(path.stat().st_size for path in paths)
    except OSError:
        size = 0
    return Installed(name, paths[0], size, folder=folder, origin="file", items=paths)
