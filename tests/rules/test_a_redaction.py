"""Rule A9: whose redactions are honoured, and that what is redacted counts as not held."""

from __future__ import annotations

import pytest

from gonk_node.core.entry import without_bodies
from gonk_node.core.events import CONTRIBUTOR, REVIEWER, Delete, Grant, Profile, Redact
from gonk_node.core.ids import EventRef
from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog
from kit.folded import fold
from kit.history import (
    World,
    accept,
    annotation_create,
    annotation_update,
    key_of,
    object_create,
    object_update,
    own,
    ref,
    schema_create,
)


def test_a9_an_author_may_redact_what_he_wrote() -> None:
    world = World()
    proposal = ref(world.write("sam", object_create()))
    world.write("root", accept(proposal))
    redact = ref(world.write("sam", Redact(proposal, "wrong file")))
    state = fold(world)
    assert state.honoured(redact)
    assert not state.is_there(proposal)
    assert state.digest() == fold(World()).digest()


def test_a9_an_owner_may_redact_what_anybody_wrote_and_nobody_else_may() -> None:
    world = World()
    world.grant("root", "anna")
    world.grant("root", "rita", REVIEWER)
    proposal = ref(world.write("sam", object_create()))
    void = [ref(world.write(name, Redact(proposal, ""))) for name in ("rita", "sue")]
    state = fold(world)
    assert not any(state.honoured(each) for each in void)
    assert state.is_there(proposal)
    redact = ref(world.write("anna", Redact(proposal, "")))
    state = fold(world)
    assert state.honoured(redact)
    assert not state.is_there(proposal)


def test_a9_a_revoked_key_cannot_redact_beyond_the_pins_what_it_wrote_before() -> None:
    world = World()
    world.grant("root", "nora", CONTRIBUTOR)
    kept = ref(world.write("nora", object_create()))
    gone = ref(world.write("nora", object_create(1)))
    early = ref(world.write("nora", Redact(gone, "")))
    world.revoke("root", "nora")
    late = ref(world.write("nora", Redact(kept, "")))
    beside = ref(world.write("nora", Redact(kept, ""), log=1))
    state = fold(world)
    assert [state.honoured(each) for each in (early, late, beside)] == [True, False, False]
    assert state.is_there(kept)
    assert not state.is_there(gone)


def test_a9_a_redaction_by_one_who_turns_out_to_be_no_owner_is_taken_back() -> None:
    world = World()
    world.grant("root", "anna")
    pinned = world.tips["anna", 0]
    schema = ref(world.write("root", schema_create()))
    thing = ref(world.write("sam", object_create()))
    drawn = ref(world.write("sam", annotation_create(0, schema, thing)))
    world.write("root", accept(thing, drawn, schema))
    world.write("anna", Redact(thing, ""))
    assert not fold(world).is_there(thing)
    world.revoke("root", "anna", pinned)
    state = fold(world)
    assert state.is_current(thing)
    assert state.is_current(drawn)
    assert state.hangs_on(drawn) == {thing}


@pytest.mark.parametrize("kind", ["grant", "review", "redact", "missing"])
def test_a9_authority_events_reviews_and_redactions_cannot_be_redacted(kind: str) -> None:
    world = World()
    proposal = ref(world.write("sam", object_create()))
    targets = {
        "grant": ref(world.grant("root", "anna")),
        "review": ref(world.write("root", accept(proposal))),
        "redact": ref(world.write("sam", Redact(EventRef(bytes(32), 0), ""))),
        "missing": EventRef(proposal.entry_id, 7),
    }
    redact = ref(world.write("root", Redact(targets[kind], "")))
    state = fold(world)
    assert not state.honoured(redact)
    assert state.owns(world.tips["anna", 0])
    assert state.views(proposal) == {"accepted"}


def test_a9_what_refers_to_a_redacted_event_waits() -> None:
    world = World()
    schema = ref(world.write("root", schema_create()))
    thing, other = (ref(world.write("root", object_create(number))) for number in range(2))
    update = ref(world.write("root", object_update(0, thing)))
    drawn = ref(world.write("root", annotation_create(0, schema, thing, other)))
    redrawn = ref(world.write("root", annotation_update(0, drawn, schema)))
    world.write("root", Delete(thing))
    assert fold(world).version(redrawn) == 1
    world.write("root", Redact(thing, ""))
    state = fold(world)
    assert [state.version(each) for each in (update, drawn, redrawn, other)] == [None, None, None, 0]
    assert state.hangs_on(drawn) == set()


def test_a9_annotations_of_a_redacted_schema_wait() -> None:
    world = World()
    schema = ref(world.write("root", schema_create()))
    thing = ref(world.write("root", object_create()))
    drawn = ref(world.write("root", annotation_create(0, schema, thing)))
    world.write("root", accept(schema, thing, drawn))
    assert fold(world).is_current(drawn)
    world.write("root", Redact(schema, ""))
    assert fold(world).version(drawn) is None


def test_a9_a_redacted_deletion_asks_for_nothing_and_a_redacted_name_is_forgotten() -> None:
    world = World()
    thing = ref(world.write("root", object_create()))
    deletion = ref(world.write("sam", Delete(thing)))
    name = ref(world.write("sam", Profile("rude")))
    world.write("root", accept(thing, deletion))
    assert fold(world).views(thing) == {"deleted"}
    world.write("sam", Redact(deletion, ""), Redact(name, ""))
    state = fold(world)
    assert state.views(thing) == {"accepted"}
    assert state.found["profiles"] == set()


def test_a9_an_event_may_be_redacted_in_the_entry_that_holds_it() -> None:
    world = World()
    entry = world.write("sam", object_create(), Redact(own(0), "already"))
    assert not fold(world).is_there(ref(entry))


def test_a9_a_body_that_is_not_held_is_redacted_as_well_unless_it_turns_out_to_be_of_another_kind() -> None:
    world = World()
    entry = world.write("root", Grant(key_of("nora"), CONTRIBUTOR, "nora"), object_create())
    redact = world.write("root", Redact(ref(entry), ""), Redact(ref(entry, 1), ""))
    log = ArrivalLog([world.genesis, without_bodies(entry, {0, 1}), redact])
    projection = Projection(log, StateDb(None, world.dataset))
    projection.catch_up()
    assert projection.missing_bodies() == []
    log.add(entry)
    projection.catch_up(recheck_withheld=True)
    assert projection.authority.role_now(key_of("nora")) == CONTRIBUTOR
    assert projection.db.rows("SELECT 1 FROM objects") == []
