"""The list of events: Gonk's class names, and the fields that each has.

Written from Gonk's contract alone, with plain requests; nothing here knows how the node is made.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from kit.http_api import Api, b64

pytestmark = pytest.mark.processes

COMMON = {"uuid", "timestamp", "author", "integrity", "type"}
OBJECT = {"uuid", "version", "name", "format", "size", "hash_type", "hash"}
ANNOTATION = {"uuid", "version", "schema", "size", "hash_type", "hash"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Life:
    """A dataset with one event of each of Gonk's ten types, in a known order; some of them twice."""

    def __init__(self, api: Api) -> None:
        alice, bob = api.alice, api.bob
        path = "/datasets/life/"
        alice.ok("POST", "/datasets", {"name": "life"})
        schema = bob.ok("POST", path + "schemas", {"name": "schema-s", "schema": b64("{}")})
        file = {"name": "a.txt", "mimetype": "text/plain"}
        self.first, self.second = b"one", b"number two"
        made = bob.ok("POST", path + "objects", file | {"object": b64(self.first)})
        bob.ok("PATCH", f"{path}objects/{made['uuid']}", file | {"object": b64(self.second)})
        note = {"annotation": b64("[1]"), "schema": {"name": "schema-s", "version": 0}}
        hung = bob.ok("POST", path + "annotations", note | {"object_identifiers": [made]})
        bob.ok("PATCH", f"{path}annotations/{hung['uuid']}", note | {"annotation": b64("[1, 2]")})
        bob.ok("DELETE", f"{path}objects/{made['uuid']}/0")
        bob.ok("DELETE", f"{path}annotations/{hung['uuid']}/0")
        bob.ok("DELETE", f"{path}schemas/schema-s/0")
        events = alice.ok("GET", path + "events")
        alice.ok("PUT", f"{path}events/{events[2]['uuid']}/accept")
        alice.ok("PUT", f"{path}events/{events[3]['uuid']}/reject")
        alice.ok("PUT", path + "owners/bob")
        alice.ok("DELETE", path + "owners/bob")
        self.schema, self.object, self.annotation = schema["uuid"], made["uuid"], hung["uuid"]
        self.events: list[dict[str, Any]] = bob.ok("GET", path + "events")
        self.path, self.bob = path, bob


@pytest.fixture(scope="module")
def life(api: Api) -> Life:
    return Life(api)


def metadata(uuid: str, version: int, data: bytes) -> dict[str, object]:
    digest = hashlib.sha256(data).hexdigest()
    return {"uuid": uuid, "version": version, "size": len(data), "hash_type": 1, "hash": digest}


