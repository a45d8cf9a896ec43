"""Events in Gonk's classes and shapes, in order of arrival: what its clients read to follow a dataset.

What takes no effect here (a stranger's review, an update of what is not held) and what Gonk has no class for is not
listed; `log_pages` has it. Read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gonk_node.core import events as ev
from gonk_node.core.entry import read_stored
from gonk_node.core.event_codec import decode_stored_event, kind_name
from gonk_node.core.ids import event_uuid, uuid_text
from gonk_node.core.limits import INT_MAX
from gonk_node.core.times import LAST, time_json
from gonk_node.replica.history.gonk_shapes import Found, Placed, Shapes, Targets
from gonk_node.replica.replica import Replica
from gonk_node.state.revisions import CREATE_PENDING, CREATE_REJECTED
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import TABLES, event_number, split_number

REVIEW_STATES = ("PENDING", "ACCEPTED", "REJECTED")
_LATER_ROUNDS = 1000  # events looked at together where what counts is rare
_AT_ONCE = 64  # bodies in memory at a time, of up to 1 MiB each
_GENESIS = event_number(1, 0)

_SOURCES = (
    *(f"SELECT event_no FROM {table} WHERE version IS NOT NULL AND {{}}" for table in TABLES),
    "SELECT event_no FROM deletions WHERE target_no IS NOT NULL AND {}",
    "SELECT event_no FROM reviews WHERE {}",
    "SELECT event_no FROM acts WHERE {}",
)
_RANGE = "event_no > :after AND event_no <= :last ORDER BY event_no LIMIT :limit"
_NUMBERS = " UNION ALL ".join(f"SELECT event_no FROM ({source.format(_RANGE)})" for source in _SOURCES)
_PLACED = "e.entry_id, b.author, e.branch_no, e.seq, e.time_ms FROM"
_JOINED = "JOIN entries e ON e.lsn = n.event_no >> 12 JOIN branches b ON b.branch_no = e.branch_no"
_LISTED = (
    f"SELECT n.event_no, {_PLACED} ({_NUMBERS} UNION ALL SELECT {_GENESIS} WHERE {_GENESIS} > :after"
    f" AND {_GENESIS} <= :last) n {_JOINED} ORDER BY n.event_no LIMIT :limit"
)
_ONE = f"SELECT n.event_no, {_PLACED} (SELECT ? AS event_no) n {_JOINED}"


class GonkEvents:
    """The events of one replica.

    Args:
        replica: gives the bodies of events, and who may do what.
        db: its State, by whichever connection.
        who: what a public key is called in the fields `author` and `owner`.
    """

    def __init__(self, replica: Replica, db: StateDb, who: Callable[[bytes], str]) -> None:
        self._replica = replica
        self._db = db
        self._who = who

    def page(self, after: int, limit: int, *, last: int = INT_MAX) -> list[dict[str, Any]]:
        """Events that count, in order of arrival.

        Args:
            after: the local number of the event before the first; 0 for the beginning.
            limit: of the list.
            last: no events beyond that local number.
        """
        found: list[dict[str, Any]] = []
        count = limit
        while len(found) < limit:
            rows = self._db.rows(_LISTED, {"after": after, "last": last, "limit": count})
            for start in range(0, len(rows), _AT_ONCE):
                read = self._with_events(Placed._make(row) for row in rows[start : start + _AT_ONCE])
                found += self._described([each for each in read if self._counts(*each)])
            if len(rows) < count:
                break
            after, count = rows[-1][0], _LATER_ROUNDS
        return found[:limit]

    def of_entry(self, lsn: int) -> list[dict[str, Any]]:
        """The events of one entry that count."""
        last = event_number(lsn + 1, 0) - 1
        return self.page(event_number(lsn, 0) - 1, last - event_number(lsn, 0) + 1, last=last)

    def at(self, number: int) -> dict[str, Any] | None:
        """The event of that local number, whether it counts or not; None where its body is not here.

        One that Gonk has no class for has the name of its kind as `type`.
        """
        found = self._with_events(Placed._make(row) for row in self._db.rows(_ONE, (number,)))
        described = self._described(found)
        if found and not described:
            placed, event = found[0]
            return self._common(placed, kind_name(event))
        return described[0] if described else None

    def review_state(self, number: int) -> str | None:
        """What became of a proposal, in Gonk's words; None for events that nobody reviews."""
        for table in TABLES:
            row = self._db.one(f"SELECT status FROM {table} WHERE event_no = ?", (number,))
            if row is not None:
                status = row[0]
                return REVIEW_STATES[0 if status & CREATE_PENDING else 2 if status & CREATE_REJECTED else 1]
        row = self._db.one("SELECT decided FROM deletions WHERE event_no = ?", (number,))
        return None if row is None else REVIEW_STATES[row[0]]

    def counts_as_review(self, entry_id: bytes) -> bool:
        """Whether reviews in that entry are honoured."""
        row = self._db.one(
            "SELECT b.author, e.branch_no, e.seq FROM entries e JOIN branches b USING (branch_no) WHERE e.entry_id = ?",
            (entry_id,),
        )
        return row is not None and self._replica.authority.review_rank(*row) is not None

    # --- what counts -------------------------------------------------------------------------------------

    def _counts(self, placed: Placed, event: ev.Event) -> bool:
        authority = self._replica.authority
        place = placed.author, placed.branch, placed.seq
        if isinstance(event, ev.Review):
            return authority.review_rank(*place) is not None
        if isinstance(event, ev.Grant):
            return event.role == ev.OWNER and authority.owns(*place)
        if isinstance(event, ev.Revoke):
            info = authority.roles.get(event.key)
            is_due = event.key == placed.author or authority.owns(*place)
            return is_due and info is not None and info.role == ev.OWNER and info.revoked
        return not isinstance(event, ev.AUTHORITY_KINDS)

    def _with_events(self, places: Iterable[Placed]) -> Found:
        """Read the events themselves; those whose body was erased, or withheld, are left out."""
        found: Found = []
        lsn, bodies = 0, list[bytes | None]()
        for placed in places:
            at, index = split_number(placed.number)
            if at != lsn:
                record = self._replica.log.record(at)
                lsn, bodies = at, [] if record is None else read_stored(record).bodies
            body = bodies[index] if index < len(bodies) else None
            if body is not None:
                found.append((placed, decode_stored_event(body)))
        return found

    # --- in Gonk's shapes --------------------------------------------------------------------------------

    def _described(self, found: Found) -> list[dict[str, Any]]:
        shapes = Shapes(self._replica.dataset, self._who, Targets(self._db, found))
        described = []
        for placed, event in found:
            shape = shapes.of(placed, event)
            if shape is not None:
                name, fields = shape
                described.append(self._common(placed, name) | fields)
        return described

    def _common(self, placed: Placed, name: str) -> dict[str, Any]:
        return {
            "uuid": uuid_text(event_uuid(placed.ref)),
            "timestamp": time_json(placed.time_ms, "microseconds") or LAST,
            "author": self._who(placed.author),
            "integrity": placed.entry_id.hex(),
            "type": name,
        }
