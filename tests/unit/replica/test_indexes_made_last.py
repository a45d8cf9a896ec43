"""A State made from nothing has all its indexes when it is complete, or needed, or was left half made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gonk_node.core.entry import Entry
from gonk_node.core.events import Delete, Event, Redact
from gonk_node.core.ids import EventRef
from gonk_node.replica.folding import held_annotations
from gonk_node.replica.folding import projection as projection_module
from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_compare import differing_tables
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import LATER_INDEXES
from kit.arrival_log import ArrivalLog
from kit.history import World, accept, annotation_create, annotation_update, object_create, ref, schema_create


def indexes(db: StateDb) -> set[str]:
    return {name for (name,) in db.rows("SELECT name FROM sqlite_master WHERE type = 'index'")}


def annotated_world() -> tuple[World, list[Entry]]:
    world = World()
    schema = world.write("root", schema_create())
    things = world.write("root", object_create(0))
    drawn = [world.write("root", annotation_create(number, ref(schema), ref(things))) for number in range(12)]
    return world, drawn


def troubled_world() -> World:
    """The same, and in the end annotations that are not alone."""
    world, drawn = annotated_world()
    schema, things = world.entries[1:3]
    world.write("root", annotation_create(3, ref(schema), ref(things)))  # once more
    world.write("root", annotation_update(4, ref(drawn[4]), ref(schema)))
    return world


class Stopped(Exception):  # noqa: N818
    pass


def stop_at(lsn: int, seen: list[set[str]], db: StateDb) -> object:
    def progress(reached: int, _: int) -> None:
        seen.append(indexes(db))
        if reached == lsn:
            raise Stopped

    return progress


@pytest.fixture(autouse=True)
def one_entry_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection_module, "EVENTS_PER_BATCH", 1)


def test_they_are_there_once_it_is_complete_and_not_before() -> None:
    world, _ = annotated_world()
    db = StateDb(None, world.dataset)
    seen: list[set[str]] = []
    Projection(ArrivalLog(world.entries), db).catch_up(progress=stop_at(-1, seen, db))
    assert not any(each & set(LATER_INDEXES) for each in seen[:-1])
    assert seen[-1] == indexes(StateDb(None, world.dataset))


LOOKED_UP: dict[str, Callable[[Entry, Entry, EventRef], Event]] = {
    "a review": lambda schema, things, drawn: accept(drawn),
    "a redaction": lambda schema, things, drawn: Redact(drawn, ""),
    "a deletion": lambda schema, things, drawn: Delete(drawn),
    "an update": lambda schema, things, drawn: annotation_update(4, drawn, ref(schema)),
    "the same uuid": lambda schema, things, drawn: annotation_create(4, ref(schema), ref(things)),
}


@pytest.mark.parametrize("what", LOOKED_UP)
def test_they_are_made_as_soon_as_an_annotation_is_looked_up(what: str) -> None:
    world, drawn = annotated_world()
    schema, things = world.entries[1:3]
    world.write("root", LOOKED_UP[what](schema, things, ref(drawn[4])))
    world.write("root", object_create(1))
    db = StateDb(None, world.dataset)
    seen: list[set[str]] = []
    Projection(ArrivalLog(world.entries), db).catch_up(progress=stop_at(-1, seen, db))
    assert not seen[-3] & set(LATER_INDEXES)
    assert set(LATER_INDEXES) <= seen[-2]


def test_one_that_was_left_half_made_is_completed_by_the_next_process(tmp_path: Path) -> None:
    world = troubled_world()
    log = ArrivalLog(world.entries)
    db = StateDb(tmp_path / "state.db", world.dataset)
    with pytest.raises(Stopped):
        Projection(log, db).catch_up(progress=stop_at(8, [], db))
    assert not indexes(db) & set(LATER_INDEXES)
    db.close()
    again = StateDb(tmp_path / "state.db", world.dataset)
    Projection(log, again).catch_up()
    whole = StateDb(None, world.dataset)
    Projection(log, whole).catch_up()
    assert indexes(again) == indexes(whole) == indexes(StateDb(None, world.dataset))
    assert list(differing_tables(again, whole)) == []


def test_another_process_may_work_on_it_meanwhile(tmp_path: Path) -> None:
    world = troubled_world()
    log = ArrivalLog(world.entries)
    db = StateDb(tmp_path / "state.db", world.dataset)
    other_db = StateDb(tmp_path / "state.db", world.dataset)
    other = Projection(log, other_db)

    def progress(reached: int, _: int) -> None:
        if reached == 8:
            other.catch_up()

    Projection(log, db).catch_up(progress=progress)
    log.add(world.write("root", annotation_create(30, ref(world.entries[1]), ref(world.entries[2]))))
    Projection(log, db).catch_up()
    whole = StateDb(None, world.dataset)
    Projection(log, whole).catch_up()
    assert indexes(db) == indexes(whole)
    assert list(differing_tables(db, whole)) == []


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    world = troubled_world()
    whole = StateDb(None, world.dataset)
    Projection(ArrivalLog(world.entries), whole).catch_up()
    monkeypatch.setattr(held_annotations, "_REMEMBERED_MAX", 2)
    db = StateDb(None, world.dataset)
    seen: list[set[str]] = []
    Projection(ArrivalLog(world.entries), db).catch_up(progress=stop_at(-1, seen, db))
    assert set(LATER_INDEXES) <= seen[6]
    assert list(differing_tables(db, whole)) == []
