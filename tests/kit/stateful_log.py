"""A log in memory with the real State over it: what `Replica` is to LMDB and a file, without disk, lock or quotas.

The State is caught up when it is asked for, not at each arrival, so it lags behind as one does after a crash.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from gonk_node.core.ids import EventRef
from gonk_node.core.outcome import Ingested, Outcome
from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.view import ReplicaView
from gonk_node.store.log import LogStore
from gonk_node.store.state_db import StateDb
from gonk_node.sync.messages import NeededBodies
from kit.memory_log import MemoryLog


class CopiedStateDb(StateDb):
    """A State in memory whose empty tables are copied: some hundred of these are made a second."""

    def __init__(self, dataset: bytes) -> None:
        super().__init__(None, dataset)

    def _create(self, db: sqlite3.Connection) -> None:
        _empty_state()._db.backup(db)
        db.execute("UPDATE meta SET value = ? WHERE key = 'dataset'", (self.dataset,))


@functools.cache
def _empty_state() -> StateDb:
    return StateDb(None, b"")


@dataclass
class StatefulLog(MemoryLog):
    """A replica; its first entry must be the genesis."""

    _projection: Projection | None = None
    _completed: bool = False  # bodies came since the last catch-up
    _answers: dict[str, list[Any]] = field(default_factory=dict)

    def ingest(self, records: Sequence[bytes], cited: bool = False) -> list[Ingested]:
        results = super().ingest(records, cited)
        self._completed |= any(each.outcome is Outcome.COMPLETED for each in results)
        return results

    # --- the State -------------------------------------------------------------------------------------------

    @property
    def projection(self) -> Projection:
        """The State of all that is held."""
        if self._projection is None:
            self._projection = Projection(self, CopiedStateDb(self.dataset))
            self._catch_up(self._projection, after_lsn=0)
        elif self._completed or self._projection.lsn() < self.last_lsn():
            self._catch_up(self._projection, after_lsn=self._projection.lsn())
        return self._projection

    def _catch_up(self, projection: Projection, after_lsn: int) -> None:
        new = {lsn: self.entries[self.arrivals[lsn - 1]] for lsn in range(after_lsn + 1, self.last_lsn() + 1)}
        projection.catch_up(recheck_withheld=self._completed, verified=new)
        self._completed = False
        self._answers.clear()
        for entry_id, index in projection.restorable:
            self.allow_bodies(entry_id, {index})
        projection.restorable.clear()
        for entry_id, index in projection.erasable:
            self.erase(entry_id, {index})
        projection.erasable.clear()

    def lose_state(self) -> None:
        """The database is gone: it will be made anew of what the log has."""
        self._projection = None

    def restart(self) -> None:
        """What was in memory is gone; the database goes on from where it stood."""
        if self._projection is not None:
            self._projection = Projection(self, self._projection.db)
            self._completed = True  # a first catch-up looks for bodies

    def rebuilt(self) -> Projection:
        """A second State, of the same log, folded at once."""
        projection = Projection(self, CopiedStateDb(self.dataset))
        projection.catch_up(recheck_withheld=True)
        return projection

    # --- what `Projection` reads -------------------------------------------------------------------------------

    def scan(self, after_lsn: int, *, count_max: int, bytes_max: int) -> list[tuple[int, bytes]]:
        ids = self.arrivals[after_lsn : after_lsn + count_max]
        return [(lsn, self.entries[entry_id].record) for lsn, entry_id in enumerate(ids, after_lsn + 1)]

    def record(self, lsn: int) -> bytes | None:
        return self.entries[self.arrivals[lsn - 1]].record if 0 < lsn <= len(self.arrivals) else None

    # --- what a session asks of the State ------------------------------------------------------------------------

    def incomplete(self) -> list[NeededBodies]:
        return self._answer("incomplete")

    def doubtful(self) -> list[NeededBodies]:
        return self._answer("doubtful")

    def wanted(self) -> list[bytes]:
        return self._answer("wanted")

    def priority(self, author: bytes) -> int:
        """By the State as it stands: an order of sending needs no newer one."""
        return self._view(self._projection or self.projection).priority(author)

    def _answer(self, question: str) -> list[Any]:
        """Asked at each step of each session, and answered anew only where the State has changed."""
        view = self._view(self.projection)
        if question not in self._answers:
            self._answers[question] = getattr(view, question)()
        return self._answers[question]

    def _view(self, projection: Projection) -> ReplicaView:
        return ReplicaView(cast(LogStore, self), projection)

    def state_digest(self) -> bytes:
        return self.projection.state_digest()

    def missing_bodies(self) -> list[EventRef]:
        return self.projection.missing_bodies()
