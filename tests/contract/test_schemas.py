"""Schemas, as the contract of Gonk's HTTP API has them; lists are in test_paging."""

from __future__ import annotations

import base64
import json
from uuid import uuid4

import pytest

from kit.http_api import BOX_SCHEMA, Api, Client, b64, sha256

pytestmark = pytest.mark.processes

STATUSES = ["accepted", "pending", "deprecated", "rejected"]
DRAFTS = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-04/schema#",
]


def new_name() -> str:
    return f"schema-{uuid4()}"


def document(**other: object) -> str:
    return b64(json.dumps(BOX_SCHEMA | {"title": str(uuid4())} | other))


def statuses(client: Client, name: str, version: int = 0) -> set[str]:
    return {
        status
        for status in STATUSES
        for each in client.ok("GET", f"schemas/{status}?limit=1000")
        if (each["name"], each["version"]) == (name, version)
    }


def reject(client: Client, path: str) -> None:
    event = next(each["uuid"] for each in client.events_of(path) if each["review"] == "PENDING")
    client.ok("PUT", f"events/{event}/reject")


# --- success --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["schema-ä ?#%25", "schema-b"])
def test_a_schema_is_made_and_loaded_as_it_was_given(api: Api, name: str) -> None:
    data = json.dumps(BOX_SCHEMA, indent=3).encode()
    made = api.bob.ok("POST", "schemas", {"name": name, "schema": b64(data)})
    assert made == {"name": name, "uuid": made["uuid"], "versions": 1}
    from_path = name.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    assert api.alice.ok("GET", f"schemas/{from_path}") == made
    loaded = api.alice.ok("GET", f"schemas/{from_path}/0")
    assert loaded["schema"] == {
        "uuid": made["uuid"],
        "version": 0,
        "name": name,
        "format": "application/schema+json",
        "size": len(data),
        "hash_type": 1,
        "hash": sha256(data),
    }
    assert base64.b64decode(loaded["bytes"]) == data
    assert [(each["type"], each["review"]) for each in loaded["events"]] == [("ObjectCreateEvent", "PENDING")]


@pytest.mark.parametrize("draft", DRAFTS)
def test_every_draft_is_taken(api: Api, draft: str) -> None:
    api.alice.ok("POST", "schemas", {"name": new_name(), "schema": document(**{"$schema": draft})})


def test_an_update_counts_up_and_the_versions_stay(api: Api) -> None:
    name = new_name()
    made = api.alice.new_schema(name)
    for versions in (2, 3):
        found = api.bob.ok("PATCH", f"schemas/{name}", {"schema": document()})
        assert found == made | {"versions": versions}
    assert api.alice.ok("GET", f"schemas/{name}") == made | {"versions": 3}
    assert [api.alice.events_of(f"schemas/{name}/{version}")[0]["type"] for version in range(3)] == [
        "ObjectCreateEvent",
        "ObjectUpdateEvent",
        "ObjectUpdateEvent",
    ]


def test_schemas_are_listed_by_uuid_whatever_their_status(api: Api) -> None:
    names = [new_name() for _ in range(30)]
    made = [api.alice.new_schema(name) for name in names]
    reject(api.alice, f"schemas/{names[0]}/0")
    listed = api.alice.ok("GET", "schemas")
    assert [each for each in listed if each["name"] in names] == sorted(made, key=lambda each: each["uuid"])
    assert listed == sorted(listed, key=lambda each: each["uuid"])


def test_every_status_is_listed_and_statuses_overlap(api: Api) -> None:
    alice, name = api.alice, new_name()
    uuid = alice.new_schema(name)["uuid"]
    path = f"schemas/{name}/0"
    assert statuses(alice, name) == {"pending"}
    alice.accept(path)
    assert statuses(alice, name) == {"accepted"}
    assert alice.ok("DELETE", path) == {"uuid": uuid, "version": 0, "name": name}
    assert statuses(alice, name) == {"accepted", "pending"}
    alice.accept(path)
    assert statuses(alice, name) == {"deprecated"}
    assert [each["type"] for each in alice.events_of(path)] == [
        "ObjectCreateEvent",
        "ReviewAcceptEvent",
        "ObjectDeleteEvent",
        "ReviewAcceptEvent",
    ]
    assert alice.ok("PATCH", f"schemas/{name}", {"schema": document()})["versions"] == 2
    reject(alice, f"schemas/{name}/1")
    assert statuses(alice, name, 1) == {"rejected"}


# --- errors ---------------------------------------------------------------------------------------------------


def test_a_name_is_taken_for_ever(api: Api) -> None:
    name = new_name()
    api.bob.new_schema(name)
    for client in (api.alice, api.bob):
        assert name in client.refused(409, "POST", "schemas", {"name": name, "schema": document()})["ValidationError"]
    reject(api.alice, f"schemas/{name}/0")
    api.alice.refused(409, "POST", "schemas", {"name": name, "schema": document()})


