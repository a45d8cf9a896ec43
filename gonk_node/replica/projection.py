"""Projects the log onto `state.db`: catches up from the lsn at which the State stands, one transaction a batch.

The same code runs for one new entry, for a clone that streams in, and for a rebuild from nothing; the result does not
depend on how the log was cut into batches, or in which order entries came. It reads the log and never writes it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from gonk_node.core.entry import Entry, read_stored
from gonk_node.core.events import AUTHORITY_KINDS, REDACTABLE_KINDS, Event, Redact
from gonk_node.core.ids import EventRef
from gonk_node.errors import DamagedStoreError
from gonk_node.replica.authority_index import AuthorityIndex, changed_keys
from gonk_node.replica.collect import Collected, Place
from gonk_node.replica.redaction import Redactions
from gonk_node.replica.refold import Refolder
from gonk_node.replica.resolver import Resolver
from gonk_node.state import digest
from gonk_node.state.authority import Authority
from gonk_node.state.positions import Act
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA, TABLES, event_number, split_number

EVENTS_PER_BATCH = 10_000  # one transaction; more gains no speed and costs memory
_SCAN_BYTES = 16 * 1024 * 1024  # of records read at once


class LogReader(Protocol):
    """What projecting needs of a log (`store.log.LogStore`, or one in memory)."""

    def last_lsn(self) -> int:
        """The arrival number of the newest entry."""

    def scan(self, after_lsn: int, *, count_max: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """The next records in order of arrival, at least one where there is any: (lsn, record) each."""

    def record(self, lsn: int) -> bytes | None:
        """The record of that arrival number."""


class Projection:
    """The State of one dataset, kept up with its log."""

    def __init__(self, log: LogReader, db: StateDb) -> None:
        self._log = log
        self.db = db
        self._resolver = Resolver(db)
        first = log.scan(0, count_max=1, bytes_max=1)
        if not first:
            raise DamagedStoreError("the log holds no genesis", hint="gonk fsck tells more")
        genesis = read_stored(first[0][1])
        self._dataset = genesis.dataset
        self._index = AuthorityIndex(db, genesis)
        self._redactions = Redactions(db, self._index, self._resolver, self._read)
        self._loaded_lsn = 0
        self.erasable: list[tuple[bytes, int]] = []  # redacted events whose bytes are still in the log

    @property
    def authority(self) -> Authority:
        """Who may do what, as of the last catch-up."""
        return self._index.authority

    @property
    def index(self) -> AuthorityIndex:
        """Branches, tips and the genesis."""
        return self._index

    def lsn(self) -> int:
        """The arrival number up to which the State has caught up."""
        return int(self.db.meta("lsn"))

    def state_digest(self) -> bytes:
        """The State digest (32 bytes): equal on two nodes that hold the same heads."""
        return digest.digest_of(int.from_bytes(self.db.meta("digest_sum"), "big"))

    def catch_up(self, *, recheck_withheld: bool = False, progress: Callable[[int, int], None] | None = None) -> int:
        """Take in all entries that the log has and the State has not.

        Args:
            recheck_withheld: look again for bodies that were missing (some came, or this is the first call).
            progress: called with (lsn reached, last lsn) after each batch.

        Returns:
            How many entries were taken in.
        """
        taken = 0
        while True:
            with self.db.transaction(), self._reload_on_error():
                count, lsn = self._step(recheck_withheld)
            recheck_withheld = False
            taken += count
            if progress is not None:
                progress(lsn, self._log.last_lsn())
            if lsn >= self._log.last_lsn():
                return taken

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Delete the State and fold the whole log anew; returns how many entries there are."""
        self.db.recreate()
        self._loaded_lsn = -1
        return self.catch_up(progress=progress)

    @contextlib.contextmanager
    def _reload_on_error(self) -> Iterator[None]:
        """What is in memory belongs to the transaction: when that fails, read it anew next time."""
        try:
            yield
        except BaseException:
            self._loaded_lsn = -1
            raise

    # --- one batch --------------------------------------------------------------------------------------

    def _step(self, recheck_withheld: bool) -> tuple[int, int]:
        lsn = self.lsn()
        if lsn != self._loaded_lsn:
            self._resolver.forget()
            self._index.load(self._read)
            self._loaded_lsn = lsn
        records = self._log.scan(lsn, count_max=EVENTS_PER_BATCH, bytes_max=_SCAN_BYTES)
        entries: list[tuple[int, Entry]] = []
        events = 0
        for number, record in records:
            if events >= EVENTS_PER_BATCH:
                break
            entry = read_stored(record)
            entries.append((number, entry))
            events += len(entry.bodies)
        woken = self._withheld_now_here() if recheck_withheld else []
        if entries or woken:
            self._project(entries, woken)
            lsn = entries[-1][0] if entries else lsn
            self.db.set_meta("lsn", lsn)
            self._loaded_lsn = lsn
            self._resolver.trim()
        return len(entries), lsn

    def _read(self, lsn: int) -> Entry:
        record = self._log.record(lsn)
        if record is None:
            raise DamagedStoreError(f"the log has no entry {lsn}", hint="gonk fsck tells more")
        return read_stored(record)

    def _project(self, entries: Sequence[tuple[int, Entry]], woken: Iterable[int]) -> None:
        known_branches = set(self._index.branches)
        places = self._place_entries(entries)
        taken = list(zip(places, (entry for _, entry in entries), strict=True))
        entry_ids = {place.entry_id for place in places}
        # Authority first, then redactions: both decide which of the events below count at all.
        verdicts = self._index.update(self._acts_of(taken), entry_ids)
        settled = self._redactions.settle(self._redacts_of(taken), entry_ids, everything=verdicts is not None)
        batch = Collected(self._dataset, self.db, self._resolver)
        any_redacted = self._redactions.any()
        for place, entry in taken:
            for index, event in enumerate(entry.stored_events()):
                if any_redacted and self._is_absent(EventRef(place.entry_id, index), event):
                    event = None
                batch.take(place, index, event)
        for number in {*woken, *settled.again, *self._waiting_for(entry_ids)}:
            self._take_again(batch, number)
        for kind, uuid in settled.touched:
            batch.touched[kind].add(uuid)
        batch.resolve()
        if verdicts is not None:
            self._touch_changed(batch, *changed_keys(*verdicts, known_branches))
        refolder = Refolder(self.db, self.authority, self._index.branches, batch.voted)
        for kind in (SCHEMA, OBJECT, ANNOTATION):
            refolder.refold(kind, batch.touched[kind], batch.rows[kind])
        change = refolder.digest_change + settled.digest_change
        if change:
            total = digest.add(int.from_bytes(self.db.meta("digest_sum"), "big"), change)
            self.db.set_meta("digest_sum", digest.sum_to_bytes(total))

    def _acts_of(self, taken: list[tuple[Place, Entry]]) -> list[tuple[bytes, Act]]:
        return [
            (place.author, Act(place.branch, place.seq, place.log_id, place.entry_id, index, event))
            for place, entry in taken
            for index, event in enumerate(entry.stored_events())
            if isinstance(event, AUTHORITY_KINDS)
        ]

    def _redacts_of(self, taken: list[tuple[Place, Entry]]) -> list[tuple[int, EventRef]]:
        return [
            (
                event_number(place.lsn, index),
                EventRef(event.target.entry_id or place.entry_id, event.target.index),
            )
            for place, entry in taken
            for index, event in enumerate(entry.stored_events())
            if isinstance(event, Redact)
        ]

    def _is_absent(self, ref: EventRef, event: Event | None) -> bool:
        if event is None or not isinstance(event, REDACTABLE_KINDS) or not self._redactions.covers(ref):
            return False
        self.erasable.append((ref.entry_id, ref.index))
        return True

    def _place_entries(self, entries: Sequence[tuple[int, Entry]]) -> list[Place]:
        places: list[Place] = []
        rows: list[tuple[object, ...]] = []
        sizes: dict[bytes, int] = {}

        def flush() -> None:
            self.db.many("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            rows.clear()

        for lsn, entry in entries:
            header = entry.header
            branch = self._index.place(entry, flush)
            place = Place(lsn, entry.entry_id, header.author, header.log_id, branch, header.seq, header.time_ms)
            places.append(place)
            size = len(entry.record)
            rows.append((lsn, entry.entry_id, branch, header.seq, header.time_ms, header.event_count, size))
            sizes[header.author] = sizes.get(header.author, 0) + size
            self._resolver.learn_entry(entry.entry_id, lsn)
        flush()
        self.db.many(
            "INSERT INTO authors VALUES (?, ?) ON CONFLICT (author) DO UPDATE SET bytes = bytes + excluded.bytes",
            list(sizes.items()),
        )
        return places

    # --- events that are taken again ---------------------------------------------------------------------

    def _take_again(self, batch: Collected, number: int) -> None:
        lsn, index = split_number(number)
        entry = self._read(lsn)
        header = entry.header
        position = self._index.locate(entry.entry_id)
        if position is not None:
            self._resolver.learn_entry(entry.entry_id, lsn)
            place = Place(
                lsn, entry.entry_id, header.author, header.log_id, position.branch, header.seq, header.time_ms
            )
            event = entry.stored_events()[index]
            if self._is_absent(EventRef(entry.entry_id, index), event):
                event = None
            if event is not None:
                self.db.execute("DELETE FROM withheld WHERE event_no = ?", (number,))
            batch.take(place, index, event)

    def _waiting_for(self, entry_ids: set[bytes]) -> list[int]:
        """Events that waited for one of those entries; they wait no more, or will be noted anew."""
        if self.db.one("SELECT 1 FROM waiting LIMIT 1") is None:
            return []
        found = self.db.rows_in("SELECT DISTINCT event_no FROM waiting WHERE entry_id IN (??)", entry_ids)
        for entry_id in entry_ids:
            self.db.execute("DELETE FROM waiting WHERE entry_id = ?", (entry_id,))
        return [number for (number,) in found]

    def _withheld_now_here(self) -> list[int]:
        """Events whose body was missing and is in the log now, and what waited for them."""
        found = []
        for (number,) in self.db.rows("SELECT event_no FROM withheld"):
            lsn, index = split_number(number)
            entry = self._read(lsn)
            if entry.bodies[index] is not None:
                found += [number, *self._waiting_for({entry.entry_id})]
        return found

    # --- what a new verdict on authority changes ----------------------------------------------------------

    def _touch_changed(self, batch: Collected, reviewing: set[bytes], vouched: set[bytes]) -> None:
        targets: set[int] = set()
        for key in reviewing:
            targets.update(
                number
                for (number,) in self.db.rows(
                    "SELECT DISTINCT v.target_no FROM votes v JOIN entries e ON e.lsn = v.review_no >> 12"
                    " JOIN branches b USING (branch_no) WHERE b.author = ?",
                    (key,),
                )
            )
        self._resolver.fetch_targets(targets)
        for number in targets:
            target = self._resolver.target(number)
            if target is not None:
                batch.touch(number, target)
        for key in vouched:
            for kind, table in enumerate(TABLES):
                batch.touched[kind].update(uuid for (uuid,) in self.db.rows(_UUIDS_OF_AUTHOR.format(table), (key,)))
            for kind, uuid in self.db.rows(
                "SELECT d.entity_type, d.uuid FROM entries e JOIN branches b USING (branch_no) JOIN deletions d"
                " ON d.event_no BETWEEN e.lsn << 12 AND (e.lsn << 12) + 4095"
                " WHERE b.author = ? AND d.uuid IS NOT NULL",
                (key,),
            ):
                batch.touched[kind].add(uuid)


_UUIDS_OF_AUTHOR = (
    "SELECT DISTINCT t.uuid FROM entries e JOIN branches b USING (branch_no) JOIN {} t"
    " ON t.event_no BETWEEN e.lsn << 12 AND (e.lsn << 12) + 4095 WHERE b.author = ?"
)
