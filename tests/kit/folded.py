"""The State of a world, asked about in the words of the rules; the same in every order of arrival, or it fails."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from gonk_node.core.entry import Entry
from gonk_node.core.ids import EventRef
from gonk_node.replica.folding.projection import Projection
from gonk_node.state.authority import RoleInfo
from gonk_node.state.revisions import views_of
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog, shuffled
from kit.history import World, key_of
from kit.reference_state import reference_snapshot
from kit.snapshot import Snapshot, differences, snapshot

STATUS_NAMES = (
    "create-pending",
    "create-rejected",
    "delete-pending",
    "delete-accepted",
)  # by bit, as spec section 7 has it
ORDERS = 5  # as written, at once and one by one; then random ones


@dataclass(frozen=True)
class Folded:
    """Answers from a snapshot; revisions, deletions and redactions by reference, people by name."""

    found: Snapshot

    # --- who may do what ------------------------------------------------------------------------------------

    def role(self, name: str) -> RoleInfo | None:
        return next((info for info in self.found["roles"] if info.key == key_of(name)), None)

    def names_by_rank(self, *names: str) -> list[str]:
        keys = [info.key for info in self.found["roles"]]
        return sorted(names, key=lambda name: keys.index(key_of(name)))

    def is_root(self, name: str) -> bool:
        return bool(self.found["root"] == key_of(name))

    def owns(self, entry: Entry) -> bool:
        """Whether the entry counts as an owner's."""
        return bool(self.found["positions"][entry.entry_id][0])

    def may_review(self, entry: Entry) -> bool:
        """Whether reviews in the entry count."""
        return self.found["positions"][entry.entry_id][1] is not None

    def vouched(self, entry: Entry) -> bool:
        return bool(self.found["positions"][entry.entry_id][2])

    def uncut(self, entry: Entry) -> bool:
        return bool(self.found["positions"][entry.entry_id][3])

    # --- what became of an event ------------------------------------------------------------------------------

    def _row(self, ref: EventRef) -> tuple[Any, ...] | None:
        rows = (row for table in ("objects", "annotations", "schemas") for row in self.found[table])
        return next((row for row in rows if row[0] == ref), None)

    def revision(self, ref: EventRef) -> tuple[Any, ...]:
        row = self._row(ref)
        assert row is not None, "no such revision"
        return row

    def is_there(self, ref: EventRef) -> bool:
        return self._row(ref) is not None

    def version(self, ref: EventRef) -> int | None:
        version: int | None = self.revision(ref)[5]
        return version

    def status(self, ref: EventRef) -> set[str]:
        bits = self.revision(ref)[6]
        return {name for at, name in enumerate(STATUS_NAMES) if bits & 1 << at}

    def views(self, ref: EventRef) -> set[str]:
        return set(views_of(self.revision(ref)[6]))

    def in_digest(self, ref: EventRef) -> bool:
        return self.revision(ref)[7] is not None

    def is_current(self, ref: EventRef) -> bool:
        return bool(self.revision(ref)[8])

    def answers(self, ref: EventRef) -> bool:
        """Whether it is the revision that answers to its version number."""
        return bool(self.revision(ref)[9])

    def conflicts(self) -> list[tuple[int, bytes, int]]:
        return sorted(self.found["conflicts"])

    def hangs_on(self, annotation: EventRef) -> set[EventRef]:
        """The objects of an annotation, given its create event."""
        return {target for target, hanging in self.found["annotation_objects"] if hanging == annotation}

    def honoured(self, redact: EventRef) -> bool:
        return any(row[0] == redact and row[3] for row in self.found["redactions"])

    def digest(self) -> bytes:
        return bytes(self.found["digest"])


def fold(world: World, *, without: tuple[Entry, ...] = ()) -> Folded:
    """Project all entries of a world but some; in every order, one by one and at once, and by the second implementation."""
    entries = [entry for entry in world.entries if entry not in without]
    expected: Snapshot | None = None
    for number in range(ORDERS):
        order = shuffled(entries, random.Random(number)) if number > 1 else entries
        log = ArrivalLog(order[:1])
        projection = Projection(log, StateDb(None, world.dataset))
        for entry in order:
            log.add(entry)
            if number % 2:
                projection.catch_up()
        projection.catch_up()
        found = snapshot(projection)
        expected = expected or found
        assert found == expected, f"order {number}\n{differences(expected, found)}"
    assert expected is not None
    by_rules = reference_snapshot(entries)
    compared = {table: expected[table] for table in by_rules}
    assert compared == by_rules, differences(compared, by_rules)
    return Folded(expected)
