"""Gonk's rules of each kind of event, over HTTP: who may write it, and all that must hold; row by row of its contract.

Written from Gonk's contract alone, with plain requests; nothing here knows how the node is made.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from kit.http_api import Api, Client, b64

pytestmark = pytest.mark.processes

CONFLICT = 409


@pytest.fixture
def alice(api: Api) -> Client:
    return api.alice


@pytest.fixture
def bob(api: Api) -> Client:
    return api.bob


def content(data: bytes | str = b"", **other: object) -> dict[str, object]:
    return {"name": "a.txt", "object": b64(data or uuid4().bytes), "mimetype": "text/plain"} | other


def decide(owner: Client, path: str, decision: str, kind: str = "") -> str:
    """Review what is pending of something; the event's uuid."""
    wanted = (each for each in owner.events_of(path) if each["review"] == "PENDING" and kind in each["type"])
    event: str = next(wanted)["uuid"]
    owner.ok("PUT", f"events/{event}/{decision}")
    return event


def new_schema(client: Client) -> str:
    """A schema that takes anything; its name."""
    name = f"schema-{uuid4()}"
    client.new_schema(name, {"title": name})
    return name


def note(client: Client, schema: str, *objects: dict[str, Any], text: str = "{}") -> dict[str, Any]:
    """Annotate; the identifier."""
    body = {"annotation": b64(text), "schema": {"name": schema, "version": 0}, "object_identifiers": list(objects)}
    found: dict[str, Any] = client.ok("POST", "annotations", body)
    return found


# --- objects --------------------------------------------------------------------------------------------------


def test_an_object_needs_a_name_and_a_format_and_may_be_empty(alice: Client, bob: Client) -> None:
    alice.refused(400, "POST", "objects", content(name=""))
    alice.refused(400, "POST", "objects", content(mimetype=""))
    for key in ("name", "object", "mimetype"):
        for wrong in (3, None, [], {}):
            alice.refused(400, "POST", "objects", content() | {key: wrong})
    made = bob.ok("POST", "objects", {"name": "empty", "object": "", "mimetype": "text/plain"})
    loaded = bob.ok("GET", f"objects/{made['uuid']}/0")
    assert (loaded["object"]["size"], loaded["bytes"]) == (0, "")


@pytest.mark.parametrize("become", ["pending", "accepted", "rejected", "deleted"])
def test_bytes_are_in_one_object_only_whatever_its_status(alice: Client, bob: Client, become: str) -> None:
    data = uuid4().bytes
    made = alice.ok("POST", "objects", content(data))
    if become in ("accepted", "rejected"):
        decide(alice, f"objects/{made['uuid']}/0", become.removesuffix("ed"))
    if become == "deleted":
        alice.ok("DELETE", f"objects/{made['uuid']}/0")
        decide(alice, f"objects/{made['uuid']}/0", "accept", "Delete")
    assert made["uuid"] in str(bob.refused(CONFLICT, "POST", "objects", content(data, name="b")))
    other = bob.ok("POST", "objects", content())
    assert made["uuid"] in str(bob.refused(CONFLICT, "PATCH", f"objects/{other['uuid']}", content(data)))


def test_an_update_wants_other_bytes_than_the_latest_version_has(alice: Client, bob: Client) -> None:
    first, second = uuid4().bytes, uuid4().bytes
    uuid = alice.ok("POST", "objects", content(first))["uuid"]
    alice.refused(CONFLICT, "PATCH", f"objects/{uuid}", content(first, name="only the name"))
    assert bob.ok("PATCH", f"objects/{uuid}", content(second)) == {"uuid": uuid, "version": 1}
    alice.refused(CONFLICT, "PATCH", f"objects/{uuid}", content(second))
    assert alice.ok("PATCH", f"objects/{uuid}", content(first)) == {"uuid": uuid, "version": 2}
    alice.refused(400, "PATCH", f"objects/{uuid}", content(name="schema-box"))
    assert alice.ok("GET", f"objects/{uuid}") == {"uuid": uuid, "versions": 3}


