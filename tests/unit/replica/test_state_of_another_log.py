"""A State that stands further than its log (an older copy of the log was put back) is made anew, not believed."""

from __future__ import annotations

from pathlib import Path

from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog
from kit.history import World, object_create
from kit.snapshot import snapshot


def test_after_an_older_copy_of_the_log_was_put_back_nothing_is_skipped(tmp_path: Path) -> None:
    world = World()
    entries = [world.genesis, *[world.write("root", object_create(number)) for number in range(4)]]
    db = StateDb(tmp_path / "state.db", world.dataset)
    Projection(ArrivalLog(entries), db).catch_up()
    db.close()

    other = world.write("other", object_create(9))
    restored = ArrivalLog([*entries[:2], other])
    projection = Projection(restored, StateDb(tmp_path / "state.db", world.dataset))
    projection.catch_up()
    fresh = Projection(restored, StateDb(None, world.dataset))
    fresh.catch_up()
    assert snapshot(projection) == snapshot(fresh)
    assert projection.lsn() == 3


def test_a_state_that_lags_behind_is_kept(tmp_path: Path) -> None:
    world = World()
    entries = [world.genesis, *[world.write("root", object_create(number)) for number in range(4)]]
    db = StateDb(tmp_path / "state.db", world.dataset)
    Projection(ArrivalLog(entries[:3]), db).catch_up()
    assert Projection(ArrivalLog(entries), db).catch_up() == 2
