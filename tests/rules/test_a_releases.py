"""Rules A13 to A15: which releases count, the State at their heads, and the bytes of their manifests."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from blake3 import blake3

from gonk_node.core.events import OWNER, Grant, ObjectUpdate, ReleaseCreate, ReleaseHead
from gonk_node.core.ids import EventRef
from gonk_node.errors import NotFoundError, ReleaseError, UsageError
from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.reading.bodies import Bodies
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.releases.manifest_items import manifest_items
from gonk_node.replica.releases.releases import Releases
from gonk_node.state.manifest import LeftOut, ListedObject, Manifest
from gonk_node.state.releases import Signed, check_tag, named_by_tags
from gonk_node.store.state_db import StateDb
from kit import local_replica
from kit.arrival_log import ArrivalLog, shuffled
from kit.authors import TestAuthor
from kit.history import (
    World,
    accept,
    annotation_create,
    annotation_update,
    object_create,
    object_update,
    ref,
    schema_create,
)

# --- A13 ------------------------------------------------------------------------------------------------


def test_a13_a_tag_means_the_release_of_the_highest_owner_then_the_earliest_place() -> None:
    one, two = (EventRef(bytes([n]) * 32, 0) for n in (1, 2))
    of = {
        "rank": [Signed("t", 1, 0, b"a", one), Signed("t", 0, 9, b"z", two)],
        "seq": [Signed("t", 0, 5, b"a", one), Signed("t", 0, 4, b"z", two)],
        "log": [Signed("t", 0, 4, b"z", one), Signed("t", 0, 4, b"a", two)],
        "id": [Signed("t", 0, 4, b"a", two), Signed("t", 0, 4, b"a", EventRef(b"\xff" * 32, 0))],
        "index": [Signed("t", 0, 4, b"a", two._replace(index=1)), Signed("t", 0, 4, b"a", two)],
    }
    for name, signed in of.items():
        random.Random(name).shuffle(signed)
        assert named_by_tags(signed) == named_by_tags(signed[::-1]) == {"t": two}, name


def test_a13_tags_differ_by_every_byte() -> None:
    signed = [Signed(tag, 0, at, b"a", EventRef(bytes([at]) * 32, 0)) for at, tag in enumerate(("v1", "V1", "v1 "))]
    assert len(named_by_tags(signed)) == 3


@pytest.mark.parametrize(
    "tag",
    [
        "4cc85f0e-6a6c-8000-9a10-3d3b3c9e8f11",
        "4CC85F0E6A6C80009A103D3B3C9E8F11",
        "2026-11-30",
        "20261130",
        "2026-11-30T12:00:00Z",
    ],
)
def test_a13_a_tag_that_reads_as_a_uuid_or_a_time_means_no_release_and_is_not_signed(tag: str) -> None:
    ref = EventRef(bytes(32), 0)
    assert named_by_tags([Signed(tag, 0, 0, b"a", ref)]) == {}
    assert named_by_tags([Signed(f"v{tag}", 0, 0, b"a", ref)]) == {f"v{tag}": ref}
    check_tag(f"v{tag.replace(':', '.')}")
    with pytest.raises(UsageError):
        check_tag(tag)


@pytest.mark.parametrize(
    "tag", ["20260131-01", "20260131.1", "2026-01-31T24", "0x" + "1" * 30, "1" * 15 + "_" + "1" * 16]
)
def test_a13_a_tag_that_python_takes_for_a_uuid_or_a_time_and_the_rule_does_not_is_a_tag(tag: str) -> None:
    ref = EventRef(bytes(32), 0)
    assert named_by_tags([Signed(tag, 0, 0, b"a", ref)]) == {tag: ref}
    check_tag(tag)


def test_a13_only_what_counts_as_an_owners_is_a_release(tmp_path: Path) -> None:
    replica = local_replica.make(tmp_path)
    heads = tuple(ReleaseHead(*head) for head in replica.log.heads())
    event = ReleaseCreate("v1", "", heads, bytes(32), (0, 0, 0))
    local_replica.author(replica, "eve").sign([event])
    assert Releases(replica).all() == []
    with pytest.raises(ReleaseError, match="no owner"):
        Releases(replica).find("v1")
    with pytest.raises(NotFoundError):
        Releases(replica).find("v2")
    eve = TestAuthor("eve").author
    local_replica.author(replica, "owner").sign([Grant(eve, OWNER, "Eve")])
    assert Releases(replica).all() == [], "an owner's role does not reach back"
    later = local_replica.author(replica, "eve").sign([event, event._replace(tag="v2")])
    assert [each.ref.entry_id for each in Releases(replica).all()] == [later.entry_id] * 2
    assert Releases(replica).find("v1").ref == EventRef(later.entry_id, 0)


# --- A14: see also tests/property/test_state_at_heads.py -------------------------------------------------------


def test_a14_what_comes_later_does_not_change_a_release_whatever_time_it_states(tmp_path: Path) -> None:
    replica = local_replica.make(tmp_path)
    local_replica.furnish(replica)
    owner = local_replica.author(replica, "owner")
    owner.sign([accept(*[each[0].ref for each in (local_replica.thing(replica, number) for number in range(2))])])
    made = Releases(replica).create(owner, "v1")
    assert made.summary[1:] == (2, 0, 0)
    old = TestAuthor("owner", replica.dataset, log=7)  # another log of the same owner, dated before the genesis
    third = local_replica.thing(replica, 2)[0].ref
    replica.ingest([old.append(accept(third), time_ms=1).record])
    assert len(Queries(replica.db).page(0, "current")) == 3
    assert Releases(replica).verify("v1").release.summary == made.summary
    with Releases(replica).snapshot_of("v1") as snapshot:
        assert len(snapshot.queries.page(0, "current")) == 2


# --- A15 ------------------------------------------------------------------------------------------------

GOLDEN = """\
gonk-node manifest 1	55803c21822bd6ee73fbda3563629f3db81b3112ab8ff9ad9e3d6bcac7712648
object	c5d25d3b-5045-6f49-2d9e-2f169f9a8d46	0	a cell.png	image/png	100	a14fd374e504511c20e1fd0cbfe1d5adca80487aeec59be039408b818cfdf187	a14fd374e504511c20e1fd0cbfe1d5adca80487aeec59be039408b818cfdf187
object	db1baa7e-76cb-5c5c-64ab-ac08c5dfc219	0	zelle ä.png	image/png	100	3ef205e69daaf9e9e7559f660ff37932a6b871b66cbb5d8853d996ff16787041	3ef205e69daaf9e9e7559f660ff37932a6b871b66cbb5d8853d996ff16787041
left-out	5bbe63ff-fe08-ddad-f99f-8d474c2d5551	0	nonconforming
annotation	791e8d37-a83d-7cee-96e9-bbbc655a9fdc	1	schema-box	0	a0a1051a-e0f2-8656-8f58-85e7c5dae941	ff419ebbeba438f66900abe77818ce940702bdfe70fa173cb94beecee8d3f112	c5d25d3b-5045-6f49-2d9e-2f169f9a8d46@0	24f572600e150d3230138385aa0006ca1b993b46bb427f746cc690c98d932413
annotation	af8e9b60-94b5-023c-472c-8dc765fa05e1	0	schema-box	0	a0a1051a-e0f2-8656-8f58-85e7c5dae941	ff419ebbeba438f66900abe77818ce940702bdfe70fa173cb94beecee8d3f112	c5d25d3b-5045-6f49-2d9e-2f169f9a8d46@0,db1baa7e-76cb-5c5c-64ab-ac08c5dfc219@0	44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
left-out	ca632c5f-323d-6f45-8d7c-e24fd12f91f7	0	object
"""  # noqa: E501 - the very lines
GOLDEN_HASH = "a1bfe3ebdf352cf6f679e96c699848e7fc2efa3a65bd0096c985d490e7e15926"


def _golden_world() -> World:
    """Two accepted objects and one pending; annotations that are current, updated, unfit, homeless and pending."""
    world = World()
    schema = ref(world.write("root", schema_create("schema-box", b'{"type": "object"}')))
    things = world.write(
        "root", object_create(0, "a cell.png"), object_create(1, "zelle ä.png"), object_create(2, "pending.png")
    )
    first, second, pending = (ref(things, index) for index in range(3))
    drawn = world.write(
        "root",
        annotation_create(0, schema, first, body=b'{"x": 1}'),
        annotation_create(1, schema, first, second, body=b"{}"),
        annotation_create(2, schema, second, body=b"[]"),
        annotation_create(3, schema, pending, body=b"{}"),
        annotation_create(4, schema, first, body=b"{}"),
    )
    moved = ref(world.write("root", annotation_update(0, ref(drawn), schema, body=b'{"x": 2}')))
    world.write("root", accept(schema, first, second, *[ref(drawn, index) for index in range(4)], moved))
    return world


def _manifest(world: World, order: int) -> Manifest:
    log = ArrivalLog(shuffled(world.entries, random.Random(order)) if order else world.entries)
    projection = Projection(log, StateDb(None, world.dataset))
    projection.catch_up()
    bodies = Bodies(Queries(projection.db))
    return Manifest(world.dataset, lambda: manifest_items(projection.db, bodies))


@pytest.mark.parametrize("order", range(3))
def test_a15_the_manifest_is_these_bytes(order: int) -> None:
    world = _golden_world()
    manifest = _manifest(world, order)
    assert b"".join(manifest.lines()).decode() == GOLDEN
    summary = manifest.summary()
    assert summary.hash.hex() == GOLDEN_HASH
    assert summary[1:] == (2, 2, 2)


def _left_out(world: World) -> list[bytes]:
    """The lines of what is left out; the same for every order of arrival."""
    lines = [list(_manifest(world, order).lines()) for order in range(3)]
    assert lines[0] == lines[1] == lines[2]
    return [line for line in lines[0] if line.startswith(b"left-out")]


def test_a15_two_who_added_one_file_apart_annotated_one_object() -> None:
    world = World()
    schema = ref(world.write("root", schema_create("schema-box", b"{}")))
    things = [ref(world.write(who, object_create(0, "cell.png"))) for who in ("sam", "sue")]
    boxes = [ref(world.write("sam", annotation_create(number, schema, things[number]))) for number in range(2)]
    world.write("root", accept(schema, *things, *boxes))
    assert _left_out(world) == []
    summary = _manifest(world, 0).summary()
    assert (summary.objects, summary.annotations) == (1, 2)


def test_a15_another_name_keeps_annotations_and_other_bytes_do_not() -> None:
    world = World()
    schema = ref(world.write("root", schema_create("schema-box", b"{}")))
    thing = ref(world.write("root", object_create(0, "cell.png")))
    box = ref(world.write("root", annotation_create(0, schema, thing)))
    created = object_create(0, "cell.png")
    same = ObjectUpdate(created.uuid, thing, "renamed.png", *created[2:])
    renamed = ref(world.write("root", same))
    world.write("root", accept(schema, thing, box, renamed))
    assert _left_out(world) == []
    assert b"@1\t" in list(_manifest(world, 0).lines())[-1]  # it names the revision that counts
    changed = ref(world.write("root", object_update(0, renamed, "other bytes")))
    world.write("root", accept(changed))
    assert len(_left_out(world)) == 1
    back = ref(world.write("root", same._replace(base=changed, name="back.png")))
    world.write("root", accept(back))
    assert _left_out(world) == []


def test_a15_the_hash_is_blake3_of_the_lines_under_its_context() -> None:
    assert blake3(GOLDEN.encode(), derive_key_context="gonk-node 2026 v1 manifest").hexdigest() == GOLDEN_HASH


def test_a15_items_out_of_order_are_no_manifest() -> None:
    one, two = (ListedObject(bytes([n]) * 16, 0, "a", "b", 1, bytes(32), bytes(32)) for n in (1, 2))
    out = LeftOut(bytes(16), 0, "object")
    for items in ([two, one], [one, one], [out, one], [out, out]):
        with pytest.raises(ValueError, match="ascend"):
            Manifest(bytes(32), lambda items=items: items).summary()  # type: ignore[misc]
    assert Manifest(bytes(32), lambda: [one, two, out]).summary()[1:] == (2, 0, 1)
