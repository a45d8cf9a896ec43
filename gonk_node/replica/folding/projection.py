"""Projects the log onto `state.db`: catches up from the lsn at which the State stands, one transaction a batch.

The same code runs for one new entry, for a clone that streams in, and for a rebuild from nothing; the result does not
depend on how the log was cut into batches, or in which order entries came. It reads the log and never writes it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from gonk_node.core.entry import Entry, read_stored
from gonk_node.core.events import AUTHORITY_KINDS, REDACTABLE_KINDS, Event, Redact
from gonk_node.core.ids import EventRef
from gonk_node.errors import DamagedStoreError, ReadOnlyError
from gonk_node.replica.folding.affected import touch_affected
from gonk_node.replica.folding.authority_index import AuthorityIndex
from gonk_node.replica.folding.collect import Collected
from gonk_node.replica.folding.collector import paused_collector
from gonk_node.replica.folding.held_annotations import HeldAnnotations
from gonk_node.replica.folding.place import Found, Place
from gonk_node.replica.folding.redaction import Redactions
from gonk_node.replica.folding.refold import Refolder
from gonk_node.replica.folding.resolver import Resolver
from gonk_node.state import digest
from gonk_node.state.authority import Authority
from gonk_node.state.positions import Act
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA, event_number, split_number

NOTHING: Mapping[int, Entry] = MappingProxyType({})
EVENTS_PER_BATCH = 10_000  # one transaction; more gains no speed and costs memory
_SCAN_BYTES = 2 * 1024 * 1024  # of records in one transaction: what some 50,000 votes take
_FIRST_KINDS = frozenset((*AUTHORITY_KINDS, Redact))  # decide which of the other events count at all


class LogReader(Protocol):
    """What projecting needs of a log (`store.log.LogStore`, or one in memory)."""

    def last_lsn(self) -> int:
        """The arrival number of the newest entry."""

    def scan(self, after_lsn: int, *, count_max: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """The next records in order of arrival, at least one where there is any: (lsn, record) each."""

    def record(self, lsn: int) -> bytes | None:
        """The record of that arrival number."""


class Projection:
    """The State of one dataset, kept up with its log.

    Attributes:
        db: the State.
        erasable: events with an honoured redaction whose bytes are in the log; taken out of the set by who erased them.
        restorable: events without their bytes and without an honoured redaction (any more); taken out by who lets the bytes
            back in.
    """

    def __init__(self, log: LogReader, db: StateDb) -> None:
        self._log = log
        self.db = db
        self._resolver = Resolver(db)
        self._held = HeldAnnotations(db)
        first = log.scan(0, count_max=1, bytes_max=1)
        if not first:
            raise DamagedStoreError("the log holds no genesis", hint="gonk fsck tells more")
        genesis = read_stored(first[0][1])
        self._dataset = genesis.dataset
        self._index = AuthorityIndex(db, genesis)
        self._redactions = Redactions(db, self._index, self._resolver, self._read)
        self._stamp: tuple[int, int] | None = None  # of the database that what is in memory belongs to
        self._reread: tuple[int, Entry] | None = None  # the entry read last in this batch: its events come in a row
        self.erasable: set[EventRef] = set()
        self.restorable: set[EventRef] = set()

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

    def is_up_to_date(self) -> bool:
        """Whether no other process has changed the State since the last catch-up (asked inside a transaction)."""
        return self._stamp == (self.lsn(), self.db.foreign_commits())

    def state_digest(self) -> bytes:
        """The State digest (32 bytes): equal on two nodes that hold the same heads."""
        return digest.digest_of(int.from_bytes(self.db.meta("digest_sum"), "big"))

    def missing_bodies(self) -> list[EventRef]:
        """Events of which only the hash is held, without an honoured redaction: other peers may have them."""
        return self._redactions.missing_bodies()

    def catch_up(
        self,
        *,
        recheck_withheld: bool = False,
        progress: Callable[[int, int], None] | None = None,
        verified: Mapping[int, Entry] = NOTHING,
    ) -> int:
        """Take in all entries that the log has and the State has not; in a copy of it, where its file cannot be written to.

        Args:
            recheck_withheld: look again for bodies that were missing (some came, or this is the first call).
            progress: called with (lsn reached, last lsn) after each batch.
            verified: entries just stored, by lsn: they need not be decoded again.

        Returns:
            How many entries were taken in: all, where `state.db` turned out to be damaged and was made anew.
        """
        try:
            return self._catch_up(recheck_withheld, progress, verified)
        except ReadOnlyError:  # the State is behind, and its file cannot be written to
            self.db.detach()
            return self._catch_up(recheck_withheld, progress, verified)
        except DamagedStoreError as error:
            if error.where != str(self.db.path):
                raise
            return self.rebuild(progress)

    def _catch_up(
        self, recheck_withheld: bool, progress: Callable[[int, int], None] | None, verified: Mapping[int, Entry]
    ) -> int:
        if self._stamp is None and not self._fits_log():
            self.db.recreate()
        taken = 0
        while True:
            with self.db.transaction(), self._reload_on_error(), paused_collector():
                count = self._step(recheck_withheld, verified)
            recheck_withheld = False
            taken += count
            lsn, last = self.lsn(), self._log.last_lsn()
            if progress is not None:
                progress(lsn, last)
            if lsn >= last or count == 0:  # 0: the newest are missing, which `gonk fsck` tells
                return taken

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Delete the State and fold the whole log anew; returns how many entries there are."""
        self.db.recreate()
        self._stamp = None
        return self._catch_up(False, progress, NOTHING)

    def _fits_log(self) -> bool:
        """Whether the last entry of the State is at its place in the log; not where an older copy of the log was put back."""
        last = self.db.one("SELECT lsn, entry_id FROM entries ORDER BY lsn DESC LIMIT 1")
        record = None if last is None else self._log.record(last[0])
        return last is None or (record is not None and read_stored(record).entry_id == last[1])

    @contextlib.contextmanager
    def _reload_on_error(self) -> Iterator[None]:
        """What is in memory belongs to the transaction: when that fails, read it anew next time."""
        try:
            yield
        except BaseException:
            self._stamp = None
            raise

    # --- one batch --------------------------------------------------------------------------------------

    def _step(self, recheck_withheld: bool, verified: Mapping[int, Entry]) -> int:
        lsn = self.lsn()
        self._reread = None
        if self._stamp != (lsn, self.db.foreign_commits()):  # another process was here, or this is the first call
            self._resolver.forget()
            self._held.forget()
            if lsn == 0:
                self._held.begin()
            self._index.load(self._read)
            self.erasable = self._redactions.still_held()
            self.restorable = set(self._redactions.missing_bodies())
        entries: list[tuple[int, Entry]] = []
        events = 0
        for number, record in self._log.scan(lsn, count_max=EVENTS_PER_BATCH, bytes_max=_SCAN_BYTES):
            if events >= EVENTS_PER_BATCH:
                break
            known = verified.get(number)
            entry = known if known is not None and known.record == record else read_stored(record)
            entries.append((number, entry))
            events += len(entry.bodies)
        returned = self._bodies_now_here() if recheck_withheld else []
        if entries or returned:
            self._project(entries, returned)
            lsn = entries[-1][0] if entries else lsn
            self.db.set_meta("lsn", lsn)
            self._resolver.trim()
        if not entries or lsn >= self._log.last_lsn():
            self._held.make_indexes()
        self._stamp = (lsn, self.db.foreign_commits())
        self._reread = None
        return len(entries)

    def _read(self, lsn: int) -> Entry:
        if self._reread is not None and self._reread[0] == lsn:
            return self._reread[1]
        record = self._log.record(lsn)
        if record is None:
            raise DamagedStoreError(f"the log has no entry {lsn}", hint="gonk fsck tells more")
        entry = read_stored(record)
        self._reread = (lsn, entry)
        return entry

    def _project(self, entries: Sequence[tuple[int, Entry]], returned: Sequence[Found]) -> None:
        known_branches = set(self._index.branches)
        taken = self._place_entries(entries)
        first = [
            Found(place, index, event)
            for place, entry in taken
            for index, event in enumerate(entry.stored_events())
            if type(event) in _FIRST_KINDS
        ]
        first += [found for found in returned if type(found.event) in _FIRST_KINDS]
        arrived = {place.entry_id for place, _ in taken} | {found.place.entry_id for found in returned}
        verdicts = self._index.update(_acts(first), arrived)
        redacts = _redacts(first)
        if redacts or self._redactions.any():
            self._held.make_indexes()
        settled = self._redactions.settle(redacts, arrived, everything=verdicts is not None)
        self.erasable = (self.erasable | settled.absent) - settled.present
        self.restorable = (self.restorable | settled.present) - settled.absent

        batch = Collected(self._dataset, self.db, self._resolver)
        self._take_all(batch, taken)
        waited = self._redactions.waiting_for(arrived | {ref.entry_id for ref in settled.present})
        for number in sorted({*(found.number for found in returned), *settled.again, *waited}):
            self._take_again(batch, number)
        for kind, uuid in settled.touched:
            batch.touched[kind].add(uuid)
        batch.resolve()
        if verdicts is not None:
            touch_affected(self.db, self._resolver, batch, *verdicts, known_branches)
        refolder = Refolder(self.db, self.authority, self._index.branches, batch.voted)
        alone = batch.new_alone(self._held)
        if batch.touched[ANNOTATION]:
            self._held.make_indexes()
        for kind in (SCHEMA, OBJECT, ANNOTATION):
            refolder.refold(kind, batch.touched[kind], batch.rows[kind])
        refolder.insert_alone(alone)
        self._add_to_digest(refolder.digest_change + settled.digest_change)

    def _add_to_digest(self, change: int) -> None:
        if change:
            total = digest.add(int.from_bytes(self.db.meta("digest_sum"), "big"), change)
            self.db.set_meta("digest_sum", digest.sum_to_bytes(total))

    def _take_all(self, batch: Collected, taken: Sequence[tuple[Place, Entry]]) -> None:
        any_redacted = self._redactions.any()
        for place, entry in taken:
            events = entry.stored_events()
            if any_redacted:
                events = [
                    None if self._is_absent(EventRef(place.entry_id, index), event) else event
                    for index, event in enumerate(events)
                ]
            batch.take_all(place, events)

    def _is_absent(self, ref: EventRef, event: Event | None) -> bool:
        return isinstance(event, REDACTABLE_KINDS) and self._redactions.covers(ref)

    def _place_entries(self, entries: Sequence[tuple[int, Entry]]) -> list[tuple[Place, Entry]]:
        placed: list[tuple[Place, Entry]] = []
        rows: list[tuple[object, ...]] = []
        sizes: dict[bytes, int] = {}

        def flush() -> None:
            self.db.many("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            rows.clear()

        for lsn, entry in entries:
            header = entry.header
            branch = self._index.place(entry, flush)
            place = Place(lsn, entry.entry_id, header.author, header.log_id, branch, header.seq, header.time_ms)
            placed.append((place, entry))
            size = len(entry.record)
            rows.append((lsn, entry.entry_id, branch, header.seq, header.time_ms, header.event_count, size))
            sizes[header.author] = sizes.get(header.author, 0) + size
            self._resolver.learn_entry(entry.entry_id, lsn)
        flush()
        self.db.many(
            "INSERT INTO authors VALUES (?, ?) ON CONFLICT (author) DO UPDATE SET bytes = bytes + excluded.bytes",
            list(sizes.items()),
        )
        return placed

    # --- events that are taken again ---------------------------------------------------------------------

    def _found(self, number: int) -> Found:
        """An event that was projected before, as the log has it now."""
        lsn, index = split_number(number)
        entry = self._read(lsn)
        header = entry.header
        position = self._index.locate(entry.entry_id)
        if position is None:
            raise DamagedStoreError(f"the State lacks entry {lsn}", hint="gonk rebuild DATASET mends it")
        self._resolver.learn_entry(entry.entry_id, lsn)
        place = Place(lsn, entry.entry_id, header.author, header.log_id, position.branch, header.seq, header.time_ms)
        return Found(place, index, entry.stored_events()[index])

    def _take_again(self, batch: Collected, number: int) -> None:
        place, index, event = self._found(number)
        if self._is_absent(EventRef(place.entry_id, index), event):
            event = None
        if event is not None:
            self.db.execute("DELETE FROM withheld WHERE event_no = ?", (number,))
        batch.take(place, index, event)
        batch.voted.add(number)  # its votes may have come before it

    def _bodies_now_here(self) -> list[Found]:
        """Events whose body was missing and is in the log now; those with an honoured redaction are to be erased again."""
        here: list[Found] = []
        for (number,) in self.db.rows("SELECT event_no FROM withheld ORDER BY event_no"):
            lsn, index = split_number(number)
            if self._read(lsn).bodies[index] is None:
                continue
            found = self._found(number)
            ref = EventRef(found.place.entry_id, found.index)
            if self._is_absent(ref, found.event):
                self.erasable.add(ref)
            else:
                here.append(found)
        return here


def _acts(found: Iterable[Found]) -> list[tuple[bytes, Act]]:
    return [
        (place.author, Act(place.branch, place.seq, place.log_id, place.entry_id, index, event))
        for place, index, event in found
        if isinstance(event, AUTHORITY_KINDS)
    ]


def _redacts(found: Iterable[Found]) -> list[tuple[int, EventRef]]:
    return [
        (event_number(place.lsn, index), EventRef(event.target.entry_id or place.entry_id, event.target.index))
        for place, index, event in found
        if isinstance(event, Redact)
    ]
