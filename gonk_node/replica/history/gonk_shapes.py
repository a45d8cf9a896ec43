"""What an event is called in Gonk, and its fields of its own, in Gonk's shapes.

Which events are told is up to `gonk_events`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from gonk_node.core import events as ev
from gonk_node.core.ids import EventRef, event_uuid, schema_uuid, uuid_text
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, TABLES, event_number, split_number

SCHEMA_MEDIA_TYPE = "application/schema+json"
CREATE, UPDATE, DELETE = 1, 2, 4  # Gonk's numbers for actions
ADD, REMOVE = 1, 2  # and for what is done with owners
SHA256_TYPE = 1  # and for the hash


class Placed(NamedTuple):
    """Where an event is: its local number, its entry, who signed that where in a log, and when."""

    number: int
    entry_id: bytes
    author: bytes
    branch: int
    seq: int
    time_ms: int

    @property
    def ref(self) -> EventRef:
        """The reference of the event."""
        return EventRef(self.entry_id, split_number(self.number)[1])

    def whole(self, ref: EventRef) -> EventRef:
        """A reference that the event makes, with "this same entry" filled in."""
        return ref if ref.entry_id else EventRef(self.entry_id, ref.index)


Found = list[tuple[Placed, ev.Event]]


class Targets:
    """What events are and refer to, looked up for many of them at a time: (type, uuid, version) by local number."""

    def __init__(self, db: StateDb, found: Found) -> None:
        refs = {placed.whole(ref) for placed, event in found for ref in _refs(event)}
        self._lsns: dict[bytes, int] = dict(
            db.rows_in("SELECT entry_id, lsn FROM entries WHERE entry_id IN (??)", {ref.entry_id for ref in refs})
        )
        numbers = {placed.number for placed, event in found if isinstance(event, ev.REVISION_KINDS)}
        numbers |= {number for ref in refs if (number := self._number(ref)) is not None}
        self._revisions: dict[int, tuple[int, bytes, int | None]] = {}
        for kind, table in enumerate(TABLES):
            for number, uuid, version in db.rows_in(
                f"SELECT event_no, uuid, version FROM {table} WHERE event_no IN (??)", numbers
            ):
                self._revisions[number] = (kind, uuid, version)

    def version(self, number: int) -> int | None:
        """The version that the event of that number made; None while it takes no effect."""
        found = self._revisions.get(number)
        return None if found is None else found[2]

    def identifier(self, ref: EventRef) -> dict[str, Any] | None:
        """The revision that a reference names; None where it is not held."""
        found = self._revisions.get(self._number(ref) or 0)
        return None if found is None else {"uuid": uuid_text(found[1]), "version": found[2]}

    def is_annotation(self, ref: EventRef) -> bool:
        """Whether a reference names an annotation."""
        found = self._revisions.get(self._number(ref) or 0)
        return found is not None and found[0] == ANNOTATION

    def _number(self, ref: EventRef) -> int | None:
        lsn = self._lsns.get(ref.entry_id)
        return None if lsn is None else event_number(lsn, ref.index)


def _refs(event: ev.Event) -> Sequence[EventRef]:
    if isinstance(event, ev.AnnotationCreate):
        return (event.schema, *event.objects)
    if isinstance(event, ev.AnnotationUpdate):
        return (event.schema,)
    return (event.target,) if isinstance(event, ev.Delete) else ()


class Shapes:
    """The class name and the fields of its own that an event has with Gonk."""

    def __init__(self, dataset: bytes, who: Callable[[bytes], str], targets: Targets) -> None:
        self._dataset = dataset
        self._who = who
        self._targets = targets

    def of(self, placed: Placed, event: ev.Event) -> tuple[str, dict[str, Any]] | None:
        """Both; None for what Gonk has no class for."""
        match event:
            case ev.ObjectCreate() | ev.ObjectUpdate():
                return self._object(placed, event)
            case ev.AnnotationCreate() | ev.AnnotationUpdate():
                return self._annotation(placed, event)
            case ev.SchemaCreate() | ev.SchemaUpdate():
                return self._schema(placed, event)
            case ev.Delete():
                return self._delete(placed.whole(event.target))
            case ev.Review():
                return self._review(placed, event)
            case ev.DatasetCreate():
                return "OwnerAddEvent", {"owner": self._who(placed.author), "owner_action": ADD}
            case ev.Grant(role=ev.OWNER):
                return "OwnerAddEvent", {"owner": self._who(event.key), "owner_action": ADD}
            case ev.Revoke():
                return "OwnerRemoveEvent", {"owner": self._who(event.key), "owner_action": REMOVE}
        return None

    def _object(self, placed: Placed, event: ev.ObjectCreate | ev.ObjectUpdate) -> tuple[str, dict[str, Any]]:
        shape = {
            "uuid": uuid_text(event.uuid),
            "version": self._targets.version(placed.number),
            "name": event.name,
            "format": event.media_type,
            "size": event.size,
            "hash_type": SHA256_TYPE,
            "hash": event.sha256.hex(),
        }
        return _object_event(is_new=isinstance(event, ev.ObjectCreate), shape=shape)

    def _schema(self, placed: Placed, event: ev.SchemaCreate | ev.SchemaUpdate) -> tuple[str, dict[str, Any]]:
        """A schema is an object to Gonk."""
        shape = {
            "uuid": uuid_text(schema_uuid(self._dataset, event.name)),
            "version": self._targets.version(placed.number),
            "name": event.name,
            "format": SCHEMA_MEDIA_TYPE,
            **_body(event.body),
        }
        return _object_event(is_new=isinstance(event, ev.SchemaCreate), shape=shape)

    def _annotation(
        self, placed: Placed, event: ev.AnnotationCreate | ev.AnnotationUpdate
    ) -> tuple[str, dict[str, Any]]:
        shape = {
            "uuid": uuid_text(event.uuid),
            "version": self._targets.version(placed.number),
            "schema": self._targets.identifier(placed.whole(event.schema)),
            **_body(event.body),
        }
        if isinstance(event, ev.AnnotationUpdate):
            return "AnnotationUpdateEvent", {"action": UPDATE, "annotation": shape}
        objects = [self._targets.identifier(placed.whole(ref)) for ref in event.objects]
        return "AnnotationCreateEvent", {
            "action": CREATE,
            "annotation": shape,
            "object_identifiers": [each for each in objects if each is not None],
        }

    def _delete(self, target: EventRef) -> tuple[str, dict[str, Any]]:
        if self._targets.is_annotation(target):
            fields = {"action": DELETE, "annotation_identifier": self._targets.identifier(target)}
            return "AnnotationDeleteEvent", fields
        return "ObjectDeleteEvent", {"action": DELETE, "object_identifier": self._targets.identifier(target)}

    def _review(self, placed: Placed, event: ev.Review) -> tuple[str, dict[str, Any]]:
        uuids = [uuid_text(event_uuid(placed.whole(ref))) for ref in event.events]
        fields: dict[str, Any] = {"decision": event.decision, "event_uuid": uuids[0]}
        if len(uuids) > 1:
            fields["event_uuids"] = uuids
        if event.comment:
            fields["comment"] = event.comment
        return ("ReviewAcceptEvent" if event.decision == ev.ACCEPT else "ReviewRejectEvent"), fields


def _body(body: bytes) -> dict[str, Any]:
    return {"size": len(body), "hash_type": SHA256_TYPE, "hash": sha256(body).hexdigest()}


def _object_event(*, is_new: bool, shape: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if is_new:
        return "ObjectCreateEvent", {"action": CREATE, "object": shape}
    return "ObjectUpdateEvent", {"action": UPDATE, "object": shape}
