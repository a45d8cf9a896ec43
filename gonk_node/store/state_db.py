"""The SQLite database of one dataset's State: opening, rebuilding, transactions. What the tables mean is `state_schema`.

Disposable, so a commit flushes nothing: the lsn it stands at is written in the same transaction as its rows, so a State
behind its log catches up when opened, and a damaged one is rebuilt. Where its folder cannot be written to, it is read there
(`state_reading`), and what has to be changed is changed in a copy of this process's own. No rules here.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from gonk_node.errors import DamagedStoreError, DiskFullError, GonkError, StorageError
from gonk_node.store import read_only
from gonk_node.store.private_file import locked_folder
from gonk_node.store.state_reading import StateReading
from gonk_node.store.state_schema import LATER_INDEXES, SCHEMA_SQL, STATE_VERSION

T = TypeVar("T")
_BUSY_SECONDS = 60.0  # another process may be projecting a large import
# Lengths of IN lists. Few, so that SQLite need not parse a new statement for each number of keys; it allows 32,766.
_IN_SIZES = (1, 8, 64, 500)


class StateDb:
    """One open `state.db`, or a database in memory (path None), for one dataset.

    Attributes:
        path: of the database; None: nobody else has it, since it is in memory, or a copy of this process's own.
        file: the path that it was opened with.
        is_read_only: whether the file cannot be written to.
        dataset: its id, 32 bytes.
    """

    def __init__(self, path: Path | None, dataset: bytes) -> None:
        self.path = self.file = path
        self.dataset = dataset
        self.is_read_only = path is not None and not read_only.can_write(path.parent)
        self._lock = threading.RLock()
        self._typed = _Typed(path)
        self._reading: StateReading | None = None  # where the file cannot be written to, and is good as it is
        self._changing = self._open_to_read() if self.is_read_only else self._open()

    @property
    def _db(self) -> sqlite3.Connection:
        return self._changing if self._reading is None else self._reading.db

    # --- opening --------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        with self._alone():
            db = self._connect()
            try:
                if not _has_tables(db):
                    self._create(db)
                elif not self._fits(db):
                    self._reset(db)
                return db
            except sqlite3.DatabaseError as error:
                db.close()
                if "locked" in str(error):
                    raise StorageError("the State is busy in another process", where=str(self.path)) from error
                return self._replace()

    def _open_to_read(self) -> sqlite3.Connection:
        """The file as it is, where it can be read and is this State of this dataset; else an empty one to be filled."""
        assert self.path is not None  # noqa: S101 - for mypy
        try:
            reading = StateReading(self.path, _connect)
        except sqlite3.DatabaseError:
            return self._own()
        with contextlib.suppress(sqlite3.DatabaseError, GonkError):
            if reading.ask(lambda db: _has_tables(db) and self._fits(db)):
                self._reading = reading
                return reading.db
        reading.db.close()
        return self._own()

    def detach(self) -> None:
        """Go on with a copy that only this process has and may change, where the file cannot be written to."""
        with self._lock:
            if self._reading is not None:
                self._changing = self._own(self._reading)

    def _own(self, reading: StateReading | None = None) -> sqlite3.Connection:
        """A copy of what is read, or an empty State, in a file without a name: so a large one need not be held in memory."""
        self.path, self._reading, self._typed = None, None, _Typed(None)
        db = _set_up(_connect(""))
        if reading is not None:
            try:
                reading.ask(lambda source: source.backup(db))
                return db
            except (sqlite3.DatabaseError, GonkError):  # damaged, or changed all the time: it is made anew
                db.close()
                db = _set_up(_connect(""))
            finally:
                reading.db.close()
        self._create(db)
        return db

    def _alone(self) -> contextlib.AbstractContextManager[None]:
        """Hold the folder: nobody opens the database while its files change."""
        return contextlib.nullcontext() if self.path is None else locked_folder(self.path.parent)

    def _connect(self) -> sqlite3.Connection:
        return _set_up(_connect(":memory:" if self.path is None else str(self.path.absolute())))

    def _fits(self, db: sqlite3.Connection) -> bool:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return False  # not one of ours
        meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
        return meta.get("state_version") == STATE_VERSION and meta.get("dataset") == self.dataset

    def _create(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA_SQL.split(";\n"):
            if statement.strip():
                db.execute(statement)
        db.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("state_version", STATE_VERSION), ("dataset", self.dataset), ("lsn", 0), ("digest_sum", b"")],
        )
        db.execute("COMMIT")

    def _reset(self, db: sqlite3.Connection) -> None:
        """Put an empty State in place of all that is in it, in one transaction: who else has it open goes on with it."""
        empty = sqlite3.connect(":memory:", isolation_level=None)
        try:
            self._create(empty)
            empty.backup(db)
        finally:
            empty.close()

    def _replace(self) -> sqlite3.Connection:
        """Delete a file that SQLite cannot even write to, and make a new one."""
        if self.path is not None:
            delete_state(self.path)
        db = self._connect()
        self._create(db)
        return db

    def recreate(self) -> None:
        """Delete everything in it; the next catch-up, here or in another process, starts from the first entry.

        A file that cannot be written to stays as it is: this process goes on with an empty State of its own.
        """
        with self._lock, self._alone():
            if self._reading is not None:
                self._reading.db.close()
                self._changing = self._own()
                return
            try:
                self._reset(self._db)
            except sqlite3.DatabaseError:
                self._db.close()
                self._changing = self._replace()

    def drop_later_indexes(self) -> None:
        """Leave out, in an empty State, the indexes that are made faster at the end (inside a transaction)."""
        for name in LATER_INDEXES:
            self.execute(f"DROP INDEX IF EXISTS {name}")

    def make_later_indexes(self) -> None:
        """Make those of them that are missing (inside a transaction)."""
        there = {name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'index'")}
        for name in LATER_INDEXES:
            if name not in there:
                self.execute(_statement_that_makes(name))

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    # --- reading and writing ---------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing; other threads and processes wait.

        Raises:
            ReadOnlyError: something was to be changed, and the file cannot be written to; see `detach`.
            DiskFullError, DamagedStoreError, StorageError: as SQLite says; nothing was changed.
        """
        with self._lock, self._typed:
            self._db.execute("BEGIN IMMEDIATE" if self._reading is None else "BEGIN")
            try:
                yield
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows that a query gives."""
        with self._lock, self._typed:
            return self._fetch(sql, parameters)

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row that a query gives, if any."""
        with self._lock, self._typed:
            row: tuple[Any, ...] | None = self._ask(lambda db: db.execute(sql, parameters).fetchone())
            return row

    def _fetch(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return self._ask(lambda db: db.execute(sql, parameters).fetchall())

    def _ask(self, look: Callable[[sqlite3.Connection], T]) -> T:
        return look(self._db) if self._reading is None else self._reading.ask(look)

    def rows_in(self, sql: str, keys: Iterable[Any], before: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query with one `IN (??)`, asked in pieces for any number of keys."""
        keys = list(keys)
        found: list[tuple[Any, ...]] = []
        if not keys:
            return found
        with self._lock, self._typed:
            for start in range(0, len(keys), _IN_SIZES[-1]):
                piece = keys[start : start + _IN_SIZES[-1]]
                size = next(size for size in _IN_SIZES if size >= len(piece))
                piece += piece[-1:] * (size - len(piece))
                found += self._fetch(sql.replace("??", "?" + ",?" * (size - 1)), [*before, *piece])
        return found

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement (inside a transaction)."""
        with self._typed:
            self._db.execute(sql, parameters)

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each row (inside a transaction)."""
        if rows:
            with self._typed:
                self._db.executemany(sql, rows)

    def meta(self, key: str) -> Any:
        """A value of the `meta` table, None where absent."""
        row = self.one("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else row[0]

    def set_meta(self, key: str, value: Any) -> None:
        """Write a value of the `meta` table (inside a transaction)."""
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def foreign_commits(self) -> int:
        """A number that changes when another connection has committed to the database since it was last asked."""
        row = self.one("PRAGMA data_version")
        return 0 if row is None else int(row[0])

    def damage(self) -> list[str]:
        """What SQLite's own integrity check finds wrong, one line each."""
        try:
            lines = [str(row[0]) for row in self.rows("PRAGMA integrity_check(20)")]
        except DamagedStoreError as error:
            return [error.what]
        return [] if lines == ["ok"] else lines


class _Typed:
    """Turns SQLite's errors into ours. One object for all calls: some thousand a second go through it."""

    def __init__(self, path: Path | None) -> None:
        self._where = str(path)

    def __enter__(self) -> None: ...

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if not isinstance(error, sqlite3.DatabaseError):
            return
        text = str(error)
        if not isinstance(error, sqlite3.OperationalError) or "malformed" in text or "not a database" in text:
            raise DamagedStoreError(text, where=self._where, hint="gonk rebuild DATASET makes it anew") from error
        if "readonly" in text:
            raise read_only.refused(self._where) from error
        if "full" in text:
            raise DiskFullError("no space left for the State", where=self._where, hint="free some space") from error
        raise StorageError(f"the State database failed: {text}", where=self._where) from error


def _connect(name: str) -> sqlite3.Connection:
    """Open a database by its path or URI; ":memory:" is one in memory, and "" one in a file without a name."""
    db = sqlite3.connect(
        name,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        uri=True,
    )
    with contextlib.suppress(sqlite3.DatabaseError):  # a damaged file: found when it is read
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA cache_size = -4096")  # KiB; a larger one is no faster: the rest is in the cache of files
    return db


def _set_up(db: sqlite3.Connection) -> sqlite3.Connection:
    """For changes."""
    with contextlib.suppress(sqlite3.DatabaseError):
        # Flushed at checkpoints only. With OFF, a power cut can lose some pages of one: nothing would notice that.
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA journal_mode = WAL")
    return db


def _has_tables(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def empty_state(path: Path, dataset: bytes) -> None:
    """Make a State that nobody in this process has open an empty one, whatever it is now; others may have it open."""
    db = StateDb(path, dataset)
    try:
        if db.is_read_only:
            raise read_only.refused(path)
        db.recreate()
    finally:
        db.close()


def _statement_that_makes(index: str) -> str:
    return next(each for each in SCHEMA_SQL.split(";\n") if each.strip().startswith(f"CREATE INDEX {index} "))


def delete_state(path: Path) -> None:
    """Delete the files of a database that is not open; there may be none."""
    for file in _files(path):
        file.unlink(missing_ok=True)


def _files(path: Path) -> list[Path]:
    return [Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm")]
