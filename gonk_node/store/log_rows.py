"""The tables of a log, and look-ups in them within one transaction: keys, values, positions, ancestry.

Shared by reading, appending, pruning and checking. It opens no transaction and changes nothing.

    entries  lsn -> record
    ids      entry id -> lsn
    chain    author | log id | seq | entry id -> lsn | branch | events | size
    heads    author | log id | entry id -> seq | lsn
    forks    author | log id | seq -> two entry ids
    authors  author -> entries | size
    erased   entry id | event index (2 bytes) -> nothing
    meta     name -> sealed value

A *branch* is a path within a log: the first successor of an entry goes on with its branch, any further one
begins a new branch, named by its own lsn. So an ancestor is found by a few look-ups however long the chain
is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from gonk_node.core import codec
from gonk_node.core.codec import CodecError
from gonk_node.core.entry import HEADER_FIELDS, Entry, Header, decode_record
from gonk_node.core.heads import Head
from gonk_node.core.ids import HASH_BYTES
from gonk_node.errors import DamagedStoreError
from gonk_node.store.env import Environment, Table
from gonk_node.store.rows import number, u64
from gonk_node.store.writer import Txn

_ROW = struct.Struct(">QQQQ")
_HEAD = struct.Struct(">QQ")
EVENT_INDEX_BYTES = 2
_LOG_KEY_BYTES = 40  # author and log id
_SEQ_END = _LOG_KEY_BYTES + 8


class LogTables(NamedTuple):
    """Handles of the tables, by name."""

    entries: Table
    ids: Table
    chain: Table
    heads: Table
    forks: Table
    authors: Table
    erased: Table
    meta: Table

    @classmethod
    def of(cls, env: Environment) -> LogTables:
        """The tables of an open environment."""
        return cls(*(env.tables[name] for name in cls._fields))


class Row(NamedTuple):
    """An entry's row in `chain`: lsn, branch, and events and size (bytes of records) of its chain up to it."""

    lsn: int
    branch: int
    events: int
    size: int

    def encoded(self) -> bytes:
        """The 32 bytes that are stored."""
        return _ROW.pack(*self)


def decode_row(value: bytes) -> Row:
    """The row in those bytes; DamagedStoreError for a wrong length."""
    try:
        return Row._make(_ROW.unpack(value))
    except struct.error:
        raise damaged("chain", "a row of the wrong length") from None


def chain_key(author: bytes, log_id: bytes, seq: int, entry_id: bytes) -> bytes:
    """Key of an entry in `chain`; without the entry id, the prefix of all entries at that place."""
    return author + log_id + u64(seq) + entry_id


def split_chain_key(key: bytes) -> tuple[int, bytes]:
    """Seq and entry id of a key of `chain`."""
    return number(key[_LOG_KEY_BYTES:_SEQ_END]), key[_SEQ_END:]


def head_key(header: Header, entry_id: bytes) -> bytes:
    """Key of an entry in `heads`."""
    return header.author + header.log_id + entry_id


def head_value(seq: int, lsn: int) -> bytes:
    """Value of an entry in `heads`."""
    return _HEAD.pack(seq, lsn)


def decode_head(key: bytes, value: bytes) -> tuple[Head, int]:
    """A head and its lsn; DamagedStoreError for wrong lengths."""
    try:
        seq, lsn = _HEAD.unpack(value)
    except struct.error:
        raise damaged("heads", "a row of the wrong length") from None
    return Head(key[:32], key[32:_LOG_KEY_BYTES], seq, key[_LOG_KEY_BYTES:]), lsn


def damaged(where: str, what: str) -> DamagedStoreError:
    """The error for something in the log's tables that cannot be as it is."""
    return DamagedStoreError(what, where=where, hint="run `gonk fsck`")


def stored_header(record: bytes) -> Header:
    """The header of a stored record, without looking at its events; DamagedStoreError when that cannot be.

    A record begins 83 58 nn: a list of three, the first a byte string of nn bytes (a header has 100 to 190).
    """
    try:
        fields = codec.decode(record[3 : 3 + record[2]], depth_max=1) if record[:2] == b"\x83\x58" else None
    except (CodecError, IndexError):
        fields = None
    if type(fields) is not list or len(fields) != HEADER_FIELDS:
        raise damaged("entries", "a stored record is no record any more")
    return Header(*fields)


def stored_entry(record: bytes) -> Entry:
    """A stored record taken apart, strictly; DamagedStoreError when that cannot be."""
    try:
        return decode_record(record)
    except CodecError as error:
        raise damaged("entries", f"a stored record is no record any more: {error}") from None


