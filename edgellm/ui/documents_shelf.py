"""The library as the Documents page lists it: collections, what was added to each, and how far each file is read.

Values and what makes them from the library; no widget. It runs in the background, for it asks SQLite.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgellm.documents.library import Indexed, Library

DEFAULT = "documents"


@dataclass(frozen=True, slots=True)
class File:
    """One file. `read` None: it was not looked at yet; False: it cannot be read, and `reason` says why."""

    path: Path
    read: bool | None = None
    pages: int = 0
    passages: int = 0
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """A file or folder that was added. The files of a folder are below it; a file is its own."""

    path: Path
    folder: bool
    there: bool
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A collection."""

    name: str
    added: tuple[Added, ...] = ()

    @property
    def files(self) -> tuple[File, ...]:
        """All files of it."""
        return tuple(file for one in self.added for file in one.files)


@dataclass(frozen=True, slots=True)
class Shelf:
    """All collections."""

    groups: tuple[Group, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the collections."""
        return tuple(group.name for group in self.groups)

    @property
    def empty(self) -> bool:
        """Whether nothing was added."""
        return not any(group.added for group in self.groups)

    def files(self, name: str = "") -> tuple[File, ...]:
        """The files of one collection, of all without a name; one that is in two counts once."""
        found = (file for group in self.groups if not name or group.name == name for file in group.files)
        return tuple({file.path: file for file in found}.values())


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that is taken out: a file or folder of a collection, or all of it (no `path`)."""

    name: str
    path: Path | None = None

    def hides(self, name: str, path: Path) -> bool:
        """Whether a file or folder of a collection is taken out by this."""
        return name == self.name and self.path in (None, path)


def read(library: Library, hidden: Collection[Removal] = ()) -> Shelf:
    """What there is, without what is being taken out. Raises `StorageError`."""
    groups = []
    for collection in library.collections():
        if Removal(collection.name) in hidden:
            continue
        kept = [path for path in collection.sources if Removal(collection.name, path) not in hidden]
        groups.append(Group(collection.name, _added(kept, library.files(collection.name))))
    return Shelf(tuple(groups))


def take_out(library: Library, removals: Iterable[Removal]) -> None:
    """Forget what was removed. What is gone already does no harm. Raises `StorageError`."""
    for one in removals:
        if one.name not in {collection.name for collection in library.collections()}:
            continue
        if one.path is None:
            library.delete(one.name)
        else:
            library.remove_source(one.name, one.path)


@dataclass(slots=True)
class _Below:
    """The files below what was added, by its path."""

    files: dict[str, dict[Path, File]] = field(default_factory=dict)

    def put(self, file: File) -> None:
        """To itself where it was added, else to the nearest folder above it that was; once."""
        for path in (file.path, *file.path.parents):
            if str(path) in self.files:
                self.files[str(path)][file.path] = file
                return


def _added(paths: Iterable[Path], indexed: Iterable[Indexed]) -> tuple[Added, ...]:
    below = _Below({str(path): {} for path in paths})
    for known in indexed:
        file = File(known.path, known.state == "indexed", known.pages, known.passages, known.reason, known.hint)
        below.put(file)
    made = []
    for name, found in below.files.items():
        path, files = Path(name), found.values()
        folder = path.is_dir() or any(file.path != path for file in files)
        one = Added(path, folder, path.exists(), tuple(sorted(files, key=lambda file: file.read is not False)))
        made.append(one if folder or files else replace(one, files=(File(path),)))
    return tuple(made)
