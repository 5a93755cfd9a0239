"""What `edgellm summarize` reads: documents with their pages and headings, or a text as it is.

Markdown is read as a document here, because its headings are wanted; the plain text of a file stays character for
character what it is, so that places count in the file itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgellm.cli import source
from edgellm.cli.output import Output
from edgellm.documents.document import Document
from edgellm.tasks.outline import of_text

_AS_THEY_ARE = frozenset((".txt", ".csv", ".tsv", ".json", ".log", ".rst", ""))


def read(words: Sequence[str], files: Sequence[str], output: Output) -> tuple[Document, ...]:
    """The documents that the arguments mean. Raises what `source.read` and `source.readable` raise."""
    names = list(files)
    if words and all(word == source.STDIN or source.names_file(word) for word in words):
        names += words
    elif words or not files:
        return (of_text(source.read(words, files, output)),)
    found = source.readable(names, lambda name: _document(name, output), output)
    if not any(block.text.strip() for one in found for page in one.pages for block in page.blocks):
        raise source.nothing_in(found)
    return found


def _document(name: str, output: Output) -> Document:
    from edgellm.documents.load import load
    from edgellm.documents.readers import SUFFIXES

    path = Path(name).expanduser() if name != source.STDIN else Path()
    known = path.suffix.lower() in SUFFIXES and path.suffix.lower() not in _AS_THEY_ARE
    if not known or not path.is_file():
        return of_text(source.read_file(name, output).text, path.name)
    document = load(path)
    for note in document.notes:
        output.note(f"{path.name}: {note}")
    return document
