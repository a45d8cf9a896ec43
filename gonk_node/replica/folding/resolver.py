"""Finds what references point to: from (entry id, index) to local event numbers, and from those to entities.

Reads `state.db` in bulk; what is not held resolves to nothing, and the caller notes that it waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gonk_node.core.ids import EventRef
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA, TABLES, event_number

DELETION = 3  # beside OBJECT, ANNOTATION, SCHEMA: what a review may name as well
_CACHE_MAX = 16_384  # entries and targets remembered, 200 bytes each; an import refers to few, a review batch to many


class Target(NamedTuple):
    """What an event number is: the entity type (or DELETION) and the entity's uuid (None: a deletion of the unknown)."""

    kind: int
    uuid: bytes | None
    entity_type: int | None  # for a deletion: of what


class Resolver:
    """Remembers entries and targets, and looks up many at a time."""

    def __init__(self, db: StateDb) -> None:
        self._db = db
        self._lsns: dict[bytes, int] = {}
        self._targets: dict[int, Target] = {}

    def forget(self) -> None:
        """Drop all that is remembered (another process may have written)."""
        self._lsns.clear()
        self._targets.clear()

    def learn_entry(self, entry_id: bytes, lsn: int) -> None:
        """Remember a new entry."""
        self._lsns[entry_id] = lsn

    def learn_target(self, number: int, target: Target) -> None:
        """Remember a new revision or deletion."""
        self._targets[number] = target

    def forget_target(self, number: int) -> None:
        """A revision was redacted."""
        self._targets.pop(number, None)

    def trim(self) -> None:
        """Keep memory bounded between batches."""
        if len(self._lsns) > _CACHE_MAX:
            self._lsns.clear()
        if len(self._targets) > _CACHE_MAX:
            self._targets.clear()

    def fetch_entries(self, entry_ids: Iterable[bytes]) -> None:
        """Look up those entries that are not remembered."""
        missing = {entry_id for entry_id in entry_ids if entry_id not in self._lsns}
        if missing:
            found = self._db.rows_in("SELECT entry_id, lsn FROM entries WHERE entry_id IN (??)", missing)
            self._lsns.update(found)

    def number(self, ref: EventRef) -> int | None:
        """The local number that a reference with its entry id filled in names, where that entry is held."""
        lsn = self._lsns.get(ref.entry_id)
        return None if lsn is None else event_number(lsn, ref.index)

    def fetch_targets(self, numbers: Iterable[int | None]) -> None:
        """Look up what those numbers are, where it is not remembered."""
        missing = {number for number in numbers if number is not None and number not in self._targets}
        for kind in (ANNOTATION, OBJECT, SCHEMA):  # the most frequent first
            if not missing:
                return
            for number, uuid in self._db.rows_in(
                f"SELECT event_no, uuid FROM {TABLES[kind]} WHERE event_no IN (??)",
                missing,
            ):
                self._targets[number] = Target(kind, uuid, kind)
                missing.discard(number)
        for number, entity_type, uuid in self._db.rows_in(
            "SELECT event_no, entity_type, uuid FROM deletions WHERE event_no IN (??)", missing
        ):
            self._targets[number] = Target(DELETION, uuid, entity_type)

    def target(self, number: int | None) -> Target | None:
        """What a number is, None where no such revision or deletion is held. Fetch first."""
        return None if number is None else self._targets.get(number)
