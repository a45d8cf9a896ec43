"""Rules A6 and A7: reviewers, and whose proposals are vouched for."""

from __future__ import annotations

from gonk_node.core.events import CONTRIBUTOR, OWNER, REVIEWER, AcceptGrant, Delete, Grant, Revoke
from kit.folded import fold
from kit.history import World, accept, key_of, object_create, pins_at, ref, reject


def test_a6_a_reviewer_reviews_from_his_accept_on_and_grants_nothing() -> None:
    world = World()
    proposal = world.write("sam", object_create())
    early = world.write("rita", accept(ref(proposal)))
    granted = world.grant("root", "rita", REVIEWER)
    assert fold(world).views(ref(proposal)) == {"pending"}
    review = world.write("rita", accept(ref(proposal)))
    void = world.write("rita", Grant(key_of("sue"), OWNER, "sue"), Revoke(key_of("root"), (), ""))
    state = fold(world)
    assert not state.may_review(early)
    assert state.may_review(review)
    assert not state.owns(void)
    assert state.role("sue") is None
    assert state.role("rita").grant == ref(granted)  # type: ignore[union-attr]
    assert state.views(ref(proposal)) == {"accepted"}


def test_a6_any_owner_may_revoke_a_reviewer_up_to_pins() -> None:
    world = World()
    world.grant("root", "anna")
    world.grant("root", "rita", REVIEWER)
    proposals = [world.write("sam", object_create(number)) for number in range(2)]
    kept = world.write("rita", accept(ref(proposals[0])))
    world.revoke("anna", "rita", kept)
    world.write("rita", accept(ref(proposals[1])))
    state = fold(world)
    assert [state.views(ref(each)) for each in proposals] == [{"accepted"}, {"pending"}]


def test_a6_a_reviewer_whose_owner_falls_beyond_the_pin_falls_too() -> None:
    world = World()
    world.grant("root", "anna")
    pinned = world.tips["anna", 0]
    world.grant("anna", "rita", REVIEWER)
    proposal = world.write("sam", object_create())
    world.write("rita", accept(ref(proposal)))
    world.revoke("root", "anna", pinned)
    state = fold(world)
    assert state.role("rita") is None
    assert state.views(ref(proposal)) == {"pending"}


def test_a6_a_reviewer_who_is_made_an_owner_keeps_what_he_reviewed_before() -> None:
    world = World()
    world.grant("root", "rita", REVIEWER)
    proposals = [world.write("sam", object_create(number)) for number in range(3)]
    world.write("rita", accept(ref(proposals[0])))
    granted = world.grant("root", "rita", taken=False)
    world.write("rita", accept(ref(proposals[1])))
    world.write("rita", AcceptGrant(ref(granted)))
    world.write("rita", accept(ref(proposals[2])))
    state = fold(world)
    assert all(state.views(ref(each)) == {"accepted"} for each in proposals)


def test_a6_owners_outvote_reviewers_and_earlier_reviewers_later_ones() -> None:
    world = World()
    world.grant("root", "rita", REVIEWER)
    world.grant("root", "rolf", REVIEWER)
    world.grant("root", "anna")
    proposals = [world.write("sam", object_create(number)) for number in range(2)]
    world.write("rita", accept(ref(proposals[0]), ref(proposals[1])))
    world.write("rolf", reject(ref(proposals[0])))
    world.write("anna", reject(ref(proposals[1])))
    state = fold(world)
    assert state.names_by_rank("rolf", "rita", "anna") == ["anna", "rita", "rolf"]
    assert [state.views(ref(each)) for each in proposals] == [{"accepted"}, {"rejected"}]


