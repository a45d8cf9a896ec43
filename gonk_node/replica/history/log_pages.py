"""The log for people: its entries in order of arrival, chosen by author, kind and time, a bounded piece at a time.

Read-only; what the events mean is not said here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gonk_node.core.entry import Entry, read_stored
from gonk_node.core.event_codec import kind_name
from gonk_node.core.events import Event
from gonk_node.core.ids import EventRef
from gonk_node.core.limits import INT_MAX, LOG_PAGE_BYTES_MAX, LOG_PAGE_ENTRIES_MAX, LOG_PAGE_EVENTS_MAX
from gonk_node.replica.replica import Replica
from gonk_node.store.state_db import StateDb

ABSENT = "erased or withheld"  # instead of a kind, for an event of which only the hash is here


class Chosen(NamedTuple):
    """Which entries are wanted; None: all.

    Attributes:
        author: signed by that key.
        kind: with an event of that kind, by the name that `event_codec.KINDS` gives it.
        since_ms: whose author states that time or a later one, milliseconds since 1970 UTC.
        until_ms: or one before that.
    """

    author: bytes | None = None
    kind: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def fits(self, time_ms: int, author: bytes) -> bool:
        """Whether an entry of that time and author is wanted; its kinds of events are not looked at."""
        if self.author is not None and author != self.author:
            return False
        if self.since_ms is not None and time_ms < self.since_ms:
            return False
        return self.until_ms is None or time_ms < self.until_ms


class LoggedEntry(NamedTuple):
    """An entry and its arrival number on this node."""

    lsn: int
    entry: Entry

    def events(self, kind: str | None = None) -> list[tuple[EventRef, Event | None]]:
        """Its events (of that kind) with what names them; None for one of which only the hash is here."""
        return [
            (EventRef(self.entry.entry_id, index), event)
            for index, event in enumerate(self.entry.stored_events())
            if kind is None or name_of(event) == kind
        ]


class LogPage(NamedTuple):
    """Entries in the order asked for, and the arrival number to go on after; None where there is nothing more."""

    entries: list[LoggedEntry]
    cursor: int | None


def name_of(event: Event | None) -> str:
    """The kind of an event, for people."""
    return ABSENT if event is None else kind_name(event)


def log_page(
    replica: Replica, db: StateDb, chosen: Chosen, *, after: int | None = None, limit: int, newest_first: bool = False
) -> LogPage:
    """The next entries that are wanted. A page may have fewer than `limit`, even none, though there are more.

    Args:
        replica: whose log.
        db: its State, by whichever connection.
        chosen: which entries.
        after: the arrival number to go on after, in the order asked for; None: from the beginning of it.
        limit: entries at most.
        newest_first: order of arrival turned round.
    """
    start = after if after is not None else (INT_MAX if newest_first else 0)
    side, order = ("<", "DESC") if newest_first else (">", "ASC")
    look_at = LOG_PAGE_ENTRIES_MAX if any(each is not None for each in chosen) else min(limit, LOG_PAGE_ENTRIES_MAX)
    rows = db.rows(
        "SELECT e.lsn, e.event_count, e.bytes, e.time_ms, b.author FROM entries e JOIN branches b USING (branch_no)"
        f" WHERE e.lsn {side} ? ORDER BY e.lsn {order} LIMIT ?",
        (start, look_at),
    )
    found: list[LoggedEntry] = []
    events = size = 0
    for lsn, event_count, record_bytes, time_ms, author in rows:
        if not chosen.fits(time_ms, author):
            continue
        events += event_count
        size += record_bytes
        if (events > LOG_PAGE_EVENTS_MAX or size > LOG_PAGE_BYTES_MAX) and events > event_count:
            return LogPage(found, lsn + 1 if newest_first else lsn - 1)
        record = replica.log.record(lsn)
        if record is None:
            continue  # missing, which `gonk fsck` tells
        logged = LoggedEntry(lsn, read_stored(record))
        if chosen.kind is None or logged.events(chosen.kind):
            found.append(logged)
        if len(found) == limit:
            return LogPage(found, lsn)
    return LogPage(found, rows[-1][0] if len(rows) == look_at else None)


def log_entries(
    replica: Replica, db: StateDb, chosen: Chosen, limit: int, *, newest_first: bool = False
) -> Iterator[LoggedEntry]:
    """The first `limit` entries that are wanted, however far apart they are; arguments as of `log_page`."""
    page = log_page(replica, db, chosen, limit=limit, newest_first=newest_first)
    while True:
        yield from page.entries
        limit -= len(page.entries)
        if page.cursor is None or not limit:
            return
        page = log_page(replica, db, chosen, after=page.cursor, limit=limit, newest_first=newest_first)
