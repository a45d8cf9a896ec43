"""What `Authority` answers beside the rules: roles for people, and which keys and entries it depends on."""

from __future__ import annotations

from gonk_node.core.events import CONTRIBUTOR, OWNER, REVIEWER, Revoke
from gonk_node.replica.folding.projection import Projection
from gonk_node.state.authority import Authority
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog
from kit.history import World, key_of, object_create, ref


def authority_of(world: World) -> Authority:
    projection = Projection(ArrivalLog(world.entries), StateDb(None, world.dataset))
    projection.catch_up()
    return projection.authority


def test_the_best_role_is_shown_with_its_own_grant_and_name() -> None:
    world = World()
    world.grant("root", "anna", CONTRIBUTOR)
    review = world.grant("root", "anna", REVIEWER)
    info = authority_of(world).roles[key_of("anna")]
    assert (info.role, info.grant, info.display_name) == (REVIEWER, ref(review), "anna")


def test_roles_are_listed_owners_first_and_ranks_have_no_gaps() -> None:
    world = World()
    world.grant("root", "rita", REVIEWER)
    world.grant("root", "nora", CONTRIBUTOR)
    world.grant("root", "anna")
    ranked = authority_of(world).ranked()
    assert [info.rank for info in ranked] == [0, 1, 2, 3]
    assert [info.key for info in ranked] == [key_of(name) for name in ("root", "anna", "rita", "nora")]


def test_root_has_no_grant_and_nobody_else_is_root() -> None:
    authority = authority_of(World())
    info = authority.roles[authority.root]
    assert (info.role, info.rank, info.grant, info.accepted, info.revoked) == (OWNER, 0, None, True, False)
    assert list(authority.roles) == [key_of("root")]


def test_a_revoked_key_has_no_role_for_what_it_writes_next() -> None:
    world = World()
    world.grant("root", "anna")
    assert authority_of(world).role_now(key_of("anna")) == OWNER
    world.revoke("root", "anna")
    authority = authority_of(world)
    assert authority.role_now(key_of("anna")) is None
    assert authority.role_now(key_of("sam")) is None
    assert authority.roles[key_of("anna")].accepted


def test_it_tells_whose_further_acts_could_change_it_and_which_entries_it_awaits() -> None:
    world = World(recovery=("safe1",), threshold=1)
    world.grant("root", "anna", taken=False)
    pinned = world.write("sam", object_create())
    world.write("root", Revoke(key_of("sam"), (), ""))
    revoke = world.revoke("root", "sam", pinned)
    world.entries.remove(pinned)
    authority = authority_of(world)
    assert {key_of(name) for name in ("root", "anna", "sam", "safe1")} <= authority.relevant
    assert key_of("nora") not in authority.relevant
    assert authority.awaited == {pinned.entry_id}
    assert revoke in world.entries
