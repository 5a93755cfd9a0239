"""Where the translation of a document goes, and what one that is not finished has so far.

Used by every face of the program before and after `translate_file.py`.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp

import psutil

from edgellm.documents import rewrite
from edgellm.documents.load import Loader
from edgellm.documents.segment import Sheet, Translated
from edgellm.errors import StorageError, UsageError
from edgellm.tasks.memory import Memory

# These are written again in their format; a PDF becomes plain text, or DOCX where the new name says so.
SUFFIXES = frozenset(
    ".docx .docm .dotx .dotm .pptx .pptm .potx .potm .ppsx .ppsm .html .htm .xhtml .epub .md .markdown .srt .vtt .po"
    " .pot .pdf".split()
)
NO_TEXT = frozenset(".docx .docm .dotx .dotm .pptx .pptm .potx .potm .ppsx .ppsm .epub .pdf".split())
_INSTEAD = {".pdf": ".txt"}
_NAME = 30  # characters of a name that its files on the way have
_HOST = 6  # letters of a computer's
_OLD = 30 * 24 * 3600.0  # seconds until an unfinished translation is given up


class Unfinished(Memory):
    """The memory of one translation alone, for a person who keeps no other; `remove` it when that is finished."""


def name(path: Path, target: str) -> str:
    """The usual name of a translation: `report.fr.docx` for `report.docx`. `target` is a language code."""
    return f"{path.stem}.{target}{_INSTEAD.get(path.suffix.lower(), path.suffix)}"


def rehearse(path: Path, out: Path, sheet: Sheet, loader: Loader | None = None) -> None:
    """Write the file once without changes, so that a place or an ending that cannot be is said before the work.

    Raises what `rewrite.write` raises; nothing stays behind, nor does what a run that was killed left there.
    """
    tidy(out)
    with _beside(out) as trial:
        rewrite.write(path, trial, {}, "", sheet.sha256, loader)


def write(
    path: Path, out: Path, translated: Translated, language: str, sha256: str, loader: Loader | None = None
) -> None:
    """As `rewrite.write`, with a file on the way that `tidy` knows, should this process be killed."""
    if out.exists() and out.samefile(path):
        raise UsageError(f"{out.name} is the file that is being translated.", "Name another file for the result.")
    with _beside(out) as made:
        rewrite.write(path, made, translated, language, sha256, loader)
        try:
            os.replace(made, out)
        except OSError as error:
            raise _cannot(out, error) from error


def tidy(out: Path) -> None:
    """Delete what a process that is no more has left beside `out`; nothing of one that is still at work, and nothing of
    another computer, whose processes are not known here."""
    ours = re.compile(rf"\.?{re.escape(_begin(out))}(\d{{1,9}})\..*", re.DOTALL)
    with suppress(OSError):
        for path in tuple(out.absolute().parent.iterdir()):
            found = ours.fullmatch(path.name)
            if found is not None and path.is_file() and not psutil.pid_exists(int(found[1])):
                with suppress(OSError):
                    path.unlink()


def _begin(out: Path) -> str:
    """How the names of files on the way to `out` begin; the number of the process follows. A file that is written on
    the way to these begins with one point more, and keeps sixty characters of the name."""
    return f".{out.name[:_NAME]}.edgellm-{_host()}-"


def _host() -> str:
    """A short name of this computer, for files in a folder that several use."""
    return sha256(socket.gethostname().encode("utf-8", "replace")).hexdigest()[:_HOST]


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """An empty file in the same folder with the same ending; what is left of it at the end is deleted."""
    try:
        handle, made = mkstemp(dir=out.absolute().parent, prefix=f"{_begin(out)}{os.getpid()}.", suffix=out.suffix)
    except (OSError, ValueError) as error:
        raise _cannot(out, error) from error
    os.close(handle)
    try:
        yield Path(made)
    except StorageError as error:
        raise StorageError(error.message.replace(Path(made).name, out.name), error.hint) from error
    finally:
        Path(made).unlink(missing_ok=True)


def _cannot(out: Path, error: Exception) -> StorageError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return StorageError(f"{out} cannot be written: {reason}.", "Choose another place for it.")


def unfinished(folder: Path, path: Path, out: Path) -> Unfinished:
    """What the translation of `path` to `out` has so far. Old ones of others are deleted. Raises `StorageError`."""
    forget(folder, _OLD)
    key = sha256(os.fsencode(f"{path.absolute()}\n{out.absolute()}")).hexdigest()
    return Unfinished(folder / f"{key[:24]}.db")


def forget(folder: Path, older: float = 0.0) -> None:
    """Delete what unfinished translations have, if nothing was added for `older` seconds."""
    for path in folder.glob("*.db*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime >= older:
                path.unlink()
