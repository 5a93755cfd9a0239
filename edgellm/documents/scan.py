"""What lies under a file or folder of a collection, with stamps: what counts, and what cannot even be looked at.

Nothing is opened here. Reading files is left to `index.py`, noticing changes to `watch.py`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgellm.documents.library import Stamp
from edgellm.errors import Stopped
from edgellm.runtimes.base import never


@dataclass(slots=True)
class Found:
    """The files by path. `closed` are folders that the system refused to list: what was in them is not known now.

    `unnamed` are names that are no text, with a sign in place of each byte that is none: no index can hold them.
    """

    files: dict[str, Stamp] = field(default_factory=dict)
    closed: list[Path] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)

    def hides(self, path: str) -> bool:
        """Whether a file may still be there although it was not found: its folder could not be listed."""
        return any(Path(path).is_relative_to(folder) for folder in self.closed)


def scan(root: Path, suffixes: Collection[str] | None, cancelled: Callable[[], bool] = never) -> Found | None:
    """What lies under a source now; None when the source itself is not there. Raises `Stopped`.

    `suffixes`, such as {".pdf"}, are those that count inside a folder; None means all.
    """
    found = Found()
    try:
        if not root.is_dir():
            if not root.exists():
                return None
            found.files[str(root)] = stamp_of(root)
            return found
        os.listdir(root)
    except OSError:
        return None
    for path in plain_files(root, found):
        if cancelled():
            raise Stopped()
        if suffixes is not None and path.suffix.lower() not in suffixes:
            continue
        if not _is_text(str(path)):
            found.unnamed.append(os.fsencode(path.name).decode("utf-8", "replace"))
            continue
        try:
            found.files[str(path)] = stamp_of(path)
        except OSError:
            continue  # gone since its folder was read
    return found


def fingerprint(root: Path, suffixes: Collection[str] | None, cancelled: Callable[[], bool] = never) -> bytes:
    """32 bytes that change when anything under a source does. Raises `Stopped`."""
    found = scan(root, suffixes, cancelled)
    if found is None:
        return bytes(32)
    digest = hashlib.sha256(repr(sorted(found.closed)).encode("utf-8", "replace"))
    for path, stamp in found.files.items():
        digest.update(f"{path}\0{stamp.size}\0{stamp.mtime}\n".encode())
    return digest.digest()


def plain_files(root: Path, found: Found | None = None) -> Iterator[Path]:
    """Plain files in a fixed order: nothing hidden, no links, no office lock files, only names that are text.

    With `found`, closed folders go there, and other names, pipes and sockets come too: who asks wants to tell of them.
    """

    def refused(error: OSError) -> None:
        if found is not None and error.filename is not None:
            found.closed.append(Path(error.filename))

    for folder, folders, names in os.walk(root, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith((".", "~$")) or path.is_symlink():
                continue
            if found is not None or (path.is_file() and _is_text(str(path))):
                yield path


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file now. Raises `OSError`."""
    status = path.stat()
    return Stamp(status.st_size, status.st_mtime_ns)


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
