"""A program that indexes a folder until it is done or killed: run by the tests with a database and a collection.

Prints the name of each file that it reads, before it reads it. After as many files as the third argument says, it waits
to be killed.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

from edgellm.documents.document import Block, Document, Page
from edgellm.documents.index import Indexer
from edgellm.documents.library import Library
from edgellm.errors import DocumentDamaged


def read(path: Path) -> Document:
    """A text file as a document: an empty line ends a block, `# ` begins a heading, a form feed ends a page."""
    data = path.read_bytes()
    if data.startswith(b"BAD"):
        raise DocumentDamaged(path.name, "it is broken", "Repair it.")
    pages = tuple(
        Page(number, tuple(_block(part) for part in page.split("\n\n") if part.strip()))
        for number, page in enumerate(data.decode().split("\f"), 1)
    )
    return Document(path, "text", path.stem, hashlib.sha256(data).hexdigest(), pages)


def _block(part: str) -> Block:
    marks = len(part) - len(part.lstrip("#"))
    return Block("heading", part[marks:].strip(), marks) if marks else Block("paragraph", part.strip())


def main(path: Path, collection: str, most: int) -> None:
    """Index, saying which file is read."""
    left = iter(range(most))

    def aloud(file: Path) -> Document:
        print(file.name, flush=True)
        if next(left, None) is None:
            time.sleep(600)
        return read(file)

    print("done", Indexer(Library(path), aloud).update(collection), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
