"""What a sync session may ask of a replica: the log's reads, and what only the State knows (`sync.log_view.LogView`)."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence, Set

from gonk_node.core.heads import Head, Range
from gonk_node.replica.folding.projection import Projection
from gonk_node.state.authority import Authority
from gonk_node.store.log import LogStore
from gonk_node.sync.messages import NeededBodies

_LISTED_MAX = 1000  # ids asked for at a time; the next time others
# Events of which only the hash is held: more tables, then "NOT" for those that no honoured redaction covers, "" for the rest.
_WITHHELD = (
    "FROM withheld w JOIN entries e ON e.lsn = w.event_no >> 12 {} WHERE {} EXISTS (SELECT 1 FROM redactions r"
    " WHERE r.target_entry = e.entry_id AND r.target_index = w.event_no & 4095 AND r.honoured)"
)
_LACKED = "SELECT DISTINCT e.entry_id, b.author " + _WITHHELD.format("{} JOIN branches b ON b.branch_no = {}", "{}")


class ReplicaView:
    """Read-only; every call is one short transaction, so it may be called from any thread."""

    def __init__(self, log: LogStore, projection: Projection) -> None:
        self._log = log
        self._projection = projection

    def last_lsn(self) -> int:
        """The arrival number of the newest entry."""
        return self._log.last_lsn()

    def heads(self) -> list[Head]:
        """Every leaf of every log."""
        return self._log.heads()

    def heads_since(self, lsn: int) -> list[Head]:
        """The leaves that arrived after `lsn`."""
        return self._log.heads_since(lsn)

    def has(self, entry_id: bytes) -> bool:
        """Whether an entry is held."""
        return self._log.has(entry_id)

    def head_of(self, entry_id: bytes) -> Head | None:
        """The place of a held entry."""
        return self._log.head_of(entry_id)

    def leaves(self, author: bytes, log_id: bytes) -> list[Head]:
        """The leaves of one log."""
        return self._log.leaves(author, log_id)

    def locator(self, head: Head) -> list[bytes]:
        """Ids of the head's ancestors at doubling distances."""
        return self._log.locator(head)

    def plan(self, head_id: bytes, known: Sequence[bytes]) -> Range | None:
        """The stretch of chain up to `head_id` that one who holds `known` lacks."""
        return self._log.plan(head_id, known)

    def read_range(self, range_: Range, first_seq: int, *, bytes_max: int, count_max: int) -> list[bytes]:
        """Records of a stretch, in order of seq."""
        return self._log.read_range(range_, first_seq, bytes_max=bytes_max, count_max=count_max)

    def record_of(self, entry_id: bytes) -> bytes | None:
        """The record of an entry."""
        return self._log.record_of(entry_id)

    def incomplete(self) -> list[NeededBodies]:
        """Entries of which a body is not held that no honoured redaction covers; those that count go first.

        At most `_LISTED_MAX`, and where there are more, others each time: nobody's bulk hides what somebody else wrote.
        """
        authority = self._projection.authority
        voted = "JOIN votes v ON v.target_no = w.event_no JOIN entries o ON o.lsn = v.review_no >> 12"
        cited = {
            entry_id
            for entry_id, author in self._rows(_LACKED.format(voted, "o.branch_no", "NOT"))
            if _may_review(authority, author)
        }
        chosen = self._those_that_count_first(dict(self._rows(_LACKED.format("", "e.branch_no", "NOT"))), cited)
        return _in_order(chosen, self._indexes(chosen, "NOT"))

    def doubtful(self) -> list[NeededBodies]:
        """Entries of which a body is not held that an honoured redaction covers, but whose kind was never seen here.

        Who sends a review without its body, and then redacts it, must not hide it (A9). Chosen as `incomplete` does.
        """
        written = dict(self._rows(_LACKED.format("", "e.branch_no", "")))
        known = self._log.erased(written)
        indexes = {
            entry_id: unknown
            for entry_id, found in self._indexes(written, "").items()
            if (unknown := [index for index in found if index not in known[entry_id]])
        }
        authors = {entry_id: author for entry_id, author in written.items() if entry_id in indexes}
        return _in_order(self._those_that_count_first(authors, frozenset()), indexes)

    def wanted(self) -> list[bytes]:
        """Entries that an honoured accept cites and that are not held; at most `_LISTED_MAX`, others each time."""
        authority = self._projection.authority
        reviewers = [key for key in authority.roles if _may_review(authority, key)]
        found = self._projection.db.rows_in(
            "SELECT DISTINCT w.entry_id, b.author, e.branch_no, e.seq FROM waiting w"
            " JOIN reviews r ON r.event_no = w.event_no AND r.decision = 1"
            " JOIN entries e ON e.lsn = w.event_no >> 12 JOIN branches b USING (branch_no)"
            " WHERE NOT EXISTS (SELECT 1 FROM entries h WHERE h.entry_id = w.entry_id) AND b.author IN (??)",
            reviewers,
        )
        return _some(
            {entry_id for entry_id, *place in found if authority.review_rank(*place) is not None},
            _LISTED_MAX,
        )

    def _rows(self, sql: str) -> list[tuple[bytes, bytes]]:
        return self._projection.db.rows(sql)

    def _those_that_count_first(self, written: Mapping[bytes, bytes], cited: Set[bytes]) -> list[bytes]:
        """At most `_LISTED_MAX` of those entries: by authors who are vouched for or cited first, then the rest."""
        vouched = self._projection.authority.vouched_spans
        first = {entry_id for entry_id, author in written.items() if author in vouched} | cited
        chosen = _some(first, _LISTED_MAX)
        return chosen + _some(written.keys() - first, _LISTED_MAX - len(chosen))

    def _indexes(self, entry_ids: Collection[bytes], covered: str) -> dict[bytes, list[int]]:
        """Of each entry the events without a body, ascending; `covered` as in `_LACKED`."""
        sql = f"SELECT e.entry_id, w.event_no & 4095 {_WITHHELD.format('', covered)} AND e.entry_id IN (??)"
        found: dict[bytes, list[int]] = {}
        for entry_id, index in self._projection.db.rows_in(sql, entry_ids):
            found.setdefault(entry_id, []).append(index)
        return {entry_id: sorted(indexes) for entry_id, indexes in found.items()}

    def priority(self, author: bytes) -> int:
        """0 for owners, whose logs go first, then 1 for those with another role, 2 for strangers."""
        role = self._projection.authority.roles.get(author)
        if author == self._projection.authority.root:
            return 0
        return 2 if role is None else min(role.role, 1)


def _in_order(chosen: Sequence[bytes], indexes: Mapping[bytes, list[int]]) -> list[NeededBodies]:
    return [NeededBodies(entry_id, indexes[entry_id]) for entry_id in chosen if entry_id in indexes]


def _may_review(authority: Authority, key: bytes) -> bool:
    """Whether any review of that key may be honoured."""
    return key in authority.owner_spans or key in authority.reviewer_spans


def _some(entry_ids: Collection[bytes], count_max: int) -> list[bytes]:
    """All of them in order, or that many at random."""
    ordered = sorted(entry_ids)
    return ordered if len(ordered) <= count_max else random.sample(ordered, count_max)
