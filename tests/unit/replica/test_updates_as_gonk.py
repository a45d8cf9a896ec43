"""What Gonk's contract allows and the command line refuses: updates of the latest version, whatever its status."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from gonk_node.core.chunks import ContentInfo
from gonk_node.core.events import ACCEPT, CONTRIBUTOR, REJECT, Delete, Event, Grant, Review, SchemaUpdate
from gonk_node.core.ids import EventRef
from gonk_node.errors import (
    ExistsError,
    NonconformingError,
    NotFoundError,
    UsageError,
    WrongStateError,
)
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.replica import Replica
from gonk_node.replica.signing.proposing import Proposer
from gonk_node.store.state_schema import ANNOTATION
from kit.history import annotation_create, object_update, some_uuid
from kit.local_replica import author, furnish, make, thing


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    replica = make(tmp_path)
    furnish(replica)
    yield replica
    replica.close()


@pytest.fixture
def owner(replica: Replica) -> Proposer:
    return Proposer(author(replica, "owner"))


def sign(proposer: Proposer, *events: Event) -> EventRef:
    return EventRef(proposer.author.sign(events).entry_id, 0)


def decide(proposer: Proposer, decision: int, event: EventRef) -> None:
    sign(proposer, Review(decision, (event,), (), ""))


def delete(proposer: Proposer, revision: Revision) -> None:
    decide(proposer, ACCEPT, sign(proposer, Delete(revision.ref)))


def content(name: str) -> ContentInfo:
    digest = sha256(name.encode()).digest()
    return ContentInfo(3, digest, digest)


def drawn(replica: Replica, proposer: Proposer) -> list[Revision]:
    """The revisions of an annotation of the first object."""
    schema = proposer.usable_schema("schema-box")
    sign(proposer, annotation_create(0, schema.ref, thing(replica)[0].ref))
    return proposer.author.queries.revisions(ANNOTATION, some_uuid(1000))


# --- the latest version -------------------------------------------------------------------------------------------


def test_the_latest_version_is_the_highest_whatever_its_status(replica: Replica, owner: Proposer) -> None:
    first = thing(replica)[0]
    second = sign(owner, object_update(0, first.ref, "two"))
    decide(owner, ACCEPT, first.ref)
    decide(owner, REJECT, second)
    assert owner.latest(thing(replica)).version == 1
    assert owner.base_of(thing(replica)).version == 0  # what the command line builds on


def test_what_strangers_proposed_is_not_the_latest_unless_nothing_else_is_there(
    replica: Replica, owner: Proposer
) -> None:
    first = thing(replica)[0]
    sam, sue = (Proposer(author(replica, name)) for name in ("sam", "sue"))
    of_sam = sign(sam, object_update(0, first.ref, "two"))
    assert [each.latest(thing(replica)).version for each in (owner, sam, sue)] == [0, 1, 0]
    assert owner.latest(thing(replica), known=[sam.author.key]).version == 1
    alone = [each for each in thing(replica) if each.ref == of_sam]
    assert sue.latest(alone).version == 1
    sign(owner, Grant(sam.author.key, CONTRIBUTOR, "Sam"))
    assert [each.latest(thing(replica)).version for each in (owner, sam, sue)] == [1, 1, 1]


def test_a_stranger_who_came_first_does_not_hide_ones_own_version(replica: Replica, owner: Proposer) -> None:
    first = thing(replica)[0]
    came_first = author(replica, "sam").sign([object_update(0, first.ref, "of sam")]).header.time_ms
    mine = EventRef(owner.author.sign([object_update(0, first.ref, "mine")], after_ms=came_first).entry_id, 0)
    rivals = {each.ref: each for each in thing(replica) if each.version == 1}
    assert not rivals[mine].named
    assert owner.latest(thing(replica)).ref == mine


def test_where_there_is_no_version_it_is_told(owner: Proposer) -> None:
    with pytest.raises(NotFoundError):
        owner.latest([])


# --- objects -------------------------------------------------------------------------------------------------------


def test_a_rejected_object_is_updated_as_gonk_does_and_not_otherwise(replica: Replica, owner: Proposer) -> None:
    base = thing(replica)[0]
    decide(owner, REJECT, base.ref)
    base = thing(replica)[0]
    with pytest.raises(WrongStateError):
        owner.object_update(base, "o", "image/png", content("new"))
    sign(owner, owner.object_update(base, "o", "image/png", content("new"), as_gonk=True))
    assert [(each.version, each.views) for each in thing(replica)] == [(0, ["rejected"]), (1, ["pending"])]


def test_a_deleted_object_is_updated_as_gonk_does_and_not_otherwise(replica: Replica, owner: Proposer) -> None:
    decide(owner, ACCEPT, thing(replica)[0].ref)
    delete(owner, thing(replica)[0])
    base = thing(replica)[0]
    with pytest.raises(WrongStateError):
        owner.object_update(base, "o", "image/png", content("new"))
    sign(owner, owner.object_update(base, "o", "image/png", content("new"), as_gonk=True))
    assert [(each.version, each.views) for each in thing(replica)] == [(0, ["deleted"]), (1, ["pending"])]


def test_as_gonk_has_it_the_content_of_an_object_must_differ_from_the_latest_and_from_other_objects(
    replica: Replica, owner: Proposer
) -> None:
    base = thing(replica)[0]
    assert owner.object_update(base, "another name", "image/png", content("o0"))
    with pytest.raises(ExistsError):
        owner.object_update(base, "another name", "image/png", content("o0"), as_gonk=True)
    with pytest.raises(ExistsError, match="o1"):
        owner.object_update(base, "o0", "image/png", content("o1"), as_gonk=True)
    sign(owner, owner.object_update(base, "o0", "image/png", content("new"), as_gonk=True))
    again = owner.object_update(owner.latest(thing(replica)), "o0", "image/png", content("o0"), as_gonk=True)
    assert sign(owner, again)  # the content of an older version is fine
    assert [each.version for each in thing(replica)] == [0, 1, 2]


def test_also_as_gonk_has_it_an_object_gets_no_name_of_a_schema(replica: Replica, owner: Proposer) -> None:
    with pytest.raises(UsageError):
        owner.object_update(thing(replica)[0], "schema-box", "image/png", content("new"), as_gonk=True)


# --- schemas -------------------------------------------------------------------------------------------------------


def test_a_schema_is_updated_on_its_latest_version_as_gonk_does(replica: Replica, owner: Proposer) -> None:
    first = owner.usable_schema("box")
    decide(owner, ACCEPT, first.ref)
    second = sign(owner, SchemaUpdate("schema-box", first.ref, b"{}"))
    decide(owner, REJECT, second)
    assert owner.schema_update("box", b'{"minItems": 1}').base == first.ref
    assert owner.schema_update("box", b'{"minItems": 1}', as_gonk=True).base == second
    with pytest.raises(ExistsError):
        owner.schema_update("box", b"{}", as_gonk=True)
    with pytest.raises(NonconformingError):
        owner.schema_update("box", b"hello", as_gonk=True)
    with pytest.raises(NotFoundError, match="schema-none"):
        owner.schema_update("none", b"{}", as_gonk=True)


def test_a_schema_without_a_usable_version_is_updated_as_gonk_does_and_not_otherwise(
    replica: Replica, owner: Proposer
) -> None:
    decide(owner, REJECT, owner.usable_schema("box").ref)
    with pytest.raises(WrongStateError):
        owner.schema_update("box", b'{"minItems": 1}')
    sign(owner, owner.schema_update("box", b'{"minItems": 1}', as_gonk=True))
    assert [each.version for each in owner.author.queries.schema("schema-box")] == [0, 1]


# --- annotations ----------------------------------------------------------------------------------------------------


def test_an_annotation_is_updated_as_gonk_does_with_the_same_bytes_and_whatever_its_status(
    replica: Replica, owner: Proposer
) -> None:
    base, schema = drawn(replica, owner)[0], owner.usable_schema("box")
    with pytest.raises(ExistsError):
        owner.annotation_update(base, schema, b"{}")
    assert owner.annotation_update(base, schema, b"{}", as_gonk=True).base == base.ref
    decide(owner, REJECT, base.ref)
    base = owner.author.queries.revisions(ANNOTATION, base.uuid)[0]
    with pytest.raises(WrongStateError):
        owner.annotation_update(base, schema, b'{"a": 1}')
    sign(owner, owner.annotation_update(base, schema, b"{}", as_gonk=True))
    assert [each.version for each in owner.author.queries.revisions(ANNOTATION, base.uuid)] == [0, 1]


def test_also_as_gonk_has_it_a_body_must_fit_its_schema(replica: Replica, owner: Proposer) -> None:
    with pytest.raises(NonconformingError):
        owner.annotation_update(drawn(replica, owner)[0], None, b"[]", as_gonk=True)


def test_an_annotation_may_name_several_objects_and_one_of_them_twice(replica: Replica, owner: Proposer) -> None:
    objects = [thing(replica, number)[0] for number in (0, 1, 0)]
    event = owner.annotation_create(objects, owner.usable_schema("box"), b"{}")
    assert [each.ref for each in objects] == list(event.objects)
    made = owner.author.queries.proposal(sign(owner, event))
    assert made is not None
    assert made.version == 0
    assert {each.uuid for each in owner.author.queries.hanging.objects_of(made.number)} == {some_uuid(0), some_uuid(1)}


def test_of_a_schema_a_pending_version_is_usable_and_a_rejected_or_deprecated_one_is_not(
    replica: Replica, owner: Proposer
) -> None:
    first = owner.usable_schema("box", 0)
    assert first.views == ["pending"]
    second = sign(owner, SchemaUpdate("schema-box", first.ref, b"{}"))
    decide(owner, REJECT, second)
    with pytest.raises(WrongStateError, match="rejected"):
        owner.usable_schema("box", 1)
    decide(owner, ACCEPT, first.ref)
    delete(owner, owner.usable_schema("box", 0))
    with pytest.raises(WrongStateError, match="deprecated"):
        owner.usable_schema("box", 0)


@pytest.mark.parametrize("version", [1, -1, 2**63, 10**30])
def test_a_version_of_a_schema_that_is_not_here_is_told(owner: Proposer, version: int) -> None:
    with pytest.raises(NotFoundError, match=rf"no version {version} of a schema schema-box"):
        owner.usable_schema("box", version)


def test_a_schema_named_in_what_is_no_text_is_refused(owner: Proposer) -> None:
    with pytest.raises(UsageError, match="must be Unicode"):
        owner.usable_schema("box\ud800", 0)
