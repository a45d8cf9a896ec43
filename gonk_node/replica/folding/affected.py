"""Finds the entities that a new verdict on authority may change: those that a key voted on or wrote whose spans differ.

Compares two verdicts of `state.authority`; folding the entities anew is left to `refold`.
"""

from __future__ import annotations

from gonk_node.replica.folding.collect import Collected
from gonk_node.replica.folding.resolver import Resolver
from gonk_node.state.authority import Authority
from gonk_node.state.positions import Spans
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import TABLES

_VOTED_ON = (
    "SELECT DISTINCT v.target_no FROM votes v JOIN entries e ON e.lsn = v.review_no >> 12"
    " JOIN branches b USING (branch_no) WHERE b.author = ?"
)
_WRITTEN = (
    "SELECT DISTINCT t.uuid FROM entries e JOIN branches b USING (branch_no) JOIN {} t"
    " ON t.event_no BETWEEN e.lsn << 12 AND (e.lsn << 12) + 4095 WHERE b.author = ?"
)
_DELETED = (
    "SELECT d.entity_type, d.uuid FROM entries e JOIN branches b USING (branch_no) JOIN deletions d"
    " ON d.event_no BETWEEN e.lsn << 12 AND (e.lsn << 12) + 4095 WHERE b.author = ? AND d.uuid IS NOT NULL"
)


def touch_affected(
    db: StateDb, resolver: Resolver, batch: Collected, before: Authority, after: Authority, known_branches: set[int]
) -> None:
    """Touch, in `batch`, every entity whose fold may come out differently under `after` than under `before`.

    Only positions on `known_branches` (those that had entries before this batch) matter: the rest is folded anyway.
    """
    reviewing, vouched = changed_keys(before, after, known_branches)
    targets = {number for key in reviewing for (number,) in db.rows(_VOTED_ON, (key,))}
    resolver.fetch_targets(targets)
    for number in targets:
        target = resolver.target(number)
        if target is not None:
            batch.touch(number, target)
    for key in vouched:
        for kind, table in enumerate(TABLES):
            batch.touched[kind].update(uuid for (uuid,) in db.rows(_WRITTEN.format(table), (key,)))
        for kind, uuid in db.rows(_DELETED, (key,)):
            batch.touched[kind].add(uuid)


def changed_keys(before: Authority, after: Authority, known_branches: set[int]) -> tuple[set[bytes], set[bytes]]:
    """The keys whose reviews count differently, and those whose proposals are vouched for differently."""

    def differs(one: dict[bytes, Spans], other: dict[bytes, Spans]) -> set[bytes]:
        return {
            key
            for key in {*one, *other}
            if _on(one.get(key, {}), known_branches) != _on(other.get(key, {}), known_branches)
        }

    reviewing = differs(before.owner_spans, after.owner_spans) | differs(before.reviewer_spans, after.reviewer_spans)
    common = before.roles.keys() & after.roles.keys()
    order_before = [info.key for info in before.ranked() if info.key in common]
    order_after = [info.key for info in after.ranked() if info.key in common]
    if order_before != order_after:
        reviewing |= common
    return reviewing, differs(before.vouched_spans, after.vouched_spans)


def _on(spans: Spans, branches: set[int]) -> Spans:
    return {branch: span for branch, span in spans.items() if branch in branches}
