"""Who else has the chats open: the window and a terminal may share them, and a killed program must not count.

A lock on a small file beside the database, held by SQLite for as long as the process lives, on every system.
"""

from __future__ import annotations

from pathlib import Path

import apsw


class Presence:
    """This program's mark beside a database. `alone` says whether it was the only one when it came."""

    def __init__(self, database: Path) -> None:
        self._file = apsw.Connection(str(database.with_name(database.name + ".users")))
        try:
            self.alone = self._only_one()
        except apsw.Error:
            self._file.close()
            raise

    def stay(self) -> None:
        """From now on whoever comes finds this program here. Call it after tidying up, if `alone`."""
        self._file.set_busy_timeout(5_000)
        if self.alone:
            self._file.execute("COMMIT")
        self._file.execute("BEGIN")
        for _ in self._file.execute("SELECT count(*) FROM sqlite_schema"):
            pass

    def leave(self) -> None:
        """Take the mark away."""
        self._file.close()

    def _only_one(self) -> bool:
        self._file.set_busy_timeout(0)
        try:
            self._file.execute("BEGIN EXCLUSIVE")
        except apsw.BusyError:
            return False
        return True
