"""Rules A1 to A5: root, ranks, from accept to pins, revokes, another root. `fold` tries several orders of arrival each."""

from __future__ import annotations

from gonk_node.core.events import OWNER, AcceptGrant, Grant, Pin, ReplaceRoot, Revoke
from gonk_node.core.ids import EventRef
from kit.folded import fold
from kit.history import FIRST_TIME_MS, World, accept, key_of, object_create, own, pins_at, ref

BACKDATED = FIRST_TIME_MS - 10**9


# --- A1: root ------------------------------------------------------------------------------------------------------


def test_a1_all_that_root_writes_counts_in_every_log_and_branch() -> None:
    world = World()
    second_log = world.write("root", Grant(key_of("anna"), OWNER, "anna"), log=1)
    fork = world.write("root", Grant(key_of("ben"), OWNER, "ben"), after=world.genesis)
    other = world.write("root", Grant(key_of("carla"), OWNER, "carla"), after=world.genesis)
    state = fold(world)
    assert all(state.owns(entry) for entry in (world.genesis, second_log, fork, other))
    assert state.is_root("root")


def test_a1_a_stranger_is_no_owner_whatever_he_writes() -> None:
    world = World()
    granted = world.write("sam", Grant(key_of("sam"), OWNER, "me"))
    accepted = world.write("sam", AcceptGrant(ref(granted)))
    state = fold(world)
    assert not state.owns(granted)
    assert not state.owns(accepted)
    assert state.role("sam") is None


# --- A2: rank ------------------------------------------------------------------------------------------------------


def test_a2_the_shorter_path_from_root_ranks_higher_then_the_earlier_grant() -> None:
    world = World()
    world.grant("root", "anna")
    world.grant("anna", "carla")
    world.grant("root", "ben")
    state = fold(world)
    assert state.names_by_rank("carla", "ben", "anna", "root") == ["root", "anna", "ben", "carla"]


def test_a2_the_best_grant_gives_the_rank_also_where_another_was_accepted() -> None:
    world = World()
    world.grant("root", "anna")
    world.grant("anna", "carla")
    world.grant("root", "carla", taken=False)
    world.grant("root", "ben")
    assert fold(world).names_by_rank("ben", "carla", "anna") == ["anna", "carla", "ben"]


def test_a2_accepting_an_older_grant_late_gains_nothing() -> None:
    """Carla holds an old grant by root, unaccepted, and one by Ben; Anna, between them, revokes her."""
    world = World()
    world.grant("root", "anna")
    world.grant("root", "ben")
    old = world.grant("root", "carla", taken=False)
    first = world.grant("ben", "carla")
    before = world.write("carla", Grant(key_of("sam"), OWNER, "sam"))
    revoked = world.revoke("anna", "carla", before)
    world.write("carla", AcceptGrant(ref(old)))
    late = world.write("carla", Revoke(key_of("anna"), (), ""))
    beside = world.write("carla", AcceptGrant(ref(old)), log=1)
    state = fold(world)
    assert state.owns(revoked)
    assert state.owns(before)
    assert not state.owns(late)
    assert not state.owns(beside)
    assert state.owns(first)
    assert state.names_by_rank("anna", "ben", "carla") == ["anna", "ben", "carla"]


# --- A3: from accept to pins ---------------------------------------------------------------------------------------


def test_a3_an_owner_counts_from_his_accept_on_and_not_before() -> None:
    world = World()
    early = world.write("anna", Grant(key_of("sam"), OWNER, "sam"))
    granted = world.grant("root", "anna", taken=False)
    between = world.write("anna", Grant(key_of("sue"), OWNER, "sue"))
    accepted = world.write("anna", Grant(key_of("ben"), OWNER, "ben"), AcceptGrant(ref(granted)))
    after = world.write("anna", Grant(key_of("carla"), OWNER, "carla"))
    state = fold(world)
    assert [state.owns(entry) for entry in (early, between, accepted, after)] == [False, False, True, True]
    assert state.role("sam") is None
    assert state.role("ben") is not None  # the whole entry with the accept counts


