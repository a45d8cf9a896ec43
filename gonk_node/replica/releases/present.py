"""What a release made now stands on: its heads, and what is current there, both of one State, though others may write.

Whether a State folded from these heads has the same is asked of `Present.differing`. It signs nothing.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from gonk_node.core.events import ReleaseHead
from gonk_node.replica.releases.heads import release_heads
from gonk_node.replica.replica import Replica
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import TABLES

_PAGE = 5000  # rows read at once


class Present(NamedTuple):
    """The State at one moment.

    Attributes:
        heads: what `release_heads` gives.
        current: the local numbers of the current revisions, ascending, for each of TABLES.
    """

    heads: tuple[ReleaseHead, ...]
    current: list[array[int]]

    def differing(self, other: StateDb) -> int:
        """How many revisions are current either here or in another State of the same log, and not in both."""
        count = 0
        for here, table in zip(self.current, TABLES, strict=True):
            for _, equal in groupby(heapq.merge(here, _current(other, table))):
                count += sum(1 for _ in equal) == 1
        return count


def present_of(replica: Replica) -> Present:
    """The State as it is, with all that other processes have folded so far.

    Raises:
        WrongStateError: there are more logs than a release can name. StorageError, DamagedStoreError: as the stores say.
    """
    while True:
        replica.catch_up()
        with replica.db.transaction():
            if replica.projection.is_up_to_date():  # else another process was here in between
                return Present(release_heads(replica), [array("q", _current(replica.db, table)) for table in TABLES])


def _current(db: StateDb, table: str) -> Iterator[int]:
    """The local numbers of the current revisions, ascending; in States of one log the same event has the same."""
    after = -1
    while rows := db.rows(
        f"SELECT event_no FROM {table} WHERE current AND event_no > ? ORDER BY event_no LIMIT {_PAGE}", (after,)
    ):
        yield from (row[0] for row in rows)
        after = rows[-1][0]
