"""The entries of the log that are about one object, annotation or schema: newest first, each with the events that touch it.

Read-only. Strangers' proposals and reviews without effect are listed too. Of what was erased, and of what waits for entries
that are not held, it is not known what it is about.
"""

from __future__ import annotations

from collections.abc import Iterator

from gonk_node.core.entry import read_stored
from gonk_node.core.events import Event
from gonk_node.core.ids import EventRef
from gonk_node.replica.history.log_pages import Chosen, LoggedEntry, name_of
from gonk_node.replica.replica import Replica
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, OBJECT, TABLES, split_number

Touching = list[tuple[EventRef, Event | None]]


def events_touching(db: StateDb, kind: int, uuid: bytes) -> set[int]:
    """The local numbers of all events about one entity.

    Its revisions and deletions; of an object also those of the annotations that hang on any of its revisions; the
    reviews of all these.
    """
    own = {row[0] for row in db.rows(f"SELECT event_no FROM {TABLES[kind]} WHERE uuid = ?", (uuid,))}
    uuids = {uuid}
    if kind == OBJECT:
        on_it = annotations_on(db, own)
        own |= on_it.keys()
        uuids |= set(on_it.values())
    own |= _deletions_of(db, own, uuids)
    return own | _among(db, "SELECT review_no FROM votes WHERE target_no IN (??)", own)


def entries_touching(
    replica: Replica, numbers: set[int], chosen: Chosen, limit: int
) -> Iterator[tuple[LoggedEntry, Touching]]:
    """The newest `limit` entries that hold events of those local numbers, each with these events.

    Args:
        replica: whose log.
        numbers: what `events_touching` gives.
        chosen: which of the entries; a kind is asked of the events that touch the entity.
        limit: entries at most.
    """
    indexes: dict[int, list[int]] = {}
    for number in sorted(numbers):
        lsn, index = split_number(number)
        indexes.setdefault(lsn, []).append(index)
    for lsn in sorted(indexes, reverse=True):
        if limit <= 0:
            return
        record = replica.log.record(lsn)
        if record is None:
            continue  # missing, which `gonk fsck` tells
        entry = read_stored(record)
        if not chosen.fits(entry.header.time_ms, entry.header.author):
            continue
        events = list(entry.stored_events())
        touching = [(EventRef(entry.entry_id, index), events[index]) for index in indexes[lsn]]
        if chosen.kind is not None:
            touching = [each for each in touching if name_of(each[1]) == chosen.kind]
        if touching:
            limit -= 1
            yield LoggedEntry(lsn, entry), touching


def annotations_on(db: StateDb, objects: set[int]) -> dict[int, bytes]:
    """All revisions of the annotations that hang on those object revisions, with their uuids."""
    roots = _among(db, "SELECT annotation_no FROM annotation_objects WHERE object_no IN (??)", objects)
    uuids = {row[0] for row in db.rows_in(f"SELECT uuid FROM {TABLES[ANNOTATION]} WHERE event_no IN (??)", roots)}
    rows = db.rows_in("SELECT event_no, uuid, root_no FROM annotations WHERE uuid IN (??)", uuids)
    return {number: uuid for number, uuid, root in rows if root in roots}


def _deletions_of(db: StateDb, numbers: set[int], uuids: set[bytes]) -> set[int]:
    rows = db.rows_in("SELECT event_no, target_no FROM deletions WHERE uuid IN (??)", uuids)
    return {number for number, target in rows if target in numbers}


def _among(db: StateDb, sql: str, numbers: set[int]) -> set[int]:
    return {row[0] for row in db.rows_in(sql, numbers)}
