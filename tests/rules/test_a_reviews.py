"""Rule A8: what reviews decide of an event."""

from __future__ import annotations

from gonk_node.core.events import REVIEWER, Delete
from gonk_node.core.ids import EventRef
from kit.folded import fold
from kit.history import World, accept, object_create, object_update, own, ref, reject


def council(approvals: int = 1) -> tuple[World, EventRef]:
    """Root, then Anna, then Ben, all owners; Rita reviews; Sam has proposed an object."""
    world = World(approvals=approvals)
    world.grant("root", "anna")
    world.grant("root", "ben")
    world.grant("root", "rita", REVIEWER)
    return world, ref(world.write("sam", object_create()))


def test_a8_without_reviews_an_event_is_pending() -> None:
    world, proposal = council()
    assert fold(world).status(proposal) == {"create-pending"}


def test_a8_one_accept_is_enough_where_the_genesis_asks_for_one() -> None:
    world, proposal = council()
    world.write("rita", accept(proposal))
    assert fold(world).status(proposal) == set()


def test_a8_a_reject_rejects() -> None:
    world, proposal = council()
    world.write("rita", reject(proposal))
    assert fold(world).status(proposal) == {"create-rejected"}


def test_a8_as_many_different_keys_must_accept_as_the_genesis_says() -> None:
    world, proposal = council(approvals=2)
    world.write("anna", accept(proposal))
    world.write("anna", accept(proposal))
    assert fold(world).views(proposal) == {"pending"}
    world.write("rita", accept(proposal))
    assert fold(world).views(proposal) == {"accepted"}


def test_a8_the_highest_rank_decides_whether_it_is_rejected_whatever_the_times_and_numbers() -> None:
    world, proposal = council()
    world.write("root", reject(proposal))
    for name in ("anna", "ben", "rita"):
        world.write(name, accept(proposal), time_ms=None)
    assert fold(world).views(proposal) == {"rejected"}
    world, proposal = council()
    world.write("ben", reject(proposal))
    world.write("rita", reject(proposal))
    world.write("anna", accept(proposal))
    assert fold(world).views(proposal) == {"accepted"}


def test_a8_a_key_that_contradicts_itself_abstains() -> None:
    world, proposal = council()
    world.write("anna", accept(proposal))
    world.write("anna", reject(proposal))
    assert fold(world).views(proposal) == {"pending"}
    world.write("ben", reject(proposal))
    assert fold(world).views(proposal) == {"rejected"}


def test_a8_a_review_that_supersedes_replaces_what_the_same_key_said() -> None:
    world, proposal = council()
    first = world.write("anna", reject(proposal))
    world.write("anna", accept(proposal, supersedes=[ref(first)]))
    assert fold(world).views(proposal) == {"accepted"}


def test_a8_only_a_higher_rank_supersedes_what_another_said() -> None:
    world, proposal = council(approvals=2)
    annas = world.write("anna", accept(proposal))
    world.write("ben", accept(proposal, supersedes=[ref(annas)]))  # lower: no effect on Anna's
    assert fold(world).views(proposal) == {"accepted"}
    world.write("root", accept(proposal, supersedes=[ref(annas)]))
    assert fold(world).views(proposal) == {"accepted"}  # Ben and root
    world, proposal = council(approvals=2)
    bens = world.write("ben", accept(proposal))
    world.write("anna", accept(proposal, supersedes=[ref(bens)]))
    assert fold(world).views(proposal) == {"pending"}  # Anna alone


def test_a8_a_review_supersedes_only_for_the_events_that_it_names_itself() -> None:
    world, proposal = council()
    other = ref(world.write("sam", object_create(1)))
    both = world.write("anna", reject(proposal, other))
    world.write("anna", accept(proposal, supersedes=[ref(both)]))
    state = fold(world)
    assert state.views(proposal) == {"accepted"}
    assert state.views(other) == {"rejected"}


def test_a8_a_superseded_review_supersedes_still() -> None:
    world, proposal = council()
    first = world.write("anna", reject(proposal))
    second = world.write("anna", reject(proposal, supersedes=[ref(first)]))
    world.write("anna", accept(proposal, supersedes=[ref(second)]))
    assert fold(world).views(proposal) == {"accepted"}


def test_a8_a_review_that_supersedes_itself_is_dropped() -> None:
    world, proposal = council()
    world.write("anna", accept(proposal, supersedes=[own(0)]))
    assert fold(world).views(proposal) == {"pending"}


def test_a8_a_superseding_review_counts_before_what_it_supersedes_has_come() -> None:
    world, proposal = council()
    first = world.write("anna", reject(proposal))
    world.write("anna", accept(proposal, supersedes=[ref(first)]), log=1)
    world.write("ben", accept(proposal, supersedes=[ref(first)]))
    assert fold(world, without=(first,)).views(proposal) == {"accepted"}
    assert fold(world).views(proposal) == {"rejected"}  # Anna did not accept her role in her other log


def test_a8_reviews_by_keys_without_a_role_are_void() -> None:
    world, proposal = council()
    world.write("sam", accept(proposal))
    world.write("nora", reject(proposal))
    state = fold(world)
    assert state.views(proposal) == {"pending"}
    assert not state.in_digest(proposal)


def test_a8_a_review_names_an_exact_revision() -> None:
    world, proposal = council()
    update = ref(world.write("sam", object_update(0, proposal, "other.png")))
    world.write("anna", accept(proposal))
    state = fold(world)
    assert state.views(proposal) == {"accepted"}
    assert state.views(update) == {"pending"}


def test_a8_one_review_decides_many_events_and_naming_one_twice_is_naming_it_once() -> None:
    world, proposal = council(approvals=2)
    deletion = ref(world.write("sam", Delete(proposal)))
    world.write("anna", accept(proposal, deletion, proposal))
    world.write("ben", accept(deletion))
    assert fold(world).status(proposal) == {"create-pending", "delete-accepted"}


def test_a8_a_review_waits_for_the_event_that_it_names() -> None:
    world, proposal = council()
    review = world.write("anna", accept(proposal))
    held = next(entry for entry in world.entries if entry.entry_id == proposal.entry_id)
    assert fold(world, without=(held,)).may_review(review)
    assert fold(world).views(proposal) == {"accepted"}


def test_a8_an_accept_cites_an_event_even_where_it_does_not_decide() -> None:
    world, proposal = council(approvals=2)
    world.write("ben", accept(proposal))
    state = fold(world)
    assert state.views(proposal) == {"pending"}
    assert state.in_digest(proposal)
    world, proposal = council()
    world.write("ben", reject(proposal))
    assert not fold(world).in_digest(proposal)
