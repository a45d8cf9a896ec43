"""The events that are about one version of something: who made it, who wants it deleted, who reviewed that. Read-only.

Reviews without effect (of keys that may not review) are left out: anybody may sign some.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gonk_node.core.events import ACCEPT
from gonk_node.core.ids import EventRef
from gonk_node.replica.reading.queries import Revision
from gonk_node.state.authority import Authority
from gonk_node.state.reviews import Decided
from gonk_node.state.revisions import CREATE_PENDING, CREATE_REJECTED
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import split_number

CREATED, UPDATED, DELETED, ACCEPTED, REJECTED = "create", "update", "delete", "accept", "reject"


class RevisionEvent(NamedTuple):
    """One event: its local number, its id, what it does, and what reviews decided of it (None: it is a review)."""

    number: int
    ref: EventRef
    action: str
    decided: Decided | None


def events_of(db: StateDb, authority: Authority, revisions: Sequence[Revision]) -> list[RevisionEvent]:
    """The events that are about those revisions of one entity, and the reviews of these, in order of arrival."""
    found = [
        RevisionEvent(each.number, each.ref, CREATED if each.base is None else UPDATED, _decided(each.status))
        for each in revisions
    ]
    uuids = {each.uuid for each in revisions}
    for number, entry_id, decided in db.rows_in(
        "SELECT d.event_no, e.entry_id, d.decided FROM deletions d JOIN entries e ON e.lsn = d.event_no >> 12"
        " WHERE d.uuid = ? AND d.target_no IN (??)",
        [each.number for each in revisions],
        tuple(uuids),
    ):
        found.append(RevisionEvent(number, _ref(entry_id, number), DELETED, Decided(decided)))
    reviews = {}
    for number, entry_id, decision, author, branch, seq in db.rows_in(
        "SELECT v.review_no, e.entry_id, r.decision, b.author, e.branch_no, e.seq FROM votes v"
        " JOIN reviews r ON r.event_no = v.review_no JOIN entries e ON e.lsn = v.review_no >> 12"
        " JOIN branches b ON b.branch_no = e.branch_no WHERE v.target_no IN (??)",
        [each.number for each in found],
    ):
        if authority.review_rank(author, branch, seq) is not None:
            action = ACCEPTED if decision == ACCEPT else REJECTED
            reviews[number] = RevisionEvent(number, _ref(entry_id, number), action, None)
    return sorted([*found, *reviews.values()])


def _ref(entry_id: bytes, number: int) -> EventRef:
    return EventRef(entry_id, split_number(number)[1])


def _decided(status: int) -> Decided:
    if status & CREATE_PENDING:
        return Decided.PENDING
    return Decided.REJECTED if status & CREATE_REJECTED else Decided.ACCEPTED
