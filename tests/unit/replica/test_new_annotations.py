"""The short cut for new annotations gives the same State as the long way, also where something shows late that it may not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest

from gonk_node.core.entry import Entry
from gonk_node.core.events import CONTRIBUTOR, Delete, Event, Redact
from gonk_node.core.ids import EventRef
from gonk_node.replica.folding.collect import Collected
from gonk_node.replica.folding.new_annotations import NewAnnotations
from gonk_node.replica.folding.place import Place
from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_compare import differing_tables
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog
from kit.history import World, accept, annotation_create, annotation_update, object_create, own, ref, schema_create

Story = Callable[[World, Entry, Entry], object]  # world, entry of a schema, entry of four objects


def drawn(world: World, schema: Entry, things: Entry, *numbers: int) -> Entry:
    """One entry of annotations, of object 0 each."""
    return world.write("nora", *(annotation_create(number, ref(schema), ref(things)) for number in numbers))


def plain(world: World, schema: Entry, things: Entry) -> None:
    drawn(world, schema, things, 0, 1, 2)
    world.write("sam", annotation_create(3, ref(schema), ref(things, 1), ref(things, 2)))  # a stranger


def twice_in_one_entry(world: World, schema: Entry, things: Entry) -> None:
    drawn(world, schema, things, 0, 1, 0)


def again_later(world: World, schema: Entry, things: Entry) -> None:
    drawn(world, schema, things, 0, 1)
    drawn(world, schema, things, 1, 2)


def updated(world: World, schema: Entry, things: Entry) -> None:
    first = drawn(world, schema, things, 0, 1)
    world.write("nora", annotation_update(1, ref(first, 1), ref(schema)))


def reviewed(world: World, schema: Entry, things: Entry) -> None:
    world.write("root", accept(ref(drawn(world, schema, things, 0, 1), 1)))


def deleted(world: World, schema: Entry, things: Entry) -> None:
    first = drawn(world, schema, things, 0, 1)
    deletion = world.write("nora", Delete(ref(first)))
    world.write("root", accept(ref(deletion)))


def redacted(world: World, schema: Entry, things: Entry) -> None:
    world.write("nora", Redact(ref(drawn(world, schema, things, 0, 1)), ""))
    world.write("nora", Redact(ref(schema), ""))  # not hers
    world.write("root", Redact(ref(things, 3), ""))
    world.write("nora", annotation_create(5, ref(schema), ref(things, 3)))


def one_object_named_twice(world: World, schema: Entry, things: Entry) -> None:
    world.write("nora", annotation_create(0, ref(schema), ref(things), ref(things)))


def everything_in_one_entry(world: World, _: Entry, __: Entry) -> None:
    world.write("nora", schema_create("schema-own"), object_create(8), annotation_create(0, own(0), own(1)))


def references_to_the_wrong_things(world: World, schema: Entry, things: Entry) -> None:
    first = drawn(world, schema, things, 0)
    world.write("nora", annotation_create(1, ref(things), ref(things)))
    world.write("nora", annotation_create(2, ref(schema), ref(things), ref(first)))
    world.write("nora", annotation_create(3, ref(schema), EventRef(b"?" * 32, 0)))
    world.write("nora", annotation_create(4, EventRef(b"?" * 32, 0), ref(things)))
    world.write("nora", annotation_update(4, ref(first), ref(schema)))


STORIES: Sequence[Story] = (
    plain,
    twice_in_one_entry,
    again_later,
    updated,
    reviewed,
    deleted,
    redacted,
    one_object_named_twice,
    everything_in_one_entry,
    references_to_the_wrong_things,
)


def take_the_long_way(self: Collected, place: Place, events: Iterable[Event | None]) -> None:
    for index, event in enumerate(events):
        self.take(place, index, event)


def state_of(world: World, steps: Iterable[Sequence[Entry]]) -> StateDb:
    log = ArrivalLog()
    projection: Projection | None = None
    for entries in steps:
        for entry in entries:
            log.add(entry)
        projection = projection or Projection(log, StateDb(None, world.dataset))
        projection.catch_up()
    assert projection is not None
    return projection.db


@pytest.mark.parametrize("arrival", ["at once", "one by one", "what is referred to comes last"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_short_cut_gives_what_the_long_way_gives(
    story: Story, arrival: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    world.grant("root", "nora", CONTRIBUTOR)
    schema = world.write("ole", schema_create())
    things = world.write("ole", *(object_create(number) for number in range(4)))
    story(world, schema, things)
    entries = list(world.entries)
    if arrival == "what is referred to comes last":
        entries = [each for each in entries if each not in (schema, things)] + [schema, things]
    steps = [entries] if arrival == "at once" else [[entry] for entry in entries]

    short = state_of(world, steps)
    monkeypatch.setattr(Collected, "take_all", take_the_long_way)
    long = state_of(world, steps)
    assert list(differing_tables(short, long)) == []
    assert short.one("SELECT count(*) FROM annotations") != (0,)


def test_what_most_of_an_import_brings_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    alone: list[int] = []
    part = NewAnnotations.part

    def counted(self: NewAnnotations, touched: frozenset[bytes]) -> tuple[list, list]:
        parts = part(self, touched)
        alone.append(len(parts[0]))
        return parts

    monkeypatch.setattr(NewAnnotations, "part", counted)
    world = World()
    schema = world.write("root", schema_create())
    things = world.write("root", object_create(0))
    drawn(world, schema, things, *range(20))
    drawn(world, schema, things, *range(19, 30))  # 19 twice
    state_of(world, [world.entries])
    assert alone == [29]
