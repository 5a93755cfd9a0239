"""One file's bytes and what reading may cost: opened once, checked, handed to a format."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

from edgellm.documents.document import Page
from edgellm.errors import DocumentEmpty, DocumentMissing, DocumentTooLarge

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of waiting; bytes of memory, of the file (`size`) and of what it unpacks to; letters of its `text`.

    `ocr` says that pages which are pictures are read by OCR, where it is installed.
    """

    seconds: float = 120.0
    memory: int = 2048 * MIB
    size: int = 512 * MIB
    unpacked: int = 1024 * MIB
    text: int = 64 * MIB
    ocr: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be read. `name` is what errors call it, `suffix` is lower case with its dot."""

    path: Path
    data: bytes
    limits: Limits

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    @property
    def suffix(self) -> str:
        """The ending of the name in lower case, such as `.pdf`; empty when there is none."""
        return self.path.suffix.lower()

    @property
    def sha256(self) -> str:
        """The hash of the very bytes that are read."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a format finds in a file. Without a title the first heading or the file's name is taken."""

    pages: tuple[Page, ...]
    title: str = ""
    notes: tuple[str, ...] = ()


def check(path: Path, limits: Limits) -> int:
    """The size of a plain file in bytes. Raises a `DocumentError` when there is none that can be read."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise DocumentMissing(path.name, "there is no such file", "Check the name and the folder.") from None
    except (OSError, ValueError) as error:
        raise _refused(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise DocumentMissing(path.name or str(path), "it is a folder", "Name a file inside it.")
    if not stat.S_ISREG(status.st_mode):
        raise DocumentMissing(path.name, "it is no plain file", "Copy its content into a file first.")
    if status.st_size == 0:
        raise DocumentEmpty(path.name, "it is empty", "Check that it was saved or copied completely.")
    if status.st_size > limits.size:
        sizes = f"it has {status.st_size // MIB} MiB, and at most {limits.size // MIB} MiB are read"
        raise DocumentTooLarge(path.name, sizes, "Split it into smaller files.")
    return status.st_size


def open_source(path: Path, limits: Limits) -> Source:
    """The file's bytes. Raises a `DocumentError` naming what is in the way."""
    size = check(path, limits)
    try:
        with path.open("rb") as file:
            data = file.read(size + 1)
    except OSError as error:
        raise _refused(path, error) from error
    if len(data) > size:
        raise DocumentTooLarge(path.name, "it grew while it was read", "Try again when it is complete.")
    return Source(path, data, limits)


def _refused(path: Path, error: OSError | ValueError) -> DocumentMissing:
    if isinstance(error, PermissionError):
        return DocumentMissing(path.name, "this account may not open it", "Change its permissions, or copy it.")
    return DocumentMissing(path.name, f"the system refused it ({_why(error)})", "Check the disk and the name.")


def _why(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", "") or "the name is not valid").lower()
