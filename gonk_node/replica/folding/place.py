"""Where entries and events stand, on this node and in their logs. Nothing is looked up here."""

from __future__ import annotations

from typing import NamedTuple

from gonk_node.core.events import Event
from gonk_node.core.ids import EventRef
from gonk_node.store.state_schema import event_number


class Place(NamedTuple):
    """Where an entry stands, locally and in its log."""

    lsn: int
    entry_id: bytes
    author: bytes
    log_id: bytes
    branch: int
    seq: int
    time_ms: int

    def whole(self, ref: EventRef) -> EventRef:
        """A reference that an event here makes, with "this same entry" filled in."""
        return ref if ref.entry_id else EventRef(self.entry_id, ref.index)


class Found(NamedTuple):
    """One event at its place; None where only its hash is held."""

    place: Place
    index: int  # type: ignore[assignment]  # the field's name in the spec; tuple.index is not used
    event: Event | None

    @property
    def number(self) -> int:
        """Its local event number."""
        return event_number(self.place.lsn, self.index)