def own(event: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Who, what type, and the fields of that type."""
    return event["author"], event["type"], {key: event[key] for key in event.keys() - COMMON}


def test_each_type_has_its_fields_and_the_list_the_order_of_the_log(life: Life) -> None:
    created = metadata(life.object, 0, life.first) | {"name": "a.txt", "format": "text/plain"}
    updated = metadata(life.object, 1, life.second) | {"name": "a.txt", "format": "text/plain"}
    schema = metadata(life.schema, 0, b"{}") | {"name": "schema-s", "format": "application/schema+json"}
    of_schema = {"schema": {"uuid": life.schema, "version": 0}}
    on = {"uuid": life.object, "version": 0}
    uuids = [each["uuid"] for each in life.events]
    assert [own(each) for each in life.events] == [
        ("alice", "OwnerAddEvent", {"owner": "alice", "owner_action": 1}),
        ("bob", "ObjectCreateEvent", {"action": 1, "object": schema}),
        ("bob", "ObjectCreateEvent", {"action": 1, "object": created}),
        ("bob", "ObjectUpdateEvent", {"action": 2, "object": updated}),
        (
            "bob",
            "AnnotationCreateEvent",
            {
                "action": 1,
                "annotation": metadata(life.annotation, 0, b"[1]") | of_schema,
                "object_identifiers": [on],
            },
        ),
        (
            "bob",
            "AnnotationUpdateEvent",
            {"action": 2, "annotation": metadata(life.annotation, 1, b"[1, 2]") | of_schema},
        ),
        ("bob", "ObjectDeleteEvent", {"action": 4, "object_identifier": on}),
        (
            "bob",
            "AnnotationDeleteEvent",
            {"action": 4, "annotation_identifier": {"uuid": life.annotation, "version": 0}},
        ),
        ("bob", "ObjectDeleteEvent", {"action": 4, "object_identifier": {"uuid": life.schema, "version": 0}}),
        ("alice", "ReviewAcceptEvent", {"decision": 1, "event_uuid": uuids[2]}),
        ("alice", "ReviewRejectEvent", {"decision": 2, "event_uuid": uuids[3]}),
        ("alice", "OwnerAddEvent", {"owner": "bob", "owner_action": 1}),
        ("alice", "OwnerRemoveEvent", {"owner": "bob", "owner_action": 2}),
    ]


def test_every_event_has_the_common_fields_in_gonks_form(life: Life) -> None:
    now = datetime.now(UTC)
    for event in life.events:
        assert event.keys() >= COMMON
        assert UUID.fullmatch(event["uuid"])
        assert TIMESTAMP.fullmatch(event["timestamp"])
        assert now - timedelta(hours=1) < datetime.fromisoformat(event["timestamp"]) <= now + timedelta(minutes=1)
        assert re.fullmatch("[0-9a-f]{64}", event["integrity"])
    assert len({each["uuid"] for each in life.events}) == len(life.events)


def test_details_name_the_events_of_a_version_and_what_became_of_them(life: Life) -> None:
    uuids = [each["uuid"] for each in life.events]

    def detail(path: str) -> list[tuple[str, str, str | None]]:
        found = life.bob.ok("GET", life.path + path)["events"]
        assert all(set(each) == {"uuid", "type", "review"} for each in found)
        return [(each["uuid"], each["type"], each["review"]) for each in found]

    assert detail(f"objects/{life.object}/0") == [
        (uuids[2], "ObjectCreateEvent", "ACCEPTED"),
        (uuids[6], "ObjectDeleteEvent", "PENDING"),
        (uuids[9], "ReviewAcceptEvent", None),
    ]
    assert detail(f"objects/{life.object}/1") == [
        (uuids[3], "ObjectUpdateEvent", "REJECTED"),
        (uuids[10], "ReviewRejectEvent", None),
    ]
    assert detail(f"annotations/{life.annotation}/0") == [
        (uuids[4], "AnnotationCreateEvent", "PENDING"),
        (uuids[7], "AnnotationDeleteEvent", "PENDING"),
    ]
    assert detail(f"annotations/{life.annotation}/1") == [(uuids[5], "AnnotationUpdateEvent", "PENDING")]
    assert detail("schemas/schema-s/0") == [
        (uuids[1], "ObjectCreateEvent", "PENDING"),
        (uuids[8], "ObjectDeleteEvent", "PENDING"),
    ]


def test_the_list_goes_on_after_any_event(life: Life) -> None:
    for place, event in enumerate(life.events):
        assert life.bob.ok("GET", f"{life.path}events?after={event['uuid']}") == life.events[place + 1 :]
    assert life.bob.ok("GET", f"{life.path}events?after={uuid4()}") == []


def test_every_version_in_the_events_can_be_loaded_and_has_the_bytes_that_they_name(life: Life) -> None:
    """A client can so copy a dataset, as it can Gonk's."""
    for event in life.events:
        if "object" in event and not event["object"]["name"].startswith("schema-"):
            loaded = life.bob.ok("GET", f"{life.path}objects/{event['object']['uuid']}/{event['object']['version']}")
            assert loaded["object"] == event["object"]
        if "annotation" in event:
            uuid, version = event["annotation"]["uuid"], event["annotation"]["version"]
            loaded = life.bob.ok("GET", f"{life.path}annotations/{uuid}/{version}")
            assert loaded["annotation"] == event["annotation"]
            assert loaded["objects"] == [{"uuid": life.object, "version": 0}]
