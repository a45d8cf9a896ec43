"""Appending to a log: a batch of verified entries becomes rows, within one write transaction.

Each entry is judged in turn: held already, without its predecessor, breaking the chain (V7), one branch too
many, or in.
Signatures are not looked at: entries come from `core.verify.verify_entry`.
"""

from __future__ import annotations

from gonk_node.core.entry import Entry, Header, with_bodies_of, without_bodies
from gonk_node.core.limits import BRANCHES_PER_LOG_MAX, ENTRY_BYTES_MAX
from gonk_node.core.outcome import Ingested, Outcome
from gonk_node.core.verify import check_chain
from gonk_node.errors import InvalidEntryError
from gonk_node.store import log_meta
from gonk_node.store.log_rows import LogTables, LogTxn, Row, chain_key, head_key, head_value, stored_entry
from gonk_node.store.log_totals import add_to_author, grow_chain
from gonk_node.store.rows import u64
from gonk_node.store.writer import Txn


class _Link:
    """What a successor must know of an entry: header, row, whether nothing follows it, and whether `heads` says so."""

    __slots__ = ("header", "is_leaf", "row", "stored_as_leaf")

    def __init__(self, header: Header, row: Row, *, is_leaf: bool, stored_as_leaf: bool) -> None:
        self.header = header
        self.row = row
        self.is_leaf = is_leaf
        self.stored_as_leaf = stored_as_leaf


class Appender:
    """One batch: `add` each entry, then `finish`, which writes the rows that entries of the batch share."""

    def __init__(self, txn: Txn, tables: LogTables) -> None:
        self._log = LogTxn(txn, tables)
        self._txn = txn
        self._tables = tables
        self._last_lsn = self._first_lsn = log_meta.last_lsn(txn, tables.meta)
        self._links: dict[bytes, _Link] = {}
        self._arrived: dict[bytes, list[int]] = {}  # author -> entries, bytes
        self._grown: dict[bytes, tuple[Header, int]] = {}  # completed entry -> header, bytes more than before

    def add(self, entry: Entry, cited: frozenset[bytes]) -> Ingested:
        """Take one entry that passed V1 to V6; `cited` ids are let in whatever the number of branches."""
        entry_id = entry.entry_id
        lsn = self._log.lsn_of(entry_id)
        if lsn is not None:
            return self._take_again(entry, lsn)
        header = entry.header
        prev = None
        if header.seq:
            prev = self._link(header.prev)
            if prev is None:
                return Ingested(Outcome.GAP, entry_id, 0)
            try:
                check_chain(entry, prev.header)
            except InvalidEntryError as error:
                return Ingested(Outcome.INVALID, entry_id, 0, error)
        forks = self._would_fork(header, prev)
        if forks and entry_id not in cited and self._branches(header) >= BRANCHES_PER_LOG_MAX:
            return Ingested(Outcome.DECLINED, entry_id, 0)
        lsn = self._insert(entry, prev, new_branch=forks or prev is None)
        if forks:
            self._note_fork(header)
        return Ingested(Outcome.INSERTED, entry_id, lsn)

    def finish(self) -> None:
        """Write what the entries of the batch share: heads, totals, the last lsn."""
        self._write_heads()
        for author, (count, size) in self._arrived.items():
            add_to_author(self._txn, self._tables.authors, author, count, size)
        grow_chain(self._log, self._grown)
        if self._last_lsn != self._first_lsn:
            log_meta.set_last_lsn(self._txn, self._tables.meta, self._last_lsn)

    def _insert(self, entry: Entry, prev: _Link | None, *, new_branch: bool) -> int:
        header, entry_id, size = entry.header, entry.entry_id, len(entry.record)
        lsn = self._last_lsn = self._last_lsn + 1
        events, size_before = (0, 0) if prev is None else (prev.row.events, prev.row.size)
        branch = lsn if new_branch or prev is None else prev.row.branch
        row = Row(lsn, branch, events + header.event_count, size_before + size)
        key = u64(lsn)
        put, tables = self._txn.put, self._tables
        put(key, entry.record, db=tables.entries, append=True)
        put(entry_id, key, db=tables.ids)
        put(chain_key(header.author, header.log_id, header.seq, entry_id), row.encoded(), db=tables.chain)
        if prev is not None:
            prev.is_leaf = False
        self._links[entry_id] = _Link(header, row, is_leaf=True, stored_as_leaf=False)
        arrived = self._arrived.setdefault(header.author, [0, 0])
        arrived[0] += 1
        arrived[1] += size
        return lsn

    def _link(self, entry_id: bytes) -> _Link | None:
        link = self._links.get(entry_id)
        if link is None:
            header = self._log.header(entry_id)
            if header is None:
                return None
            leaf = self._txn.get(head_key(header, entry_id), db=self._tables.heads) is not None
            row = self._log.row(header, entry_id)
            link = self._links[entry_id] = _Link(header, row, is_leaf=leaf, stored_as_leaf=leaf)
        return link

    def _would_fork(self, header: Header, prev: _Link | None) -> bool:
        if prev is not None:
            return not prev.is_leaf
        return bool(self._log.entries_at(header.author, header.log_id, 0))

    def _branches(self, header: Header) -> int:
        self._write_heads()
        return sum(1 for _ in self._log.leaves(header.author, header.log_id))

    def _note_fork(self, header: Header) -> None:
        pair = self._log.fork_at(header.author, header.log_id, header.seq)
        if pair is not None:
            self._txn.put(chain_key(header.author, header.log_id, header.seq, b""), pair, db=self._tables.forks)

    def _write_heads(self) -> None:
        for entry_id, link in self._links.items():
            if link.is_leaf == link.stored_as_leaf:
                continue
            key = head_key(link.header, entry_id)
            if link.is_leaf:
                self._txn.put(key, head_value(link.header.seq, link.row.lsn), db=self._tables.heads)
            else:
                self._txn.delete(key, db=self._tables.heads)
            link.stored_as_leaf = link.is_leaf

    def _take_again(self, entry: Entry, lsn: int) -> Ingested:
        """A held entry came again: take over the bodies that are missing here, but none that was erased here."""
        entry_id = entry.entry_id
        record = self._log.record(lsn)
        if record == entry.record or len(entry.withheld) == len(entry.bodies):
            return Ingested(Outcome.DUPLICATE, entry_id, lsn)
        held = stored_entry(record)
        if held.withheld and (erased := self._log.erased(entry_id)):
            entry = without_bodies(entry, erased)
        if not held.withheld.keys() - entry.withheld.keys():
            return Ingested(Outcome.DUPLICATE, entry_id, lsn)
        completed = with_bodies_of(held, entry).record
        if len(completed) > ENTRY_BYTES_MAX:  # two halves of an entry that nobody could have sent whole
            return Ingested(Outcome.DUPLICATE, entry_id, lsn)
        self._txn.put(u64(lsn), completed, db=self._tables.entries)
        _, grown = self._grown.get(entry_id, (entry.header, 0))
        self._grown[entry_id] = (entry.header, grown + len(completed) - len(record))
        return Ingested(Outcome.COMPLETED, entry_id, lsn)