def test_an_update_must_differ(api: Api) -> None:
    name, same = new_name(), document()
    api.alice.ok("POST", "schemas", {"name": name, "schema": same})
    api.alice.refused(409, "PATCH", f"schemas/{name}", {"schema": same})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        '"hello"',
        "5",
        "null",
        '{"type": 5}',
        '{"type": "objekt"}',
        '{"properties": []}',
        '{"$schema": "http://example.org/mine"}',
        '{"$ref": "http://example.org/remote"}',
        '{"$ref": "file:///etc/passwd"}',
        '{"pattern": "("}',
        '{"a": 1, "a": 2}',
        "[" * 5000,
        "\ufeff{}",
    ],
)
def test_what_is_no_schema_is_refused_with_the_reason(api: Api, text: str) -> None:
    name = new_name()
    assert "ValidationError" in api.alice.refused(422, "POST", "schemas", {"name": name, "schema": b64(text)})
    api.alice.refused(404, "GET", f"schemas/{name}")
    api.alice.new_schema(name)
    api.alice.refused(422, "PATCH", f"schemas/{name}", {"schema": b64(text)})
    assert api.alice.ok("GET", f"schemas/{name}")["versions"] == 1


def test_a_document_that_is_too_large_is_refused(api: Api) -> None:
    sent = {"name": new_name(), "schema": document(description="a" * 70_000)}
    api.alice.refused(413, "POST", "schemas", sent)


@pytest.mark.parametrize(
    "name", ["box", "", "Schema-a", "schema-", "schema-a/b", "schema-a\nb", "schema-" + "a" * 1025, "schema-\udfff"]
)
def test_a_name_that_cannot_be_is_refused(api: Api, name: str) -> None:
    api.alice.refused(400, "POST", "schemas", {"name": name, "schema": document()})


@pytest.mark.parametrize("key", ["name", "schema"])
@pytest.mark.parametrize("value", [..., None, 5, [], {}, True])
def test_a_key_that_is_missing_or_of_another_type_is_refused(api: Api, key: str, value: object) -> None:
    sent: dict[str, object] = {"name": new_name(), "schema": document()}
    if value is ...:
        del sent[key]
    else:
        sent[key] = value
    assert key in api.alice.refused(400, "POST", "schemas", sent)
    if key == "schema":
        assert key in api.alice.refused(400, "PATCH", "schemas/schema-box", sent)


def test_unknown_schemas_are_not_found(api: Api) -> None:
    name = new_name()
    api.alice.refused(404, "GET", f"schemas/{name}")
    api.alice.refused(404, "GET", f"schemas/{name}/0")
    api.alice.refused(404, "PATCH", f"schemas/{name}", {"schema": document()})
    api.alice.refused(404, "DELETE", f"schemas/{name}/0")
    api.alice.refused(404, "PATCH", "schemas/accepted", {"schema": document()})
    api.alice.refused(404, "DELETE", "schemas/box/0")
    api.alice.new_schema(name)
    for version in ("1", str(10**30), "9" * 4400):
        api.alice.refused(404, "GET", f"schemas/{name}/{version}")
        api.alice.refused(404, "DELETE", f"schemas/{name}/{version}")


def test_a_deprecation_that_makes_no_sense_is_a_conflict(api: Api) -> None:
    name = new_name()
    api.alice.new_schema(name)
    api.alice.ok("DELETE", f"schemas/{name}/0")
    api.alice.refused(409, "DELETE", f"schemas/{name}/0")


@pytest.mark.parametrize("status", ["deleted", "x", "%ff", "0" * 36])
def test_a_status_that_is_none_is_told_with_those_that_are(api: Api, status: str) -> None:
    answer = api.alice.call("GET", f"schemas/{status}")
    assert (answer.status_code, answer.json()["valid_statuses"]) == (400, STATUSES)


def test_checks_are_made_in_gonks_order(api: Api) -> None:
    nowhere = "/datasets/nowhere/schemas"
    assert "'name'" in api.alice.refused(400, "POST", nowhere, {})
    assert "'schema'" in api.alice.refused(400, "POST", nowhere, {"name": "box"})
    assert "Error" in api.alice.refused(400, "POST", nowhere, {"name": "box", "schema": "abc"})
    assert "schema-" in api.alice.refused(400, "POST", nowhere, {"name": "box", "schema": ""})
    assert "nowhere" in api.alice.refused(404, "POST", nowhere, {"name": "schema-a", "schema": ""})
    assert "nowhere" in api.alice.refused(404, "GET", nowhere + "/accepted?after=x")
    assert "ValueError" in api.alice.refused(400, "GET", "schemas?after=x&status=y")
