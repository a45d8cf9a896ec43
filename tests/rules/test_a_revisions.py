"""Rules A10 to A12: revisions and their statuses, what is current, conflicts and who answers to a version."""

from __future__ import annotations

import pytest

from gonk_node.core.events import Delete, SchemaUpdate
from gonk_node.core.ids import EventRef
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA
from kit.folded import Folded, fold
from kit.history import (
    FIRST_TIME_MS,
    World,
    accept,
    annotation_create,
    annotation_update,
    object_create,
    object_update,
    own,
    ref,
    reject,
    schema_create,
    some_uuid,
)


def versions(state: Folded, *refs: EventRef) -> list[int | None]:
    return [state.version(each) for each in refs]


def chain(world: World, length: int = 3, by: str = "sam") -> list[EventRef]:
    """An object with so many revisions, each made from the one before."""
    refs = [ref(world.write(by, object_create()))]
    while len(refs) < length:
        refs.append(ref(world.write(by, object_update(0, refs[-1], f"v{len(refs)}"))))
    return refs


# --- A10: revisions and statuses --------------------------------------------------------------------------------


def test_a10_the_version_is_the_depth_in_the_tree_whatever_was_decided() -> None:
    world = World()
    first, second, third = chain(world)
    beside = ref(world.write("sue", object_update(0, first, "beside")))
    world.write("root", reject(second))
    assert versions(fold(world), first, second, third, beside) == [0, 1, 2, 1]


def test_a10_an_update_waits_for_its_base_and_then_takes_effect() -> None:
    world = World()
    first, second, third = chain(world)
    other_log = ref(world.write("sue", object_update(0, second, "mine")))
    world.write("root", accept(other_log))
    entry = {entry.entry_id: entry for entry in world.entries}
    without = (entry[first.entry_id], entry[second.entry_id], entry[third.entry_id])
    waiting = fold(world, without=without)
    assert waiting.version(other_log) is None
    assert not waiting.is_current(other_log)
    state = fold(world)
    assert versions(state, other_log) == [2]
    assert state.is_current(other_log)


def test_a10_a_base_of_another_entity_or_type_is_none() -> None:
    world = World()
    schema = ref(world.write("root", schema_create()))
    thing = ref(world.write("root", object_create(0)))
    wrong = [ref(world.write("root", object_update(1, base))) for base in (thing, schema, ref(world.genesis))]
    assert versions(fold(world), *wrong) == [None, None, None]


def test_a10_updates_that_are_each_others_base_never_take_effect() -> None:
    world = World()
    entry = world.write("sam", object_update(0, own(1)), object_update(0, own(0)), object_update(0, own(2)))
    world.write("root", accept(ref(entry, 0), ref(entry, 1), ref(entry, 2)))
    state = fold(world)
    assert versions(state, *(ref(entry, index) for index in range(3))) == [None] * 3
    assert not any(state.is_current(ref(entry, index)) for index in range(3))


def test_a10_an_annotation_waits_for_its_schema_and_all_its_objects() -> None:
    world = World()
    schema_entry = world.write("anna", schema_create())
    object_entry = world.write("ben", object_create())
    refs = ref(schema_entry), ref(object_entry)
    drawn = ref(world.write("sam", annotation_create(0, *refs)))
    for missing in (schema_entry, object_entry):
        assert fold(world, without=(missing,)).version(drawn) is None
    assert fold(world).hangs_on(drawn) == {refs[1]}
    wrong = ref(world.write("sam", annotation_create(1, refs[1], refs[0])))
    assert fold(world).version(wrong) is None


def test_a10_an_annotation_may_hang_on_what_is_pending_rejected_or_deleted() -> None:
    world = World()
    schema = ref(world.write("sam", schema_create()))
    things = [ref(world.write("sam", object_create(number))) for number in range(3)]
    deletion = ref(world.write("sam", Delete(things[2])))
    drawn = ref(world.write("sam", annotation_create(0, schema, *things)))
    world.write("root", reject(things[1]), accept(things[2], deletion, drawn))
    state = fold(world)
    assert state.is_current(drawn)
    assert state.hangs_on(drawn) == set(things)


def test_a10_an_annotation_stays_on_the_objects_of_its_first_revision() -> None:
    world = World()
    schema = ref(world.write("root", schema_create()))
    first, second = chain(world, 2, by="root")
    drawn = ref(world.write("root", annotation_create(0, schema, first)))
    redrawn = ref(world.write("root", annotation_update(0, drawn, schema)))
    state = fold(world)
    assert state.hangs_on(drawn) == {first}
    assert state.revision(redrawn)[2] == drawn
    assert not any(second in pair for pair in state.found["annotation_objects"])


