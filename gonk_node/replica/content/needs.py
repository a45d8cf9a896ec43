"""Which content a node takes from peers that hand it over, and which it offers to them in turn.

Questions over the State alone; whether the bytes are held is asked of the content store by the caller. What a policy
fetches is in `contents`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from gonk_node.replica.content.contents import ALL, NONE, NamedContent
from gonk_node.replica.content.released_content import ReleasedContent
from gonk_node.replica.content.stranger_content import ContentQuota, StrangerContent
from gonk_node.state.revisions import CREATE_PENDING, CREATE_REJECTED, DELETE_ACCEPTED
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import event_number

_PAGE = 1000  # rows read at once
_GONE = CREATE_REJECTED | DELETE_ACCEPTED
_FROM = "FROM objects o JOIN entries e ON e.lsn = o.event_no >> 12 JOIN branches b USING (branch_no)"
_STANDS = f"o.version IS NOT NULL AND NOT o.status & {_GONE}"
_COUNTS = "o.shared IS NOT NULL"  # vouched for, or accepted


class ContentNeeds:
    """What one dataset's content is to this node.

    Args:
        db: the State; asked on worker threads.
        policy: "all" and "accepted" take what they fetch (`Contents.wanted`), and undecided proposals of strangers up to
            the quota; "none": takes nothing.
        own: gives the author keys of this node: its person's, and those of its users.
        released: what releases need besides.
        quota: for strangers.

    Attributes:
        strangers: undecided proposals of strangers that there is room for.
    """

    def __init__(
        self,
        db: StateDb,
        policy: str,
        own: Callable[[], Collection[bytes]] = tuple,
        released: ReleasedContent | None = None,
        quota: ContentQuota = ContentQuota(),  # noqa: B008 - immutable
    ) -> None:
        self._db = db
        self._policy = policy
        self._own = own
        self._released = released
        self.strangers = StrangerContent(db, own, quota)

    # --- what it takes ------------------------------------------------------------------------------------

    def takes(self, files: Sequence[tuple[bytes, int]]) -> list[bool]:
        """Of each (content id, size), whether an object names it with that very size and it is taken.

        One look-up in an index for each; strangers' proposals are gone through once after entries have arrived.
        """
        if self._policy == NONE:
            return [False] * len(files)
        rows = self._db.rows_in(
            "SELECT DISTINCT content_id, size, status, shared IS NOT NULL FROM objects"
            " WHERE version IS NOT NULL AND content_id IN (??)",
            {content_id for content_id, _ in files},
        )
        taken = {(content_id, size) for content_id, size, status, shared in rows if self._is_wanted(status, shared)}
        if self._released is not None:
            taken |= self._released.files()
        undecided = {
            (content_id, size)
            for content_id, size, status, shared in rows
            if status & CREATE_PENDING and not shared and (content_id, size) not in taken
        }
        if undecided:
            taken |= undecided & self.strangers.files()
        return [(content_id, size) in taken for content_id, size in files]

    def _is_wanted(self, status: int, shared: bool) -> bool:
        return shared and not status & (CREATE_REJECTED if self._policy == ALL else _GONE)

    # --- what it offers -----------------------------------------------------------------------------------

    def lsn(self) -> int:
        """The arrival number up to which the State, and so the other answers, has got."""
        return int(self._db.meta("lsn"))

    def news(self, after_lsn: int, *, mine: bool) -> Iterator[NamedContent]:
        """Content that a peer may lack who was offered all up to an arrival number, in order of arrival.

        That is what objects name that arrived since, or that were decided since; everything, where somebody's role has
        changed since. Only what counts on every node: accepted, or proposed by a vouched key.

        Args:
            after_lsn: arrival number on this node; 0: offer everything.
            mine: what this node's keys added, or what all others did.
        """
        after = event_number(after_lsn + 1, 0) - 1 if after_lsn else 0
        if self._db.one("SELECT 1 FROM acts WHERE event_no > ? LIMIT 1", (after,)) is not None:
            after = 0
        own = tuple(self._own())
        which = f"{_STANDS} AND {_COUNTS} AND b.author {'' if mine else 'NOT '}IN ({_marks(own)})"
        yield from self._pages(which, after, own)
        if after:
            decided = "o.event_no IN (SELECT v.target_no FROM votes v WHERE v.review_no > ?)"
            yield from self._pages(f"{which} AND {decided}", 0, (*own, after))

    def own_proposals(self) -> Iterator[NamedContent]:
        """Content that this node's keys propose while nobody vouches for them; taken or not, as the peer's quota says."""
        own = tuple(self._own())
        yield from self._pages(f"{_STANDS} AND NOT {_COUNTS} AND b.author IN ({_marks(own)})", 0, own)

    def _pages(self, where: str, after: int, parameters: Sequence[Any]) -> Iterator[NamedContent]:
        """Content of the object revisions after a local number, in order of arrival."""
        while rows := self._db.rows(
            f"SELECT o.event_no, o.content_id, o.size {_FROM} WHERE {where} AND o.event_no > ?"
            f" ORDER BY o.event_no LIMIT {_PAGE}",
            (*parameters, after),
        ):
            for _, content_id, size in rows:
                yield NamedContent(content_id, size)
            after = rows[-1][0]


def _marks(values: Collection[bytes]) -> str:
    return ",".join("?" * len(values))
