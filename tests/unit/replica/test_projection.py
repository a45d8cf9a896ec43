"""Catching up with a log: batches, restarts, other processes, failures. What the result must be is in tests/property."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonk_node.core.entry import without_bodies
from gonk_node.core.events import CONTRIBUTOR, OWNER, AcceptGrant, Grant, Redact, Review
from gonk_node.core.ids import EventRef
from gonk_node.core.verify import check_chain, verify_entry
from gonk_node.errors import DamagedStoreError
from gonk_node.replica.folding import projection as projection_module
from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog
from kit.authors import TestAuthor
from kit.history import World, accept, annotation_create, key_of, object_create, ref, schema_create
from kit.snapshot import snapshot


def small_world() -> World:
    """Some of everything: thirteen events in eight entries."""
    world = World()
    world.grant("root", "anna")
    world.grant("root", "nora", CONTRIBUTOR)
    schema = world.write("anna", schema_create())
    things = world.write("nora", *(object_create(number) for number in range(4)))
    drawn = world.write("nora", annotation_create(0, ref(schema), ref(things), ref(things, 3)))
    world.write("anna", accept(ref(schema), ref(things), ref(things, 3), ref(drawn)))
    world.write("sam", object_create(9), object_create(10), object_create(11))
    return world


def projected(world: World, path: Path | None = None) -> Projection:
    projection = Projection(ArrivalLog(world.entries), StateDb(path, world.dataset))
    projection.catch_up()
    return projection


def test_entries_that_were_signed_and_verified_are_folded() -> None:
    root = TestAuthor("root")
    records = [root.genesis().record]
    anna = TestAuthor("anna", root.dataset)
    grant = root.append(Grant(anna.author, OWNER, "Anna"))
    accepted = anna.append(AcceptGrant(EventRef(grant.entry_id, 0)), object_create())
    review = anna.append(Review(1, (EventRef(accepted.entry_id, 1),), (), ""))
    log = ArrivalLog()
    held = {}
    for record in [*records, grant.record, accepted.record, review.record]:
        entry = verify_entry(record, root.dataset)
        check_chain(entry, held.get(entry.header.prev))
        held[entry.entry_id] = entry.header
        log.add(entry)
    projection = Projection(log, StateDb(None, root.dataset))
    assert projection.catch_up() == 4
    assert projection.authority.role_now(anna.author) == OWNER
    assert projection.db.rows("SELECT current, status FROM objects") == [(1, 0)]


def test_catching_up_again_does_nothing() -> None:
    projection = projected(small_world())
    before = snapshot(projection)
    assert projection.catch_up() == 0
    assert projection.catch_up(recheck_withheld=True) == 0
    assert snapshot(projection) == before


def test_progress_ends_at_the_last_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection_module, "EVENTS_PER_BATCH", 3)
    world = small_world()
    projection = Projection(ArrivalLog(world.entries), StateDb(None, world.dataset))
    told: list[tuple[int, int]] = []
    assert projection.catch_up(progress=lambda *at: told.append(at)) == len(world.entries)
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1] == (len(world.entries), len(world.entries)) == (projection.lsn(), projection.lsn())


def test_a_log_whose_newest_entries_are_gone_again_is_no_endless_loop() -> None:
    class Shortened(ArrivalLog):
        def last_lsn(self) -> int:
            return super().last_lsn() + 5

    world = small_world()
    projection = Projection(Shortened(world.entries), StateDb(None, world.dataset))
    assert projection.catch_up() == len(world.entries)
    assert projection.catch_up() == 0


def test_a_log_without_a_genesis_is_told() -> None:
    with pytest.raises(DamagedStoreError, match="no genesis"):
        Projection(ArrivalLog(), StateDb(None, bytes(32)))
    world = small_world()
    log = ArrivalLog([world.write("sam", object_create(), after=None)])
    with pytest.raises(DamagedStoreError, match="no genesis"):
        Projection(log, StateDb(None, world.dataset))


def test_a_rebuild_and_a_state_opened_again_say_the_same(tmp_path: Path) -> None:
    world = small_world()
    path = tmp_path / "state.db"
    first = projected(world, path)
    expected = snapshot(first)
    first.db.close()
    again = projected(world, path)
    assert snapshot(again) == expected
    assert again.rebuild() == len(world.entries)
    assert snapshot(again) == expected


def test_a_state_behind_its_log_goes_on_where_it_stands(tmp_path: Path) -> None:
    world = small_world()
    expected = snapshot(projected(world))
    path = tmp_path / "state.db"
    log = ArrivalLog(world.entries[:4])
    for count in (4, 6, 8):
        for entry in world.entries[:count]:
            log.add(entry)
        db = StateDb(path, world.dataset)
        projection = Projection(log, db)
        projection.catch_up()
        db.close()
    for entry in world.entries:
        log.add(entry)
    projection = Projection(log, StateDb(path, world.dataset))
    projection.catch_up()
    assert snapshot(projection) == expected


def test_two_processes_on_one_state_take_turns(tmp_path: Path) -> None:
    world = small_world()
    expected = snapshot(projected(world))
    path = tmp_path / "state.db"
    log = ArrivalLog(world.entries[:1])
    both = [Projection(log, StateDb(path, world.dataset)) for _ in range(2)]
    for number, entry in enumerate(world.entries):
        log.add(entry)
        both[number % 2].catch_up()
        assert both[1 - number % 2].catch_up() == 0
    for projection in both:
        assert snapshot(projection) == expected


def test_a_body_that_another_process_took_in_is_known_here_too(tmp_path: Path) -> None:
    """The lsn does not tell: no entry came, only a body that was missing."""
    world = World()
    grant = world.grant("root", "anna", taken=False)
    path = tmp_path / "state.db"
    log = ArrivalLog([world.genesis, without_bodies(grant, {0})])
    one, other = (Projection(log, StateDb(path, world.dataset)) for _ in range(2))
    one.catch_up()
    other.catch_up()
    assert one.missing_bodies() == [ref(grant)]
    log.add(grant)
    one.catch_up(recheck_withheld=True)
    other.catch_up()
    for projection in (one, other):
        assert projection.authority.role_now(key_of("anna")) == OWNER
        assert projection.missing_bodies() == []


def test_what_fails_half_way_leaves_the_state_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    world = small_world()
    expected = snapshot(projected(world))
    log = ArrivalLog(world.entries[:4])
    projection = Projection(log, StateDb(None, world.dataset))
    projection.catch_up()
    before = snapshot(projection)
    for entry in world.entries:
        log.add(entry)
    with monkeypatch.context() as patch:
        patch.setattr(projection_module.Refolder, "refold", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            projection.catch_up()
    assert projection.lsn() == 4
    assert {**snapshot(projection), "tips": before["tips"]} == before
    projection.catch_up()
    assert snapshot(projection) == expected


def test_what_is_to_be_erased_is_told_until_it_was_also_after_a_restart() -> None:
    world = small_world()
    thing = EventRef(world.entries[5].entry_id, 1)
    world.write("nora", Redact(thing, ""))
    log = ArrivalLog(world.entries)
    db = StateDb(None, world.dataset)
    for _ in range(2):
        projection = Projection(log, db)
        projection.catch_up()
        assert projection.erasable == {thing}
    log.erase(thing)
    projection = Projection(log, db)
    projection.catch_up(recheck_withheld=True)
    assert projection.erasable == set()
    assert projection.missing_bodies() == []


def test_heads_of_a_forked_log_are_all_of_its_tips() -> None:
    world = small_world()
    base = world.entries[-1]
    forks = [world.write("sam", object_create(number), after=base) for number in (20, 21)]
    early = world.write("sam", object_create(22), after=None)
    tips = {head.entry_id for head in projected(world).index.tips()}
    others = {entry.entry_id for (name, _), entry in world.tips.items() if name != "sam"}
    assert tips == {*others, *(entry.entry_id for entry in forks), early.entry_id}
