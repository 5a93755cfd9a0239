"""Which files a person means by what was dropped or chosen: documents below folders, and folders that stay closed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edgellm.errors import StorageError
from edgellm.ui.language import tr
from edgellm.ui.services import Services

_NAMED = 5  # closed folders


@dataclass(frozen=True, slots=True)
class Looked:
    """The files that were found, and folders that could not be opened."""

    files: tuple[Path, ...]
    closed: tuple[Path, ...] = ()

    def say_closed(self, services: Services) -> None:
        """Name the folders whose files are left out."""
        if self.closed:
            names = ", ".join(path.name for path in self.closed[:_NAMED]) + (" …" if len(self.closed) > _NAMED else "")
            said = tr("Folders that cannot be opened, and whose files are left out: {names}").format(names=names)
            services.notices.say(said, stays=True)


def files_of(paths: Iterable[Path]) -> Looked:
    """The files among `paths`, and all documents below the folders among them. Raises `StorageError`."""
    from edgellm.documents.readers import SUFFIXES
    from edgellm.documents.scan import Found, plain_files

    found, files = Found(), list[Path]()
    for path in paths:
        if path.is_file():
            files.append(path)
            continue
        listed(path)
        files += (
            one for one in plain_files(path, found) if one.suffix.lower() in SUFFIXES and one.is_file() and _named(one)
        )
    return Looked(tuple(files), tuple(found.closed))


def listed(folder: Path) -> list[str]:
    """The names in a folder. Raises `StorageError`."""
    try:
        return os.listdir(folder)
    except OSError as error:
        said = tr("The folder {name} cannot be opened.").format(name=folder.name)
        raise StorageError(said, tr("Check who may read it, or choose another folder.")) from error


def _named(path: Path) -> bool:
    """Whether its name is text."""
    try:
        return bool(str(path).encode())
    except UnicodeEncodeError:
        return False
