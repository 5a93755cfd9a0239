"""A library with one collection, `notes`, of the folder `files`, and short ways to fill, update and search it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edgellm.documents.index import Control, Indexer, Report
from edgellm.documents.library import Library
from edgellm.documents.retrieve import search
from tests import index_child

OLD = 1_700_000_000


def library_of(folder: Path) -> Iterator[Library]:
    """For a fixture: the library in a folder, closed at the end."""
    made = Library(folder / "library.db")
    (folder / "files").mkdir()
    made.create("notes")
    made.add_source("notes", folder / "files")
    yield made
    made.close()


def put(path: Path, text: str, moment: float = OLD) -> Path:
    """A text file of that age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (moment, moment))
    return path


def update(library: Library, control: Control | None = None, retry: bool = False) -> Report:
    """Bring `notes` up to date."""
    return Indexer(library, index_child.read).update("notes", control, retry)


def names(library: Library, text: str) -> list[str]:
    """The files that are found."""
    return [passage.path.name for passage in search(library, text)]
