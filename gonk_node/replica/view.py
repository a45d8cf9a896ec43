"""What a sync session may ask of a replica: the log's reads, and what only the State knows (`sync.log_view.LogView`)."""

from __future__ import annotations

from collections.abc import Sequence

from gonk_node.core.heads import Head, Range
from gonk_node.replica.projection import Projection
from gonk_node.store.log import LogStore

_LISTED_MAX = 1000  # ids asked for in one session; the next session asks for more


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

    def incomplete(self) -> list[bytes]:
        """Entries of which a body is not held that no honoured redaction covers."""
        return [
            row[0]
            for row in self._projection.db.rows(
                "SELECT DISTINCT e.entry_id FROM withheld w JOIN entries e ON e.lsn = w.event_no >> 12"
                " WHERE NOT EXISTS (SELECT 1 FROM redactions r WHERE r.target_entry = e.entry_id"
                " AND r.target_index = w.event_no & 4095 AND r.honoured) LIMIT ?",
                (_LISTED_MAX,),
            )
        ]

    def wanted(self) -> list[bytes]:
        """Entries that an honoured accept cites and that are not held."""
        authority = self._projection.authority
        return [
            entry_id
            for entry_id, author, branch, seq in self._projection.db.rows(
                "SELECT DISTINCT w.entry_id, b.author, e.branch_no, e.seq FROM waiting w"
                " JOIN reviews r ON r.event_no = w.event_no AND r.decision = 1"
                " JOIN entries e ON e.lsn = w.event_no >> 12 JOIN branches b USING (branch_no)"
                " WHERE NOT EXISTS (SELECT 1 FROM entries h WHERE h.entry_id = w.entry_id) LIMIT ?",
                (_LISTED_MAX,),
            )
            if authority.review_rank(author, branch, seq) is not None
        ]

    def priority(self, author: bytes) -> int:
        """0 for owners, whose logs go first, then 1 for those with another role, 2 for strangers."""
        role = self._projection.authority.roles.get(author)
        if author == self._projection.authority.root:
            return 0
        return 2 if role is None else min(role.role, 1)
