"""Which files a person means by what was dropped or chosen: documents below folders, and folders that stay closed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgellm.errors import EdgeError, Stopped, StorageError
from edgellm.runtimes.base import never
from edgellm.ui.elided import ElidedLabel
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


class Looking(ElidedLabel):
    """The line that is there while folders are looked through, in the background, and what stops that."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._stops: list[threading.Event] = []  # one for each look that counts
        self.setProperty("role", "faint")
        self.hide()

    def look(self, paths: Sequence[Path], then: Callable[[Sequence[Path]], None]) -> None:
        """Find the documents in these folders; they go to `then`, unless `stop` is called before."""
        name, stop = paths[0].name, threading.Event()
        self._stops.append(stop)
        self.set_text(tr("Looking for documents in {name}…").format(name=name))
        self.show()

        def done(found: Looked) -> None:
            if not self._over(stop):
                return
            if found.files:
                then(found.files)
            elif not found.closed:
                self._services.notices.say(tr("There is no document in {name}.").format(name=name))
            found.say_closed(self._services)

        def failed(error: EdgeError) -> None:
            if self._over(stop):
                self._services.notices.complain(error)

        self._services.reading.run(lambda: files_of(paths, stop.is_set), done, failed)

    def stop(self) -> None:
        """Look no further; nothing that was found comes any more."""
        for stop in self._stops[:]:
            stop.set()
            self._over(stop)

    def _over(self, stop: threading.Event) -> bool:
        """A look has ended; whether it still counts."""
        counts = stop in self._stops
        if counts:
            self._stops.remove(stop)
        self.setVisible(bool(self._stops))
        return counts


def files_of(paths: Iterable[Path], cancelled: Callable[[], bool] = never) -> Looked:
    """The files among `paths`, and all documents below the folders among them. Raises `StorageError` and `Stopped`."""
    from edgellm.documents.readers import SUFFIXES
    from edgellm.documents.scan import Found, plain_files

    found, files = Found(), list[Path]()
    for path in paths:
        if path.is_file():
            files.append(path)
            continue
        listed(path)
        below = _until(cancelled, plain_files(path, found))
        files += (one for one in below if one.suffix.lower() in SUFFIXES and one.is_file() and _named(one))
    return Looked(tuple(files), tuple(found.closed))


def _until(cancelled: Callable[[], bool], paths: Iterator[Path]) -> Iterator[Path]:
    for path in paths:
        if cancelled():
            raise Stopped()
        yield path


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
