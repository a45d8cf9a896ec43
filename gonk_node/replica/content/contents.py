"""Which content the objects of a dataset name: what a peer may be given, and what a policy wants here.

Reads the State only; whether the bytes are held is asked of the content store by the caller. What is taken of strangers'
proposals is for `stranger_content`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from gonk_node.core.limits import FETCH_SIZES_MAX, LABEL_SET_BYTES_MAX
from gonk_node.errors import UsageError
from gonk_node.formats.label_set import MEDIA_TYPE as LABELS
from gonk_node.state.revisions import CREATE_REJECTED, DELETE_ACCEPTED
from gonk_node.store.state_db import StateDb

ALL, ACCEPTED, NONE = "all", "accepted", "none"
PAGE = 1000  # rows read at once


class NamedContent(NamedTuple):
    """A content id and the size in bytes that an object declares for it; two objects may differ, and one then lies."""

    content_id: bytes
    size: int


FIRST = NamedContent(b"", -1)  # before all others
_NOT_REJECTED = f"version IS NOT NULL AND shared IS NOT NULL AND NOT status & {CREATE_REJECTED}"
_WANTED = {ALL: _NOT_REJECTED, ACCEPTED: f"{_NOT_REJECTED} AND NOT status & {DELETE_ACCEPTED}"}


class Contents:
    """Questions about one State, each a short read."""

    def __init__(self, db: StateDb) -> None:
        self._db = db

    def names(self, content_id: bytes) -> bool:
        """Whether any object names that content: one look-up in an index."""
        return self._db.one("SELECT 1 FROM objects WHERE content_id = ? LIMIT 1", (content_id,)) is not None

    def rejected(self) -> Iterator[bytes]:
        """The content ids that rejected revisions name, in order; others may name them too."""
        after = b""
        while rows := self._db.rows(
            f"SELECT DISTINCT content_id FROM objects WHERE status & {CREATE_REJECTED} AND content_id > ?"
            f" ORDER BY content_id LIMIT {PAGE}",
            (after,),
        ):
            for (after,) in rows:
                yield after

    def names_unrejected(self, content_id: bytes, own: Collection[bytes]) -> bool:
        """Whether a revision names that content that is not rejected, or is by one of those author keys."""
        row = self._db.one(
            "SELECT 1 FROM objects o JOIN entries e ON e.lsn = o.event_no >> 12 JOIN branches b USING (branch_no)"
            f" WHERE o.content_id = ? AND (NOT o.status & {CREATE_REJECTED}"
            f" OR b.author IN ({','.join('?' * len(own))})) LIMIT 1",
            (content_id, *own),
        )
        return row is not None

    def sizes(self, content_id: bytes) -> list[int]:
        """The sizes in bytes that objects declare for a content: those that count on every node first, then the older."""
        rows = self._db.rows(
            "SELECT size FROM objects WHERE content_id = ? GROUP BY size"
            " ORDER BY max(shared IS NOT NULL) DESC, min(event_no) LIMIT ?",
            (content_id, FETCH_SIZES_MAX),
        )
        return [int(size) for (size,) in rows]

    def wanted(self, policy: str, after: NamedContent = FIRST, limit: int = PAGE) -> list[NamedContent]:
        """What a policy wants, each content once for each size declared, in order of content id.

        Args:
            policy: "accepted": of revisions that are accepted, or proposed by a vouched key (reviewers look at them), and
                not deleted; "all": of deleted ones too; "none": nothing.
            after: the last one of the page before.
            limit: of the page.
        """
        return [] if policy == NONE else self._page(_clause(policy), after, limit)

    def label_sets(self) -> list[NamedContent]:
        """The label sets that count: small, and needed wherever annotations are shown or written."""
        rows = self._db.rows(
            "SELECT content_id, size FROM objects WHERE current AND media_type = ? AND size <= ?",
            (LABELS, LABEL_SET_BYTES_MAX),
        )
        return [NamedContent(*row) for row in rows]

    def totals(self, policy: str) -> tuple[int, int]:
        """How many files a policy wants, and how many bytes they have together."""
        if policy == NONE:
            return 0, 0
        row = self._db.one(
            "SELECT count(*), coalesce(sum(size), 0) FROM"
            f" (SELECT DISTINCT content_id, size FROM objects WHERE {_clause(policy)})"
        )
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def _page(self, clause: str, after: NamedContent, limit: int) -> list[NamedContent]:
        rows = self._db.rows(
            f"SELECT DISTINCT content_id, size FROM objects WHERE (content_id, size) > (?, ?) AND {clause}"
            " ORDER BY content_id, size LIMIT ?",
            (*after, limit),
        )
        return [NamedContent(*row) for row in rows]


def _clause(policy: str) -> str:
    if policy not in _WANTED:
        raise UsageError(f"there is no content policy {policy!r}", hint=f"one of {ALL}, {ACCEPTED}, {NONE}")
    return _WANTED[policy]
