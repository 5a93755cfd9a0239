"""Where a text comes from: files, words on the command line, or standard input; and its encoding.

An argument that names a file is read as that file; several arguments that name none are one text. Documents other
than plain text (PDF, Word, subtitles) are read by `documents/`, in a child process; Markdown and CSV stay as they are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgellm.cli.output import Output
from edgellm.cli.parser import Parser, typed
from edgellm.documents.document import Document
from edgellm.documents.encodings import guess
from edgellm.documents.formats_text import MARKS
from edgellm.errors import DocumentError, DocumentMissing, StorageError, UsageError

STDIN = "-"
PIPED = "standard input"
Read = TypeVar("Read")
_LARGEST = 64 << 20
_DOCUMENTS = frozenset(
    ".pdf .docx .docm .pptx .pptm .xlsx .xlsm .odt .epub .rtf .html .htm .xhtml .eml .srt .vtt .doc .xls .ppt".split()
)
_MARKS = (b"%PDF-", b"PK\x03\x04", b"{\\rtf", b"\xd0\xcf\x11\xe0")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_NAMES = {"cp1252": "Windows-1252", "gb18030": "GB 18030", "cp932": "Shift JIS", "big5": "Big5"}
_FILE_NAME = re.compile(
    r"[^\s]*[/\\][^\s]*\.\w{1,5}|[^\s/\\]+\.(?:txt|md|rst|html?|csv|json|log|pdf|docx?|epub|rtf|odt|pptx|xlsx|eml)"
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text and the name of where it came from ("" for the command line), with the document if it was read as one."""

    name: str
    text: str
    document: Document | None = None


def add_text_argument(parser: Parser, what: str) -> None:
    """Add the argument that takes a text, files, or `-`, and `--file` for a name that could be taken for text."""
    parser.add_argument("text", nargs="*", metavar="TEXT|FILE", help=f"{what}: a text, files, or - for standard input.")
    parser.add_argument(
        "--file", action="append", default=[], metavar="FILE", help="Read this file, whatever its name."
    )


def read(words: Sequence[str], files: Sequence[str], output: Output) -> str:
    """The text that the arguments mean. Raises `UsageError` when there is none, `StorageError` for a bad file."""
    named = words if words and all(word == STDIN or names_file(word) for word in words) else ()
    texts = [read_file(name, output) for name in (*files, *named)]
    parts = [one.text for one in texts]
    if words and not named:
        parts.append(typed(" ".join(words)))
    elif not texts:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("There is no text.", "Give a text or a file, or pipe one in.")
        parts.append(read_file(STDIN, output).text)
    text = "\n".join(part.rstrip("\n") if len(parts) > 1 else part for part in parts)
    if not text.strip():
        raise nothing_in(one.document for one in texts)
    return text


def nothing_in(documents: Iterable[Document | None]) -> UsageError:
    """The error for texts without a word; it says why documents are, where reading them told."""
    notes = dict.fromkeys(note for one in documents if one is not None for note in one.notes)
    return UsageError(" ".join(["The text is empty.", *notes]), "Give a text or a file that has words in it.")


def read_file(name: str, output: Output) -> Text:
    """Read one file, or standard input for "-".

    Raises `StorageError`, `DocumentError`, or `UsageError` where there is no input.
    """
    if name == STDIN:
        if sys.stdin is None:
            raise UsageError("There is no standard input.", "Give a text or a file.")
        return Text(PIPED, _decoded(sys.stdin.buffer.read(_LARGEST + 1), PIPED, output))
    try:
        path = Path(name).expanduser()
        if path.is_dir():
            raise StorageError(
                f"{name} is a folder.", "Name the files inside it; for all of them see: edgellm batch --help"
            )
        with path.open("rb") as file:
            if path.suffix.lower() not in _DOCUMENTS and not file.peek(8).startswith(_MARKS):
                return Text(name, _decoded(file.read(_LARGEST + 1), path.name, output))
        return _document(name, path, output)
    except (FileNotFoundError, RuntimeError) as error:  # a `~name` of nobody is a RuntimeError
        raise StorageError(f"There is no file {name}.", "Check the spelling and the folder.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageError(f"{name} cannot be read: {reason}.", "Check its permissions.") from error


def readable(names: Sequence[str], read: Callable[[str], Read], output: Output) -> tuple[Read, ...]:
    """What is read of each name. Among several, a document that cannot be read is named and left out.

    Raises what `read` raises where it is the only one, or none can be read, and for names of nothing.
    """
    found: list[Read] = []
    refused: DocumentError | None = None
    for name in names:
        try:
            found.append(read(name))
        except DocumentMissing:
            raise
        except DocumentError as error:
            if len(names) > 1:
                output.note(f"{error.message} It is left out.")
            refused = error
    if refused is not None and not found:
        raise refused
    return tuple(found)


def _document(name: str, path: Path, output: Output) -> Text:
    from edgellm.documents.chunk import whole_text
    from edgellm.documents.load import load

    document = load(path)
    for note in document.notes:
        output.note(f"{path.name}: {note}")
    return Text(name, whole_text(document), document)


def names_file(word: str) -> bool:
    """Whether an argument is a file: it exists, or it looks so much like one that its absence should be said."""
    try:
        return (bool(word.strip()) and Path(word).expanduser().exists()) or _FILE_NAME.fullmatch(word) is not None
    except (OSError, RuntimeError, ValueError):
        return False


def _decoded(data: bytes, name: str, output: Output) -> str:
    if len(data) > _LARGEST:
        raise StorageError(f"{name} is larger than {_LARGEST >> 20} MB.", "Split it into smaller files.")
    for mark, encoding in MARKS:
        if data.startswith(mark):
            try:
                return _plain(data.decode(encoding))
            except UnicodeDecodeError as error:
                raise StorageError(
                    f"{name} is damaged: it is not {encoding} text.", "Save it again as UTF-8."
                ) from error
    if data.startswith(_MARKS) or _BINARY.search(data[:65_536]):
        raise StorageError(f"{name} is not a text file.", "Give a document (PDF, DOCX and others) or plain text.")
    try:
        return _plain(data.decode("utf-8"))
    except UnicodeDecodeError:
        text, encoding = _guessed(data)
        output.note(f"{name} is not UTF-8; it was read as {encoding}.")
        return _plain(text)


def _guessed(data: bytes) -> tuple[str, str]:
    """Text in an older encoding, and the encoding's name."""
    encoding = guess(data[:65_536]) or "cp1252"
    return data.decode(encoding, errors="replace"), _NAMES.get(encoding, encoding)


def _plain(text: str) -> str:
    """Line breaks as line feeds, and no byte order mark inside."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