def test_a3_each_log_needs_its_own_accept_and_a_fork_inherits_what_was_before_it() -> None:
    world = World()
    granted = world.grant("root", "anna")
    accepted = world.tips["anna", 0]
    other_log = world.write("anna", object_create(), log=1)
    beside = world.write("anna", object_create(1), after=None)
    fork = world.write("anna", object_create(2), after=accepted)
    taken = world.write("anna", AcceptGrant(ref(granted)), log=1)
    state = fold(world)
    assert not state.owns(other_log)
    assert state.owns(taken)
    assert not state.owns(beside)
    assert state.owns(fork)


def test_a3_an_accept_counts_only_for_the_key_that_was_granted() -> None:
    world = World()
    granted = world.grant("root", "anna", taken=False)
    world.write("sam", AcceptGrant(ref(granted)))
    acts = world.write("sam", Grant(key_of("sue"), OWNER, "sue"))
    state = fold(world)
    assert not state.owns(acts)
    assert state.role("anna") is not None
    assert not state.role("anna").accepted  # type: ignore[union-attr]


def test_a3_a_grant_that_comes_after_its_accept_counts_all_the_same() -> None:
    world = World()
    granted = world.grant("root", "anna")
    acts = world.write("anna", Grant(key_of("ben"), OWNER, "ben"))
    without = fold(world, without=(granted,))
    assert not without.owns(acts)
    assert fold(world).owns(acts)


def test_a3_an_owner_may_grant_and_accept_for_himself_in_one_entry_only_where_he_is_one() -> None:
    world = World()
    both = world.write("sam", Grant(key_of("sam"), OWNER, "me"), AcceptGrant(own(0)))
    assert not fold(world).owns(both)


# --- A4: revoke ------------------------------------------------------------------------------------------------------


def test_a4_what_a_revoked_owner_did_up_to_the_pin_stands() -> None:
    world = World()
    world.grant("root", "anna")
    proposal = world.write("nora", object_create())
    review = world.write("anna", accept(ref(proposal)))
    kept = world.write("anna", Grant(key_of("ben"), OWNER, "ben"))
    world.write("ben", AcceptGrant(ref(kept)))
    bens = world.write("ben", object_create(1))
    world.revoke("root", "anna", kept)
    state = fold(world)
    assert state.owns(review)
    assert state.owns(kept)
    assert state.owns(bens)
    assert state.views(ref(proposal)) == {"accepted"}


def test_a4_later_concurrent_and_backdated_acts_of_a_revoked_owner_count_for_nothing() -> None:
    world = World()
    granted = world.grant("root", "anna")
    pinned = world.write("anna", object_create())
    proposal = world.write("nora", object_create(1))
    world.revoke("root", "anna", pinned)
    acts = [
        world.write("anna", accept(ref(proposal))),  # later
        world.write("anna", accept(ref(proposal)), after=world.tips["anna", 0]),
        world.write("anna", accept(ref(proposal)), after=pinned),  # a fork at the pin
        world.write("anna", AcceptGrant(ref(granted)), accept(ref(proposal)), after=None, time_ms=BACKDATED),
        world.write("anna", AcceptGrant(ref(granted)), accept(ref(proposal)), log=2, time_ms=BACKDATED),
        world.write("anna", Revoke(key_of("root"), (), ""), log=2),
    ]
    state = fold(world)
    assert not any(state.owns(entry) or state.vouched(entry) for entry in acts)
    assert state.views(ref(proposal)) == {"pending"}
    assert state.is_root("root")


def test_a4_owners_whom_a_revoked_one_added_beyond_the_pin_fall_with_him_and_all_they_did() -> None:
    world = World()
    world.grant("root", "anna")
    pinned = world.tips["anna", 0]
    world.grant("anna", "ben")
    world.grant("ben", "carla")
    proposal = world.write("nora", object_create())
    review = world.write("carla", accept(ref(proposal)))
    assert fold(world).views(ref(proposal)) == {"accepted"}
    world.revoke("root", "anna", pinned)
    state = fold(world)
    assert state.role("ben") is None
    assert state.role("carla") is None
    assert not state.may_review(review)
    assert state.views(ref(proposal)) == {"pending"}


def test_a4_nobody_removes_one_who_ranks_higher() -> None:
    world = World()
    world.grant("root", "anna")
    world.grant("root", "ben")
    world.grant("anna", "carla")
    world.write("ben", Revoke(key_of("anna"), (), ""))
    world.write("carla", Revoke(key_of("anna"), (), ""))
    world.write("carla", Revoke(key_of("ben"), (), ""))
    acts = [world.write(name, object_create()) for name in ("anna", "ben")]
    state = fold(world)
    assert all(state.owns(entry) for entry in acts)
    assert not state.role("anna").revoked  # type: ignore[union-attr]


