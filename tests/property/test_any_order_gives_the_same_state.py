"""State is a function of the set of entries held: not of their order, of batches, of restarts, or of what came when.

For each seed: a random history, of which some entries never arrive, and some bodies are withheld, for a while or for good.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from gonk_node.core.entry import Entry, without_bodies
from gonk_node.replica.folding import projection as projection_module
from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog, shuffled
from kit.history import random_history
from kit.reference_state import reference_snapshot
from kit.snapshot import differences, snapshot


def test_every_order_batching_and_restart_gives_what_the_rules_say(
    history_batch: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in history_batch:
        rng = random.Random(f"arrival {seed}")
        world, _ = random_history(seed)
        entries = _held(world.entries, rng)

        monkeypatch.setattr(projection_module, "EVENTS_PER_BATCH", 10_000)
        log = ArrivalLog(entries)
        projection = Projection(log, StateDb(None, world.dataset))
        projection.catch_up()
        at_once = snapshot(projection)
        by_the_rules = reference_snapshot(entries)
        found = {table: at_once[table] for table in by_the_rules}
        assert found == by_the_rules, f"seed {seed}: not by the rules\n{differences(found, by_the_rules)}"

        monkeypatch.setattr(projection_module, "EVENTS_PER_BATCH", rng.choices((1, 7, 10_000), weights=(1, 2, 7))[0])
        projection = _bit_by_bit(world.entries[0], entries, rng)
        found = snapshot(projection)
        assert found == at_once, f"seed {seed}: bit by bit\n{differences(at_once, found)}"
        if seed % 4 == 0:  # `at_once` was a rebuild too; this one is in the order in which things came
            projection.rebuild()
            found = snapshot(projection)
            assert found == at_once, f"seed {seed}: rebuilt\n{differences(at_once, found)}"


def _held(entries: Sequence[Entry], rng: random.Random) -> list[Entry]:
    """What a node holds in the end: some ends of logs never arrive, some bodies never do."""
    followed = {entry.header.prev for entry in entries}
    held = []
    for entry in {entry.entry_id: entry for entry in entries}.values():  # two authors' steps may come out as one entry
        if entry.header.dataset and entry.entry_id not in followed and rng.random() < 0.1:
            continue
        if entry.header.dataset and rng.random() < 0.05:
            entry = without_bodies(entry, {rng.randrange(len(entry.bodies))})
        held.append(entry)
    return held


def _bit_by_bit(genesis: Entry, entries: Sequence[Entry], rng: random.Random) -> Projection:
    """Entries come one by one in a random order, some twice, some bodies later; the node restarts, and erases."""
    log = ArrivalLog([genesis])
    db = StateDb(None, genesis.dataset)
    projection = Projection(log, db)
    pace = rng.choice((0.3, 0.1, 0.05))
    late: list[Entry] = []
    for entry in shuffled(entries, rng):
        if entry.header.dataset and rng.random() < 0.1:
            late.append(entry)
            entry = without_bodies(entry, set(range(len(entry.bodies))))
        completed = log.add(entry)
        if late and rng.random() < 0.1:
            completed = log.add(rng.choice(late))  # a body comes, or a duplicate
        if completed or rng.random() < pace:
            projection.catch_up(recheck_withheld=completed)
        if rng.random() < 0.3:
            for ref in projection.erasable:
                log.erase(ref)
            projection.erasable.clear()
        if rng.random() < 0.03:
            projection = Projection(log, db)
    for entry in entries:  # whoever still has them sends all bodies that are missing
        log.add(entry)
    projection.catch_up(recheck_withheld=True)
    return projection