@pytest.mark.parametrize("become", ["pending", "accepted", "rejected", "deleted"])
def test_an_object_of_any_status_is_updated(alice: Client, bob: Client, become: str) -> None:
    uuid = alice.ok("POST", "objects", content())["uuid"]
    if become in ("accepted", "rejected"):
        decide(alice, f"objects/{uuid}/0", become.removesuffix("ed"))
    if become == "deleted":
        alice.ok("DELETE", f"objects/{uuid}/0")
        decide(alice, f"objects/{uuid}/0", "accept", "Delete")
    assert bob.ok("PATCH", f"objects/{uuid}", content()) == {"uuid": uuid, "version": 1}
    assert bob.ok("PATCH", f"objects/{uuid}", content()) == {"uuid": uuid, "version": 2}
    decide(alice, f"objects/{uuid}/2", "accept")
    assert alice.ok("GET", f"objects/{uuid}/1")["events"][0]["review"] == "PENDING"


def test_an_updated_object_begins_without_annotations(alice: Client) -> None:
    schema, made = new_schema(alice), alice.ok("POST", "objects", content())
    hung = note(alice, schema, made)
    alice.ok("PATCH", f"objects/{made['uuid']}", content())
    assert alice.ok("GET", f"objects/{made['uuid']}/0")["annotations"] == [{"uuid": hung["uuid"], "versions": 1}]
    assert alice.ok("GET", f"objects/{made['uuid']}/1")["annotations"] == []


@pytest.mark.parametrize("what", ["objects", "annotations", "schemas"])
def test_a_deletion_is_asked_for_once_and_never_of_what_was_rejected(alice: Client, bob: Client, what: str) -> None:
    def new() -> str:
        schema = new_schema(alice)
        if what == "schemas":
            return f"schemas/{schema}"
        made = alice.ok("POST", "objects", content())
        return f"objects/{made['uuid']}" if what == "objects" else f"annotations/{note(alice, schema, made)['uuid']}"

    rejected, wanted = new(), new()
    decide(alice, f"{rejected}/0", "reject")
    bob.refused(CONFLICT, "DELETE", f"{rejected}/0")
    bob.refused(404, "DELETE", f"{wanted}/1")
    bob.ok("DELETE", f"{wanted}/0")  # its creation is still pending
    bob.refused(CONFLICT, "DELETE", f"{wanted}/0")
    decide(alice, f"{wanted}/0", "reject", "Delete")
    bob.ok("DELETE", f"{wanted}/0")  # can be asked for again
    decide(alice, f"{wanted}/0", "accept", "Delete")
    bob.refused(CONFLICT, "DELETE", f"{wanted}/0")
    reviews = sorted(
        (each["type"], each["review"]) for each in alice.events_of(f"{wanted}/0") if "Delete" in each["type"]
    )
    kind = "AnnotationDeleteEvent" if what == "annotations" else "ObjectDeleteEvent"
    assert reviews == [(kind, "ACCEPTED"), (kind, "REJECTED")]


# --- schemas --------------------------------------------------------------------------------------------------


def test_a_schemas_name_is_used_once(alice: Client, bob: Client) -> None:
    name = new_schema(alice)
    bob.refused(CONFLICT, "POST", "schemas", {"name": name, "schema": b64("{}")})
    decide(alice, f"schemas/{name}/0", "accept")
    bob.refused(CONFLICT, "POST", "schemas", {"name": name, "schema": b64('{"title": "another"}')})


def test_a_schemas_update_keeps_name_and_uuid_and_wants_other_bytes(alice: Client, bob: Client) -> None:
    name = new_schema(alice)
    made = alice.ok("GET", f"schemas/{name}")
    loaded = alice.ok("GET", f"schemas/{name}/0")
    alice.refused(CONFLICT, "PATCH", f"schemas/{name}", {"schema": loaded["bytes"]})
    body = {"schema": b64('{"type": "object"}'), "name": "schema-other"}
    assert bob.ok("PATCH", f"schemas/{name}", body) == made | {"versions": 2}
    assert bob.ok("GET", f"schemas/{name}/1")["schema"]["name"] == name
    assert [each["type"] for each in bob.events_of(f"schemas/{name}/1")] == ["ObjectUpdateEvent"]