def test_a6_a_grant_that_ranks_higher_counts_for_votes_that_were_there_before_it() -> None:
    world = World()
    world.grant("root", "anna")
    world.grant("root", "rita", REVIEWER)
    world.grant("anna", "rolf", REVIEWER)
    proposal = world.write("sam", object_create())
    world.write("rita", reject(ref(proposal)))
    world.write("rolf", accept(ref(proposal)))
    assert fold(world).views(ref(proposal)) == {"rejected"}
    world.grant("root", "rolf", REVIEWER, log=1, taken=False)
    state = fold(world)
    assert state.names_by_rank("rita", "rolf") == ["rolf", "rita"]
    assert state.views(ref(proposal)) == {"accepted"}


def test_a6_a_reviewer_can_end_his_own_key() -> None:
    world = World()
    world.grant("root", "rita", REVIEWER)
    proposal = world.write("sam", object_create())
    world.write("rita", Revoke(key_of("rita"), (), "stolen"))
    world.write("rita", accept(ref(proposal)))
    assert fold(world).views(ref(proposal)) == {"pending"}


def test_a7_a_contributor_is_vouched_for_from_his_first_entry_on_without_accepting() -> None:
    world = World()
    first = world.write("nora", object_create())
    granted = world.grant("root", "nora", CONTRIBUTOR)
    second = world.write("nora", object_create(1), log=1)
    before = fold(world, without=(granted,))
    assert not before.vouched(first)
    assert not before.in_digest(ref(first))
    state = fold(world)
    assert state.vouched(first)
    assert state.vouched(second)
    assert state.in_digest(ref(first))
    assert state.role("nora").accepted  # type: ignore[union-attr]
    assert not state.may_review(second)


def test_a7_a_grant_of_any_role_vouches_before_it_is_accepted() -> None:
    world = World()
    for name, role in (("anna", OWNER), ("rita", REVIEWER)):
        world.grant("root", name, role, taken=False)
    proposals = [world.write(name, object_create()) for name in ("anna", "rita")]
    state = fold(world)
    assert all(state.vouched(entry) for entry in proposals)
    assert not any(state.may_review(entry) for entry in proposals)
    assert not state.role("rita").accepted  # type: ignore[union-attr]


def test_a7_a_revoked_contributor_is_vouched_for_up_to_the_pins() -> None:
    world = World()
    world.grant("root", "nora", CONTRIBUTOR)
    kept = world.write("nora", object_create())
    world.revoke("root", "nora", kept)
    later = world.write("nora", object_create(1))
    beside = world.write("nora", object_create(2), log=1)
    state = fold(world)
    assert [state.vouched(entry) for entry in (kept, later, beside)] == [True, False, False]
    assert state.role("nora").revoked  # type: ignore[union-attr]


def test_a7_a_deletion_by_one_who_is_vouched_for_later_counts_in_the_digest_from_then_on() -> None:
    world = World()
    thing = world.write("root", object_create())
    world.write("nora", Delete(ref(thing)))
    before = fold(world)
    granted = world.grant("root", "nora", CONTRIBUTOR)
    after = fold(world)
    assert before.status(ref(thing)) == after.status(ref(thing)) == {"create-pending", "delete-pending"}
    assert before.digest() == fold(world, without=(granted,)).digest() != after.digest()


def test_a7_a_contributor_can_end_his_own_key() -> None:
    world = World()
    world.grant("root", "nora", CONTRIBUTOR)
    kept = world.write("nora", object_create(), log=1)
    ended = world.write("nora", Revoke(key_of("nora"), pins_at(kept), "stolen"))
    thief = world.write("nora", object_create(1))
    state = fold(world)
    assert [state.vouched(entry) for entry in (kept, ended, thief)] == [True, True, False]


def test_a7_a_stranger_is_not_vouched_for_and_what_he_proposes_is_outside_the_digest_until_it_is_cited() -> None:
    world = World()
    proposal = world.write("sam", object_create())
    state = fold(world)
    assert not state.vouched(proposal)
    assert state.views(ref(proposal)) == {"pending"}
    assert state.digest() == fold(world, without=(proposal,)).digest()
    world.write("root", accept(ref(proposal)))
    after = fold(world)
    assert after.in_digest(ref(proposal))
    assert after.digest() != state.digest()
