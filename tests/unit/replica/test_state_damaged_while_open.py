"""A `state.db` that goes bad under an open replica is made anew from the log, and nothing stops."""

from __future__ import annotations

from pathlib import Path

from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog
from kit.history import World, object_create


def test_a_state_that_is_damaged_while_it_is_open_is_made_anew_by_the_next_catch_up(tmp_path: Path) -> None:
    world = World()
    for first in range(0, 400, 20):
        world.write("root", *(object_create(number) for number in range(first, first + 20)))
    whole = Projection(ArrivalLog(world.entries), StateDb(None, world.dataset))
    whole.catch_up()

    path = tmp_path / "state.db"
    log = ArrivalLog(world.entries[:-1])
    projection = Projection(log, StateDb(path, world.dataset))
    projection.catch_up()
    projection.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    projection.db.execute("PRAGMA cache_size = 0")
    projection.db.execute("PRAGMA shrink_memory")
    with path.open("r+b") as file:  # every page but the first
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))

    log.add(world.entries[-1])
    projection.catch_up()
    assert projection.state_digest() == whole.state_digest()
    assert projection.db.damage() == []
