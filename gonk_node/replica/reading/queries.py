"""Questions about the State, answered in the terms that people use: uuids, event ids, names; never local numbers alone.

Read-only. Every list is paged by a cursor (the local number of the last row), so memory does not grow with the dataset.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gonk_node.core.ids import EventRef, parse_uuid, split_event_uuid, uuid_text
from gonk_node.core.limits import INT_MAX
from gonk_node.errors import AmbiguousError, NotFoundError, UsageError
from gonk_node.replica.reading.hanging import Hanging
from gonk_node.replica.reading.revision_rows import Proposal, Revision, read_revision, select, view_clause
from gonk_node.state.revisions import VIEWS, views_of
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA, TABLES, event_number, split_number

__all__ = ["PAGE", "Proposal", "Queries", "Revision"]

PAGE = 1000  # rows read at once by the iterators
_UNDECIDED = " UNION ALL ".join(
    f"SELECT event_no, {kind} AS kind FROM {table} WHERE status & 1 AND status & 5 AND version IS NOT NULL"
    " AND event_no > :after"
    for kind, table in enumerate(TABLES)
)
_PENDING = (  # events that wait for a decision, deletions (kind 3) included, with their entries and authors
    f" FROM ({_UNDECIDED} UNION ALL"
    " SELECT event_no, 3 FROM deletions WHERE decided = 0 AND target_no IS NOT NULL AND event_no > :after) p"
    " JOIN entries e ON e.lsn = p.event_no >> 12 JOIN branches b ON b.branch_no = e.branch_no"
)


class Queries:
    """All questions about one State."""

    def __init__(self, db: StateDb) -> None:
        self._db = db
        self.hanging = Hanging(db)

    @property
    def dataset(self) -> bytes:
        """The id of the dataset, 32 bytes."""
        return self._db.dataset

    # --- revisions --------------------------------------------------------------------------------------

    def page(
        self,
        kind: int,
        view: str | None = None,
        *,
        author: bytes | None = None,
        after: int = 0,
        limit: int = PAGE,
    ) -> list[Revision]:
        """Revisions in order of arrival on this node, after the one whose `number` is `after`.

        Args:
            kind: OBJECT, ANNOTATION or SCHEMA.
            view: a name of `state.revisions.VIEWS`, "deprecated", "current", "waiting"; None for all.
            author: only revisions by that key.
            after: `Revision.number` of the last row of the page before.
            limit: rows at most.
        """
        clause = view_clause(view)
        parameters: list[Any] = [after]
        if author is not None:
            clause += " AND b.author = ?"
            parameters.append(author)
        rows = self._db.rows(
            f"{select(kind)} WHERE t.event_no > ?{clause} ORDER BY t.event_no LIMIT ?", (*parameters, limit)
        )
        return [read_revision(kind, row) for row in rows]

    def iterate(self, kind: int, view: str | None = None, *, author: bytes | None = None) -> Iterator[Revision]:
        """All revisions of `page`, one after the other."""
        after = 0
        while page := self.page(kind, view, author=author, after=after):
            yield from page
            after = page[-1].number

    def revisions(self, kind: int, uuid: bytes) -> list[Revision]:
        """All revisions of one entity, by version."""
        rows = self._db.rows(f"{select(kind)} WHERE t.uuid = ?", (uuid,))
        found = [read_revision(kind, row) for row in rows]
        return sorted(found, key=lambda each: (each.version is None, each.version, not each.named, each.time_ms))

    def by_number(self, kind: int, number: int) -> Revision | None:
        """The revision of a local event number."""
        row = self._db.one(f"{select(kind)} WHERE t.event_no = ?", (number,))
        return None if row is None else read_revision(kind, row)

    def current(self, kind: int, uuid: bytes) -> Revision | None:
        """What the entity is now."""
        return next((each for each in self.revisions(kind, uuid) if each.current), None)

    def version(self, kind: int, uuid: bytes, version: int) -> Revision | None:
        """The revision that answers to (uuid, version)."""
        if not 0 <= version <= INT_MAX:  # also what SQLite could not take
            return None
        row = self._db.one(f"{select(kind)} WHERE t.uuid = ? AND t.version = ? AND t.named", (uuid, version))
        return None if row is None else read_revision(kind, row)

    def find(self, uuid: bytes) -> list[Revision]:
        """All revisions of whatever has that uuid; NotFoundError where nothing has."""
        for kind in (OBJECT, ANNOTATION, SCHEMA):
            found = self.revisions(kind, uuid)
            if found:
                return found
        raise NotFoundError(
            f"nothing here has the uuid {uuid_text(uuid)}", hint="gonk list DATASET objects, or annotations, or schemas"
        )

    def objects_by_content(self, content_id: bytes) -> list[Revision]:
        """All object revisions with that content, in order of arrival."""
        rows = self._db.rows(f"{select(OBJECT)} WHERE t.content_id = ? ORDER BY t.event_no", (content_id,))
        return [read_revision(OBJECT, row) for row in rows]

    def known(self, kind: int, uuids: Iterable[bytes]) -> set[bytes]:
        """Those of the uuids under which anything of that type is held, whatever its status."""
        return {row[0] for row in self._db.rows_in(f"SELECT uuid FROM {TABLES[kind]} WHERE uuid IN (??)", uuids)}

    def find_object(self, text: str) -> list[Revision]:
        """The revisions of the object with that uuid or unique name.

        Raises:
            NotFoundError: there is none. AmbiguousError: several objects have the name.
        """
        try:
            text.encode()
        except UnicodeEncodeError:
            raise NotFoundError(f"there is no object {text!a}") from None
        if len(text) in (32, 36):
            try:
                found = self.revisions(OBJECT, parse_uuid(text))
            except UsageError:
                found = []
            if found:
                return found
        uuids = [row[0] for row in self._db.rows("SELECT DISTINCT uuid FROM objects WHERE name = ? LIMIT 3", (text,))]
        if not uuids:
            raise NotFoundError(f"there is no object {text!r}", hint="gonk list DATASET objects shows all")
        if len(uuids) > 1:
            raise AmbiguousError(
                f"several objects are named {text!r}", hint=f"name one by uuid, such as {uuid_text(uuids[0])}"
            )
        return self.revisions(OBJECT, uuids[0])

    def schema(self, name: str) -> list[Revision]:
        """The revisions of a schema, by version; empty where there is none of that name."""
        row = self._db.one("SELECT uuid FROM schemas WHERE name = ? LIMIT 1", (name,))
        return [] if row is None else self.revisions(SCHEMA, row[0])

    def current_objects(self, after: bytes, limit: int) -> list[Revision]:
        """The object revisions that are current, by uuid, behind the uuid `after` (b"": from the first)."""
        rows = self._db.rows(
            f"{select(OBJECT)} WHERE t.uuid > ? AND t.current ORDER BY t.uuid LIMIT ?",
            (after, limit),
        )
        return [read_revision(OBJECT, row) for row in rows]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many revisions have each status, by type."""
        result: dict[str, dict[str, int]] = {}
        for table in TABLES:
            rows = self._db.rows(f"SELECT status, version IS NULL, current, count(*) FROM {table} GROUP BY 1, 2, 3")
            counts = dict.fromkeys(("current", *VIEWS, "waiting"), 0)
            for status, waits, current, count in rows:
                for view in ["waiting"] if waits else views_of(status):
                    counts[view] += count
                counts["current"] += count if current else 0
            result[table] = counts
        return result

    # --- events -----------------------------------------------------------------------------------------

    def find_event(self, text: str) -> EventRef:
        """The event that a UUID names; NotFoundError where none here does."""
        head, tail, index = split_event_uuid(parse_uuid(text))
        for entry_id, count in self._db.rows(
            "SELECT entry_id, event_count FROM entries WHERE entry_id BETWEEN ? AND ?",
            (head + bytes(26), head + b"\xff" * 26),
        ):
            if int.from_bytes(entry_id[6:14], "big") >> 2 == tail and index < count:
                return EventRef(entry_id, index)
        raise NotFoundError(f"there is no event {text}", hint="gonk review DATASET list shows those that wait")

    def number_of(self, ref: EventRef) -> int | None:
        """The local number of an event, where its entry is held."""
        row = self._db.one("SELECT lsn FROM entries WHERE entry_id = ?", (ref.entry_id,))
        return None if row is None else event_number(row[0], ref.index)

    def proposal(self, ref: EventRef) -> Revision | None:
        """The revision that an event makes, or (a delete) the one that it would delete; None for other events."""
        number = self.number_of(ref)
        return None if number is None else self.proposal_at(number)

    def proposal_at(self, number: int) -> Revision | None:
        """The same by the event's local number."""
        for kind in (ANNOTATION, OBJECT, SCHEMA):  # the most frequent first
            found = self.by_number(kind, number)
            if found is not None:
                return found
        row = self._db.one("SELECT entity_type, target_no FROM deletions WHERE event_no = ?", (number,))
        return None if row is None or row[1] is None else self.by_number(row[0], row[1])

    def pending(self, *, author: bytes | None = None, after: int = 0, limit: int = PAGE) -> list[Proposal]:
        """Events that wait for a decision, in order of arrival, after the local number `after`."""
        by = "" if author is None else " WHERE b.author = :author"
        rows = self._db.rows(
            f"SELECT p.event_no, p.kind, e.entry_id, b.author, e.time_ms{_PENDING}{by} ORDER BY p.event_no LIMIT :limit",
            {"after": after, "author": author, "limit": limit},
        )
        found = []
        for number, kind, entry_id, key, time_ms in rows:
            ref = EventRef(entry_id, split_number(number)[1])
            revision = self.by_number(kind, number) if kind < 3 else self.proposal_at(number)
            if revision is not None:
                found.append(Proposal(ref, number, key, time_ms, kind == 3, revision))
        return found

    def pending_by_author(self) -> dict[bytes, int]:
        """How many events of each key wait for a decision."""
        return dict(self._db.rows(f"SELECT b.author, count(*){_PENDING} GROUP BY b.author", {"after": 0}))

    def reviews_of(self, number: int) -> list[tuple[EventRef, bytes, int, str, int]]:
        """The reviews that name an event: (review, author, decision, comment, time) each, honoured or not."""
        rows = self._db.rows(
            "SELECT v.review_no, e.entry_id, b.author, r.decision, r.comment, e.time_ms FROM votes v"
            " JOIN reviews r ON r.event_no = v.review_no JOIN entries e ON e.lsn = v.review_no >> 12"
            " JOIN branches b ON b.branch_no = e.branch_no WHERE v.target_no = ? ORDER BY v.review_no",
            (number,),
        )
        return [
            (EventRef(entry_id, split_number(review)[1]), author, decision, comment, time_ms)
            for review, entry_id, author, decision, comment, time_ms in rows
        ]

    def deletions_of(self, number: int) -> list[tuple[EventRef, bytes, int]]:
        """The deletions of a revision: (event, author, 0 pending / 1 accepted / 2 rejected) each."""
        rows = self._db.rows(
            "SELECT d.event_no, e.entry_id, b.author, d.decided FROM deletions d"
            " JOIN entries e ON e.lsn = d.event_no >> 12 JOIN branches b ON b.branch_no = e.branch_no"
            " WHERE d.target_no = ? ORDER BY d.event_no",
            (number,),
        )
        return [(EventRef(entry_id, split_number(no)[1]), author, decided) for no, entry_id, author, decided in rows]

    def conflict_count(self) -> int:
        """How many entities are in conflict."""
        row = self._db.one("SELECT count(*) FROM conflicts")
        return 0 if row is None else int(row[0])

    def conflicts(self, *, after: bytes = b"", limit: int = -1) -> list[list[Revision]]:
        """For each entity in conflict, the accepted revisions that compete, the current one first.

        Args:
            after: the uuid of the last entity of the page before; entities are in order of uuid.
            limit: entities at most; negative: all.
        """
        found = []
        for kind, uuid in self._db.rows(
            "SELECT entity_type, uuid FROM conflicts WHERE uuid > ? ORDER BY uuid, entity_type LIMIT ?", (after, limit)
        ):
            revisions = {each.number: each for each in self.revisions(kind, uuid)}
            accepted = {n for n, each in revisions.items() if "accepted" in each.views}
            built_on: set[int] = set()
            for number in accepted:
                base = revisions[number].base
                while base is not None and base in revisions and base not in built_on:
                    built_on.add(base)
                    base = revisions[base].base
            rivals = [revisions[number] for number in accepted - built_on]
            found.append(sorted(rivals, key=lambda each: (not each.current, each.number)))
        return found

    def display_name(self, author: bytes) -> str | None:
        """What the key says that it wants to be called, last; the same on every node, also where two logs say it at once."""
        row = self._db.one(
            "SELECT p.display_name FROM profiles p JOIN entries e ON e.lsn = p.event_no >> 12"
            " WHERE p.author = ? ORDER BY e.time_ms DESC, e.seq DESC, e.entry_id, p.event_no & 4095 DESC LIMIT 1",
            (author,),
        )
        return None if row is None else row[0]

    def authors(self) -> list[bytes]:
        """Every key that signed something held here."""
        return [row[0] for row in self._db.rows("SELECT DISTINCT author FROM branches ORDER BY author")]

    def review_count(self, author: bytes) -> int:
        """How many events the reviews of a key name."""
        row = self._db.one(
            "SELECT count(*) FROM votes v JOIN entries e ON e.lsn = v.review_no >> 12 JOIN branches b USING (branch_no)"
            " WHERE b.author = ?",
            (author,),
        )
        return 0 if row is None else int(row[0])

    def totals(self) -> tuple[int, int]:
        """How many entries are held, and how many events they have."""
        row = self._db.one("SELECT count(*), coalesce(sum(event_count), 0) FROM entries")
        return (0, 0) if row is None else (int(row[0]), int(row[1]))
