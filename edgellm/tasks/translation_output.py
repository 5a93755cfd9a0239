"""Where the translation of a document goes, and what one that is not finished has so far.

Used by every face of the program before and after `translate_file.py`.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp

from edgellm.documents import rewrite
from edgellm.documents.segment import Sheet
from edgellm.errors import StorageError
from edgellm.tasks.memory import Memory

# These are written again in their format; a PDF becomes plain text, or DOCX where the new name says so.
SUFFIXES = frozenset(
    ".docx .docm .dotx .dotm .pptx .pptm .potx .potm .ppsx .ppsm .html .htm .xhtml .epub .md .markdown .srt .vtt .po"
    " .pot .pdf".split()
)
NO_TEXT = frozenset(".docx .docm .dotx .dotm .pptx .pptm .potx .potm .ppsx .ppsm .epub .pdf".split())
_INSTEAD = {".pdf": ".txt"}
_OLD = 30 * 24 * 3600.0  # seconds until an unfinished translation is given up


class Unfinished(Memory):
    """The memory of one translation alone, for a person who keeps no other; `remove` it when that is finished."""


def name(path: Path, target: str) -> str:
    """The usual name of a translation: `report.fr.docx` for `report.docx`. `target` is a language code."""
    return f"{path.stem}.{target}{_INSTEAD.get(path.suffix.lower(), path.suffix)}"


def rehearse(path: Path, out: Path, sheet: Sheet) -> None:
    """Write the file once without changes, so that a place or an ending that cannot be is said before the work.

    Raises what `rewrite.write` raises; nothing stays behind.
    """
    try:
        handle, trial = mkstemp(dir=out.absolute().parent, prefix=f".{out.name[:60]}.", suffix=out.suffix)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageError(f"{out} cannot be written: {reason}.", "Choose another place for it.") from error
    os.close(handle)
    try:
        rewrite.write(path, Path(trial), {}, "", sheet.sha256)
    except StorageError as error:
        raise StorageError(error.message.replace(Path(trial).name, out.name), error.hint) from error
    finally:
        Path(trial).unlink(missing_ok=True)


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
