"""A file's texts for a translator, and the same file again with the translations. A child process does the work.

Formatting, links, pictures and everything else of the file stay as they are: see the `rewrite_` modules.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from edgellm import files
from edgellm.documents.load import Loader
from edgellm.documents.segment import Segment, Sheet, Translated
from edgellm.documents.source import Limits
from edgellm.errors import StorageError, UsageError
from edgellm.runtimes.base import never

__all__ = ["Segment", "Sheet", "Translated", "segments", "write"]


def segments(
    path: Path,
    limits: Limits | None = None,
    cancelled: Callable[[], bool] = never,
    loader: Loader | None = None,
) -> Sheet:
    """The translatable texts of a file. For many files give a `loader`, whose limits count then.

    Raises a `DocumentError` that names the file and the reason, and `Stopped` soon after `cancelled` says so.
    """
    with nullcontext(loader) if loader is not None else Loader(limits) as asked:
        match asked.ask("segments", path, (), cancelled):
            case ["sheet", kind, found, notes, language, sha256]:
                texts = tuple(Segment(tuple(pieces), where) for pieces, where in found)
                return Sheet(kind, texts, tuple(notes), language, sha256)
            case answer:
                raise ValueError(f"an answer of no known kind: {answer[0]}")


def write(
    path: Path,
    out: Path,
    translated: Translated,
    language: str = "",
    sha256: str = "",
    loader: Loader | None = None,
) -> None:
    """Write the file at `path` to `out`, with other texts, in one step: a crash leaves `out` as it was.

    `translated` and `sha256` belong to the sheet of that file. An existing `out` is replaced; whether it may be is
    the caller's matter. With a `language`, the file says that it is in it. Raises what `segments` raises,
    `UsageError` for an `out` that cannot be, and `StorageError` for a file that changed or a disk that is full.
    """
    if _same(path, out):
        raise UsageError(f"{out.name} is the file that is being translated.", "Name another file for the result.")
    texts = [(number, [_whole(piece) for piece in pieces]) for number, pieces in translated.items()]
    with nullcontext(loader) if loader is not None else Loader() as asked:
        match asked.ask("write", path, (texts, language, out.suffix.lower(), sha256), never):
            case ["bytes", data]:
                _save(out, data)
            case ["changed"]:
                said = f"{path.name} was changed while it was being translated."
                raise StorageError(said, "Translate it again: what did not change is not lost.")
            case ["suffix", misnamed, *suffixes]:
                said = f"{path.name} cannot be written as {out.suffix or 'a file without an ending'}."
                own, endings = path.suffix[1:].upper(), " or ".join(suffixes)
                if misnamed:
                    raise UsageError(said, f"By its content it is no {own}: name a file that ends in {endings}.")
                raise UsageError(said, f"Name a file that ends in {endings}.")
            case ["pieces", number]:
                raise ValueError(f"the translation of segment {number} does not fit the file")
            case answer:
                raise ValueError(f"an answer of no known kind: {answer[0]}")


def _whole(text: str) -> str:
    """The text without half characters, which no message can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _same(path: Path, out: Path) -> bool:
    try:
        return out.samefile(path)
    except OSError:
        return out.absolute() == path.absolute()


def _save(out: Path, data: bytes) -> None:
    try:
        with files.replacing(out) as stream:
            stream.write(data)
    except OSError as error:
        why = (error.strerror or "unknown").lower()
        raise StorageError(f"{out.name} cannot be written ({why}).", "Check the folder and the disk.") from error
