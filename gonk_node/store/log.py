"""The log of one dataset on this node's disk: entries in order of arrival, found by id, by place in a chain, by head.

The only place that changes them. It does not verify signatures (`core.verify` did), nor judge who may do
what; SQLite's State is derived from here. Tables and keys: `log_rows` and docs/storage.md.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from gonk_node.core.entry import Entry, Header
from gonk_node.core.heads import Head, Range
from gonk_node.core.limits import LOG_MAP_BYTES
from gonk_node.core.outcome import Ingested, Outcome
from gonk_node.errors import DamagedStoreError, GonkError, StorageError
from gonk_node.store import log_check, log_meta, log_prune, log_read
from gonk_node.store.env import Environment, Table
from gonk_node.store.log_append import Appender
from gonk_node.store.log_rows import LogTables, LogTxn, damaged, split_chain_key
from gonk_node.store.log_totals import author_totals
from gonk_node.store.rows import u64
from gonk_node.store.writer import Txn

T = TypeVar("T")
INSTANCE_BYTES = 16


class Fork(NamedTuple):
    """Two different entries at one place of one log, both signed by its author: the records together prove it."""

    author: bytes
    log_id: bytes
    seq: int
    records: tuple[bytes, bytes]


class LocalPlace(NamedTuple):
    """Where an entry that this node signs is to go.

    Attributes:
        author: the key that signs.
        log_id: this installation's log.
        build: makes the entry, given the header and id of the log's tip (None and empty for a new log). May be called again
            when the map had to grow.
    """

    author: bytes
    log_id: bytes
    build: Callable[[Header | None, bytes], Entry]


class LogStore:
    """An open log. Each call is one short transaction; writes return once they are on the disk.

    Attributes:
        dataset: the id of the dataset, 32 bytes.
        instance: 16 random bytes made with this log: arrival numbers mean something only together with them.
    """

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._tables = LogTables.of(env)
        with env.read() as txn:
            format_ = log_meta.need(txn, self._tables.meta, log_meta.FORMAT_KEY)
            self.dataset = log_meta.need(txn, self._tables.meta, log_meta.DATASET_KEY)
            self.instance = log_meta.need(txn, self._tables.meta, log_meta.INSTANCE_KEY)
        if format_ != u64(log_meta.FORMAT):
            raise StorageError(
                "the log was written by another version of gonk", where=str(env.path), hint="use that version"
            )

    @classmethod
    def create(cls, path: Path, genesis: Entry, *, map_bytes: int = LOG_MAP_BYTES) -> LogStore:
        """Make a log that holds a verified genesis, and open it. The folder above `path` must exist.

        Raises:
            ExistsError: there is a log at `path` already.
            StoreLockedError: another process is making it.
            DiskFullError, StorageError: nothing was made.
        """

        def fill(txn: Txn, tables: dict[str, Table]) -> None:
            handles = LogTables(**tables)
            log_meta.put(txn, handles.meta, log_meta.FORMAT_KEY, u64(log_meta.FORMAT))
            log_meta.put(txn, handles.meta, log_meta.DATASET_KEY, genesis.dataset)
            log_meta.put(txn, handles.meta, log_meta.INSTANCE_KEY, os.urandom(INSTANCE_BYTES))
            log_meta.set_last_lsn(txn, handles.meta, 0)
            appender = Appender(txn, handles)
            appender.add(genesis, frozenset())
            appender.finish()

        Environment.create(path, LogTables._fields, fill, map_bytes=map_bytes)
        return cls.open(path, map_bytes=map_bytes)

    @classmethod
    def open(cls, path: Path, *, map_bytes: int = LOG_MAP_BYTES) -> LogStore:
        """Open a log that `create` made; errors as of `Environment.open`."""
        env = Environment.open(path, LogTables._fields, map_bytes=map_bytes)
        try:
            return cls(env)
        except BaseException:
            env.close()
            raise

    @property
    def path(self) -> Path:
        """Its folder."""
        return self._env.path

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be appended, since the folder cannot be written to."""
        return self._env.is_read_only

    def close(self) -> None:
        """Finish waiting writes and close; closing again does nothing."""
        self._env.close()

    # --- writing
    # ---------------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry], *, cited: frozenset[bytes] = frozenset()) -> list[Ingested]:
        """Append entries that passed V1 to V6 for this dataset, in one transaction and one flush.

        Args:
            entries: in the order in which they are to be judged (a chain in order of seq).
            cited: ids of entries that are let in even where their log has its most branches already.

        Returns:
            For each entry INSERTED, DUPLICATE, COMPLETED, GAP, DECLINED or INVALID (rule V7), durable on
            return.

        Raises:
            DiskFullError, StorageError: none of them is stored.
        """

        def change(txn: Txn) -> list[Ingested]:
            appender = Appender(txn, self._tables)
            outcomes = [appender.add(entry, cited) for entry in entries]
            appender.finish()
            return outcomes

        return self._env.write(change)

    def append_local_group(self, places: Sequence[LocalPlace]) -> list[tuple[Ingested, Entry] | Exception]:
        """Sign and append entries of this node's own logs, in one transaction and one flush.

        Their places are chosen inside the write transaction, so two processes never fork a log.

        Returns:
            For each the entry, durable on return; or why there is none: what `build` raised (ValueError or GonkError), or a
            StorageError where the entry did not fit its place. The others are not disturbed.

        Raises:
            DiskFullError, StorageError: none of them is stored.
        """

        def change(txn: Txn) -> list[tuple[Ingested, Entry] | Exception]:
            return [self._append_local(txn, place) for place in places]

        return self._env.write(change)

    def _append_local(self, txn: Txn, place: LocalPlace) -> tuple[Ingested, Entry] | Exception:
        log = LogTxn(txn, self._tables)
        tip = _deepest([head for head, _ in log.leaves(place.author, place.log_id)])
        try:
            entry = place.build(None, b"") if tip is None else place.build(log.header(tip.entry_id), tip.entry_id)
        except (ValueError, GonkError) as error:
            return error  # nothing of it is in the transaction
        appender = Appender(txn, self._tables)
        ingested = appender.add(entry, frozenset())
        if ingested.outcome is not Outcome.INSERTED:
            refused = StorageError(f"an entry made here was not taken: {ingested.outcome.name}")
            refused.__cause__ = ingested.error
            return refused
        appender.finish()
        return ingested, entry

    def erase(self, entry_id: bytes, indexes: set[int]) -> bool:
        """Put hashes in place of event bodies, for good; False when nothing changed. Errors: `log_prune.erase`."""
        return self._env.write(lambda txn: log_prune.erase(LogTxn(txn, self._tables), entry_id, indexes))

    def allow_bodies(self, entry_id: bytes, indexes: set[int]) -> None:
        """Let erased bodies come back with the next arrival of the entry."""
        self._env.write(lambda txn: log_prune.allow_bodies(LogTxn(txn, self._tables), entry_id, indexes))

    def erased(self, entry_ids: Iterable[bytes]) -> dict[bytes, set[int]]:
        """Of each entry the indexes of the bodies that were erased here and are not to come back."""
        with self._env.read() as txn:
            log = LogTxn(txn, self._tables)
            return {entry_id: log.erased(entry_id) for entry_id in entry_ids}

    # --- reading
    # ---------------------------------------------------------------------------------------------

    def last_lsn(self) -> int:
        """The arrival number of the newest entry ever held."""
        return self._env.ask(lambda txn: log_meta.last_lsn(txn, self._tables.meta))

    def heads(self) -> list[Head]:
        """Every leaf of every log."""
        return self._read(lambda log: [head for head, _ in log.leaves()])

    def heads_since(self, lsn: int) -> list[Head]:
        """The leaves that arrived after `lsn`."""
        return self._read(lambda log: [head for head, own in log.leaves() if own > lsn])

    def leaves(self, author: bytes, log_id: bytes) -> list[Head]:
        """The leaves of one log: several where it forks, none where it is not held."""
        return self._read(lambda log: [head for head, _ in log.leaves(author, log_id)])

    def has(self, entry_id: bytes) -> bool:
        """Whether an entry is held."""
        return self.lsn_of(entry_id) is not None

    def lsn_of(self, entry_id: bytes) -> int | None:
        """The arrival number of a held entry."""
        return self._read(lambda log: log.lsn_of(entry_id))

    def header_of(self, entry_id: bytes) -> Header | None:
        """The header of a held entry."""
        return self._read(lambda log: log.header(entry_id))

    def head_of(self, entry_id: bytes) -> Head | None:
        """The place of a held entry."""
        header = self.header_of(entry_id)
        return None if header is None else Head(header.author, header.log_id, header.seq, entry_id)

    def record(self, lsn: int) -> bytes | None:
        """The record with that arrival number."""
        return self._env.ask(lambda txn: txn.get(u64(lsn), db=self._tables.entries))

    def record_of(self, entry_id: bytes) -> bytes | None:
        """The record of a held entry."""
        return self._read(lambda log: None if (lsn := log.lsn_of(entry_id)) is None else log.record(lsn))

    def scan(self, after_lsn: int, *, count_max: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """Lsn and record of what arrived after `after_lsn`: at least one if there is any, then as many as fit."""
        return self._read(lambda log: log_read.scan(log, after_lsn, count_max=count_max, bytes_max=bytes_max))

    def locator(self, head: Head) -> list[bytes]:
        """Ids of a held entry and its ancestors at `core.heads.locator_seqs`, newest first; empty when not held."""
        return self._read(lambda log: log_read.locator(log, head))

    def plan(self, head_id: bytes, known: Sequence[bytes]) -> Range | None:
        """What one who knows the entries `known` lacks of the chain of `head_id`; None for nothing, or not held.

        Args:
            head_id: the end of the chain.
            known: entry ids, also of entries that are not held here or lie elsewhere; those are ignored.
        """
        return self._read(lambda log: log_read.plan(log, head_id, known))

    def read_range(self, range_: Range, first_seq: int, *, bytes_max: int, count_max: int) -> list[bytes]:
        """Records of a range that `plan` gave, from `first_seq` on, in order: at least one, then as many as fit.

        None at all only where the range's end is not held.
        """
        return self._read(
            lambda log: log_read.read_range(log, range_, first_seq, bytes_max=bytes_max, count_max=count_max)
        )

    def is_ancestor(self, ancestor_id: bytes, entry_id: bytes) -> bool:
        """Whether an entry is at, or before, another on the same chain; False when one of them is not held."""
        return self._read(lambda log: log_read.is_ancestor(log, ancestor_id, entry_id))

    def lsns_up_to(self, entry_ids: Iterable[bytes]) -> tuple[array[int], int]:
        """The lsns of what is at or before those held entries, ascending; and how many events (see `log_read`)."""
        return self._read(lambda log: log_read.lsns_up_to(log, entry_ids))

    def forks(self) -> list[Fork]:
        """A proof of each fork held."""

        def find(log: LogTxn) -> list[Fork]:
            with log.txn.cursor(log.tables.forks) as cursor:
                return [_fork(log, key, pair) for key, pair in cursor.iternext()]

        return self._read(find)

    def author_totals(self, author: bytes) -> tuple[int, int]:
        """Entries, and bytes of records, held of an author."""
        return self._env.ask(lambda txn: author_totals(txn, self._tables.authors, author))

    # --- small values of other layers
    # --------------------------------------------------------------------------

    def meta_get(self, key: bytes) -> bytes | None:
        """A value that `meta_put` stored."""
        return self._env.ask(lambda txn: log_meta.get(txn, self._tables.meta, key))

    def meta_put(self, key: bytes, value: bytes | None) -> None:
        """Store a small value (a sync cursor, a counter) under a key that does not begin with `log/`; None removes it."""
        log_meta.check_key(key, value)
        self._env.write(lambda txn: log_meta.put(txn, self._tables.meta, key, value))

    def check(self) -> Iterator[DamagedStoreError]:
        """Verify everything anew, bytes and indexes (`log_check`); yields each problem found."""
        return log_check.check(self._env, self._tables)

    def _read(self, look: Callable[[LogTxn], T]) -> T:
        return self._env.ask(lambda txn: look(LogTxn(txn, self._tables)))


def _deepest(leaves: list[Head]) -> Head | None:
    """The tip that a log goes on from: the deepest leaf, of equals the one with the lowest id."""
    return min(leaves, key=lambda head: (-head.seq, head.entry_id), default=None)


def _fork(log: LogTxn, key: bytes, pair: bytes) -> Fork:
    seq, _ = split_chain_key(key)
    records = []
    for entry_id in (pair[:32], pair[32:]):
        lsn = log.lsn_of(entry_id)
        if lsn is None:
            raise damaged("forks", f"the entry {entry_id.hex()[:12]} is missing")
        records.append(log.record(lsn))
    return Fork(key[:32], key[32:40], seq, (records[0], records[1]))
