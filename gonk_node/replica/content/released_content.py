"""Content that releases list though it does not count any more: its objects were deleted, or their acceptance overruled.

Or it fell with the role of who accepted them. Whoever exports or loads a release needs it, so it is fetched and kept as what
counts is. Which files a release lists is told from its heads and from where reviews stand, without folding the State there:
now and then one too many, never one too few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gonk_node.core.heads import Head
from gonk_node.replica.content.contents import NamedContent
from gonk_node.replica.releases.releases import Releases
from gonk_node.replica.replica import Replica
from gonk_node.state.revisions import CREATE_PENDING, CREATE_REJECTED, DELETE_ACCEPTED
from gonk_node.store.state_db import StateDb

_GONE = (
    "SELECT o.event_no, o.content_id, o.size, e.branch_no, e.seq FROM objects o JOIN entries e ON e.lsn = o.event_no >> 12"
    f" WHERE o.version IS NOT NULL AND (o.status & {CREATE_REJECTED | DELETE_ACCEPTED} OR (o.shared IS NULL"
    f" AND o.status & {CREATE_PENDING} AND EXISTS (SELECT 1 FROM votes v WHERE v.target_no = o.event_no)))"
)
_ACCEPTS = (
    "SELECT v.target_no, e.branch_no, e.seq FROM votes v JOIN reviews r ON r.event_no = v.review_no AND r.decision = 1"
    " JOIN entries e ON e.lsn = v.review_no >> 12 WHERE v.target_no IN (??)"
)
_DELETIONS = "SELECT event_no, target_no FROM deletions WHERE target_no IN (??)"


class _Place(NamedTuple):
    """Where an entry stands in the tree of its log."""

    branch: int
    seq: int


class ReleasedContent:
    """What the releases of one dataset need. Thread-safe as far as its State is.

    Args:
        replica: the dataset.
        db: its State; asked in the thread of the caller.
    """

    def __init__(self, replica: Replica, db: StateDb) -> None:
        self._replica = replica
        self._db = db
        self._known: tuple[int, frozenset[NamedContent]] = (-1, frozenset())

    def files(self) -> frozenset[NamedContent]:
        """Content ids, with the sizes that the objects declare; worked out anew once entries have arrived."""
        lsn = int(self._db.meta("lsn"))
        if self._known[0] != lsn:
            self._known = (lsn, frozenset(self._find()))
        return self._known[1]

    def _find(self) -> Iterator[NamedContent]:
        gone = self._db.rows(_GONE)
        releases = Releases(self._replica).all() if gone else []
        if not releases:
            return
        spans = [self._span(release.heads) for release in releases]
        numbers = [row[0] for row in gone]
        accepts = self._accepts(numbers)
        deletions: dict[int, list[int]] = {}
        for number, target in self._db.rows_in(_DELETIONS, numbers):
            deletions.setdefault(target, []).append(number)
        deleting = self._accepts([number for named in deletions.values() for number in named])
        for number, content_id, size, branch, seq in gone:
            ends = [place for deletion in deletions.get(number, ()) for place in deleting.get(deletion, ())]
            if any(
                _is_in(span, _Place(branch, seq))
                and any(_is_in(span, place) for place in accepts.get(number, ()))
                and not any(_is_in(span, place) for place in ends)
                for span in spans
            ):
                yield NamedContent(content_id, size)

    def _accepts(self, numbers: list[int]) -> dict[int, list[_Place]]:
        """Where the reviews stand that accept each of those events, honoured or not."""
        found: dict[int, list[_Place]] = {}
        for target, branch, seq in self._db.rows_in(_ACCEPTS, numbers):
            found.setdefault(target, []).append(_Place(branch, seq))
        return found

    def _span(self, heads: tuple[Head, ...]) -> Mapping[int, int]:
        """The last place of each branch that is at or before one of those heads."""
        branches = self._replica.projection.index.branches
        found: dict[int, int] = {}
        at: int | None
        for at, seq in self._db.rows_in(
            "SELECT branch_no, seq FROM entries WHERE entry_id IN (??)", [head.entry_id for head in heads]
        ):
            while at is not None and found.get(at, -1) < seq:
                found[at] = seq
                branch = branches[at]
                at, seq = branch.parent, branch.parent_seq
        return found


def _is_in(span: Mapping[int, int], place: _Place) -> bool:
    return place.seq <= span.get(place.branch, -1)
