"""Archives that are documents (DOCX, PPTX, XLSX, ODT, EPUB): which one it is, and whether it may be unpacked.

Everything is read in memory and nothing is ever written, so a member's name cannot point anywhere.
"""

from __future__ import annotations

import io
import re
import zipfile

from edgellm.documents.source import MIB, Source
from edgellm.errors import DocumentDamaged, DocumentEncrypted, DocumentTooLarge, DocumentUnsupported

_MARKS = {"word/document.xml": "docx", "ppt/presentation.xml": "pptx", "xl/workbook.xml": "xlsx"}
_TYPES = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/epub+zip": "epub",
}
_MOST_MEMBERS = 20_000
_SUSPICIOUS_SIZE = 32 * MIB
_SUSPICIOUS_RATIO = 200
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def members(source: Source) -> zipfile.ZipFile:
    """The archive, checked. Raises a `DocumentError` for a damaged, protected or exploding one.

    Sizes are those that the directory declares; `zipfile` reads not one byte more than them.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(source.data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise damaged(source) from error
    entries = archive.infolist()
    if any(entry.flag_bits & 1 for entry in entries):
        raise DocumentEncrypted(source.name, "it is protected by a password", "Save a copy without the password.")
    for entry in entries:
        if entry.file_size > max(_SUSPICIOUS_SIZE, _SUSPICIOUS_RATIO * entry.compress_size):
            times = f"a part of it unpacks to {entry.file_size // max(1, entry.compress_size)} times its size"
            raise DocumentTooLarge(
                source.name, f"{times}, as files do that are made to fill memory", "Do not trust it."
            )
    if len(entries) > _MOST_MEMBERS or sum(entry.file_size for entry in entries) > source.limits.unpacked:
        most = f"it unpacks to more than {source.limits.unpacked // MIB} MiB or {_MOST_MEMBERS} parts"
        raise DocumentTooLarge(source.name, most, "Split it into smaller files.")
    return archive


def kind(source: Source) -> str:
    """The format of an archive. Raises a `DocumentError` when it is none of those known."""
    with members(source) as archive:
        names = set(archive.namelist())
        if "mimetype" in names:
            found = _TYPES.get(_member(source, archive, "mimetype", 100).strip())
            if found:
                return found
        for name, found in _MARKS.items():
            if name in names:
                _no_entities(source, archive)
                return found
    hint = "Unpack it, and name the files inside it."
    raise DocumentUnsupported(source.name, "it is an archive, and none of the kinds of document known here", hint)


def part(source: Source, archive: zipfile.ZipFile, name: str) -> bytes:
    """One member whole. Raises `DocumentDamaged` when it is missing or does not match its checksum."""
    return _member(source, archive, name, -1)


def damaged(source: Source) -> DocumentDamaged:
    """The error for an archive that is broken."""
    return DocumentDamaged(source.name, "the file is damaged or cut short", "Get the file again, or repair it.")


def _member(source: Source, archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    try:
        with archive.open(name) as file:
            return file.read(size)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise damaged(source) from error
    except Exception as error:
        if type(error).__module__ in ("zlib", "lzma", "_lzma"):  # `zlib.error` and its like share no base
            raise damaged(source) from error
        raise


def _no_entities(source: Source, archive: zipfile.ZipFile) -> None:
    """Office files never declare entities; one that does wants to reach a file or to fill memory."""
    for name in archive.namelist():
        if name.endswith((".xml", ".rels")) and _ENTITIES.search(_member(source, archive, name, 4096)):
            raise DocumentDamaged(source.name, "it declares entities, which no such file needs", "Do not trust it.")
