"""Who had the body of an event erased, when, and why: the honoured redactions, for people. Erases nothing itself."""

from __future__ import annotations

from typing import NamedTuple

from gonk_node.core.entry import read_stored
from gonk_node.core.events import Redact
from gonk_node.core.ids import EventRef, event_uuid, uuid_text
from gonk_node.core.times import time_json
from gonk_node.replica.replica import Replica
from gonk_node.store.state_schema import split_number


class Erasure(NamedTuple):
    """An honoured redaction (A9).

    Attributes:
        target: the event whose body is gone.
        ref: the redaction itself.
        author: who signed it.
        time_ms: when, as he states; milliseconds since 1970 UTC.
        reason: what he says.
    """

    target: EventRef
    ref: EventRef
    author: bytes
    time_ms: int
    reason: str

    def __str__(self) -> str:
        when = time_json(self.time_ms) or f"{self.time_ms} ms"
        event = uuid_text(event_uuid(self.target))
        return f"event {event} was redacted by {self.author.hex()[:8]} on {when}: {self.reason}"


def erasure_of(replica: Replica, target: EventRef) -> Erasure | None:
    """The redaction that an event is gone by; of several the one that came first to this node. None: there is none."""
    row = replica.db.one(
        "SELECT event_no FROM redactions WHERE target_entry = ? AND target_index = ? AND honoured ORDER BY event_no",
        target,
    )
    if row is None:
        return None
    lsn, index = split_number(row[0])
    record = replica.log.record(lsn)
    entry = None if record is None else read_stored(record)
    event = None if entry is None else entry.stored_events()[index]
    if entry is None or not isinstance(event, Redact):
        return None
    return Erasure(target, EventRef(entry.entry_id, index), entry.header.author, entry.header.time_ms, event.reason)
