"""Rule A9 applied to `state.db`: events with an honoured redaction count as absent, whether or not their bytes are held.

Runs before the events of a batch are taken, so that everything is resolved once, with the redacted ones away. Erasing the
bytes from the log is left to the write path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gonk_node.core.entry import Entry
from gonk_node.core.events import REDACTABLE_KINDS
from gonk_node.core.ids import EventRef
from gonk_node.replica.authority_index import AuthorityIndex
from gonk_node.replica.resolver import DELETION, Resolver
from gonk_node.state import digest
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_rows import delete_row
from gonk_node.store.state_schema import OBJECT, SCHEMA, TABLES, event_number, split_number


class Settled(NamedTuple):
    """What redactions changed: entities to fold anew, the change of the digest sum, events to take again."""

    touched: list[tuple[int, bytes]]
    digest_change: int
    again: list[int]


class Redactions:
    """The redactions held, and which of them are honoured."""

    def __init__(
        self, db: StateDb, index: AuthorityIndex, resolver: Resolver, read_entry: Callable[[int], Entry]
    ) -> None:
        self._db = db
        self._index = index
        self._resolver = resolver
        self._read = read_entry

    def any(self) -> bool:
        """Whether there are any at all (most datasets have none)."""
        return self._db.one("SELECT 1 FROM redactions LIMIT 1") is not None

    def covers(self, ref: EventRef) -> bool:
        """Whether an honoured redaction names that event."""
        found = self._db.one("SELECT 1 FROM redactions WHERE target_entry = ? AND target_index = ? AND honoured", ref)
        return found is not None

    def settle(self, new: Iterable[tuple[int, EventRef]], entry_ids: set[bytes], *, everything: bool) -> Settled:
        """Honour redactions: new ones, those whose targets just came, or all where authority changed.

        Args:
            new: (number of the redact event, what it names) of this batch.
            entry_ids: the entries of this batch.
            everything: look at all redactions again.
        """
        added = list(new)
        self._db.many("INSERT OR IGNORE INTO redactions VALUES (?, ?, ?, 0)", [(number, *ref) for number, ref in added])
        if not self.any():
            return Settled([], 0, [])
        if everything:
            rows = self._db.rows("SELECT event_no, target_entry, target_index FROM redactions")
        else:
            targets = entry_ids | {ref.entry_id for _, ref in added}
            rows = self._db.rows_in(
                "SELECT event_no, target_entry, target_index FROM redactions WHERE target_entry IN (??)", targets
            )
        by_target: dict[EventRef, list[int]] = {}
        for number, entry_id, index in rows:
            by_target.setdefault(EventRef(entry_id, index), []).append(number)
        result = Settled([], 0, [])
        for ref, numbers in by_target.items():
            result = self._settle_one(ref, numbers, result)
        return result

    def _settle_one(self, ref: EventRef, numbers: list[int], so_far: Settled) -> Settled:
        target = self._db.one(
            "SELECT e.lsn, b.author FROM entries e JOIN branches b USING (branch_no) WHERE e.entry_id = ?",
            (ref.entry_id,),
        )
        if target is None:
            return so_far
        lsn, author = target
        was = self.covers(ref)
        for number in numbers:
            self._db.execute(
                "UPDATE redactions SET honoured = ? WHERE event_no = ?", (self._honours(number, author), number)
            )
        now = self.covers(ref)
        if was == now:
            return so_far
        event_no = event_number(lsn, ref.index)
        if now:
            return self._make_absent(ref, event_no, so_far)
        return so_far._replace(again=[*so_far.again, event_no])

    def _honours(self, number: int, author: bytes) -> bool:
        """A9: by the event's author where nothing cuts him off, or by an owner."""
        row = self._db.one(
            "SELECT b.author, e.branch_no, e.seq FROM entries e JOIN branches b USING (branch_no) WHERE e.lsn = ?",
            (split_number(number)[0],),
        )
        if row is None:
            return False
        key, branch, seq = row
        authority = self._index.authority
        return (key == author and authority.uncut(key, branch, seq)) or authority.owns(key, branch, seq)

    def _make_absent(self, ref: EventRef, number: int, so_far: Settled) -> Settled:
        entry = self._read(split_number(number)[0])
        event = entry.stored_events()[ref.index] if ref.index < len(entry.bodies) else None
        if event is not None and not isinstance(event, REDACTABLE_KINDS):
            return so_far
        self._db.execute("INSERT OR IGNORE INTO withheld VALUES (?)", (number,))
        self._db.execute("DELETE FROM profiles WHERE event_no = ?", (number,))
        self._resolver.fetch_targets([number])
        target = self._resolver.target(number)
        self._resolver.forget_target(number)
        if target is None or target.uuid is None or target.entity_type is None:
            return so_far
        touched = [*so_far.touched, (target.entity_type, target.uuid)]
        if target.kind == DELETION:
            self._db.execute("DELETE FROM deletions WHERE event_no = ?", (number,))
            return so_far._replace(touched=touched)
        change = so_far.digest_change
        shared = self._db.one(f"SELECT shared FROM {TABLES[target.kind]} WHERE event_no = ?", (number,))
        if shared is not None and shared[0] is not None:
            change -= digest.item(target.kind, target.uuid, ref.entry_id, ref.index, shared[0])
        self._db.execute("PRAGMA secure_delete = ON")  # the point is that the bytes go
        delete_row(self._db, target.kind, number)
        self._db.execute("PRAGMA secure_delete = OFF")
        return Settled(touched, change, [*so_far.again, *self._dependents(target.kind, number)])

    def _dependents(self, kind: int, number: int) -> list[int]:
        """What refers to a revision that is absent now, and so waits for it."""
        found = [row[0] for row in self._db.rows("SELECT event_no FROM deletions WHERE target_no = ?", (number,))]
        if kind == OBJECT:
            query = "SELECT annotation_no FROM annotation_objects WHERE object_no = ?"
            found += [row[0] for row in self._db.rows(query, (number,))]
            self._db.execute("DELETE FROM annotation_objects WHERE object_no = ?", (number,))
        elif kind == SCHEMA:
            query = "SELECT event_no FROM annotations WHERE schema_no = ?"
            found += [row[0] for row in self._db.rows(query, (number,))]
        return found
