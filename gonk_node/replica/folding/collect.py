"""First half of projecting: takes entries apart into what `state.db` must learn.

Works on one batch; reads the database only to find what references point to. What the events then mean together is for
`refold` and `authority_index`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from gonk_node.core import events as ev
from gonk_node.core.ids import EventRef, schema_uuid
from gonk_node.replica.folding.held_annotations import HeldAnnotations
from gonk_node.replica.folding.new_annotations import NewAnnotation, NewAnnotations
from gonk_node.replica.folding.place import Place
from gonk_node.replica.folding.resolver import DELETION, Resolver, Target
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_rows import Row
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA, event_number

UNRESOLVED = -1  # base_no of an update whose base is not held, or is no revision of the same entity


class Draft(NamedTuple):
    """A row together with the references that must be resolved for it, their entry ids filled in."""

    row: Row
    kind: int
    base: EventRef | None
    schema: EventRef | None
    objects: tuple[EventRef, ...]


class Collected:
    """What one batch brings. Lists of rows are ready for the tables that they are named after."""

    def __init__(self, dataset: bytes, db: StateDb, resolver: Resolver) -> None:
        self.dataset = dataset
        self._db = db
        self._resolver = resolver
        self.rows: tuple[dict[bytes, list[Row]], ...] = ({}, {}, {})  # new or woken revisions, by uuid
        self.touched: tuple[set[bytes], ...] = (set(), set(), set())
        self.voted: set[int] = set()
        self.others: dict[str, list[tuple[Any, ...]]] = {}  # table -> rows
        self._new = NewAnnotations()
        self._drafts: list[Draft] = []
        self._deletes: list[tuple[int, EventRef]] = []
        self._reviews: list[tuple[int, tuple[EventRef, ...], tuple[EventRef, ...]]] = []
        self._numbers: dict[EventRef, int | None] = {}
        self._waiting: list[tuple[bytes, int, int]] = []

    # --- taking events ---------------------------------------------------------------------------------

    def take_all(self, place: Place, events: Iterable[ev.Event | None]) -> None:
        """Take all events of an entry that is new here; None where only the hash is held."""
        first = event_number(place.lsn, 0)
        for index, event in enumerate(events):
            if type(event) is ev.AnnotationCreate:
                self._new.take(first + index, place, event)
            else:
                self.take(place, index, event)

    def take(self, place: Place, index: int, event: ev.Event | None) -> None:
        """Take one event of an entry that may have been taken before; None where only its hash is held."""
        number = event_number(place.lsn, index)
        if event is None:
            self._other("withheld", (number,))
            return
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, place, index, number, event)

    def _other(self, table: str, row: tuple[Any, ...]) -> None:
        self.others.setdefault(table, []).append(row)

    def _links(self) -> list[tuple[Any, ...]]:
        return self.others.setdefault("annotation_objects", [])

    def new_alone(self, held: HeldAnnotations) -> list[NewAnnotation]:
        """The new annotations that nothing else is about; from now on the others are among `rows` and `touched`.

        To be asked once, when all that this batch touches is known.
        """
        touched = self.touched[ANNOTATION]
        uuids = self._new.uuids()
        alone, others = self._new.part(touched | held.among(uuids))
        for each in others:
            self.rows[ANNOTATION].setdefault(each.uuid, []).append(each.row())
            touched.add(each.uuid)
        held.learn(uuids)
        held.learn(self.rows[ANNOTATION])
        return alone

    def _take_revision(
        self,
        place: Place,
        number: int,
        kind: int,
        uuid: bytes,
        extra: tuple[Any, ...],
        base: EventRef | None = None,
        schema: EventRef | None = None,
        objects: tuple[EventRef, ...] = (),
    ) -> None:
        row = Row(number, uuid, None, place.entry_id, place.time_ms, place.branch, place.seq, extra)
        self.rows[kind].setdefault(uuid, []).append(row)
        self._resolver.learn_target(number, Target(kind, uuid, kind))
        if base is not None or schema is not None:
            draft = Draft(
                row,
                kind,
                None if base is None else place.whole(base),
                None if schema is None else place.whole(schema),
                tuple([place.whole(ref) for ref in objects]),
            )
            self._drafts.append(draft)

    def _take_object(self, place: Place, _: int, number: int, event: ev.ObjectCreate | ev.ObjectUpdate) -> None:
        extra = (event.name, event.media_type, event.size, event.content_id, event.sha256)
        base = event.base if isinstance(event, ev.ObjectUpdate) else None
        self._take_revision(place, number, OBJECT, event.uuid, extra, base)

    def _take_annotation(self, place: Place, _: int, number: int, event: ev.AnnotationCreate) -> None:
        self._take_revision(
            place, number, ANNOTATION, event.uuid, (None, event.body), None, event.schema, event.objects
        )

    def _take_annotation_update(self, place: Place, _: int, number: int, event: ev.AnnotationUpdate) -> None:
        self._take_revision(place, number, ANNOTATION, event.uuid, (None, event.body), event.base, event.schema)

    def _take_schema(self, place: Place, _: int, number: int, event: ev.SchemaCreate | ev.SchemaUpdate) -> None:
        base = event.base if isinstance(event, ev.SchemaUpdate) else None
        uuid = schema_uuid(self.dataset, event.name)
        self._take_revision(place, number, SCHEMA, uuid, (event.name, event.body), base)

    def _take_delete(self, place: Place, _: int, number: int, event: ev.Delete) -> None:
        self._resolver.learn_target(number, Target(DELETION, None, None))
        self._deletes.append((number, place.whole(event.target)))

    def _take_review(self, place: Place, _: int, number: int, event: ev.Review) -> None:
        self._other("reviews", (number, event.decision, event.comment))
        events = tuple([place.whole(ref) for ref in event.events])
        superseded = tuple([place.whole(ref) for ref in event.supersedes])
        self._reviews.append((number, events, superseded))

    def _take_act(self, _: Place, __: int, number: int, ___: ev.Event) -> None:
        self._other("acts", (number,))  # their meaning is folded by AuthorityIndex

    def _take_release(self, _: Place, __: int, number: int, event: ev.ReleaseCreate) -> None:
        self._other("releases", (number, event.tag))

    def _take_profile(self, place: Place, _: int, number: int, event: ev.Profile) -> None:
        self._other("profiles", (number, place.author, event.display_name))

    # --- resolving what they refer to -----------------------------------------------------------------

    def resolve(self) -> None:
        """Resolve all references taken so far, write the tables that are not folded, and say which entities are touched.

        The rows of `entries` must be written before.
        """
        self._fetch()
        self._resolve_new()
        for draft in self._drafts:
            self._resolve_draft(draft)
        for number, target in self._deletes:
            self._resolve_delete(number, target)
        for number, events, superseded in self._reviews:
            self._resolve_review(number, events, superseded)
        for kind, by_uuid in enumerate(self.rows):
            self.touched[kind].update(by_uuid)
        self._write()

    def _fetch(self) -> None:
        """Look up, once, every event that is referred to; an import refers to few, from many places."""
        refs = self._new.refs()
        for draft in self._drafts:
            refs.update(draft.objects)
            refs.update([ref for ref in (draft.base, draft.schema) if ref is not None])
        refs.update(target for _, target in self._deletes)
        for _, events, superseded in self._reviews:
            refs.update(events)
            refs.update(superseded)
        self._resolver.fetch_entries({ref.entry_id for ref in refs})
        self._numbers = {ref: self._resolver.number(ref) for ref in refs}
        numbers = {number for number in self._numbers.values() if number is not None}
        for number, uuid in self._new.among(numbers):
            self._resolver.learn_target(number, Target(ANNOTATION, uuid, ANNOTATION))
        self._resolver.fetch_targets(numbers)

    def _resolve_new(self) -> None:
        """Resolve the new annotations; those that lack something go the long way."""
        held: tuple[dict[EventRef, int], ...] = ({}, {}, {}, {})
        for ref, number in self._numbers.items():
            target = self._resolver.target(number)
            if number is not None and target is not None:
                held[target.kind][ref] = number
        for number, place, event in self._new.resolve(held[SCHEMA], held[OBJECT]):
            self._take_annotation(place, 0, number, event)
        self._links().extend(self._new.links)

    def _find(self, ref: EventRef, number: int) -> tuple[int, Target] | None:
        """The number and target of a reference; None, and noted as waiting, where it is not held."""
        found = self._numbers[ref]
        target = self._resolver.target(found)
        if found is None or target is None:
            self._waiting.append((*ref, number))
            return None
        return found, target

    def _resolve_draft(self, draft: Draft) -> None:
        row = draft.row
        if draft.base is not None:
            found = self._find(draft.base, row.number)
            same = found is not None and found[1].kind == draft.kind and found[1].uuid == row.uuid
            row.base = found[0] if found is not None and same else UNRESOLVED
        if draft.schema is not None and row.extra is not None:
            found = self._find(draft.schema, row.number)
            if found is not None and found[1].kind == SCHEMA:
                row.extra = (found[0], row.extra[1])
            else:
                row.live = False
        objects = []
        for ref in draft.objects:
            found = self._find(ref, row.number)
            if found is None or found[1].kind != OBJECT:
                row.live = False
            else:
                objects.append(found[0])
        if row.live and objects:
            self._links().extend([(each, row.number) for each in objects])
        elif objects:  # it may have hung on them before one of what it refers to was redacted
            self._db.many(
                "DELETE FROM annotation_objects WHERE object_no = ? AND annotation_no = ?",
                [(each, row.number) for each in objects],
            )

    def _resolve_delete(self, number: int, ref: EventRef) -> None:
        found = self._find(ref, number)
        if found is None or found[1].kind == DELETION or found[1].uuid is None:
            self._other("deletions", (number, None, None, None, 0))
            return
        kind, uuid = found[1].kind, found[1].uuid
        self._resolver.learn_target(number, Target(DELETION, uuid, kind))
        self._other("deletions", (number, found[0], kind, uuid, 0))
        self.touched[kind].add(uuid)

    def _resolve_review(self, number: int, events: tuple[EventRef, ...], superseded: tuple[EventRef, ...]) -> None:
        for table, refs in (("votes", events), ("supersedes", superseded)):
            for ref in refs:
                named = self._numbers[ref]
                if named is None:
                    self._waiting.append((*ref, number))
                    continue
                self._other(table, (named, number))
                target = self._resolver.target(named) if table == "votes" else None
                if target is not None:  # else a body that is withheld or redacted: it finds its votes when it returns
                    self.touch(named, target)

    def touch(self, number: int, target: Target) -> None:
        """A vote on that event came, or counts differently now: its entity must be folded anew."""
        self.voted.add(number)
        if target.entity_type is not None and target.uuid is not None:
            self.touched[target.entity_type].add(target.uuid)

    def _write(self) -> None:
        for table, rows in self.others.items():
            if not rows:
                continue
            marks = "?" + ",?" * (len(rows[0]) - 1)
            self._db.many(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)
        self._db.many("INSERT OR IGNORE INTO waiting VALUES (?, ?, ?)", self._waiting)


_HANDLERS: dict[type, Callable[..., None]] = {
    ev.ObjectCreate: Collected._take_object,
    ev.ObjectUpdate: Collected._take_object,
    ev.AnnotationCreate: Collected._take_annotation,
    ev.AnnotationUpdate: Collected._take_annotation_update,
    ev.SchemaCreate: Collected._take_schema,
    ev.SchemaUpdate: Collected._take_schema,
    ev.Delete: Collected._take_delete,
    ev.Review: Collected._take_review,
    ev.ReplaceRoot: Collected._take_act,
    ev.Grant: Collected._take_act,
    ev.AcceptGrant: Collected._take_act,
    ev.Revoke: Collected._take_act,
    ev.ReleaseCreate: Collected._take_release,
    ev.Profile: Collected._take_profile,
}
