"""What a stranger's one entry can cost: however many of its events are looked at again, the entry is read once."""

from __future__ import annotations

from gonk_node.core.entry import without_bodies
from gonk_node.core.events import Profile, Redact
from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog
from kit.history import World, annotation_create, object_create, ref, schema_create

EVENTS = 500


class CountingLog(ArrivalLog):
    """Counts how often a record is read again."""

    reads = 0

    def record(self, lsn: int) -> bytes | None:
        self.reads += 1
        return super().record(lsn)


def test_looking_again_for_missing_bodies_reads_each_entry_once() -> None:
    world = World()
    entry = world.write("stranger", *[Profile(str(number)) for number in range(EVENTS)])
    log = CountingLog([world.genesis, without_bodies(entry, set(range(EVENTS)))])
    projection = Projection(log, StateDb(None, world.dataset))
    projection.catch_up()
    log.reads = 0
    projection.catch_up(recheck_withheld=True)
    assert log.reads == 1


def test_events_that_waited_for_one_entry_are_taken_again_from_one_read() -> None:
    world = World()
    late = world.write("owner", schema_create(), object_create(0))
    waiting = world.write("stranger", *[annotation_create(number, ref(late), ref(late, 1)) for number in range(EVENTS)])
    log = CountingLog([world.genesis, waiting])
    projection = Projection(log, StateDb(None, world.dataset))
    projection.catch_up()
    log.add(late)
    log.reads = 0
    projection.catch_up()
    assert log.reads == 1
    assert projection.db.one("SELECT count(*) FROM annotations WHERE version = 0") == (EVENTS,)


def test_redacting_all_events_of_an_entry_reads_it_once() -> None:
    world = World()
    entry = world.write("stranger", *[object_create(number) for number in range(EVENTS)])
    redacts = world.write("stranger", *[Redact(ref(entry, number), "") for number in range(EVENTS)])
    log = CountingLog([world.genesis, entry, redacts])
    projection = Projection(log, StateDb(None, world.dataset))
    projection.catch_up()
    assert log.reads <= 2
    assert len(projection.erasable) == EVENTS
