"""A replica's log in memory: the reads of `sync.log_view.LogView`, and a write path with V1 to V7, quotas and branch limit.

It does in dictionaries what the store does in LMDB; a crash is `copy` of what was there before.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from gonk_node.core.entry import Entry, with_bodies_of, without_bodies
from gonk_node.core.events import ACCEPT, Review
from gonk_node.core.heads import Head, Range, heads_digest, locator_seqs
from gonk_node.core.limits import BRANCHES_PER_LOG_MAX
from gonk_node.core.outcome import Ingested, Outcome
from gonk_node.core.verify import check_chain, verify_entry
from gonk_node.errors import InvalidEntryError
from gonk_node.sync.messages import NeededBodies
from gonk_node.sync.outputs import Standing

Log = tuple[bytes, bytes]
Verify = Callable[[bytes, bytes | None], Entry]


@dataclass
class MemoryLog:
    """One replica of `dataset`.

    `owners` come first and decide by Review events what is cited; entries of keys outside `vouched` (None: nobody is a
    stranger) count against `stranger_bytes`, unless cited.
    """

    dataset: bytes
    owners: frozenset[bytes] = frozenset()
    vouched: frozenset[bytes] | None = None
    stranger_bytes: int | None = None
    verify: Verify = verify_entry
    entries: dict[bytes, Entry] = field(default_factory=dict)
    arrivals: list[bytes] = field(default_factory=list)  # entry ids; lsn is the index + 1
    _lsn: dict[bytes, int] = field(default_factory=dict)
    _leaves: dict[Log, dict[bytes, Head]] = field(default_factory=lambda: defaultdict(dict))
    _cited: set[bytes] = field(default_factory=set)
    _erased: dict[bytes, set[int]] = field(default_factory=lambda: defaultdict(set))  # bodies that are not to come back
    _stranger_bytes: int = 0

    def copy(self) -> Self:
        """The same entries, in a log of its own."""
        other = type(self)(self.dataset, self.owners, self.vouched, self.stranger_bytes, self.verify)
        other.ingest([self.entries[entry_id].record for entry_id in self.arrivals], cited=True)
        for entry_id, indexes in self._erased.items():
            other._erased[entry_id] = set(indexes)
        return other

    # --- the write path ----------------------------------------------------------------------------------

    def ingest(self, records: Sequence[bytes], cited: bool = False) -> list[Ingested]:
        """Take records in order; one outcome for each."""
        return [self._ingest(record, cited) for record in records]

    def _ingest(self, record: bytes, cited: bool) -> Ingested:
        try:
            entry = self.verify(record, self.dataset)
        except InvalidEntryError as error:
            return Ingested(Outcome.INVALID, b"", 0, error)
        entry_id = entry.entry_id
        held = self.entries.get(entry_id)
        if held is not None:
            if held.withheld.keys() - entry.withheld.keys() - self._erased[entry_id]:
                self.entries[entry_id] = with_bodies_of(held, without_bodies(entry, self._erased[entry_id]))
                return Ingested(Outcome.COMPLETED, entry_id, self._lsn[entry_id])
            return Ingested(Outcome.DUPLICATE, entry_id, self._lsn[entry_id])
        header = entry.header
        prev = self.entries.get(header.prev) if header.prev else None
        if header.prev and prev is None:
            return Ingested(Outcome.GAP, entry_id, 0)
        try:
            check_chain(entry, None if prev is None else prev.header)
        except InvalidEntryError as error:
            return Ingested(Outcome.INVALID, entry_id, 0, error)
        leaves = self._leaves[header.author, header.log_id]
        if not cited and self._declines(entry, leaves):
            return Ingested(Outcome.DECLINED, entry_id, 0)
        leaves.pop(header.prev, None)
        leaves[entry_id] = Head(header.author, header.log_id, header.seq, entry_id)
        self.entries[entry_id] = entry
        self.arrivals.append(entry_id)
        self._lsn[entry_id] = len(self.arrivals)
        if header.author in self.owners:
            self._cited.update(_accepted(entry))
        return Ingested(Outcome.INSERTED, entry_id, len(self.arrivals))

    def _declines(self, entry: Entry, leaves: dict[bytes, Head]) -> bool:
        if entry.header.prev not in leaves and len(leaves) >= BRANCHES_PER_LOG_MAX:
            return True
        if self.stranger_bytes is None or self.vouched is None or entry.header.author in self.vouched:
            return False
        if self._stranger_bytes + len(entry.record) > self.stranger_bytes:
            return True
        self._stranger_bytes += len(entry.record)
        return False

    def erase(self, entry_id: bytes, indexes: set[int]) -> None:
        """Put hashes in place of event bodies, until they are allowed again."""
        self.entries[entry_id] = without_bodies(self.entries[entry_id], indexes)
        self._erased[entry_id] |= indexes

    def allow_bodies(self, entry_id: bytes, indexes: set[int]) -> None:
        """Let erased bodies come back with the next arrival of the entry."""
        self._erased[entry_id] -= indexes

    # --- LogView -----------------------------------------------------------------------------------------

    def last_lsn(self) -> int:
        return len(self.arrivals)

    def heads(self) -> list[Head]:
        return [head for leaves in self._leaves.values() for head in leaves.values()]

    def heads_since(self, lsn: int) -> list[Head]:
        return [head for head in self.heads() if self._lsn[head.entry_id] > lsn]

    def has(self, entry_id: bytes) -> bool:
        return entry_id in self.entries

    def head_of(self, entry_id: bytes) -> Head | None:
        entry = self.entries.get(entry_id)
        return None if entry is None else _position(entry)

    def leaves(self, author: bytes, log_id: bytes) -> list[Head]:
        return list(self._leaves.get((author, log_id), {}).values())

    def locator(self, head: Head) -> list[bytes]:
        chain = [entry.entry_id for entry in self._chain(head.entry_id)]
        return [chain[seq] for seq in locator_seqs(head.seq)]

    def plan(self, head_id: bytes, known: Sequence[bytes]) -> Range | None:
        if head_id not in self.entries:
            return None
        ids = set(known)
        chain = self._chain(head_id)
        start = next((e.header.seq + 1 for e in reversed(chain) if e.entry_id in ids), 0)
        rest = chain[start:]
        if not rest:
            return None
        last = rest[-1].header
        return Range(
            last.author,
            last.log_id,
            start,
            last.seq,
            head_id,
            len(rest),
            sum(entry.header.event_count for entry in rest),
            sum(len(entry.record) for entry in rest),
        )

    def read_range(self, range_: Range, first_seq: int, *, bytes_max: int, count_max: int) -> list[bytes]:
        if range_.head_id not in self.entries:
            return []
        records: list[bytes] = []
        size = 0
        for entry in self._chain(range_.head_id)[first_seq : range_.last_seq + 1]:
            size += len(entry.record)
            if records and (size > bytes_max or len(records) >= count_max):
                break
            records.append(entry.record)
        return records

    def record_of(self, entry_id: bytes) -> bytes | None:
        entry = self.entries.get(entry_id)
        return None if entry is None else entry.record

    def incomplete(self) -> list[NeededBodies]:
        return [
            NeededBodies(entry_id, sorted(lacked))
            for entry_id, entry in self.entries.items()
            if entry.withheld and (lacked := entry.withheld.keys() - self._erased[entry_id])
        ]

    def doubtful(self) -> list[NeededBodies]:
        return []

    def erased(self, entry_ids: Iterable[bytes]) -> dict[bytes, set[int]]:
        return {entry_id: self._erased[entry_id] for entry_id in entry_ids}

    def wanted(self) -> list[bytes]:
        return sorted(self._cited - self.entries.keys())

    def priority(self, author: bytes) -> int:
        return 0 if author in self.owners else 1

    # --- what a replica makes of it ------------------------------------------------------------------------

    def state_digest(self) -> bytes:
        """Stands for the digest of State: of all bodies that are here, whatever the order in which they came."""
        ids = sorted(
            entry_id + index.to_bytes(2, "big")
            for entry_id, entry in self.entries.items()
            for index, body in enumerate(entry.bodies)
            if body is not None
        )
        return hashlib.sha256(b"".join(ids)).digest()

    def standing(self, whole: bool = True) -> Standing:
        """All that a session asks of a replica."""
        heads = self.heads() if whole else []
        return Standing(
            self.last_lsn(),
            heads,
            heads_digest(heads) if whole else b"",
            self.state_digest() if whole else b"",
            self.wanted(),
            self.incomplete(),
            self.doubtful(),
        )

    def _chain(self, entry_id: bytes) -> list[Entry]:
        """From seq 0 to that entry."""
        chain = [self.entries[entry_id]]
        while chain[-1].header.prev:
            chain.append(self.entries[chain[-1].header.prev])
        return chain[::-1]


def _position(entry: Entry) -> Head:
    return Head(entry.header.author, entry.header.log_id, entry.header.seq, entry.entry_id)


def _accepted(entry: Entry) -> Iterable[bytes]:
    for event in entry.stored_events():
        if isinstance(event, Review) and event.decision == ACCEPT:
            yield from (ref.entry_id for ref in event.events if ref.entry_id)
