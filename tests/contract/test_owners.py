"""Owners over HTTP, as the contract of Gonk's HTTP API has them: listed by rank, added, removed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from kit.http_api import Api, Client

pytestmark = pytest.mark.processes


@pytest.fixture
def carol(fresh_api: Api) -> Client:
    """A third user of the node."""
    return fresh_api.add_user("carol")


def key_of(client: Client) -> str:
    """The public key that a user signed the newest entry of `cells` with."""
    (entry,) = client.ok("GET", f"log?author={client.name}&order=newest&limit=1")["entries"]
    key: str = entry["key"]
    return key


def test_the_creator_is_the_only_owner(fresh_api: Api) -> None:
    assert fresh_api.bob.ok("GET", "owners") == ["alice"]
    fresh_api.nobody.refused(400, "GET", "owners")
    fresh_api.alice.refused(404, "GET", "/datasets/nothing/owners")


def test_an_owner_reviews_at_once_and_owners_are_listed_by_rank(fresh_api: Api, carol: Client) -> None:
    alice, bob = fresh_api.alice, fresh_api.bob
    assert alice.ok("PUT", "owners/bob") == {"user": "bob"}
    assert bob.ok("PUT", "owners/carol") == {"user": "carol"}
    assert alice.ok("GET", "owners") == ["alice", "bob", "carol"]
    added = alice.new_object()
    carol.accept(f"objects/{added['uuid']}/0")
    assert alice.ok("GET", "objects/accepted") == [added]


def test_who_cannot_be_added_is_told_why(fresh_api: Api) -> None:
    alice, bob = fresh_api.alice, fresh_api.bob
    assert "'nobody'" in alice.refused(400, "PUT", "owners/nobody")
    alice.refused(400, "PUT", "owners/" + "g" * 64)
    alice.refused(400, "PUT", "owners/" + "0" * 64)  # of small order: anybody could sign for it
    bob.refused(403, "PUT", "owners/bob")
    alice.refused(409, "PUT", "owners/alice")
    alice.ok("PUT", "owners/bob")
    alice.refused(409, "PUT", "owners/bob")
    alice.refused(404, "PUT", "/datasets/nothing/owners/bob")
    fresh_api.nobody.refused(400, "PUT", "owners/bob")
    assert alice.ok("GET", "owners") == ["alice", "bob"]


def test_a_removed_owner_reviews_no_more_and_what_he_did_stands(fresh_api: Api) -> None:
    alice, bob = fresh_api.alice, fresh_api.bob
    alice.ok("PUT", "owners/bob")
    first, second = alice.new_object(), alice.new_object()
    bob.accept(f"objects/{first['uuid']}/0")
    assert alice.ok("DELETE", "owners/bob") == {"user": "bob"}
    assert alice.ok("GET", "owners") == ["alice"]
    event = bob.events_of(f"objects/{second['uuid']}/0")[0]["uuid"]
    bob.refused(403, "PUT", f"events/{event}/accept")
    assert alice.ok("GET", "objects/accepted") == [first]


def test_a_removed_owner_who_is_added_again_signs_with_a_fresh_key(fresh_api: Api, carol: Client) -> None:
    alice, bob = fresh_api.alice, fresh_api.bob
    alice.ok("PUT", "owners/bob")
    alice.ok("PUT", "owners/carol")
    before = key_of(bob)
    alice.ok("DELETE", "owners/bob")
    alice.ok("PUT", "owners/bob")
    assert alice.ok("GET", "owners") == ["alice", "carol", "bob"]  # the lowest rank
    added = alice.new_object()
    bob.accept(f"objects/{added['uuid']}/0")
    assert key_of(bob) != before
    bob.refused(403, "DELETE", "owners/carol")


def test_who_cannot_be_removed_is_told_why(fresh_api: Api, carol: Client) -> None:
    alice, bob = fresh_api.alice, fresh_api.bob
    alice.ok("PUT", "owners/bob")
    bob.ok("PUT", "owners/carol")
    carol.refused(403, "DELETE", "owners/bob")  # who was added later ranks lower
    bob.refused(409, "DELETE", "owners/alice")  # root
    alice.refused(409, "DELETE", "owners/alice")
    alice.refused(400, "DELETE", "owners/nobody")
    alice.refused(404, "DELETE", "/datasets/nothing/owners/bob")
    fresh_api.nobody.refused(400, "DELETE", "owners/bob")
    alice.ok("DELETE", "owners/bob")
    alice.refused(404, "DELETE", "owners/bob")
    bob.refused(403, "DELETE", "owners/carol")


def test_owners_remove_themselves(fresh_api: Api) -> None:
    fresh_api.alice.ok("PUT", "owners/bob")
    fresh_api.bob.ok("DELETE", "owners/bob")
    assert fresh_api.alice.ok("GET", "owners") == ["alice"]


def test_people_of_other_nodes_are_named_by_their_keys(fresh_api: Api) -> None:
    alice, key = fresh_api.alice, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"  # RFC 8032, test 2
    assert alice.ok("PUT", f"owners/{key}") == {"user": key}
    assert alice.ok("GET", "owners") == ["alice", key]
    alice.ok("DELETE", f"owners/{key}")
    assert alice.ok("GET", "owners") == ["alice"]
    alice.refused(409, "PUT", f"owners/{key}")  # a removed key never returns, and nobody here can make another


def test_somebody_who_is_added_again_many_times_at_once_is_added_once(fresh_api: Api) -> None:
    alice = fresh_api.alice
    alice.ok("PUT", "owners/bob")
    alice.ok("DELETE", "owners/bob")
    with ThreadPoolExecutor(8) as pool:
        answers = [
            pool.submit(lambda: fresh_api.client("alice").call("PUT", "owners/bob").status_code) for _ in range(8)
        ]
    assert sorted(answer.result() for answer in answers) == [200] + [409] * 7
    assert alice.ok("GET", "owners") == ["alice", "bob"]
    added = alice.new_object()
    fresh_api.bob.accept(f"objects/{added['uuid']}/0")