def test_a4_of_two_who_revoke_each_other_the_higher_one_wins() -> None:
    world = World()
    world.grant("root", "anna")
    world.grant("root", "ben")
    accepts = {name: world.tips[name, 0] for name in ("anna", "ben")}
    world.write("ben", Revoke(key_of("anna"), pins_at(accepts["anna"]), ""), time_ms=FIRST_TIME_MS + 5)
    world.write("anna", Revoke(key_of("ben"), pins_at(accepts["ben"]), ""), time_ms=FIRST_TIME_MS + 500)
    state = fold(world)
    assert state.role("ben").revoked  # type: ignore[union-attr]
    assert not state.role("anna").revoked  # type: ignore[union-attr]


def test_a4_root_cannot_be_revoked_not_even_by_itself() -> None:
    world = World()
    world.grant("root", "anna")
    world.write("anna", Revoke(key_of("root"), (), ""))
    world.write("root", Revoke(key_of("root"), (), ""))
    after = world.write("root", Grant(key_of("ben"), OWNER, "ben"))
    state = fold(world)
    assert state.owns(after)
    assert not state.role("root").revoked  # type: ignore[union-attr]


def test_a4_a_revoked_key_does_not_return_by_another_grant() -> None:
    world = World()
    world.grant("root", "anna")
    world.revoke("root", "anna")
    world.grant("root", "anna")
    acts = world.write("anna", Grant(key_of("ben"), OWNER, "ben"))
    new_log = world.write("anna", object_create(), log=1)
    state = fold(world)
    assert not state.owns(acts)
    assert not state.vouched(new_log)
    assert state.role("anna").revoked  # type: ignore[union-attr]


def test_a4_several_revokes_leave_what_all_of_them_leave() -> None:
    world = World()
    world.grant("root", "anna")
    world.grant("root", "ben")
    first = world.write("anna", object_create())
    second = world.write("anna", object_create(1))
    third = world.write("anna", object_create(2))
    world.revoke("root", "anna", second)
    world.revoke("root", "anna", third)
    world.revoke("ben", "anna", first)  # Ben ranks lower than Anna: it does not bind her
    state = fold(world)
    assert [state.owns(entry) for entry in (first, second, third)] == [True, True, False]


def test_a4_a_log_that_no_pin_names_keeps_nothing() -> None:
    world = World()
    granted = world.grant("root", "anna")
    world.write("anna", AcceptGrant(ref(granted)), log=1)
    world.revoke("root", "anna", world.tips["anna", 0])
    state = fold(world)
    assert state.owns(world.tips["anna", 0])
    assert not state.owns(world.tips["anna", 1])


def test_a4_a_pin_whose_entry_is_not_held_keeps_nothing_until_it_comes() -> None:
    world = World()
    world.grant("root", "anna")
    first = world.write("anna", object_create())
    pinned = world.write("anna", object_create(1))
    world.revoke("root", "anna", pinned)
    assert not fold(world, without=(pinned,)).owns(first)
    assert fold(world).owns(first)


def test_a4_a_pin_counts_for_the_key_and_the_log_that_it_names() -> None:
    world = World()
    granted = world.grant("root", "anna")
    other = world.write("anna", AcceptGrant(ref(granted)), log=1)
    strangers = world.write("sam", object_create())
    for wrong in (other, strangers):
        pin = Pin(world.tips["anna", 0].header.log_id, wrong.header.seq, wrong.entry_id)
        world.write("root", Revoke(key_of("anna"), (pin,), ""))
    state = fold(world)
    assert not state.owns(world.tips["anna", 0])
    assert not state.owns(other)


def test_a4_a_pin_on_one_branch_leaves_out_the_other() -> None:
    world = World()
    world.grant("root", "anna")
    base = world.tips["anna", 0]
    one = world.write("anna", object_create(), after=base)
    other = world.write("anna", object_create(1), after=base)
    world.revoke("root", "anna", one)
    state = fold(world)
    assert [state.owns(entry) for entry in (base, one, other)] == [True, True, False]


