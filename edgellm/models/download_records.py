"""The downloads that were asked for, as files that outlive the program, and who is at work on each.

Below one folder: `<name>.json`, the record; `<name>.parts/`, what has arrived; `<name>.lock`, held by the one process
that downloads it; and `.lock`, held for a moment by whoever changes any of these. Fetching is left to `download_job`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from filelock import FileLock, Timeout

from edgellm.errors import ModelError, StorageError, UsageError
from edgellm.models import disk
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.download_plan import check_card

FOLDER = ".downloads"
"""The folder of records and parts inside a folder for models."""
_RECORD, _NEW, _LOCK, _PARTS = ".json", ".json.new", ".lock", ".parts"
_ENDINGS = (_RECORD, _NEW, _LOCK, _PARTS)  # none ends like another, so no two names share a file
_LONGEST_WAIT = 20.0
_LARGEST = 50_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """A download that was asked for and is not installed yet.

    `card` names every file. `message` and `hint` say why it failed last (empty when it did not); `final` that trying
    again by itself makes no sense. `owner` is the process that works on it, or was the last to do so.
    """

    card: ModelCard
    state: Literal["wanted", "paused"] = "wanted"
    added: str = ""
    owner: int = 0
    message: str = ""
    hint: str = ""
    final: bool = False

    @property
    def name(self) -> str:
        """The model's name, which is the download's name."""
        return self.card.name

    @classmethod
    def new(cls, card: ModelCard) -> Self:
        """A record for `card`, wanted from now on."""
        return cls(card, added=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))


class Claim:
    """The right to work on one download, until `release` or the end of this process."""

    def __init__(self, records: Records, name: str, lock: Any) -> None:
        self._records = records
        self._name = name
        self._lock = lock

    def release(self, forget: bool = False) -> None:
        """Let others have it. With the record, which goes too if `forget`, go the part files."""
        with self._records.guarded():
            if forget or self._records.load(self._name) is None:
                self._records.sweep(self._name)
            self._drop()

    def _drop(self) -> None:
        self._lock.release()
        self._records.path(self._name, _LOCK).unlink(missing_ok=True)


class Records:
    """Every record of one folder. Reading needs no lock; what changes takes the folder's for a moment.

    All methods raise `StorageError` when a file cannot be read, or the folder not be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str, ending: str = _RECORD) -> Path:
        """The record of a download, or another file of it."""
        return self.folder / f"{name}{ending}"

    def parts(self, name: str) -> Path:
        """The folder of a download's part files."""
        return self.path(name, _PARTS)

    def load(self, name: str) -> Record | None:
        """The record called `name`; None where there is none, or none that can be understood."""
        try:
            return _from_json(json.loads(disk.read_small(self.path(name), _LARGEST)), name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ModelError, UsageError):
            return None  # not ours, or damaged
        except OSError as error:
            raise _storage(error) from error

    def all(self) -> tuple[Record, ...]:
        """Every record, the oldest first."""
        names = () if self.folder.is_symlink() else self._names(_RECORD)
        found = (self.load(name) for name in names)
        return tuple(sorted((one for one in found if one), key=lambda one: (one.added, one.name)))

    def save(self, record: Record) -> None:
        """Write a record, new or changed."""
        with self.guarded():
            self._write(record)

    def change(self, name: str, **values: Any) -> Record | None:
        """Replace some values of a record; None (and nothing written) when it is gone."""
        with self.guarded():
            record = self.load(name)
            if record is None:
                return None
            record = dataclasses.replace(record, **values)
            self._write(record)
            return record

    def remove(self, name: str) -> None:
        """Forget a record. Its part files go with the claim of whoever works on it, or with `clean`."""
        with self.guarded():
            self.path(name).unlink(missing_ok=True)

    def claim(self, name: str) -> Claim | None:
        """The right to work on `name`; None while another process, or another thread, has it."""
        with self.guarded():
            claim = self._claim(name)
            if claim is not None and self.parts(name).is_symlink():
                self.parts(name).unlink()  # a strange disk's: what it leads to is not ours to write or clean
            return claim

    def busy(self, name: str) -> bool:
        """Whether somebody has the claim of `name`."""
        if not self.path(name, _LOCK).exists():
            return False
        with self.guarded():
            claim = self._claim(name)
            if claim is not None:
                claim._drop()
            return claim is None

    def clean(self) -> tuple[str, ...]:
        """Remove what no record and no process has a use for; the names of what went."""
        if not self.folder.is_dir():
            return ()
        gone = []
        with self.guarded():
            for path in self._listing():
                if path.name.endswith(_NEW):  # written under the lock that we hold: its writer is dead
                    path.unlink(missing_ok=True)
                    gone.append(path.name)
            for name in sorted({_stem(path.name) for path in self._listing()} - {""}):
                if self.load(name) is not None:
                    continue
                claim = self._claim(name)
                if claim is not None:
                    gone.extend(self.sweep(name))
                    claim._drop()
        return tuple(gone)

    def sweep(self, name: str) -> list[str]:
        """Remove the record and the part files of `name`. Only for who holds the claim, inside `guarded`."""
        gone = []
        for path in (self.path(name), self.parts(name)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.is_symlink() or path.exists():
                path.unlink()
            else:
                continue
            gone.append(path.name)
        return gone

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Alone in the folder, for a moment. Not to be entered twice by one thread."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if disk.leads_away(self.folder, self.folder.parent):
                raise StorageError(f"{self.folder} is a link to another place.", "Remove that link.")
            with FileLock(self.folder / _LOCK, timeout=_LONGEST_WAIT, thread_local=False):
                yield
        except Timeout as error:
            raise StorageError("The list of downloads is in use by another EdgeLLM.", "Try again.") from error
        except OSError as error:
            raise _storage(error) from error

    def _claim(self, name: str) -> Claim | None:
        lock = FileLock(self.path(name, _LOCK), thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return Claim(self, name, lock)

    def _write(self, record: Record) -> None:
        new = self.path(record.name, _NEW)
        new.unlink(missing_ok=True)  # a killed writer's, or a link
        try:
            with new.open("xb") as file:
                file.write(json.dumps(dataclasses.asdict(record), ensure_ascii=True).encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
            self._replace(new, self.path(record.name))
        except OSError:
            new.unlink(missing_ok=True)
            raise

    def _replace(self, new: Path, old: Path) -> None:
        for pause in (0.02, 0.1, 0.5):  # Windows refuses while someone reads the old one
            try:
                new.replace(old)
                return
            except PermissionError:
                time.sleep(pause)
        new.replace(old)

    def _listing(self) -> list[Path]:
        """What is in the folder; one that is not there, or may not be read, holds nothing."""
        try:
            return sorted(self.folder.iterdir())
        except OSError:
            return []

    def _names(self, ending: str) -> list[str]:
        return [path.name[: -len(ending)] for path in self._listing() if path.name.endswith(ending)]


def _stem(file_name: str) -> str:
    """The download that a file belongs to; empty for one that is not of ours."""
    return next((file_name[: -len(ending)] for ending in _ENDINGS if file_name.endswith(ending)), "")


def _from_json(values: dict[str, Any], name: str) -> Record:
    card = _known(ModelCard, values["card"])
    card["files"] = tuple(CardFile(**_known(CardFile, file)) for file in values["card"]["files"])
    record = Record(**{**_known(Record, values), "card": ModelCard(**card)})
    if record.name != name or record.state not in ("wanted", "paused"):
        raise ValueError("not the record it is named for")
    check_card(record.card)
    return record


def _names_of(kind: Any) -> set[str]:
    return {spec.name for spec in dataclasses.fields(kind)}


def _known(kind: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The values that this version knows: a later one may have written more."""
    return {key: _tuples(value) for key, value in values.items() if key in _names_of(kind)}


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _storage(error: OSError) -> StorageError:
    return StorageError(
        f"The list of downloads cannot be read or written: {error.strerror or error}.",
        "Check the free space and the permissions of the folder for models.",
    )
