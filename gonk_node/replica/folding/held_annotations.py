"""Tells which annotations are held, and lets a State made from nothing do without some indexes until it is complete.

A State that starts empty knows what it holds, so it need not ask for each new annotation, and three indexes can be made at
the end, sorted, in a third of the time that one row after the other takes. Whoever needs them before says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from gonk_node.store.state_db import StateDb
from gonk_node.store.state_rows import known_uuids
from gonk_node.store.state_schema import ANNOTATION

_REMEMBERED_MAX = 250_000  # some 30 MB; beyond that the database is asked


class HeldAnnotations:
    """The uuids of all annotations in one State; correct only for whoever writes all of them, or calls `forget`."""

    def __init__(self, db: StateDb) -> None:
        self._db = db
        self._uuids: set[bytes] | None = None
        self._indexes_are_there = True

    def begin(self) -> None:
        """The State is empty (inside a transaction)."""
        self._uuids = set()
        self._db.drop_later_indexes()
        self._indexes_are_there = False

    def forget(self) -> None:
        """Others may have written, or a transaction failed (inside a transaction): ask the database from now on."""
        self._uuids = None
        self._db.make_later_indexes()
        self._indexes_are_there = True

    def make_indexes(self) -> None:
        """Make what is missing (inside a transaction): before an annotation is looked up by uuid, and in the end."""
        if not self._indexes_are_there:
            self._db.make_later_indexes()
            self._indexes_are_there = True

    def among(self, uuids: set[bytes]) -> Set[bytes]:
        """Those that are held."""
        if self._uuids is not None:
            return uuids & self._uuids
        return known_uuids(self._db, ANNOTATION, uuids)

    def learn(self, uuids: Iterable[bytes]) -> None:
        """Remember what this batch brings."""
        if self._uuids is not None:
            self._uuids.update(uuids)
            if len(self._uuids) > _REMEMBERED_MAX:
                self.forget()