def test_a4_an_owner_can_end_his_own_key() -> None:
    world = World()
    granted = world.grant("root", "anna")
    side = world.write("anna", AcceptGrant(ref(granted)), log=1)
    side_later = world.write("anna", object_create(), log=1)
    ended = world.write("anna", Revoke(key_of("anna"), pins_at(side), ""))
    after = world.write("anna", object_create(1))
    state = fold(world)
    assert [state.owns(entry) for entry in (side, side_later, ended, after)] == [True, False, True, False]
    assert state.role("anna").revoked  # type: ignore[union-attr]


def test_a4_a_revoke_of_oneself_that_is_cut_off_does_not_count() -> None:
    world = World()
    granted = world.grant("root", "anna")
    side = world.write("anna", AcceptGrant(ref(granted)), log=1)
    pinned = world.tips["anna", 0]
    world.write("anna", Revoke(key_of("anna"), (), ""))  # would end the other log at nothing
    world.revoke("root", "anna", pinned, side)
    assert fold(world).owns(side)


def test_a4_a_revoke_by_somebody_without_a_role_is_void() -> None:
    world = World()
    world.grant("root", "anna")
    world.write("sam", Revoke(key_of("anna"), (), ""))
    assert fold(world).owns(world.tips["anna", 0])


# --- A5: another root ------------------------------------------------------------------------------------------------


def replacement(world: World, new: str, old: str = "root") -> ReplaceRoot:
    pins = pins_at(*(entry for (name, _), entry in world.tips.items() if name == old))
    return ReplaceRoot(key_of(old), key_of(new), pins)


def test_a5_enough_recovery_keys_replace_the_root_up_to_the_pins() -> None:
    world = World(recovery=("safe1", "safe2", "safe3"), threshold=2)
    world.grant("root", "anna")
    event = replacement(world, "newroot")
    world.write("safe1", event)
    assert fold(world).is_root("root")
    world.write("safe3", event)
    thief = world.write("root", Grant(key_of("sam"), OWNER, "sam"))
    new = world.write("newroot", Grant(key_of("ben"), OWNER, "ben"))
    state = fold(world)
    assert state.is_root("newroot")
    assert state.owns(new)
    assert not state.owns(thief)
    assert state.owns(world.tips["anna", 0])
    assert state.names_by_rank("anna", "ben", "root", "newroot") == ["newroot", "root", "ben", "anna"]


def test_a5_one_recovery_key_twice_and_other_keys_are_not_enough() -> None:
    world = World(recovery=("safe1", "safe2"), threshold=2)
    event = replacement(world, "newroot")
    for name in ("safe1", "safe1", "root", "sam"):
        world.write(name, event)
    world.write("safe2", event._replace(pins=()))  # not the same one
    assert fold(world).is_root("root")


def test_a5_a_threshold_of_zero_means_never() -> None:
    world = World(recovery=("safe1",), threshold=0)
    world.write("safe1", replacement(world, "newroot"))
    assert fold(world).is_root("root")


def test_a5_the_new_root_can_be_replaced_too_but_no_root_returns() -> None:
    world = World(recovery=("safe1",), threshold=1)
    world.write("safe1", replacement(world, "second"))
    world.write("safe1", replacement(world, "third", old="second"))
    world.write("safe1", replacement(world, "root", old="third"))
    state = fold(world)
    assert state.is_root("third")
    assert state.names_by_rank("root", "third", "second") == ["third", "second", "root"]


def test_a5_two_replacements_of_one_root_are_decided_alike_on_every_node() -> None:
    world = World(recovery=("safe1",), threshold=1)
    world.write("safe1", replacement(world, "second"))
    world.write("safe1", replacement(world, "third"))
    state = fold(world)
    assert sum(state.is_root(name) for name in ("root", "second", "third")) == 1


def test_a5_a_replaced_root_cannot_revoke_the_new_one() -> None:
    world = World(recovery=("safe1",), threshold=1)
    revoke = world.write("root", Revoke(key_of("newroot"), (), ""))
    world.write("safe1", replacement(world, "newroot"))
    acts = world.write("newroot", object_create())
    state = fold(world)
    assert state.owns(revoke)
    assert state.owns(acts)


def test_a5_a_reference_to_nothing_does_no_harm() -> None:
    world = World(recovery=("safe1",), threshold=1)
    world.write("sam", AcceptGrant(EventRef(bytes(32), 4095)))
    world.write("safe1", ReplaceRoot(key_of("nobody"), key_of("sam"), ()))
    assert fold(world).is_root("root")
