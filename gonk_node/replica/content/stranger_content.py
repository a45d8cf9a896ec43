"""How much content of strangers' proposals a node keeps: oldest first, up to a quota of each key and one of all together.

Sizes are those that the objects declare, so the answer follows from the State alone and needs no look at the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from gonk_node.core import limits
from gonk_node.state.revisions import CREATE_PENDING, CREATE_REJECTED, DELETE_ACCEPTED, DELETE_PENDING
from gonk_node.store.state_db import StateDb

_PAGE = 1000  # rows read at once
# The first term is that of the index `objects_pending`, word for word.
_OPEN = (
    f"o.status & {CREATE_PENDING | DELETE_PENDING} AND o.status & {CREATE_PENDING}"
    f" AND NOT o.status & {CREATE_REJECTED | DELETE_ACCEPTED} AND o.shared IS NULL AND o.version IS NOT NULL"
)


class ContentQuota(NamedTuple):
    """Bytes of content of undecided proposals of unvouched keys: of each key, and of all together in one dataset."""

    bytes_per_key: int = limits.STRANGER_CONTENT_BYTES_PER_KEY
    bytes_total: int = limits.STRANGER_CONTENT_BYTES_TOTAL


class StrangerContent:
    """The files of undecided proposals by keys that nobody vouched for, so far as there is room for them.

    Args:
        db: the State.
        own: gives the author keys of this node, which have no quota here.
        quota: how much room there is.
    """

    def __init__(
        self,
        db: StateDb,
        own: Callable[[], Collection[bytes]] = tuple,
        quota: ContentQuota = ContentQuota(),  # noqa: B008 - immutable
    ) -> None:
        self._db = db
        self._own = own
        self._quota = quota
        self._known: tuple[int, frozenset[tuple[bytes, int]]] = (-1, frozenset())

    def files(self) -> frozenset[tuple[bytes, int]]:
        """(content id, size) of each file that there is room for; computed anew once entries have arrived."""
        lsn = int(self._db.meta("lsn"))
        if self._known[0] != lsn:
            self._known = (lsn, frozenset(self._chosen()))
        return self._known[1]

    def _chosen(self) -> Iterator[tuple[bytes, int]]:
        counted: set[tuple[bytes, int]] = set()
        used: dict[bytes, int] = {}
        used_total = 0
        own = frozenset(self._own())
        for content_id, size, author in self._proposed():
            if (content_id, size) in counted:
                continue
            if author not in own:
                cost = max(size, limits.STRANGER_CONTENT_BYTES_MIN)
                of_key = used.get(author, 0) + cost
                if of_key > self._quota.bytes_per_key or used_total + cost > self._quota.bytes_total:
                    continue
                used[author] = of_key
                used_total += cost
            counted.add((content_id, size))
            yield content_id, size

    def _proposed(self) -> Iterator[tuple[bytes, int, bytes]]:
        """Content id, size and author of each such proposal, in order of arrival."""
        after = -1
        while rows := self._db.rows(
            "SELECT o.event_no, o.content_id, o.size, b.author FROM objects o JOIN entries e ON e.lsn = o.event_no >> 12"
            f" JOIN branches b USING (branch_no) WHERE {_OPEN} AND o.event_no > ? ORDER BY o.event_no LIMIT {_PAGE}",
            (after,),
        ):
            for _, content_id, size, author in rows:
                yield content_id, size, author
            after = rows[-1][0]
