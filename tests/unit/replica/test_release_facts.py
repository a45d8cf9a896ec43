"""Who is named as a creator of a release, by which name: the same on every node, whatever came in which order."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from gonk_node.core.events import CONTRIBUTOR, Grant, ObjectUpdate, Profile
from gonk_node.core.ids import EventRef
from gonk_node.formats.export.citing.release_facts import ReleaseFacts
from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.releases import citing
from gonk_node.replica.releases.citing import release_facts
from gonk_node.replica.releases.releases import Releases
from gonk_node.replica.replica import Replica
from gonk_node.store.state_db import StateDb
from kit import local_replica
from kit.arrival_log import ArrivalLog
from kit.authors import TestAuthor
from kit.history import (
    World,
    accept,
    annotation_create,
    annotation_update,
    key_of,
    object_create,
    reject,
    schema_create,
    some_uuid,
)

BOX = b'{"type": "object"}'


def sign(replica: Replica, name: str, *events: object) -> list[EventRef]:
    """References to what somebody signed, who is called by that name with a capital."""
    entry = local_replica.author(replica, name, name.capitalize()).sign(events)  # type: ignore[arg-type]
    return [EventRef(entry.entry_id, index) for index in range(len(events))]


def facts(replica: Replica, tag: str = "v1") -> ReleaseFacts:
    releases = Releases(replica)
    with releases.snapshot_of(tag) as snapshot:
        return release_facts(replica, releases.find(tag), snapshot)


@pytest.fixture
def replica(tmp_path: Path) -> Replica:
    """The owner's schema and object, annotations by others, and changes of these; released as v1."""
    (tmp_path / "first").mkdir()
    made = local_replica.make(tmp_path / "first")
    schema, thing = sign(made, "owner", schema_create("schema-box", BOX), object_create(0, "o"))
    sign(made, "owner", accept(schema, thing), Grant(TestAuthor("mallory").author, CONTRIBUTOR, ""))
    drawn = sign(made, "anna", *(annotation_create(number, schema, thing) for number in range(1, 4)))
    (moved,) = sign(made, "ben", annotation_update(1, drawn[0], schema, b'{"x": 1}'))
    (again,) = sign(made, "ben", annotation_update(1, moved, schema, b'{"x": 2}'))
    (worse,) = sign(made, "mallory", annotation_update(2, drawn[1], schema, b'{"x": 3}'))
    (back,) = sign(made, "cleo", annotation_update(2, worse, schema, b'{"x": 4}'))
    (unfit,) = sign(made, "dora", annotation_create(9, schema, thing, body=b"1"))
    (fixed,) = sign(made, "dora", annotation_update(9, unfit, schema, b"2"))
    sign(made, "zoe", annotation_create(10, schema, thing))
    sign(made, "owner", accept(*drawn, moved, again, back, unfit, fixed), reject(worse))
    Releases(made).create(local_replica.author(made, "owner"), "v1", "Notes.\n\nLicense: MIT")
    return made


def test_creators_made_what_is_listed_or_what_it_was_made_from(replica: Replica) -> None:
    found = facts(replica)
    assert (found.objects, found.annotations) == (1, 3)
    # anna drew three, ben moved one twice, cleo one once, the owner added the object; rejected or unfit work is not named
    one_each = sorted(["cleo", "owner"], key=lambda name: TestAuthor(name).author)
    names = ["anna", "ben", *one_each]
    assert [person.key for person in found.creators] == [TestAuthor(name).author for name in names]
    assert [person.name for person in found.creators] == ["Anna", "Ben", *map(str.capitalize, one_each)]
    assert found.publisher.key == TestAuthor("owner").author
    assert (found.name, found.notes.text, found.notes.licence) == ("x", "Notes.", "MIT")


@pytest.mark.parametrize("seed", range(3))
def test_facts_are_the_same_on_every_node_and_stay_so(replica: Replica, tmp_path: Path, seed: int) -> None:
    before = facts(replica)
    other = local_replica.copy_of(tmp_path / "other", local_replica.records(replica), seed)
    assert facts(other) == before
    sign(replica, "anna", Profile("Anna the Great"))
    thing = local_replica.thing(replica, 0)[0]
    (changed,) = sign(replica, "zoe", ObjectUpdate(some_uuid(0), thing.ref, "new", *object_create(0, "new")[2:]))
    sign(replica, "owner", accept(changed))
    assert facts(replica) == before
    Releases(replica).create(local_replica.author(replica, "owner"), "v2")
    assert facts(replica, "v2") != before


def test_creators_beyond_the_bound_are_counted(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = facts(replica)
    monkeypatch.setattr(citing, "CITED_CREATORS_MAX", 1)
    found = facts(replica)
    assert (found.creators, found.unnamed) == (whole.creators[:1], 3)


def test_a_name_that_two_logs_state_at_one_time_is_the_same_on_every_node() -> None:
    world = World()
    world.grant("root", "ada", CONTRIBUTOR)
    said = [world.write("ada", Profile(name), log=log, time_ms=1) for log, name in enumerate(["one", "two", "three"])]
    rest = world.entries[: -len(said)]
    found = set()
    for order in itertools.permutations(said):
        projection = Projection(ArrivalLog([*rest, *order]), StateDb(None, world.dataset))
        projection.catch_up()
        found.add(Queries(projection.db).display_name(key_of("ada")))
    assert len(found) == 1
