"""Rule A9 applied to `state.db`: events with an honoured redaction count as absent, whether or not their bytes are held.

Runs before the events of a batch are taken, so that everything is resolved once, with the redacted ones away. Erasing the
bytes from the log is left to the write path.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from gonk_node.core.entry import Entry
from gonk_node.core.events import REDACTABLE_KINDS
from gonk_node.core.ids import EventRef
from gonk_node.replica.folding.authority_index import AuthorityIndex
from gonk_node.replica.folding.resolver import DELETION, Resolver, Target
from gonk_node.state import digest
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_rows import delete_row
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA, TABLES, event_number, split_number


@dataclass(slots=True)
class Settled:
    """What redactions changed.

    Attributes:
        touched: (entity type, uuid) of entities to fold anew.
        again: numbers of events to take again: those that are back, and those that referred to what is absent now.
        absent: events that are absent from now on and whose bytes are in the log.
        present: events that were absent and are not any more.
        digest_change: what to add to the sum of the State digest.
    """

    touched: set[tuple[int, bytes]] = field(default_factory=set)
    again: set[int] = field(default_factory=set)
    absent: set[EventRef] = field(default_factory=set)
    present: set[EventRef] = field(default_factory=set)
    digest_change: int = 0


class Redactions:
    """The redactions held, which of them are honoured, and who waits for what is absent."""

    def __init__(
        self, db: StateDb, index: AuthorityIndex, resolver: Resolver, read_entry: Callable[[int], Entry]
    ) -> None:
        self._db = db
        self._index = index
        self._resolver = resolver
        self._read = read_entry

    # --- questions ---------------------------------------------------------------------------------------

    def any(self) -> bool:
        """Whether there are any at all (most datasets have none)."""
        return self._db.one("SELECT 1 FROM redactions LIMIT 1") is not None

    def covers(self, ref: EventRef) -> bool:
        """Whether an honoured redaction names that event."""
        found = self._db.one("SELECT 1 FROM redactions WHERE target_entry = ? AND target_index = ? AND honoured", ref)
        return found is not None

    def still_held(self) -> set[EventRef]:
        """Events with an honoured redaction whose bytes are in the log."""
        rows = self._db.rows(
            "SELECT DISTINCT e.lsn, e.entry_id, r.target_index FROM redactions r"
            " JOIN entries e ON e.entry_id = r.target_entry WHERE r.honoured ORDER BY e.lsn"
        )
        return {EventRef(entry_id, index) for lsn, entry_id, index in rows if self._read(lsn).bodies[index] is not None}

    def missing_bodies(self) -> list[EventRef]:
        """Events of which only the hash is held, without an honoured redaction."""
        rows = self._db.rows(
            "SELECT e.entry_id, w.event_no & 4095 FROM withheld w JOIN entries e ON e.lsn = w.event_no >> 12"
        )
        return [ref for row in rows if not self.covers(ref := EventRef(*row))]

    def waiting_for(self, entry_ids: Collection[bytes]) -> list[int]:
        """Take off the list the events that waited for those entries; they are noted anew if they must wait on."""
        if self._db.one("SELECT 1 FROM waiting LIMIT 1") is None:
            return []
        found = self._db.rows_in("SELECT DISTINCT event_no FROM waiting WHERE entry_id IN (??)", entry_ids)
        if found:
            self._db.many("DELETE FROM waiting WHERE entry_id = ?", [(entry_id,) for entry_id in entry_ids])
        return [number for (number,) in found]

    # --- honouring ---------------------------------------------------------------------------------------

    def settle(
        self, new: Collection[tuple[int, EventRef]], entry_ids: Collection[bytes], *, everything: bool
    ) -> Settled:
        """Honour redactions: new ones, those whose targets just came, or all where authority changed.

        Args:
            new: (number of the redact event, what it names) of this batch.
            entry_ids: the entries of this batch, and those of which bodies came.
            everything: look at all redactions again.
        """
        self._db.many("INSERT OR IGNORE INTO redactions VALUES (?, ?, ?, 0)", [(number, *ref) for number, ref in new])
        settled = Settled()
        if not self.any():
            return settled
        columns = "SELECT event_no, target_entry, target_index, honoured FROM redactions"
        if everything:
            rows = self._db.rows(columns)
        else:
            targets = {*entry_ids, *(ref.entry_id for _, ref in new)}
            rows = self._db.rows_in(f"{columns} WHERE target_entry IN (??)", targets)
        by_target: dict[EventRef, list[tuple[int, bool]]] = {}
        for number, entry_id, index, honoured in rows:
            by_target.setdefault(EventRef(entry_id, index), []).append((number, bool(honoured)))
        for ref in sorted(by_target):  # those of one entry in a row: it is read once
            self._settle_one(ref, by_target[ref], settled)
        return settled

    def _settle_one(self, ref: EventRef, redacts: list[tuple[int, bool]], settled: Settled) -> None:
        target = self._db.one(
            "SELECT e.lsn, b.author, e.event_count FROM entries e JOIN branches b USING (branch_no)"
            " WHERE e.entry_id = ?",
            (ref.entry_id,),
        )
        if target is None or ref.index >= target[2]:
            return
        lsn, author, _ = target
        event = self._read(lsn).stored_events()[ref.index]
        redactable = event is None or isinstance(event, REDACTABLE_KINDS)  # None: judged anew when its body comes
        verdicts = [(redactable and self._honours(number, author), number) for number, _ in redacts]
        self._db.many("UPDATE redactions SET honoured = ? WHERE event_no = ?", verdicts)
        was, now = any(honoured for _, honoured in redacts), any(honoured for honoured, _ in verdicts)
        number = event_number(lsn, ref.index)
        if was and not now:
            settled.present.add(ref)
            settled.again.add(number)
        elif now and not was:
            self._make_absent(ref, number, settled)
        if now and event is not None:
            settled.absent.add(ref)

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

    # --- taking out of the State -----------------------------------------------------------------------

    def _make_absent(self, ref: EventRef, number: int, settled: Settled) -> None:
        self._db.execute("INSERT OR IGNORE INTO withheld VALUES (?)", (number,))
        self._db.execute("PRAGMA secure_delete = ON")  # the point is that the bytes go
        for table in ("profiles", "deletions", "waiting"):
            self._db.execute(f"DELETE FROM {table} WHERE event_no = ?", (number,))
        self._resolver.fetch_targets([number])
        target = self._resolver.target(number)
        self._resolver.forget_target(number)
        if target is not None and target.uuid is not None and target.entity_type is not None:
            settled.touched.add((target.entity_type, target.uuid))
            if target.kind != DELETION:
                self._remove_revision(ref, number, target, settled)
        self._db.execute("PRAGMA secure_delete = OFF")

    def _remove_revision(self, ref: EventRef, number: int, target: Target, settled: Settled) -> None:
        table = TABLES[target.kind]
        shared = self._db.one(f"SELECT shared FROM {table} WHERE event_no = ?", (number,))
        if shared is not None and shared[0] is not None and target.uuid is not None:
            settled.digest_change -= digest.item(target.kind, target.uuid, ref.entry_id, ref.index, shared[0])
        delete_row(self._db, target.kind, number)
        again = self._db.rows(f"SELECT event_no FROM {table} WHERE uuid = ? AND base_no = ?", (target.uuid, number))
        again += self._db.rows("SELECT event_no FROM deletions WHERE target_no = ?", (number,))
        if target.kind == OBJECT:
            again += self._db.rows("SELECT annotation_no FROM annotation_objects WHERE object_no = ?", (number,))
            self._db.execute("DELETE FROM annotation_objects WHERE object_no = ?", (number,))
        elif target.kind == ANNOTATION:
            self._db.execute("DELETE FROM annotation_objects WHERE annotation_no = ?", (number,))
        elif target.kind == SCHEMA:
            again += self._db.rows("SELECT event_no FROM annotations WHERE schema_no = ?", (number,))
        settled.again.update(each for (each,) in again)
