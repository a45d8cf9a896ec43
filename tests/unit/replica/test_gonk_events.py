"""Events in Gonk's shapes: which are listed, in which order, and that pages of any length give the same list."""

from __future__ import annotations

from typing import Any, cast

import pytest

from gonk_node.core.entry import Entry, without_bodies
from gonk_node.core.events import ACCEPT, OWNER, REVIEWER, Delete, Profile, Redact, Review
from gonk_node.core.ids import EventRef, event_uuid, uuid_text
from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.history import gonk_events as module
from gonk_node.replica.history.gonk_events import GonkEvents
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.replica import Replica
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog
from kit.history import (
    World,
    accept,
    annotation_create,
    object_create,
    object_update,
    random_history,
    ref,
    schema_create,
)
from kit.history import annotation_update as annotation_update_of


class Held:
    """As much of a replica as listing events needs, of entries that came in that order; signatures do not matter."""

    def __init__(self, entries: list[Entry]) -> None:
        self.log = ArrivalLog(entries)
        self.db = StateDb(None, entries[0].dataset)
        self.dataset = entries[0].dataset
        projection = Projection(self.log, self.db)
        projection.catch_up()
        self.authority = projection.authority
        for ref_ in projection.erasable:
            self.log.erase(ref_)

    @property
    def queries(self) -> Queries:
        return Queries(self.db)


def events_of(replica: Held) -> GonkEvents:
    return GonkEvents(cast(Replica, replica), replica.db, lambda key: key.hex()[:4])


def listed(replica: Held) -> list[dict[str, Any]]:
    return events_of(replica).page(0, 10**6)


def uuid_of(entry: Entry, index: int = 0) -> str:
    return uuid_text(event_uuid(EventRef(entry.entry_id, index)))


def types(replica: Held) -> list[str]:
    return [event["type"] for event in listed(replica)]


def test_what_takes_no_effect_is_not_listed() -> None:
    world = World()
    made = world.write("root", object_create(0))
    world.write("sam", accept(ref(made)))  # a stranger
    world.grant("sam", "nora", OWNER)
    world.grant("root", "rita", REVIEWER)
    world.write("sam", object_update(0, EventRef(b"x" * 32, 0)), Delete(EventRef(b"x" * 32, 1)), Profile("Sam"))
    counts = world.write("rita", accept(ref(made)))
    replica = Held(world.entries)
    assert types(replica) == ["OwnerAddEvent", "ObjectCreateEvent", "ReviewAcceptEvent"]
    assert listed(replica)[-1]["uuid"] == uuid_of(counts)
    waiting = replica.queries.find_event(uuid_of(world.entries[-2]))
    number = replica.queries.number_of(waiting)
    assert number is not None
    shown = events_of(replica).at(number)
    assert shown is not None  # asked for by name, it is there
    assert shown["object"]["version"] is None


def test_a_removed_owner_and_his_later_acts() -> None:
    world = World()
    made = world.write("root", object_create(0), object_create(1))
    world.grant("root", "anna", OWNER)
    before = world.write("anna", accept(ref(made)))
    world.revoke("root", "anna", before)
    world.write("anna", accept(ref(made, 1)))
    world.grant("anna", "nora", OWNER)
    replica = Held(world.entries)
    found = [(event["type"], event.get("event_uuid")) for event in listed(replica)[3:]]
    assert found == [("OwnerAddEvent", None), ("ReviewAcceptEvent", uuid_of(made)), ("OwnerRemoveEvent", None)]


def test_bodies_that_are_not_here_are_left_out() -> None:
    world = World()
    made = world.write("root", object_create(0), object_create(1), object_create(2))
    world.write("root", Redact(ref(made, 1), "a face"))
    replica = Held(world.entries)
    assert [event["uuid"] for event in listed(replica)[1:]] == [uuid_of(made), uuid_of(made, 2)]
    withheld = [*world.entries]
    withheld[withheld.index(made)] = without_bodies(made, {0})
    replica = Held(withheld)
    assert [event["uuid"] for event in listed(replica)[1:]] == [uuid_of(made, 2)]
    number = replica.queries.number_of(EventRef(made.entry_id, 0))
    assert number is not None
    assert events_of(replica).at(number) is None


def test_references_within_one_entry_are_told_as_all_others() -> None:
    world = World()
    here = lambda index: EventRef(b"", index)  # noqa: E731
    made = world.write(
        "root",
        schema_create(),
        object_create(0),
        annotation_create(0, here(0), here(1)),
        annotation_update_of(0, here(2), here(0), b"[]"),
        Delete(here(3)),
        Delete(here(0)),
        Review(ACCEPT, (here(1), here(2)), (), ""),
    )
    found = listed(Held(world.entries))[1:]
    assert [event["type"] for event in found] == [
        "ObjectCreateEvent",
        "ObjectCreateEvent",
        "AnnotationCreateEvent",
        "AnnotationUpdateEvent",
        "AnnotationDeleteEvent",
        "ObjectDeleteEvent",
        "ReviewAcceptEvent",
    ]
    schema, thing, drawn, redrawn, deleted, deprecated, review = found
    assert drawn["annotation"]["schema"] == deprecated["object_identifier"]
    assert drawn["annotation"]["schema"]["uuid"] == schema["object"]["uuid"]
    assert drawn["object_identifiers"] == [{"uuid": thing["object"]["uuid"], "version": 0}]
    assert redrawn["annotation"]["version"] == deleted["annotation_identifier"]["version"] == 1
    assert review["event_uuids"] == [uuid_of(made, 1), uuid_of(made, 2)]


def test_what_is_not_listed_takes_no_room_in_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LATER_ROUNDS", 7)
    world = World()
    made = world.write("root", object_create(0))
    for _ in range(5):
        world.write("sam", *(accept(ref(made)) for _ in range(20)))
    last = world.write("root", accept(ref(made)))
    replica = Held(world.entries)
    assert [event["uuid"] for event in events_of(replica).page(0, 3)][1:] == [uuid_of(made), uuid_of(last)]


def test_pages_and_entries_give_the_same_list(history_batch: range) -> None:
    for seed in history_batch[:2]:
        world, _ = random_history(seed)
        replica = Held(world.entries)
        events, queries = events_of(replica), replica.queries
        everything = listed(replica)
        assert len({event["uuid"] for event in everything}) == len(everything), seed
        for event in everything:
            assert None not in [*event.values(), *event.get("object", {}).values()], (seed, event)
        by_entry = [event for lsn in range(1, replica.log.last_lsn() + 1) for event in events.of_entry(lsn)]
        assert by_entry == everything, seed
        for limit in (1, 3):
            found: list[dict[str, Any]] = []
            after: int | None = 0
            while page := events.page(after or 0, limit):
                found += page
                after = queries.number_of(queries.find_event(page[-1]["uuid"]))
            assert found == everything, (seed, limit)
