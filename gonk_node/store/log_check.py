"""Finding damage in a log: verifies every record anew, and that every index says exactly what the records imply.

LMDB has no checksums, so this is what stands between a flipped bit and a wrong State. It repairs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from gonk_node.core.entry import Entry, Header
from gonk_node.core.ids import HASH_BYTES
from gonk_node.core.verify import check_chain, verify_entry
from gonk_node.errors import DamagedStoreError, InvalidEntryError
from gonk_node.store import log_meta
from gonk_node.store.env import Environment, Table
from gonk_node.store.log_rows import (
    EVENT_INDEX_BYTES,
    LogTables,
    LogTxn,
    Row,
    chain_key,
    damaged,
    head_key,
    head_value,
    stored_entry,
    stored_header,
)
from gonk_node.store.log_totals import author_totals
from gonk_node.store.rows import number, unsealed

_HEADERS_KEPT = 4096


def check(env: Environment, tables: LogTables) -> Iterator[DamagedStoreError]:
    """Walk the whole log and yield each problem, with its place.

    It reads one snapshot, so the file may grow while others write. First the pages are checked: where those
    are broken, nothing else is read.
    """
    problems = env.structure_problems()
    yield from (damaged(str(env.path / "data.mdb"), problem) for problem in problems)
    if problems:
        return
    try:
        with env.read() as txn:
            yield from _Check(LogTxn(txn, tables)).run()
    except DamagedStoreError as problem:
        yield problem


class _Check:
    """One walk over a log, and what has to be remembered from one entry to the next."""

    def __init__(self, log: LogTxn) -> None:
        self._log = log
        self._tables = log.tables
        self._headers: dict[bytes, Header] = {}
        self._totals: dict[bytes, list[int]] = {}
        self._entries = self._leaves = self._forks = 0

    def run(self) -> Iterator[DamagedStoreError]:
        """The whole walk."""
        log = self._log
        yield from self._check_meta()
        dataset = log_meta.need(log.txn, self._tables.meta, log_meta.DATASET_KEY)
        with log.txn.cursor(self._tables.entries) as cursor:
            for key, record in cursor.iternext():
                where = f"entries, key {key.hex()[:16]}"
                self._entries += 1
                try:
                    lsn = number(key)
                    where = f"entries, lsn {lsn}"
                    yield from self._check_entry(lsn, verify_entry(record, dataset), where)
                except InvalidEntryError as error:
                    yield damaged(where, str(error))
                except DamagedStoreError as problem:
                    yield problem
        if log.lsn_of(dataset) is None:
            yield damaged("ids", "the genesis is missing")
        yield from self._check_counts()
        yield from self._check_authors()
        yield from self._check_erased()

    def _check_entry(self, lsn: int, entry: Entry, where: str) -> Iterator[DamagedStoreError]:
        log, header, entry_id = self._log, entry.header, entry.entry_id
        if log.lsn_of(entry_id) != lsn:
            yield damaged(where, "`ids` does not lead to it")
        totals = self._totals.setdefault(header.author, [0, 0])
        totals[0] += 1
        totals[1] += len(entry.record)
        row = log.row(header, entry_id)
        if row != self._expected_row(lsn, entry):
            yield damaged(where, f"its row in `chain` is wrong: {row}")
        leaf = not log.has_successor(header, entry_id)
        self._leaves += leaf
        expected = head_value(header.seq, lsn) if leaf else None
        if log.txn.get(head_key(header, entry_id), db=self._tables.heads) != expected:
            yield damaged(where, "`heads` is wrong about it")
        place = log.entries_at(header.author, header.log_id, header.seq)
        if place[0][0] == entry_id:  # once for each place
            pair = log.fork_at(header.author, header.log_id, header.seq)
            self._forks += pair is not None
            key = chain_key(header.author, header.log_id, header.seq, b"")
            if log.txn.get(key, db=self._tables.forks) != pair:
                yield damaged(where, "`forks` is wrong about its place")

    def _expected_row(self, lsn: int, entry: Entry) -> Row:
        """The row that its predecessor implies; V7 on the way."""
        header = entry.header
        before = None
        branch_before = events_before = size_before = 0
        if header.seq:
            before = self._header(header.prev)
            check_chain(entry, before)
            row_before = self._log.row(before, header.prev)
            if row_before.lsn >= lsn:
                raise damaged(f"entries, lsn {lsn}", "it arrived before the entry that it follows")
            _, branch_before, events_before, size_before = row_before
        self._remember(entry)
        first = min(other.lsn for _, other in self._siblings(header))
        branch = branch_before if before is not None and first == lsn else lsn
        return Row(lsn, branch, events_before + header.event_count, size_before + len(entry.record))

    def _siblings(self, header: Header) -> list[tuple[bytes, Row]]:
        here = self._log.entries_at(header.author, header.log_id, header.seq)
        if len(here) == 1:
            return here
        return [item for item in here if stored_header(self._log.record(item[1].lsn)).prev == header.prev]

    def _header(self, entry_id: bytes) -> Header:
        """The header of an entry that another follows."""
        header = self._headers.get(entry_id)
        if header is None:
            lsn = self._log.lsn_of(entry_id)
            if lsn is None:
                raise damaged("ids", f"the entry {entry_id.hex()[:12]} is missing, but another follows it")
            header = stored_entry(self._log.record(lsn)).header
        return header

    def _remember(self, entry: Entry) -> None:
        if len(self._headers) >= _HEADERS_KEPT:
            self._headers.clear()
        self._headers[entry.entry_id] = entry.header

    def _rows(self, table: Table) -> int:
        return self._log.txn.stat(table)["entries"]

    def _check_counts(self) -> Iterator[DamagedStoreError]:
        for name, table, expected in (
            ("ids", self._tables.ids, self._entries),
            ("chain", self._tables.chain, self._entries),
            ("heads", self._tables.heads, self._leaves),
            ("forks", self._tables.forks, self._forks),
            ("authors", self._tables.authors, len(self._totals)),
        ):
            if self._rows(table) != expected:
                yield damaged(name, f"{self._rows(table)} rows where the entries imply {expected}")

    def _check_authors(self) -> Iterator[DamagedStoreError]:
        for author, totals in self._totals.items():
            if author_totals(self._log.txn, self._tables.authors, author) != tuple(totals):
                yield damaged(f"authors, {author.hex()[:8]}", "the totals are wrong")

    def _check_erased(self) -> Iterator[DamagedStoreError]:
        with self._log.txn.cursor(self._tables.erased) as cursor:
            for key, value in cursor.iternext():
                entry_id, index = key[:HASH_BYTES], key[HASH_BYTES:]
                lsn = self._log.lsn_of(entry_id)
                entry = None if lsn is None else stored_entry(self._log.record(lsn))
                if value or entry is None or number(index, EVENT_INDEX_BYTES) not in entry.withheld:
                    yield damaged(f"erased, entry {key.hex()[:12]}", "it names an event that is not, or not erased")

    def _check_meta(self) -> Iterator[DamagedStoreError]:
        txn, meta = self._log.txn, self._tables.meta
        with txn.cursor(meta) as cursor:
            for key, stored in cursor.iternext():
                try:
                    unsealed(key, stored, f"meta, {key!r}")
                except DamagedStoreError as problem:
                    yield problem
        with txn.cursor(self._tables.entries) as cursor:
            newest = number(cursor.key()) if cursor.last() else 0
        last_lsn = log_meta.last_lsn(txn, meta)
        if newest != last_lsn:
            yield damaged("meta", f"the last lsn is {last_lsn}, the newest entry has {newest}")
