"""One LMDB environment: opened safely, written by one thread, read in short transactions, stopped at the first fault.

Promise: when `write` has returned, the change survives a crash or power cut on a local disk that honours flush
(`sync`, `metasync` on; no writable map). It does not know what is stored; `log` and `content` do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TypeAlias, TypeVar

import lmdb

from gonk_node.core.limits import MAP_BYTES_MAX, MAPPED_BYTES_MAX
from gonk_node.errors import (
    DamagedStoreError,
    NotFoundError,
    StorageError,
    StoreLockedError,
)
from gonk_node.store import read_only
from gonk_node.store.creation import new_folder
from gonk_node.store.faults import explain
from gonk_node.store.gate import Gate
from gonk_node.store.structure import walk_pages
from gonk_node.store.writer import Txn, Writer

T = TypeVar("T")
Table: TypeAlias = "lmdb._Database"
Fill: TypeAlias = Callable[[Txn, dict[str, Table]], object]
"""Writes the first rows of a table, given a transaction and the tables there are."""

_FORMAT_V1 = 0  # py-lmdb's number for the engine of LMDB 0.9, whose files every LMDB tool reads
_READ_TRIES = 5


class Environment:
    """An open LMDB environment; make one with `open`, or a new one on the disk with `create`.

    Safe to use from several threads, and from several processes at once; not across a fork. Where its folder cannot be
    written to, it is read without locks, and whoever writes to it from elsewhere is noticed.

    Attributes:
        path: its folder, which holds `data.mdb` and `lock.mdb`.
        is_read_only: whether its folder cannot be written to.
        tables: handle of each named table.
    """

    def __init__(
        self,
        path: Path,
        tables: Sequence[str],
        *,
        map_bytes: int,
        map_bytes_max: int = MAP_BYTES_MAX,
        derived: Mapping[str, Fill] = MappingProxyType({}),
    ) -> None:
        self.path = path
        self._pid = os.getpid()
        self._gate = Gate()
        self._closed = False
        self._mapped = 0  # bytes of large values read since the map was replaced
        self.is_read_only = not read_only.can_write(path, path / "data.mdb", path / "lock.mdb")
        self._env = _open_lmdb(path, map_bytes, len(tables), is_read_only=self.is_read_only)
        self._writer = Writer(self._env, path, self._gate, map_bytes_max)
        try:
            self._refuse_truncated()
            if self.is_read_only:
                self.tables = {name: self._open_table(name) for name in tables}
            else:
                self._env.reader_check()  # frees the slots of readers that were killed
                self.tables = self.write(lambda txn: self._open_tables(txn, tables, derived))
        except BaseException as error:
            self.close()
            if isinstance(error, lmdb.Error):
                raise explain(error, path) from error
            raise

    @classmethod
    def open(
        cls,
        path: Path,
        tables: Sequence[str],
        *,
        map_bytes: int,
        map_bytes_max: int = MAP_BYTES_MAX,
        derived: Mapping[str, Fill] = MappingProxyType({}),
    ) -> Environment:
        """Open an environment that `create` made.

        Args:
            path: its folder.
            tables: names of its tables, all of which must exist but the derived ones.
            map_bytes: bytes of address space to begin with; files are sparse, so a large number costs
                nothing.
            map_bytes_max: where doubling that ends.
            derived: makes each of these tables, where it is missing, out of the others; within one transaction.

        Raises:
            NotFoundError: there is none (a creation that a crash interrupted counts as none).
            StorageError: this user may not read it.
            StoreLockedError: this process has it open already.
            DamagedStoreError: it is no environment, or too short, or a table is missing.
        """
        try:
            if not (path / "data.mdb").is_file():
                raise NotFoundError("there is no store here", where=str(path))
        except PermissionError as error:
            raise read_only.hidden(path) from error
        return cls(path, tables, map_bytes=map_bytes, map_bytes_max=map_bytes_max, derived=derived)

    @classmethod
    def create(
        cls,
        path: Path,
        tables: Sequence[str],
        fill: Fill,
        *,
        map_bytes: int,
    ) -> None:
        """Make an environment that exists either whole, with what `fill` writes, or not at all.

        Args:
            path: its folder; must not exist. The folder above it must.
            tables: names of the tables to make.
            fill: writes the first rows, given a transaction and the tables.
            map_bytes: as for `open`.

        Raises:
            ExistsError: there is something at `path` already.
            StoreLockedError: another process is creating it at this moment.
            StorageError: the disk failed or is full; nothing is left behind.
        """
        with new_folder(path) as folder:
            try:
                env = _open_lmdb(folder, map_bytes, len(tables))
                try:
                    with env.begin(write=True) as txn:
                        fill(txn, {name: env.open_db(name.encode(), txn=txn) for name in tables})
                finally:
                    env.close()
            except lmdb.Error as error:
                raise explain(error, folder) from error

    def read(self) -> _Reading:
        """A read transaction, as a context manager: a snapshot of all that is committed.

        Keep it short: it pins old pages. Within it, the same thread may begin no other read and wait for no write.

        Raises:
            StoreLockedError: at its end, where the environment is read-only: what was read may be of no use (`read_only`).
        """
        return _Reading(self)

    def ask(self, look: Callable[[Txn], T]) -> T:
        """What `look` finds in a read transaction; it is called again where what it read may be of no use."""
        tries = _READ_TRIES if self.is_read_only else 1
        while True:
            tries -= 1
            try:
                with self.read() as txn:
                    return look(txn)
            except StoreLockedError:
                if not tries:
                    raise

    def write(self, change: Callable[[Txn], T]) -> T:
        """Run `change` in a write transaction on the writer thread; return its result once it is on the disk.

        Args:
            change: given the transaction. It may be run again from the start (the map had to grow, or another
                change of its group failed), so it must not alter anything but the transaction. What it
                raises is raised here, and nothing of it is stored.

        Raises:
            DiskFullError, StorageError: nothing of the change is stored; after a fault of the disk no write
                is taken until the environment is opened anew.
            ReadOnlyError: its folder cannot be written to.
        """
        return self.submit(change).result()

    def submit(self, change: Callable[[Txn], T]) -> Future[T]:
        """Like `write`, without waiting. Changes run in the order of submission; those that wait share a flush."""
        self._refuse_unusable()
        if self.is_read_only:
            raise read_only.refused(self.path)
        return self._writer.submit(change)

    def rows(self, table: str, *, batch: int) -> Iterator[tuple[bytes, bytes]]:
        """Walk a whole table in key order, `batch` rows to a read transaction (so not one snapshot)."""
        after: bytes | None = None
        while True:
            with self.read() as txn, txn.cursor(self.tables[table]) as cursor:
                found = cursor.first() if after is None else cursor.set_range(after + b"\0")
                rows = [row for _, row in zip(range(batch), cursor.iternext(), strict=False)] if found else []
            if not rows:
                return
            yield from rows
            after = rows[-1][0]

    def note_read(self, size: int) -> None:
        """Count the bytes of large values that were read; after `MAPPED_BYTES_MAX` of them their pages are let go.

        Without that, a process that reads a file of many gigabytes seems to need as much memory. Not to be called within
        a transaction; it waits for nothing.
        """
        self._mapped += size
        if self._mapped >= MAPPED_BYTES_MAX and not self._closed:
            self._mapped = 0
            self._writer.renew_map()

    def structure_problems(self) -> list[str]:
        """Check the pages of the file, with writers held off meanwhile; one text for each thing wrong."""
        return walk_pages(self.path) if self.is_read_only else self.write(lambda _: walk_pages(self.path))

    def close(self) -> None:
        """Finish the writes that wait, and close; closing again does nothing."""
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        self._writer.close()
        with self._gate.closed():
            self._env.close()

    def _begin_read(self) -> Txn:
        self._refuse_unusable()
        for _ in range(_READ_TRIES):
            self._gate.enter()
            try:
                return self._env.begin()
            except lmdb.MapResizedError:
                self._gate.leave()
                self._writer.adopt_map()
            except lmdb.ReadersFullError:
                self._gate.leave()
                self._env.reader_check()
            except BaseException:
                self._gate.leave()
                raise
        raise StoreLockedError("the store cannot be read: too many readers", where=str(self.path))

    def _refuse_unusable(self) -> None:
        if os.getpid() != self._pid:
            raise StorageError("a store was used in a process forked from the one that opened it", where=str(self.path))
        if self._closed:
            raise StorageError("the store is closed", where=str(self.path))

    def _refuse_truncated(self) -> None:
        """Reading a map beyond the end of its file kills the process, so it is told before anything is read."""
        size = (self.path / "data.mdb").stat().st_size
        needed = (self._env.info()["last_pgno"] + 1) * self._env.stat()["psize"]
        # Pages at the end that were freed before they were ever written may lie beyond the end of a sound
        # file.
        if size < needed and (problems := walk_pages(self.path)):
            raise DamagedStoreError(f"the file is damaged: {problems[0]}", where=str(self.path), hint="run `gonk fsck`")

    def _was_overtaken(self, txn: Txn) -> bool:
        """Whether pages that a reader without a lock sees may have been written over.

        Pages of a snapshot are freed by the next transaction at the earliest. LMDB, which knows of no reader here, uses them
        again in the third one, which begins once the second one is committed.
        """
        return int(self._env.info()["last_txnid"]) - txn.id() > 1

    def _open_table(self, name: str) -> Table:
        """Open one table to be read."""
        try:
            return self._env.open_db(name.encode(), create=False)
        except lmdb.NotFoundError:
            hint = "open it once where it can be written to; if that does not help, run `gonk fsck`"
            raise DamagedStoreError("a table is missing", where=str(self.path), hint=hint) from None

    def _open_tables(self, txn: Txn, names: Sequence[str], derived: Mapping[str, Fill]) -> dict[str, Table]:
        """Open the tables, in a write transaction: handles that a reader opens end with it."""
        tables: dict[str, Table] = {}
        missing = []
        for name in names:
            try:
                tables[name] = self._env.open_db(name.encode(), txn=txn, create=False)
            except lmdb.NotFoundError:
                if name not in derived:
                    raise DamagedStoreError(
                        "a table is missing", where=str(self.path), hint="run `gonk fsck`"
                    ) from None
                missing.append(name)
        for name in missing:
            tables[name] = self._env.open_db(name.encode(), txn=txn)
            derived[name](txn, tables)
        return tables


class _Reading:
    """A read transaction as a context manager; LMDB's errors come out as gonk's."""

    __slots__ = ("_env", "_txn")

    def __init__(self, env: Environment) -> None:
        self._env = env

    def __enter__(self) -> Txn:
        self._txn = self._env._begin_read()
        return self._txn

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        overtaken = self._env.is_read_only and self._env._was_overtaken(self._txn)
        self._txn.abort()
        self._env._gate.leave()
        if overtaken and isinstance(error, Exception | None):
            raise read_only.changed(self._env.path) from error
        if isinstance(error, lmdb.Error):
            raise explain(error, self._env.path) from error


def _open_lmdb(path: Path, map_bytes: int, table_count: int, *, is_read_only: bool = False) -> lmdb.Environment:
    try:
        return lmdb.Environment(
            str(path),
            map_size=map_bytes,
            max_dbs=table_count,
            mode=0o700,  # the files: 0600
            sync=True,
            metasync=True,
            writemap=False,
            readonly=is_read_only,
            lock=not is_read_only,  # readers make a mark in the lock file, too
            create=not is_read_only,
            max_spare_txns=1,
            lib_version=_FORMAT_V1,
        )
    except lmdb.Error as error:
        if "already open" in str(error):
            raise StoreLockedError("this process has the store open already", where=str(path)) from None
        raise explain(error, path) from error
