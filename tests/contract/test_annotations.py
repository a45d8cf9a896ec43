"""Annotations, as the contract of Gonk's HTTP API has them; lists are in test_paging."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4

import pytest

from kit.command_line import BOX
from kit.http_api import BOX_SCHEMA, Api, Client, b64, sha256

pytestmark = pytest.mark.processes

STATUSES = ["accepted", "pending", "deleted", "rejected"]
SCHEMA = {"name": "schema-box", "version": 0}


@pytest.fixture
def thing(api: Api) -> dict[str, Any]:
    """A new object; there is a schema, too."""
    if api.alice.call("GET", "schemas/schema-box").status_code == 404:
        api.alice.new_schema()
    return api.alice.new_object()


def body(*objects: dict[str, Any], **other: object) -> dict[str, object]:
    return {"annotation": b64(json.dumps(BOX)), "schema": SCHEMA, "object_identifiers": list(objects)} | other


def change(value: object = BOX, schema: object = SCHEMA) -> dict[str, object]:
    return {"annotation": b64(json.dumps(value)), "schema": schema}


def reject(client: Client, path: str) -> None:
    event = next(each["uuid"] for each in client.events_of(path) if each["review"] == "PENDING")
    client.ok("PUT", f"events/{event}/reject")


def statuses(client: Client, uuid: str, version: int = 0) -> set[str]:
    wanted = {"uuid": uuid, "version": version}
    return {status for status in STATUSES if wanted in client.ok("GET", f"annotations/{status}?limit=1000")}


# --- success --------------------------------------------------------------------------------------------------


def test_an_annotation_is_made_and_loaded_as_it_was_given(api: Api, thing: dict[str, Any]) -> None:
    data = b' {"label" : "\xc3\xa4", "x":1,"y":2.5,"w":3,"h":4}\n'
    made = api.bob.ok("POST", "annotations", body(thing, annotation=b64(data)))
    assert made == {"uuid": made["uuid"], "version": 0}
    schema = api.alice.ok("GET", "schemas/schema-box")
    loaded = api.alice.ok("GET", f"annotations/{made['uuid']}/0")
    assert loaded["annotation"] == made | {
        "schema": {"uuid": schema["uuid"], "version": 0},
        "size": len(data),
        "hash_type": 1,
        "hash": sha256(data),
    }
    assert base64.b64decode(loaded["bytes"]) == data
    assert loaded["objects"] == [thing]
    assert [(each["type"], each["review"]) for each in loaded["events"]] == [("AnnotationCreateEvent", "PENDING")]
    assert api.alice.ok("GET", f"annotations/{made['uuid'].upper()}") == {"uuid": made["uuid"], "versions": 1}
    assert {"uuid": made["uuid"], "versions": 1} in api.alice.ok("GET", f"objects/{thing['uuid']}/0")["annotations"]


def test_an_annotation_may_hang_on_several_objects_of_any_status(api: Api, thing: dict[str, Any]) -> None:
    accepted, leaving = api.alice.new_object(), api.alice.new_object()
    api.alice.accept(f"objects/{accepted['uuid']}/0")
    api.alice.ok("DELETE", f"objects/{leaving['uuid']}/0")
    made = api.alice.new_annotation(thing, accepted, leaving, thing)
    found = api.alice.ok("GET", f"annotations/{made['uuid']}/0")["objects"]
    assert sorted(found, key=str) == sorted([thing, accepted, leaving], key=str)
    for each in (thing, accepted, leaving):
        assert api.alice.ok("GET", f"objects/{each['uuid']}/0")["annotations"] == [
            {"uuid": made["uuid"], "versions": 1}
        ]


def test_the_same_annotation_may_be_made_twice(api: Api, thing: dict[str, Any]) -> None:
    assert api.alice.new_annotation(thing)["uuid"] != api.alice.new_annotation(thing)["uuid"]


def test_an_update_keeps_the_objects_and_may_change_the_schema(api: Api, thing: dict[str, Any]) -> None:
    if api.alice.call("GET", "schemas/schema-note").status_code == 404:
        api.alice.new_schema("schema-note", {"type": "string"})
    made = api.alice.new_annotation(thing)
    path = f"annotations/{made['uuid']}"
    assert api.bob.ok("PATCH", path.upper().replace("ANNOTATIONS", "annotations"), change())["version"] == 1
    assert api.alice.ok("PATCH", path, change("note", {"name": "schema-note", "version": 0})) == made | {"version": 2}
    assert api.alice.ok("GET", path)["versions"] == 3
    last = api.alice.ok("GET", path + "/2")
    assert last["annotation"]["schema"]["uuid"] == api.alice.ok("GET", "schemas/schema-note")["uuid"]
    assert last["objects"] == [thing]
    assert [each["type"] for each in last["events"]] == ["AnnotationUpdateEvent"]
    assert api.alice.ok("GET", f"objects/{thing['uuid']}/0")["annotations"] == [{"uuid": made["uuid"], "versions": 3}]


def test_every_status_is_listed_and_statuses_overlap(api: Api, thing: dict[str, Any]) -> None:
    alice, uuid = api.alice, api.bob.new_annotation(thing)["uuid"]
    path = f"annotations/{uuid}/0"
    assert statuses(alice, uuid) == {"pending"}
    alice.accept(path)
    assert statuses(alice, uuid) == {"accepted"}
    assert api.bob.ok("DELETE", path) == {"uuid": uuid, "version": 0}
    assert statuses(alice, uuid) == {"accepted", "pending"}
    alice.accept(path)
    assert statuses(alice, uuid) == {"deleted"}
    assert [(each["type"], each["review"]) for each in alice.events_of(path)] == [
        ("AnnotationCreateEvent", "ACCEPTED"),
        ("ReviewAcceptEvent", None),
        ("AnnotationDeleteEvent", "ACCEPTED"),
        ("ReviewAcceptEvent", None),
    ]
    assert alice.ok("PATCH", f"annotations/{uuid}", change())["version"] == 1


def test_rejected_annotations_are_listed_and_may_be_updated(api: Api, thing: dict[str, Any]) -> None:
    uuid = api.alice.new_annotation(thing)["uuid"]
    reject(api.alice, f"annotations/{uuid}/0")
    assert statuses(api.alice, uuid) == {"rejected"}
    assert api.alice.ok("PATCH", f"annotations/{uuid}", change())["version"] == 1


def test_what_happens_to_an_object_does_not_touch_its_annotations(api: Api, thing: dict[str, Any]) -> None:
    uuid = api.alice.new_annotation(thing)["uuid"]
    reject(api.alice, f"objects/{thing['uuid']}/0")
    assert statuses(api.alice, uuid) == {"pending"}
    assert api.alice.ok("PATCH", f"annotations/{uuid}", change())["version"] == 1


# --- errors ---------------------------------------------------------------------------------------------------


def test_a_body_must_fit_its_schema(api: Api, thing: dict[str, Any]) -> None:
    made = api.alice.new_annotation(thing)
    for data in ("", "nonsense", "[]", '{"label": 5}', '{"label": "a", "label": "b"}', "NaN", "[" * 10_000, "\ufeff1"):
        error = api.alice.refused(422, "POST", "annotations", body(thing, annotation=b64(data)))
        assert "schema-box" in error["ValidationError"]
        api.alice.refused(422, "PATCH", f"annotations/{made['uuid']}", {"annotation": b64(data), "schema": SCHEMA})
    assert api.alice.ok("GET", f"annotations/{made['uuid']}")["versions"] == 1


def test_a_body_that_is_too_large_is_refused(api: Api, thing: dict[str, Any]) -> None:
    large = b64(json.dumps(BOX | {"label": "a" * 2**20}))
    api.alice.refused(413, "POST", "annotations", body(thing, annotation=large))


def test_rejected_and_deleted_objects_cannot_be_annotated_nor_can_schemas(api: Api, thing: dict[str, Any]) -> None:
    schema = api.alice.ok("GET", "schemas/schema-box")
    reject(api.alice, f"objects/{thing['uuid']}/0")
    deleted = api.alice.new_object()
    api.alice.ok("DELETE", f"objects/{deleted['uuid']}/0")
    _, delete = api.alice.events_of(f"objects/{deleted['uuid']}/0")
    api.alice.ok("PUT", f"events/{delete['uuid']}/accept")
    for each in (thing, deleted, {"uuid": schema["uuid"], "version": 0}):
        assert "ValidationError" in api.alice.refused(409, "POST", "annotations", body(each))


def test_rejected_and_deprecated_schemas_cannot_be_used_where_they_were_not(api: Api, thing: dict[str, Any]) -> None:
    name = f"schema-{uuid4()}"
    api.alice.new_schema(name)
    form = {"name": name, "version": 0}
    api.alice.ok("POST", "annotations", body(thing, schema=form))
    reject(api.alice, f"schemas/{name}/0")
    api.alice.refused(409, "POST", "annotations", body(thing, schema=form))
    api.alice.ok("PATCH", f"schemas/{name}", {"schema": b64(json.dumps(BOX_SCHEMA | {"title": "two"}))})
    form["version"] = 1
    made = api.alice.ok("POST", "annotations", body(thing, schema=form))
    api.alice.accept(f"schemas/{name}/1")
    api.alice.ok("DELETE", f"schemas/{name}/1")
    api.alice.ok("POST", "annotations", body(thing, schema=form))  # not deprecated yet
    api.alice.accept(f"schemas/{name}/1")
    api.alice.refused(409, "POST", "annotations", body(thing, schema=form))
    assert (
        api.alice.ok("PATCH", f"annotations/{made['uuid']}", change(schema=form))["version"] == 1
    )  # it has it already
    api.alice.new_schema(f"{name}-b")
    other = api.alice.ok("POST", "annotations", body(thing, schema={"name": f"{name}-b", "version": 0}))
    api.alice.refused(409, "PATCH", f"annotations/{other['uuid']}", change(schema=form))


@pytest.mark.parametrize("name", ["schema-nothing", "box", "", "schema-"])
def test_a_schema_that_is_not_there_is_not_found(api: Api, thing: dict[str, Any], name: str) -> None:
    made = api.alice.new_annotation(thing)
    for schema in ({"name": name, "version": 0}, {"name": "schema-box", "version": 99}, SCHEMA | {"version": 10**30}):
        api.alice.refused(404, "POST", "annotations", body(thing, schema=schema))
        api.alice.refused(404, "PATCH", f"annotations/{made['uuid']}", change(schema=schema))


def test_an_object_that_is_not_there_is_not_found(api: Api, thing: dict[str, Any]) -> None:
    for each in ({"uuid": str(uuid4()), "version": 0}, thing | {"version": 1}, thing | {"version": 10**30}):
        api.alice.refused(404, "POST", "annotations", body(thing, each))


def test_unknown_annotations_are_not_found(api: Api, thing: dict[str, Any]) -> None:
    api.alice.refused(404, "GET", f"annotations/{uuid4()}")
    api.alice.refused(404, "GET", f"annotations/{uuid4()}/0")
    api.alice.refused(404, "PATCH", f"annotations/{uuid4()}", change())
    api.alice.refused(404, "DELETE", f"annotations/{uuid4()}/0")
    api.alice.refused(404, "GET", f"annotations/{thing['uuid']}")
    made = api.alice.new_annotation(thing)
    api.alice.refused(404, "GET", f"annotations/{made['uuid']}/1")
    api.alice.refused(404, "DELETE", f"annotations/{made['uuid']}/{10**30}")
    api.alice.ok("DELETE", f"annotations/{made['uuid']}/0")
    api.alice.refused(409, "DELETE", f"annotations/{made['uuid']}/0")


def test_a_status_that_is_none_is_told_with_those_that_are(api: Api) -> None:
    for status in ("deprecated", "x", "0" * 37):
        answer = api.alice.call("GET", f"annotations/{status}")
        assert (answer.status_code, answer.json()["valid_statuses"]) == (400, STATUSES)


@pytest.mark.parametrize("value", [None, 5, 5.5, "x", [], {}, True, [None], [[]], ["x"], {"name": 5}])
@pytest.mark.parametrize("key", ["annotation", "schema", "object_identifiers"])
def test_a_key_of_another_type_is_refused(api: Api, thing: dict[str, Any], key: str, value: object) -> None:
    if key == "annotation" and value == "x":
        value = {"base64": 1}
    assert key in api.alice.refused(400, "POST", "annotations", body(thing, **{key: value}))
    if key != "object_identifiers":
        assert key in api.alice.refused(400, "PATCH", f"annotations/{uuid4()}", change() | {key: value})


@pytest.mark.parametrize("version", [None, True, 0.0, "0", [0], {}, 1e400])
def test_a_version_must_be_an_integer(api: Api, thing: dict[str, Any], version: object) -> None:
    headers = {"Content-Type": "application/json"}
    for sent in (body(thing, schema=SCHEMA | {"version": version}), body(thing | {"version": version})):
        text = json.dumps(sent).replace("Infinity", "1e400")
        assert "version" in api.alice.refused(400, "POST", "annotations", data=text, headers=headers)


@pytest.mark.parametrize("uuid", [None, 5, "", "x", "0" * 31, "\ud800", {"a": "b"}])
def test_a_uuid_must_be_one(api: Api, uuid: object) -> None:
    api.alice.refused(400, "POST", "annotations", body({"uuid": uuid, "version": 0}))


def test_more_objects_than_an_event_may_name_are_refused(api: Api, thing: dict[str, Any]) -> None:
    api.alice.refused(400, "POST", "annotations", body(*[thing] * 5000))


def test_checks_are_made_in_gonks_order(api: Api, thing: dict[str, Any]) -> None:
    nowhere = "/datasets/nowhere/annotations"
    sent: dict[str, Any] = {}
    steps: list[tuple[str, object, str]] = [
        ("annotation", "abc", "'annotation'"),
        ("schema", {}, "'schema'"),
        ("object_identifiers", [], "'object_identifiers'"),
    ]
    for key, value, told in steps:
        assert told in api.alice.refused(400, "POST", nowhere, sent)
        sent[key] = value
    assert "schema.name" in api.alice.refused(400, "POST", nowhere, sent)
    sent["schema"]["name"] = "box"
    assert "schema.version" in api.alice.refused(400, "POST", nowhere, sent)
    sent["schema"]["version"] = 0
    assert "object_identifiers" in api.alice.refused(400, "POST", nowhere, sent)
    sent["object_identifiers"] = [{}]
    assert "object_identifiers[0].uuid" in api.alice.refused(400, "POST", nowhere, sent)
    sent["object_identifiers"] = [{"uuid": thing["uuid"]}]
    assert "object_identifiers[0].version" in api.alice.refused(400, "POST", nowhere, sent)
    sent["object_identifiers"] = [thing]
    assert "nowhere" in api.alice.refused(404, "POST", nowhere, sent)
    assert "box" in api.alice.refused(404, "POST", "annotations", sent)
    sent["schema"] = SCHEMA
    assert "Error" in api.alice.refused(400, "POST", "annotations", sent)  # the base64, looked at last
    assert api.nobody.call("POST", "annotations", json=sent).status_code == 400
