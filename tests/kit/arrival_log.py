"""A log in memory as `Projection` reads it: records in order of arrival. The order, and what is withheld, is the test's."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from gonk_node.core.entry import Entry, read_stored, with_bodies_of, without_bodies
from gonk_node.core.ids import EventRef


class ArrivalLog:
    """Records by lsn. An entry that is held already is a duplicate, or completes bodies that were missing."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._records: list[bytes] = []
        self._lsn: dict[bytes, int] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> bool:
        """Take an entry; says whether bodies came that were missing."""
        lsn = self._lsn.get(entry.entry_id)
        if lsn is None:
            assert not entry.header.prev or entry.header.prev in self._lsn, "an entry before the one that it follows"
            self._records.append(entry.record)
            self._lsn[entry.entry_id] = len(self._records)
            return False
        held = read_stored(self._records[lsn - 1])
        if not held.withheld.keys() - entry.withheld.keys():
            return False
        self._records[lsn - 1] = with_bodies_of(held, entry).record
        return True

    def erase(self, ref: EventRef) -> None:
        """Drop the body of an event."""
        lsn = self._lsn[ref.entry_id]
        self._records[lsn - 1] = without_bodies(read_stored(self._records[lsn - 1]), {ref.index}).record

    def last_lsn(self) -> int:
        return len(self._records)

    def scan(self, after_lsn: int, *, count_max: int, bytes_max: int) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        size = 0
        for lsn, record in enumerate(self._records[after_lsn : after_lsn + count_max], after_lsn + 1):
            size += len(record)
            if found and size > bytes_max:
                break
            found.append((lsn, record))
        return found

    def record(self, lsn: int) -> bytes | None:
        return self._records[lsn - 1] if 0 < lsn <= len(self._records) else None


def shuffled(entries: Sequence[Entry], rng: random.Random) -> list[Entry]:
    """A random order in which an entry comes after the one that it follows (rule V7); the genesis comes first."""
    followers: dict[bytes, list[Entry]] = {}
    held = {entry.entry_id for entry in entries}
    ready = []
    for entry in entries[1:]:
        if entry.header.prev in held:
            followers.setdefault(entry.header.prev, []).append(entry)
        elif not entry.header.prev:
            ready.append(entry)
    order = [entries[0]]
    ready += followers.get(entries[0].entry_id, [])
    while ready:
        at = rng.randrange(len(ready))
        ready[at], ready[-1] = ready[-1], ready[at]
        entry = ready.pop()
        order.append(entry)
        ready += followers.get(entry.entry_id, [])
    return order