class LogTxn:
    """One transaction on a log's tables."""

    def __init__(self, txn: Txn, tables: LogTables) -> None:
        self.txn = txn
        self.tables = tables

    def lsn_of(self, entry_id: bytes) -> int | None:
        """Arrival number of a held entry."""
        value = self.txn.get(entry_id, db=self.tables.ids)
        return None if value is None else number(value)

    def record(self, lsn: int) -> bytes:
        """The record of an entry that an index names; DamagedStoreError when it is not there."""
        record = self.txn.get(u64(lsn), db=self.tables.entries)
        if record is None:
            raise damaged(f"entries, lsn {lsn}", "an entry is missing")
        return record

    def header(self, entry_id: bytes) -> Header | None:
        """The header of a held entry."""
        lsn = self.lsn_of(entry_id)
        return None if lsn is None else stored_header(self.record(lsn))

    def row(self, header: Header, entry_id: bytes) -> Row:
        """The row of a held entry in `chain`."""
        value = self.txn.get(chain_key(header.author, header.log_id, header.seq, entry_id), db=self.tables.chain)
        if value is None:
            raise damaged(f"chain, entry {entry_id.hex()[:12]}", "its row is missing")
        return decode_row(value)

    def chain_from(self, author: bytes, log_id: bytes, seq: int) -> Iterator[tuple[int, bytes, Row]]:
        """Seq, entry id and row of each entry of a log from `seq` on, all branches, in order of seq."""
        log = author + log_id
        with self.txn.cursor(self.tables.chain) as cursor:
            if not cursor.set_range(log + u64(seq)):
                return
            for key, value in cursor.iternext():
                if not key.startswith(log):
                    return
                yield *split_chain_key(key), decode_row(value)

    def entries_at(self, author: bytes, log_id: bytes, seq: int) -> list[tuple[bytes, Row]]:
        """Entry id and row of each entry at one place; several where the log forks at or before it."""
        found = []
        for at, entry_id, row in self.chain_from(author, log_id, seq):
            if at != seq:
                break
            found.append((entry_id, row))
        return found

    def leaves(self, author: bytes = b"", log_id: bytes = b"") -> Iterator[tuple[Head, int]]:
        """Each leaf of one log, of all logs of an author, or of all, with its lsn."""
        prefix = author + log_id
        with self.txn.cursor(self.tables.heads) as cursor:
            if not (cursor.set_range(prefix) if prefix else cursor.first()):
                return
            for key, value in cursor.iternext():
                if not key.startswith(prefix):
                    return
                yield decode_head(key, value)

    def has_successor(self, header: Header, entry_id: bytes) -> bool:
        """Whether a held entry follows this one."""
        after = self.entries_at(header.author, header.log_id, header.seq + 1)
        if not after or len(self.entries_at(header.author, header.log_id, header.seq)) == 1:
            return bool(after)
        return any(stored_header(self.record(row.lsn)).prev == entry_id for _, row in after)

    def fork_at(self, author: bytes, log_id: bytes, seq: int) -> bytes | None:
        """The two lowest ids among entries at one place that follow the same entry; None where no two do."""
        here = self.entries_at(author, log_id, seq)
        if len(here) < 2:
            return None
        siblings: dict[bytes, list[bytes]] = {}
        for entry_id, row in here:  # in order of entry id
            siblings.setdefault(stored_header(self.record(row.lsn)).prev, []).append(entry_id)
        return min((b"".join(group[:2]) for group in siblings.values() if len(group) > 1), default=None)

    def on_path(self, header: Header, path: list[tuple[int, int]], seq: int) -> bytes:
        """The id of the entry at `seq` (not above the header's) on a path that `path` found."""
        branch = next(branch for first, branch in path if seq >= first)
        for entry_id, row in self.entries_at(header.author, header.log_id, seq):
            if row.branch == branch:
                return entry_id
        raise damaged(f"chain, branch {branch}", f"the entry at seq {seq} is missing")

    def path(self, header: Header, entry_id: bytes) -> list[tuple[int, int]]:
        """The branches that the chain of a held entry runs through, latest first: (first seq on it, branch)."""
        branches: list[tuple[int, int]] = []
        last: Header | None = header
        while last is not None:
            branch = self.row(last, entry_id).branch
            start = stored_header(self.record(branch))
            if start.seq > last.seq:
                raise damaged(f"chain, entry {entry_id.hex()[:12]}", "its branch begins after it")
            branches.append((start.seq, branch))
            if start.seq == 0:
                return branches
            entry_id = start.prev
            last = self.header(entry_id)
        raise damaged(f"chain, entry {entry_id.hex()[:12]}", "it is missing, but others follow it")

    def erased(self, entry_id: bytes) -> set[int]:
        """Indexes of the events whose bodies were erased here and are not to come back."""
        with self.txn.cursor(self.tables.erased) as cursor:
            if not cursor.set_range(entry_id):
                return set()
            keys = cursor.iternext(values=False)
            found = set()
            for key in keys:
                if not key.startswith(entry_id):
                    break
                found.add(number(key[HASH_BYTES:], EVENT_INDEX_BYTES))
            return found
