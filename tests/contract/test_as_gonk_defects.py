"""What Gonk 0.1.4 gets wrong and a node does right, while the shapes of the answers stay Gonk's.

Written from the list of defects in Gonk's contract, with plain requests; nothing here knows how the node is made.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from kit.http_api import Api, Client, b64, sha256

pytestmark = pytest.mark.processes

DRAFTS = [
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2020-12/schema",
    None,
]


def new_object(client: Client) -> dict[str, Any]:
    return client.new_object(uuid4().bytes)


def new_schema(client: Client, document: object) -> str:
    name = f"schema-{uuid4()}"
    client.new_schema(name, document)
    return name


def note(text: str | bytes, schema: str, *objects: dict[str, Any], version: int = 0) -> dict[str, Any]:
    named = {"name": schema, "version": version}
    return {"annotation": b64(text), "schema": named, "object_identifiers": list(objects)}


@pytest.mark.parametrize("draft", DRAFTS)
def test_annotations_are_checked_against_their_schema_in_its_draft(api: Api, draft: str | None) -> None:
    """In draft 4 `exclusiveMinimum` is a boolean, later a number."""
    limit = {"minimum": 1, "exclusiveMinimum": True} if draft == DRAFTS[0] else {"exclusiveMinimum": 1}
    document = {"$schema": draft, "title": str(uuid4()), "properties": {"x": limit}, "required": ["x"]}
    if draft is None:
        del document["$schema"]
    schema, made = new_schema(api.bob, document), new_object(api.bob)
    fits = api.bob.ok("POST", "annotations", note('{"x": 2}', schema, made))
    for wrong in ('{"x": 1}', "{}"):
        api.bob.refused(422, "POST", "annotations", note(wrong, schema, made))
        body = note(wrong, schema)
        api.bob.refused(422, "PATCH", f"annotations/{fits['uuid']}", body)
    for no_json in (b"", b"{", b"\xff", b"x"):
        assert api.bob.call("POST", "annotations", json=note(no_json, schema, made)).status_code in (400, 422)
    assert api.bob.ok("GET", f"annotations/{fits['uuid']}")["versions"] == 1


@pytest.mark.parametrize("document", ['{"type": 5}', '"hello"', "3", "", "{", "[]", '{"properties": []}'])
def test_what_is_no_schema_is_refused(api: Api, document: str) -> None:
    body = {"name": f"schema-{uuid4()}", "schema": b64(document)}
    assert api.bob.call("POST", "schemas", json=body).status_code in (400, 422)
    api.bob.refused(404, "GET", f"schemas/{body['name']}")


def test_schemas_fetch_nothing(api: Api) -> None:
    for where in ("http://127.0.0.1:9/a.json", "file:///etc/passwd", "other.json"):
        body = {"name": f"schema-{uuid4()}", "schema": b64(json.dumps({"$ref": where}))}
        api.bob.refused(422, "POST", "schemas", body)


def test_an_annotation_hangs_on_several_objects(api: Api) -> None:
    schema, objects = new_schema(api.bob, {"title": "several"}), [new_object(api.bob) for _ in range(3)]
    made = api.bob.ok("POST", "annotations", note("{}", schema, *objects))
    assert api.bob.ok("GET", f"annotations/{made['uuid']}/0")["objects"] == objects
    for each in objects:
        found = api.bob.ok("GET", f"objects/{each['uuid']}/0")["annotations"]
        assert found == [{"uuid": made["uuid"], "versions": 1}]


def test_concurrent_clients_all_succeed(api: Api) -> None:
    schema, made = new_schema(api.bob, {"title": "concurrent"}), new_object(api.bob)
    clients = [api.client(name) for name in ("alice", "bob") * 4]

    def work(client: Client) -> list[str]:
        notes = [client.ok("POST", "annotations", note("{}", schema, made))["uuid"] for _ in range(5)]
        return notes + [new_object(client)["uuid"] for _ in range(5)]

    with ThreadPoolExecutor(len(clients)) as pool:
        uuids = [uuid for part in pool.map(work, clients) for uuid in part]
    assert len(set(uuids)) == 80
    found = api.bob.ok("GET", "annotations?limit=1000") + api.bob.ok("GET", "objects?limit=1000")
    assert set(uuids) <= {each["uuid"] for each in found}


def test_concurrent_updates_of_one_object_have_each_their_version(api: Api) -> None:
    uuid = new_object(api.alice)["uuid"]

    def update(client: Client) -> int:
        body = {"name": "a", "object": b64(uuid4().bytes), "mimetype": "text/plain"}
        version: int = client.ok("PATCH", f"objects/{uuid}", body)["version"]
        return version

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(update, [api.client(name) for name in ("alice", "bob") * 4]))
    assert sorted(versions) == list(range(1, 9))
    assert api.alice.ok("GET", f"objects/{uuid}") == {"uuid": uuid, "versions": 9}


@pytest.mark.parametrize(
    "name", ["%2e", "%2e%2e", "%2e%2e%2f", "a%2fb", "%00", "-a", "a.b", "a_b", pytest.param("a" * 5000, id="long")]
)
def test_a_datasets_name_is_checked_on_every_route(api: Api, name: str) -> None:
    before = api.alice.ok("GET", "/datasets")
    for method, rest in [("GET", "objects"), ("GET", "owners"), ("PUT", "owners/alice"), ("GET", "schemas/accepted")]:
        answer = api.alice.call(method, f"/datasets/{name}/{rest}")
        assert answer.status_code in (400, 404, 414), answer.text
        assert "error" in answer.json()
    assert api.alice.ok("GET", "/datasets") == before


def test_uuids_are_taken_in_upper_case_everywhere(api: Api) -> None:
    schema, made = new_schema(api.bob, {"title": "upper"}), new_object(api.bob)
    upper = made["uuid"].upper()
    hung = api.bob.ok("POST", "annotations", note("{}", schema, made | {"uuid": upper}))
    assert api.bob.ok("GET", f"objects/{upper}")["uuid"] == made["uuid"]
    loaded = api.bob.ok("GET", f"objects/{upper}/0")
    assert loaded["object"]["uuid"] == made["uuid"]
    assert loaded["annotations"][0]["uuid"] == hung["uuid"]
    loaded = api.bob.ok("GET", f"annotations/{hung['uuid'].upper()}/0")
    assert (loaded["annotation"]["uuid"], loaded["objects"]) == (hung["uuid"], [made])
    assert api.bob.ok("PATCH", f"annotations/{hung['uuid'].upper()}", note("[]", schema)) == hung | {"version": 1}
    body = {"name": "a", "object": b64(uuid4().bytes), "mimetype": "text/plain"}
    api.bob.ok("PATCH", f"objects/{upper}", body)
    assert UUID(api.bob.ok("DELETE", f"objects/{upper}/0")["uuid"]) == UUID(upper)
    event = loaded["events"][0]["uuid"]
    assert UUID(api.alice.ok("PUT", f"events/{event.upper()}/accept")["uuid"]) == UUID(event)


def test_uuids_in_paths_have_any_form(api: Api) -> None:
    made = new_object(api.bob)
    event = api.bob.events_of(f"objects/{made['uuid']}/0")[0]["uuid"]
    for form in (f"{{{made['uuid']}}}", f"urn:uuid:{made['uuid']}", UUID(made["uuid"]).hex):
        assert api.bob.ok("GET", f"objects/{form}/0")["object"]["uuid"] == made["uuid"]
        body = {"name": "a", "object": b64(uuid4().bytes), "mimetype": "text/plain"}
        assert api.bob.ok("PATCH", f"objects/{form}", body)["uuid"] == made["uuid"]
    api.bob.ok("DELETE", f"objects/{{{made['uuid']}}}/0")
    assert api.alice.ok("PUT", f"events/{{{event}}}/accept") == {"uuid": event}


@pytest.mark.parametrize("path", ["-" * 36, "a" * 36, "f" * 35, "x"])
def test_malformed_uuids_are_bad_requests_or_absent(api: Api, path: str) -> None:
    for what in (f"objects/{path}", f"annotations/{path}", f"objects/{path}/0", f"annotations/{path}/0"):
        assert api.bob.call("GET", what).status_code in (400, 404)
    for decision in ("accept", "reject"):
        assert api.alice.call("PUT", f"events/{path}/{decision}").status_code in (400, 404)
    assert api.bob.call("DELETE", f"objects/{path}/0").status_code in (400, 404)


@pytest.mark.parametrize(
    "name",
    [
        "schema-",
        "schema-a/b",
        "schema-{a}",
        "schema-%2f",
        "schema-a b",
        "schema-ä#",
        "schema-a?b",
        "schema-\n",
        pytest.param("schema-" + "a" * 2000, id="long"),
    ],
)
def test_a_schemas_name_can_be_addressed(api: Api, name: str) -> None:
    """What cannot be in a path, or only in disguise, is refused; whatever is taken is found under its name."""
    body = {"name": name, "schema": b64(json.dumps({"title": name}))}
    answer = api.bob.call("POST", "schemas", json=body)
    if answer.status_code == 200:
        assert api.bob.ok("GET", f"schemas/{quote(name, safe='')}")["name"] == name
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize("become", ["pending", "accepted", "rejected", "deprecated"])
def test_only_pending_and_accepted_schemas_are_used_for_new_annotations(api: Api, become: str) -> None:
    schema, made = new_schema(api.alice, {"title": become}), new_object(api.alice)
    hung = api.alice.ok("POST", "annotations", note("{}", schema, made))
    if become in ("accepted", "rejected"):
        event = api.alice.events_of(f"schemas/{schema}/0")[0]["uuid"]
        api.alice.ok("PUT", f"events/{event}/{become.removesuffix('ed')}")
    if become == "deprecated":
        api.alice.accept(f"schemas/{schema}/0")
        api.alice.ok("DELETE", f"schemas/{schema}/0")
        api.alice.ok("POST", "annotations", note("{}", schema, made))  # its deprecation is only asked for
        api.alice.accept(f"schemas/{schema}/0")
    if become in ("pending", "accepted"):
        api.alice.ok("POST", "annotations", note("{}", schema, made))
    else:
        api.alice.refused(409, "POST", "annotations", note("{}", schema, made))
    # what has that schema already is still updated, as in Gonk; nothing moves to it
    assert api.alice.ok("PATCH", f"annotations/{hung['uuid']}", note("[]", schema)) == hung | {"version": 1}
    other = api.alice.ok("POST", "annotations", note("{}", new_schema(api.alice, {"title": "another"}), made))
    if become in ("rejected", "deprecated"):
        api.alice.refused(409, "PATCH", f"annotations/{other['uuid']}", note("{}", schema))


def test_bytes_hashes_and_sizes_agree(api: Api) -> None:
    data = uuid4().bytes * 1000
    made = api.bob.new_object(data)
    loaded = api.bob.ok("GET", f"objects/{made['uuid']}/0")["object"]
    assert (loaded["size"], loaded["hash"]) == (len(data), sha256(data))
    schema = new_schema(api.bob, {"title": "sizes"})
    text = ' { "ä" : 1.0 } '
    hung = api.bob.ok("POST", "annotations", note(text, schema, made))
    loaded = api.bob.ok("GET", f"annotations/{hung['uuid']}/0")
    assert (loaded["annotation"]["size"], loaded["annotation"]["hash"]) == (len(text.encode()), sha256(text.encode()))
    assert loaded["bytes"] == b64(text)


def test_everything_is_as_it_was_after_the_derived_state_is_made_anew(api: Api) -> None:
    paths = ["objects", "objects/pending", "schemas", "annotations/accepted", "owners", "events"]
    before = [api.bob.ok("GET", path) for path in paths]
    api.gonk.ok("rebuild", "cells")
    assert [api.bob.ok("GET", path) for path in paths] == before