def test_a_schema_is_no_object(alice: Client) -> None:
    name = new_schema(alice)
    uuid = alice.ok("GET", f"schemas/{name}")["uuid"]
    alice.refused(404, "GET", f"objects/{uuid}")
    alice.refused(404, "GET", f"objects/{uuid}/0")
    alice.refused(404, "DELETE", f"objects/{uuid}/0")
    alice.refused(404, "PATCH", f"objects/{uuid}", content())
    assert uuid not in str(alice.ok("GET", "objects?limit=1000"))


# --- annotations ----------------------------------------------------------------------------------------------


def test_an_annotation_hangs_on_versions_that_are_pending_or_whose_deletion_is_asked_for(alice: Client) -> None:
    schema, made = new_schema(alice), alice.ok("POST", "objects", content())
    note(alice, schema, made)
    alice.ok("DELETE", f"objects/{made['uuid']}/0")
    note(alice, schema, made)
    assert len(alice.ok("GET", f"objects/{made['uuid']}/0")["annotations"]) == 2  # duplicates are allowed


@pytest.mark.parametrize("become", ["rejected", "deleted"])
def test_an_annotation_never_hangs_on_what_is_rejected_or_deleted_but_outlives_it(alice: Client, become: str) -> None:
    schema, made = new_schema(alice), alice.ok("POST", "objects", content())
    path = f"objects/{made['uuid']}/0"
    hung = note(alice, schema, made)
    decide(alice, f"annotations/{hung['uuid']}/0", "accept")
    if become == "rejected":
        decide(alice, path, "reject")
    else:
        alice.ok("DELETE", path)
        decide(alice, path, "accept", "Delete")
    body = {"annotation": b64("{}"), "schema": {"name": schema, "version": 0}, "object_identifiers": [made]}
    alice.refused(CONFLICT, "POST", "annotations", body)
    assert hung in alice.ok("GET", "annotations/accepted?limit=1000")
    del body["object_identifiers"]
    assert alice.ok("PATCH", f"annotations/{hung['uuid']}", body) == hung | {"version": 1}
    assert alice.ok("GET", f"annotations/{hung['uuid']}/1")["objects"] == [made]


def test_an_annotation_names_objects_that_are_there_and_are_no_schemas(alice: Client) -> None:
    schema, made = new_schema(alice), alice.ok("POST", "objects", content())
    of_schema = {"uuid": alice.ok("GET", f"schemas/{schema}")["uuid"], "version": 0}
    body: dict[str, object] = {"annotation": b64("{}"), "schema": {"name": schema, "version": 0}}
    for wrong in ({"uuid": str(uuid4()), "version": 0}, made | {"version": 1}):
        alice.refused(404, "POST", "annotations", body | {"object_identifiers": [made, wrong]})
    alice.refused(CONFLICT, "POST", "annotations", body | {"object_identifiers": [of_schema]})
    body["object_identifiers"] = [made]
    alice.refused(404, "POST", "annotations", body | {"schema": {"name": schema, "version": 1}})
    for wrong in ({"uuid": "x", "version": 0}, made | {"version": "0"}, made | {"version": -1}, 3, None):
        assert alice.call("POST", "annotations", json=body | {"object_identifiers": [wrong]}).status_code in (400, 404)


def test_an_annotations_update_may_have_the_same_bytes_and_another_schema(alice: Client, bob: Client) -> None:
    one, two, made = new_schema(alice), new_schema(alice), alice.ok("POST", "objects", content())
    hung = note(bob, one, made)
    for version, schema in enumerate((one, two), 1):
        body = {"annotation": b64("{}"), "schema": {"name": schema, "version": 0}}
        assert bob.ok("PATCH", f"annotations/{hung['uuid']}", body) == hung | {"version": version}
    assert bob.ok("GET", f"annotations/{hung['uuid']}") == {"uuid": hung["uuid"], "versions": 3}
    two_uuid = alice.ok("GET", f"schemas/{two}")["uuid"]
    loaded = bob.ok("GET", f"annotations/{hung['uuid']}/2")
    assert loaded["annotation"]["schema"] == {"uuid": two_uuid, "version": 0}
    assert loaded["objects"] == [made]
    alice.refused(404, "PATCH", f"annotations/{hung['uuid']}", body | {"schema": {"name": one, "version": 7}})


