"""Small acts on files that the store is made of: room, links, copies, and the sentence when one of them fails."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgellm.errors import StorageError

_UNITS = ((1e9, "GB", 1), (1e6, "MB", 1), (1e3, "KB", 0))
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) if hasattr(errno, "EDQUOT") else (errno.ENOSPC, errno.EFBIG)


@contextmanager
def told(folder: Path, what: str) -> Iterator[None]:
    """Turns an `OSError` into a `StorageError`: `what` is what did not work, "The model could not be moved"."""
    try:
        yield
    except OSError as error:
        raise failure(folder, what, error) from error


def failure(folder: Path, what: str, error: OSError) -> StorageError:
    """The `StorageError` for an `OSError`."""
    if error.errno in _READ_ONLY:
        return StorageError(
            f"{what}: {folder} does not allow it.", "Check its permissions, or choose another folder for models."
        )
    if error.errno in _FULL:
        return StorageError(
            f"{what}: the disk of {folder} is full.", "Make room, such as with: edgellm models remove NAME --now"
        )
    if not os.path.exists(folder):
        return StorageError(
            f"{what}: the folder {folder} is not there.", "Plug in its disk, or choose another folder for models."
        )
    return StorageError(f"{what}: {error.strerror or error}.", f"Check the disk of {folder}.")


def read_small(path: Path, most: int) -> bytes:
    """All of a file that anyone may have written: no link, no device, no pipe, at most `most` bytes.

    Raises `OSError`, `ValueError` with what is wrong with it.
    """
    if os.path.islink(path):
        raise ValueError("it is a link")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode):
            raise ValueError("it is no file")
        if info.st_size > most:
            raise ValueError("it is too large")
        return file.read(most)


def room(folder: Path) -> int:
    """Free bytes on the disk of `folder`, which need not exist yet. Raises `OSError`."""
    while not os.path.exists(folder) and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def amount(size: float) -> str:
    """Bytes as a person reads them: `1.5 GB`, `397 MB`, `52 KB`, `9 bytes`."""
    for unit, name, digits in _UNITS:
        if size >= unit:
            value = size / unit
            return f"{value:.{digits if value < 100 else 0}f} {name}"
    return f"{size:.0f} bytes"


def check_room(folder: Path, size: int, name: str) -> None:
    """Raises `StorageError` when `size` bytes do not fit on the disk of `folder`."""
    free = room(folder)
    if free < size:
        raise StorageError(
            f"{name} needs {amount(size)}; the disk of {folder} has {amount(free)} free.",
            "Make room there, or choose another folder.",
        )


def same_disk(one: Path, other: Path) -> bool:
    """Whether a file can go from one folder to the other without a copy. Raises `OSError`."""
    return one.stat().st_dev == other.stat().st_dev


def link(source: Path, target: Path) -> bool:
    """Make `target` a second name of the file `source`; False where the file system cannot."""
    try:
        os.link(os.path.realpath(source), target)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True


def settle(folder: Path) -> None:
    """Make the disk remember names that were just made in `folder`, where the system can."""
    if os.name == "nt":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def leads_away(path: Path, top: Path) -> bool:
    """Whether `path`, below `top`, or a folder on the way to it, is a link to another place."""
    expected = os.path.join(os.path.realpath(top), path.relative_to(top))
    return os.path.normcase(os.path.realpath(path)) != os.path.normcase(expected)


def erase(path: Path) -> None:
    """Remove a file or a whole folder, links as links; nothing there is well too. Raises `OSError`."""
    if os.path.islink(path) or os.path.isfile(path):
        path.unlink(missing_ok=True)
    elif os.path.exists(path):
        shutil.rmtree(path, onerror=_writable_first)


def _writable_first(function: object, path: str, error: object) -> None:
    """Windows does not remove a read-only file, and nobody a file out of a read-only folder."""
    if not os.path.lexists(path):
        return  # another process was faster
    if os.path.islink(path) or not callable(function):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), path)
    os.chmod(os.path.dirname(path), stat.S_IRWXU)
    os.chmod(path, stat.S_IRWXU if os.path.isdir(path) else stat.S_IRUSR | stat.S_IWUSR)
    function(path)


def prune(folder: Path, top: Path) -> None:
    """Remove `folder` and the ones above it, up to `top`, as long as they are empty."""
    while folder != top and top in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
