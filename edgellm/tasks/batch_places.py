"""Which documents of a folder a batch takes, and the name that each result gets: never one for two files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from os import fsencode
from pathlib import Path, PurePosixPath

from edgellm.documents.scan import Found, plain_files
from edgellm.tasks.batch_manifest import MANIFEST, TABLE, holds_batch

_LONGEST = 200  # bytes of a file name: most systems take 255, and a file that is being written has a longer one


@dataclass(frozen=True, slots=True)
class Chosen:
    """The documents, and sentences about what could not even be looked at."""

    paths: tuple[Path, ...]
    closed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def choose(folder: Path, out: Path, suffixes: Collection[str]) -> Chosen:
    """All documents below `folder` with one of the endings. Results, of this batch or others, are not among them."""
    found, paths, unnamed = Found(), list[Path](), 0
    folders = _Folders(folder, out)
    for path in plain_files(folder, found):
        if path.suffix.lower() not in suffixes or not path.is_file() or folders.holds_results(path.parent):
            continue
        try:
            str(path).encode()
        except UnicodeEncodeError:
            unnamed += 1
            continue
        paths.append(path)
    closed = [f"{_named(path, folder)} cannot be opened; its files are left out." for path in found.closed]
    if unnamed:
        closed.append(f"{unnamed} file{'s' if unnamed > 1 else ''} with a name that is no text left out; rename them.")
    notes = [f"{_named(path, folder)} holds the results of another batch, and is left out." for path in folders.others]
    return Chosen(tuple(paths), tuple(closed), tuple(notes))


def _named(path: Path, folder: Path) -> str:
    return folder.name if path == folder else path.relative_to(folder).as_posix()


class _Folders:
    """Which folders hold results. Each is looked at once; the chosen one is taken whatever it holds."""

    def __init__(self, folder: Path, out: Path) -> None:
        self.others: list[Path] = []
        self._out = out.resolve()
        self._known = {folder: False}

    def holds_results(self, folder: Path) -> bool:
        """Whether it does, or one above it."""
        if folder not in self._known:
            above, own = self.holds_results(folder.parent), folder.resolve() == self._out
            other = not above and not own and holds_batch(folder)
            self.others += [folder] if other else []
            self._known[folder] = above or own or other
        return self._known[folder]


def places(
    names: Sequence[str], usual: Callable[[str], tuple[str, ...]], known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Where the result of each file goes, as relative paths.

    `usual` gives the names that a result may have, the best first. A name that two files want goes to the one that
    keeps its ending, and the other takes its next; at last they are numbered. `known` are places that are given out.
    """
    known = known or {}
    folders = {parent.as_posix() for name in names for parent in PurePosixPath(name).parents}
    taken = {name.casefold() for name in (MANIFEST, TABLE, *folders, *known.values())}
    open_ = {name: tuple(_fitting(one) for one in usual(name)) for name in names if name not in known}
    wanted = Counter(candidates[0].casefold() for candidates in open_.values())
    found = dict(known)
    for name, (first, *others) in open_.items():
        mine = wanted[first.casefold()] == 1 or PurePosixPath(name).suffix == PurePosixPath(first).suffix
        place = _free((*((first,) if mine else ()), *others, first), taken)
        taken.add(place.casefold())
        found[name] = place
    return found


def _free(candidates: Iterable[str], taken: Collection[str]) -> str:
    last = ""
    for last in candidates:
        if last.casefold() not in taken:
            return last
    path, number = PurePosixPath(last), 2
    while (place := path.with_name(f"{path.stem} ({number}){path.suffix}").as_posix()).casefold() in taken:
        number += 1
    return place


def _fitting(place: str) -> str:
    """The place, with a shorter name where that is too long for most systems."""
    path = PurePosixPath(place)
    if len(fsencode(path.name)) <= _LONGEST:
        return place
    short, mark = path.stem[: _LONGEST // 5], sha256(fsencode(path.name)).hexdigest()[:8]
    return path.with_name(f"{short} {mark}{path.suffix}").as_posix()