CREATE = {"accept": set(), "reject": {"create-rejected"}, None: {"create-pending"}}
DELETES: list[tuple[tuple[str | None, ...], set[str]]] = [
    ((), set()),
    ((None,), {"delete-pending"}),
    (("accept",), {"delete-accepted"}),
    (("reject",), set()),
    (("reject", None), {"delete-pending"}),
    (("accept", None), {"delete-accepted", "delete-pending"}),
]


@pytest.mark.parametrize("create", CREATE)
@pytest.mark.parametrize(("deletes", "expected"), DELETES)
def test_a10_the_status_is_what_was_decided_of_the_create_and_of_each_delete(
    create: str | None, deletes: tuple[str | None, ...], expected: set[str]
) -> None:
    world = World()
    thing = ref(world.write("sam", object_create()))
    named = [(create, thing)] + [(decision, ref(world.write("sam", Delete(thing)))) for decision in deletes]
    for decision, target in named:
        if decision is not None:
            world.write("root", accept(target) if decision == "accept" else reject(target))
    status = fold(world).status(thing)
    assert status == CREATE[create] | expected


VIEWS = [
    (set(), {"accepted"}),
    ({"create-pending"}, {"pending"}),
    ({"create-rejected"}, {"rejected"}),
    ({"delete-pending"}, {"pending", "accepted"}),
    ({"delete-accepted"}, {"deleted"}),
    ({"create-pending", "delete-pending"}, {"pending"}),
    ({"create-pending", "delete-accepted"}, {"pending", "deleted"}),
    ({"create-rejected", "delete-pending"}, {"pending", "rejected"}),
    ({"create-rejected", "delete-accepted"}, {"rejected", "deleted"}),
]


@pytest.mark.parametrize(("status", "views"), VIEWS, ids=["+".join(sorted(status)) or "none" for status, _ in VIEWS])
def test_a10_views_of_the_status_overlap(status: set[str], views: set[str]) -> None:
    world = World()
    thing = ref(world.write("sam", object_create()))
    deletion = ref(world.write("sam", Delete(thing))) if any("delete" in bit for bit in status) else None
    if "create-rejected" in status:
        world.write("root", reject(thing))
    elif "create-pending" not in status:
        world.write("root", accept(thing))
    if deletion is not None and "delete-accepted" in status:
        world.write("root", accept(deletion))
    state = fold(world)
    assert state.status(thing) == status
    assert state.views(thing) == views


def test_a10_a_delete_of_what_is_no_revision_does_nothing() -> None:
    world = World()
    thing = ref(world.write("root", object_create()))
    deletion = ref(world.write("root", Delete(thing)))
    again = ref(world.write("root", Delete(deletion)))
    world.write("root", accept(again, thing))
    state = fold(world)
    assert state.status(thing) == {"delete-pending"}


def test_a10_a_strangers_delete_shows_and_is_outside_the_digest_until_it_is_cited() -> None:
    world = World()
    thing = ref(world.write("root", object_create()))
    before = fold(world).digest()
    deletion = ref(world.write("sam", Delete(thing)))
    state = fold(world)
    assert state.status(thing) == {"create-pending", "delete-pending"}
    assert state.digest() == before
    world.write("root", accept(deletion))
    assert fold(world).digest() != before


# --- A11: current ---------------------------------------------------------------------------------------------------


def test_a11_nothing_unaccepted_is_current_however_long_its_branch() -> None:
    world = World()
    refs = chain(world, 4)
    assert not any(fold(world).is_current(each) for each in refs)
    world.write("root", accept(refs[0]))
    assert [fold(world).is_current(each) for each in refs] == [True, False, False, False]


def test_a11_the_deepest_accepted_revision_is_current_also_over_one_that_is_pending() -> None:
    world = World()
    refs = chain(world, 4)
    world.write("root", accept(refs[0], refs[2]))
    state = fold(world)
    assert [state.is_current(each) for each in refs] == [False, False, True, False]
    assert state.conflicts() == []


def test_a11_deleting_version_1_makes_version_0_current_again() -> None:
    world = World()
    first, second = chain(world, 2)
    deletion = ref(world.write("sam", Delete(second)))
    world.write("root", accept(first, second))
    assert fold(world).is_current(second)
    world.write("root", accept(deletion))
    state = fold(world)
    assert state.is_current(first)
    assert not state.is_current(second)
    last = ref(world.write("sam", Delete(first)))
    world.write("root", accept(last))
    assert not fold(world).is_current(first)


def test_a11_what_is_built_on_a_deleted_revision_stays_current() -> None:
    world = World()
    refs = chain(world, 3)
    deletion = ref(world.write("sam", Delete(refs[1])))
    world.write("root", accept(*refs, deletion))
    assert fold(world).is_current(refs[2])


# --- A12: conflicts, and who answers ----------------------------------------------------------------------------------


