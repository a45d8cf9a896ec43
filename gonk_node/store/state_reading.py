"""A State that is read where nothing may be written beside it; opened so that SQLite makes no file, and believed with care.

SQLite needs the two files beside a database in WAL mode. Where they are there, somebody may be writing: its locks hold. Where
they are not, the file is read as one that nobody changes, and looked at again after each read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from gonk_node.store import read_only

T = TypeVar("T")
_TRIES = 5


class _Stamp(NamedTuple):
    inode: int
    size: int
    changed_ns: int


class StateReading:
    """A connection that only reads. Its caller holds a lock around each call.

    Args:
        path: of the database.
        connect: opens a database by its URI.

    Raises:
        sqlite3.DatabaseError: it cannot be read as it is: it is missing, none, or its last writer has left it unfinished.
    """

    def __init__(self, path: Path, connect: Callable[[str], sqlite3.Connection]) -> None:
        self._path = path
        self._connect = connect
        self._stamp: _Stamp | None = None  # None: its locks hold
        self.db = self._open()

    def ask(self, look: Callable[[sqlite3.Connection], T]) -> T:
        """What `look` finds; it is called again where the file has changed meanwhile.

        Raises:
            sqlite3.DatabaseError: as SQLite says. StoreLockedError: it changes all the time, or within a transaction.
        """
        for _ in range(_TRIES):
            error: sqlite3.DatabaseError | None = None
            try:
                found = look(self.db)
            except sqlite3.DatabaseError as problem:
                error = problem  # which may come of a change
            if not self._has_changed():
                if error is not None:
                    raise error
                return found
            if self.db.in_transaction:
                break
            self.db.close()
            self.db = self._open()
        raise read_only.changed(self._path)

    def _open(self) -> sqlite3.Connection:
        stamp = _stamp(self._path)
        log, index = _stamp(Path(f"{self._path}-wal")), _stamp(Path(f"{self._path}-shm"))
        locked = log is not None and (index is not None or log.size > 0)
        self._stamp = None if locked else stamp
        db = self._connect(f"{self._path.absolute().as_uri()}?mode=ro{'' if locked else '&immutable=1'}")
        try:
            db.execute("SELECT 1 FROM sqlite_master").fetchone()  # opens the file
        except BaseException:
            db.close()
            raise
        return db

    def _has_changed(self) -> bool:
        """Whether somebody has written to the open file; nobody does once it has lost its name."""
        now = _stamp(self._path)
        return self._stamp is not None and now is not None and now.inode == self._stamp.inode and now != self._stamp


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _Stamp(status.st_ino, status.st_size, status.st_mtime_ns)