# --- reviews and owners ---------------------------------------------------------------------------------------


def test_only_owners_review_and_each_event_once(alice: Client, bob: Client) -> None:
    made = bob.ok("POST", "objects", content())
    event = alice.events_of(f"objects/{made['uuid']}/0")[0]["uuid"]
    for decision in ("accept", "reject"):
        bob.refused(403, "PUT", f"events/{event}/{decision}")
    assert alice.ok("PUT", f"events/{event}/accept") == {"uuid": event}
    for decision in ("accept", "reject"):
        alice.refused(CONFLICT, "PUT", f"events/{event}/{decision}")
    found = alice.events_of(f"objects/{made['uuid']}/0")
    assert [(each["type"], each["review"]) for each in found] == [
        ("ObjectCreateEvent", "ACCEPTED"),
        ("ReviewAcceptEvent", None),
    ]
    review = found[1]["uuid"]
    assert alice.call("PUT", f"events/{review}/accept").status_code in (400, 404, 409)
    genesis = alice.ok("GET", "events")[0]
    assert genesis["type"] == "OwnerAddEvent"
    assert alice.call("PUT", f"events/{genesis['uuid']}/reject").status_code in (400, 404, 409)


def test_versions_are_reviewed_in_any_order_and_owners_accept_their_own(alice: Client) -> None:
    uuid = alice.ok("POST", "objects", content())["uuid"]
    alice.ok("PATCH", f"objects/{uuid}", content())
    decide(alice, f"objects/{uuid}/1", "accept")
    decide(alice, f"objects/{uuid}/0", "reject")


def test_owners_have_ranks(api: Api) -> None:
    dataset = f"/datasets/ranks-{uuid4()}"
    alice, users = api.alice, {name: api.add_user(name) for name in ("carol", "dave", "erin")}
    alice.ok("POST", "/datasets", {"name": dataset.split("/")[2]})
    alice.refused(CONFLICT, "DELETE", f"{dataset}/owners/alice")  # one owner stays
    for name, client in users.items():
        client.refused(403, "PUT", f"{dataset}/owners/{name}")
    for name in users:
        assert alice.ok("PUT", f"{dataset}/owners/{name}") == {"user": name}
    assert users["erin"].ok("GET", f"{dataset}/owners") == ["alice", "carol", "dave", "erin"]
    alice.refused(CONFLICT, "PUT", f"{dataset}/owners/carol")
    users["erin"].refused(403, "DELETE", f"{dataset}/owners/carol")
    assert alice.call("DELETE", f"{dataset}/owners/bob").status_code in (404, 409)
    assert users["dave"].ok("DELETE", f"{dataset}/owners/dave") == {"user": "dave"}  # of himself
    assert users["carol"].ok("DELETE", f"{dataset}/owners/erin") == {"user": "erin"}  # of a lower rank
    users["erin"].refused(403, "DELETE", f"{dataset}/owners/carol")
    for name in ("erin", "dave"):
        alice.ok("PUT", f"{dataset}/owners/{name}")
    assert alice.ok("GET", f"{dataset}/owners") == ["alice", "carol", "erin", "dave"]
    made = users["dave"].ok("POST", f"{dataset}/objects", content())
    event = users["dave"].ok("GET", f"{dataset}/objects/{made['uuid']}/0")["events"][0]["uuid"]
    users["dave"].ok("PUT", f"{dataset}/events/{event}/accept")
    alice.ok("DELETE", f"{dataset}/owners/dave")
    assert alice.ok("GET", f"{dataset}/objects/accepted") == [made]  # his reviews stand