def rivals(world: World) -> tuple[EventRef, EventRef, EventRef]:
    """An accepted object with two updates of it, by Sam and later by Sue."""
    first = ref(world.write("sam", object_create()))
    one = ref(world.write("sam", object_update(0, first, "one"), time_ms=FIRST_TIME_MS + 10))
    other = ref(world.write("sue", object_update(0, first, "other"), time_ms=FIRST_TIME_MS + 20))
    world.write("root", accept(first))
    return first, one, other


def test_a12_two_accepted_leaves_are_a_conflict_and_the_one_accepted_from_higher_is_current() -> None:
    world = World()
    world.grant("root", "anna")
    _, one, other = rivals(world)
    world.write("root", accept(one))
    world.write("anna", accept(other))
    state = fold(world)
    assert state.conflicts() == [(OBJECT, some_uuid(0), 2)]
    assert state.is_current(one)


def test_a12_between_equals_the_deeper_then_the_later_one_is_current() -> None:
    world = World()
    _, one, other = rivals(world)
    world.write("root", accept(one, other))
    assert fold(world).is_current(other)
    deeper = ref(world.write("sam", object_update(0, one, "deeper")))
    world.write("root", accept(deeper))
    state = fold(world)
    assert state.is_current(deeper)
    assert len(state.conflicts()) == 1


def test_a12_deleting_one_rival_or_building_on_both_sides_ends_or_keeps_the_conflict() -> None:
    world = World()
    _, one, other = rivals(world)
    deletion = ref(world.write("sue", Delete(other)))
    world.write("root", accept(one, other))
    assert fold(world).conflicts()
    world.write("root", accept(deletion))
    state = fold(world)
    assert state.conflicts() == []
    assert state.is_current(one)


def test_a12_rivals_that_say_the_same_are_no_conflict() -> None:
    """Two people who add one file and import one file of annotations, apart from each other."""
    world = World()
    things, schemas, boxes = [], [], []
    for who in ("sam", "sue"):
        things.append(ref(world.write(who, object_create(0, "cell.png"))))
        schemas.append(ref(world.write(who, schema_create("schema-box", b"{}"))))
        boxes.append(ref(world.write(who, annotation_create(0, schemas[-1], things[-1], body=b"1"))))
    world.write("root", accept(*things, *schemas, *boxes))
    state = fold(world)
    assert state.conflicts() == []
    assert sum(state.is_current(each) for each in boxes) == 1
    renamed = ref(world.write("sue", object_create(0, "another name.png")))
    changed = ref(world.write("sue", annotation_update(0, boxes[1], schemas[1], body=b"2")))
    world.write("root", accept(renamed, changed))
    assert {kind for kind, _, _ in fold(world).conflicts()} == {OBJECT, ANNOTATION}


@pytest.mark.parametrize("what", ["schema", "object"])
def test_a12_annotations_that_name_something_else_do_not_say_the_same(what: str) -> None:
    world = World()
    things = world.write("sam", object_create(0), object_create(1, "other"))
    schemas = world.write("sam", schema_create("schema-box", b"1"), schema_create("schema-other", b"1"))
    boxes = [
        ref(world.write("sam", annotation_create(0, ref(schemas, schema), ref(things, thing), body=b"1")))
        for schema, thing in ((0, 0), (int(what == "schema"), int(what == "object")))
    ]
    world.write("root", accept(*boxes))
    assert [kind for kind, _, _ in fold(world).conflicts()] == [ANNOTATION]


def test_a12_a_name_cannot_be_squatted_only_an_accepted_schema_of_it_is_current() -> None:
    world = World()
    squatter = ref(world.write("sam", schema_create(body=b"1"), time_ms=1))
    updated = ref(world.write("sam", SchemaUpdate("schema-box", squatter, b"2")))
    real = ref(world.write("nora", schema_create(body=b"3")))
    world.write("root", accept(real))
    state = fold(world)
    assert state.is_current(real)
    assert state.answers(real)
    assert not state.answers(squatter)
    assert not state.is_current(updated)
    assert state.conflicts() == []
    world.write("root", accept(squatter))
    assert fold(world).conflicts() == [(SCHEMA, state.revision(real)[3], 2)]


def test_a12_an_accepted_revision_answers_to_its_version_else_the_first_by_time() -> None:
    world = World()
    first, one, other = rivals(world)
    state = fold(world)
    assert [state.answers(each) for each in (first, one, other)] == [True, True, False]
    world.write("root", accept(other))
    state = fold(world)
    assert [state.answers(each) for each in (first, one, other)] == [True, False, True]


def test_a12_a_stranger_cannot_take_the_place_of_an_accepted_revision_that_was_deleted() -> None:
    world = World()
    _, one, other = rivals(world)
    deletion = ref(world.write("sue", Delete(other)))
    world.write("root", accept(other, deletion))
    assert [fold(world).answers(each) for each in (one, other)] == [False, True]
    world.write("root", accept(one))
    assert [fold(world).answers(each) for each in (one, other)] == [True, False]
