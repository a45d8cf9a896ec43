"""State at heads (A14) is that of the entries at or before them alone, whatever else is held; so is its manifest (A15)."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence

from gonk_node.core.entry import Entry
from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.releases.manifest_items import manifest_items
from gonk_node.replica.releases.snapshot import LogUpTo
from gonk_node.state.conformance import Conformance
from gonk_node.state.manifest import Manifest
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog, shuffled
from kit.history import random_history
from kit.reference_manifest import reference_manifest
from kit.reference_state import reference_snapshot
from kit.snapshot import differences, snapshot


def _fits(document: bytes, body: bytes) -> bool:
    """In place of JSON Schema: the schemas and bodies of random histories are numbers."""
    return (int(document) + int(body)) % 4 != 0


class _Bodies:
    def __init__(self, db: StateDb) -> None:
        self._db = db

    def verdict(self, schema_no: int, body: bytes) -> Conformance:
        row = self._db.one("SELECT body FROM schemas WHERE event_no = ?", (schema_no,))
        assert row is not None
        return Conformance.VALID if _fits(row[0], body) else Conformance.INVALID


STRIDE = 4  # each history is folded several times


def test_what_is_not_under_the_heads_changes_nothing(history_batch: range) -> None:
    for seed in history_batch[::STRIDE]:
        rng = random.Random(f"heads {seed}")
        world, _ = random_history(seed)
        entries = list({entry.entry_id: entry for entry in world.entries}.values())
        under = _under_some_heads(entries, rng)
        order = shuffled(entries, rng)
        log = ArrivalLog(order)
        lsns = array("Q", [lsn for lsn, entry in enumerate(order, 1) if entry.entry_id in under])
        projection = Projection(LogUpTo(log, lsns), StateDb(None, world.dataset))  # type: ignore[arg-type]
        projection.catch_up()
        kept = [entry for entry in entries if entry.entry_id in under]
        alone = Projection(ArrivalLog(kept), StateDb(None, world.dataset))
        alone.catch_up()
        found, expected = snapshot(projection), snapshot(alone)
        assert found == expected, f"seed {seed}\n{differences(found, expected)}"

        items = list(manifest_items(projection.db, _Bodies(projection.db)))  # type: ignore[arg-type]
        text = b"".join(Manifest(world.dataset, items.copy).lines()).decode()
        assert text == reference_manifest(reference_snapshot(kept), world.dataset, _fits), f"seed {seed}"


def _under_some_heads(entries: Sequence[Entry], rng: random.Random) -> set[bytes]:
    """The genesis, and all that is at or before some entries."""
    by_id = {entry.entry_id: entry for entry in entries}
    under = {entries[0].entry_id}
    for head in rng.sample(entries, max(rng.randrange(len(entries)) for _ in range(3))):
        at: Entry | None = head
        while at is not None and at.entry_id not in under:
            under.add(at.entry_id)
            at = by_id.get(at.header.prev)
    return under
