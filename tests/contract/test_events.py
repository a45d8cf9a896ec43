"""Events over HTTP: Gonk's class names and shapes, in the order of the log, page by page."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest

from kit.command_line import BOX
from kit.http_api import BOX_SCHEMA, Api, Client, b64, sha256

pytestmark = pytest.mark.processes

COMMON = {"uuid", "timestamp", "author", "integrity", "type"}


def events(client: Client, query: str = "limit=1000") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.ok("GET", f"events?{query}")
    return found


def newest(client: Client) -> dict[str, Any]:
    """The newest event; its own fields only."""
    event = events(client)[-1]
    return {name: value for name, value in event.items() if name not in COMMON} | {"type": event["type"]}


def test_a_dataset_begins_with_its_creator_being_added(fresh_api: Api) -> None:
    (event,) = events(fresh_api.bob)
    assert event.keys() == COMMON | {"owner", "owner_action"}
    assert (event["type"], event["owner"], event["owner_action"], event["author"]) == (
        "OwnerAddEvent",
        "alice",
        1,
        "alice",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["timestamp"])
    assert re.fullmatch("[0-9a-f]{64}", event["integrity"])
    assert event["integrity"] == fresh_api.bob.ok("GET", "status")["id"]


def test_everything_that_happens_to_an_object_is_told_in_gonks_shapes(fresh_api: Api) -> None:
    alice, bob = fresh_api.alice, fresh_api.bob
    added = bob.new_object(b"one", "a.png")
    uuid = added["uuid"]
    shape = {"uuid": uuid, "name": "a.png", "format": "image/png", "size": 3, "hash_type": 1}
    assert newest(alice) == {
        "type": "ObjectCreateEvent",
        "action": 1,
        "object": shape | {"version": 0, "hash": sha256(b"one")},
    }
    assert events(alice)[-1]["author"] == "bob"
    create = alice.accept(f"objects/{uuid}/0")
    assert newest(alice) == {"type": "ReviewAcceptEvent", "decision": 1, "event_uuid": create}
    bob.ok("PATCH", f"objects/{uuid}", {"name": "a.png", "object": b64(b"two"), "mimetype": "image/png"})
    assert newest(alice) == {
        "type": "ObjectUpdateEvent",
        "action": 2,
        "object": shape | {"version": 1, "hash": sha256(b"two")},
    }
    bob.ok("DELETE", f"objects/{uuid}/0")
    assert newest(alice) == {"type": "ObjectDeleteEvent", "action": 4, "object_identifier": added}
    deletion = events(alice)[-1]["uuid"]
    alice.ok("PUT", f"events/{deletion}/reject", {"comment": "keep it"})
    assert newest(alice) == {
        "type": "ReviewRejectEvent",
        "decision": 2,
        "event_uuid": deletion,
        "comment": "keep it",
    }


def test_schemas_are_objects_and_annotations_name_what_they_hang_on(fresh_api: Api) -> None:
    alice = fresh_api.alice
    schema = alice.new_schema("schema-box")
    text = json.dumps(BOX_SCHEMA).encode()
    shape = {"uuid": schema["uuid"], "version": 0, "name": "schema-box", "format": "application/schema+json"}
    hashed = {"size": len(text), "hash_type": 1, "hash": sha256(text)}
    assert newest(alice) == {"type": "ObjectCreateEvent", "action": 1, "object": shape | hashed}
    objects = [alice.new_object(), alice.new_object()]
    made = alice.new_annotation(*objects)
    body = json.dumps(BOX).encode()
    annotation = made | {"schema": {"uuid": schema["uuid"], "version": 0}, "size": len(body), "hash_type": 1}
    annotation["hash"] = sha256(body)
    assert newest(alice) == {
        "type": "AnnotationCreateEvent",
        "action": 1,
        "annotation": annotation,
        "object_identifiers": objects,
    }
    other = json.dumps(BOX | {"x": 7}).encode()
    updated = alice.ok(
        "PATCH",
        f"annotations/{made['uuid']}",
        {"annotation": b64(other), "schema": {"name": "schema-box", "version": 0}},
    )
    assert newest(alice) == {
        "type": "AnnotationUpdateEvent",
        "action": 2,
        "annotation": annotation | updated | {"size": len(other), "hash": sha256(other)},
    }
    alice.ok("DELETE", f"annotations/{made['uuid']}/0")
    assert newest(alice) == {"type": "AnnotationDeleteEvent", "action": 4, "annotation_identifier": made}
    alice.ok("DELETE", "schemas/schema-box/0")
    assert newest(alice)["object_identifier"] == {"uuid": schema["uuid"], "version": 0}


def test_owners_come_and_go(fresh_api: Api) -> None:
    alice = fresh_api.alice
    alice.ok("PUT", "owners/bob")
    assert newest(alice) == {"type": "OwnerAddEvent", "owner": "bob", "owner_action": 1}
    fresh_api.bob.new_object()
    alice.ok("DELETE", "owners/bob")
    assert newest(alice) == {"type": "OwnerRemoveEvent", "owner": "bob", "owner_action": 2}
    assert [each["type"] for each in events(alice)] == [
        "OwnerAddEvent",
        "OwnerAddEvent",
        "ObjectCreateEvent",
        "OwnerRemoveEvent",
    ]  # profiles and accepted grants have no class in Gonk


def test_one_event_is_shown_whatever_its_kind(fresh_api: Api) -> None:
    alice = fresh_api.alice
    alice.new_object()
    listed = events(alice)
    for event in listed:
        shown = alice.ok("GET", f"events/{event['uuid']}")
        assert shown == event | {"review": shown["review"], "reviews": []}
        assert shown["review"] == ("PENDING" if event["type"] == "ObjectCreateEvent" else None)
    logged = [each for entry in alice.ok("GET", "log")["entries"] for each in entry["events"]]
    profile = next(each["uuid"] for each in logged if each["kind"] == "profile")
    assert alice.ok("GET", f"events/{profile}")["type"] == "profile"
    alice.refused(404, "GET", f"events/{uuid4()}")
    alice.refused(400, "GET", "events/nonsense")
    alice.refused(404, "GET", f"/datasets/nothing/events/{profile}")
    fresh_api.nobody.refused(400, "GET", f"events/{profile}")


# --- pages ----------------------------------------------------------------------------------------------------


def test_pages_of_any_length_have_every_event_once(api: Api) -> None:
    for _ in range(12):
        api.bob.new_object()
    everything = events(api.bob)
    assert len({each["uuid"] for each in everything}) == len(everything) > 12
    for limit in (1, 5, len(everything) - 1, len(everything)):
        found: list[dict[str, Any]] = []
        while page := events(api.bob, f"limit={limit}" + (f"&after={found[-1]['uuid']}" if found else "")):
            assert len(page) <= limit
            found += page
        assert found == everything


def test_links_lead_through_all_pages(api: Api) -> None:
    for _ in range(30):
        api.bob.new_object()
    found: list[dict[str, Any]] = []
    path: str | None = "/datasets/cells/events"
    while path is not None:
        answer = api.bob.call("GET", path)
        found += answer.json()
        link = re.fullmatch(r'<(.*)>; rel="next"', answer.headers.get("Link", ""))
        assert (link is None) == (len(answer.json()) < 25)
        path = None if link is None else link[1]
    assert found == events(api.bob)


def test_a_cursor_is_read_in_any_form_and_an_unknown_one_ends_the_list(api: Api) -> None:
    first, second = events(api.bob, "limit=2")
    assert events(api.bob, f"limit=1&after=%7B{first['uuid'].upper()}%7D") == [second]
    assert events(api.bob, f"after={uuid4()}") == []
    assert "ValueError" in api.bob.refused(400, "GET", "events?after=nonsense")
    api.bob.refused(400, "GET", "events?limit=0")
    api.bob.refused(400, "GET", "events?limit=1001")
    api.bob.refused(404, "GET", "/datasets/nothing/events")
    api.nobody.refused(400, "GET", "events")


def test_an_import_of_many_events_in_one_entry_is_paged_like_everything_else(fresh_api: Api, tmp_path: Any) -> None:
    names = []
    for number in range(60):
        (tmp_path / f"{number}.txt").write_text(str(number))
        names.append(str(tmp_path / f"{number}.txt"))
    fresh_api.gonk.ok("add", "cells", *names)
    api = fresh_api.bob
    found: list[dict[str, Any]] = []
    for _ in range(100):
        page = events(api, "limit=7" + (f"&after={found[-1]['uuid']}" if found else ""))
        found += page
        if len(found) >= 61:
            break
    assert [each["object"]["size"] for each in found[1:]] == [1] * 10 + [2] * 50
    assert len({each["integrity"] for each in found[1:]}) == 1
