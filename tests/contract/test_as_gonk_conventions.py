"""What a client written for Gonk takes for granted of every request: the key, the content type, shapes, order of checks.

Written from Gonk's contract alone, with plain requests; nothing here knows how the node is made.
"""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
import requests

from kit.http_api import Api, b64

pytestmark = pytest.mark.processes

JSON = {"Content-Type": "application/json"}
NOBODY = {"x-api-key": "gk_" + "a" * 32}
ABSENT = "/datasets/absent"
NO_UUID = "0a0b0c0d-0000-4000-8000-000000000000"
WITH_PATCH = ["schemas/schema-x", f"objects/{NO_UUID}", f"annotations/{NO_UUID}"]
GOOD_SCHEMA = {"name": "schema-x", "schema": b64("{}")}
GOOD_OBJECT = {"name": "a", "object": b64("a"), "mimetype": "text/plain"}


def error_of(answer: requests.Response, status: int) -> object:
    """The error of an answer with that status, in one of Gonk's two shapes."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    error = answer.json()["error"]
    assert isinstance(error, str) or (isinstance(error, dict) and len(error) == 1)
    return error


# --- the key --------------------------------------------------------------------------------------------------


def test_hello(api: Api) -> None:
    answer = api.alice.call("GET", "/")
    assert (answer.status_code, answer.text) == (200, '{"message":"hello"}\n')


@pytest.mark.parametrize("path", ["/", "/datasets", "objects", "events", "owners", ABSENT + "/objects"])
def test_every_route_wants_a_key(api: Api, path: str) -> None:
    assert isinstance(error_of(api.nobody.call("GET", path), 400), str)
    assert isinstance(error_of(api.nobody.call("GET", path, headers={"x-api-key": ""}), 400), str)
    assert isinstance(error_of(api.nobody.call("GET", path, headers=NOBODY), 401), str)


@pytest.mark.parametrize("path", ["/", "/datasets", "objects", "owners"])
def test_head_wants_a_key_and_answers_without_a_body(api: Api, path: str) -> None:
    answer = api.alice.call("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert api.nobody.call("HEAD", path).status_code == 400


@pytest.mark.parametrize("path", ["/", "/datasets", "objects", "owners/alice", "annotations"])
def test_options_wants_no_key_and_answers_empty(api: Api, path: str) -> None:
    answer = api.nobody.call("OPTIONS", path)
    assert (answer.status_code, answer.content) == (200, b"")


# --- the content type and the body ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/datasets", "schemas", "objects", "annotations", *WITH_PATCH])
def test_the_content_type_comes_before_the_key_and_the_key_before_the_body(api: Api, path: str) -> None:
    method = "PATCH" if path in WITH_PATCH else "POST"
    error_of(api.nobody.call(method, path, data="{", headers=NOBODY | {"Content-Type": "text/plain"}), 400)
    error_of(api.nobody.call(method, path, data="{", headers=NOBODY), 400)
    error_of(api.nobody.call(method, path, data="{", headers=NOBODY | JSON), 401)
    for malformed in ("{", "", "null", "[]", "3", '"text"', "\xff"):
        error_of(api.alice.call(method, path, data=malformed.encode("latin-1"), headers=JSON), 400)


def test_a_content_type_may_have_parameters(api: Api) -> None:
    body = json.dumps({"name": f"ds-{uuid4()}"})
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert api.alice.call("POST", "/datasets", data=body, headers=headers).status_code == 200


def test_further_keys_of_a_body_are_passed_over(api: Api) -> None:
    name = f"ds-{uuid4()}"
    assert api.alice.ok("POST", "/datasets", {"name": name, "colour": "red"}) == {"dataset": name}


def test_further_keys_of_a_query_are_passed_over(api: Api) -> None:
    for path in ("/datasets", "objects", "events", "owners", "schemas/accepted"):
        api.alice.ok("GET", f"{path}?colour=red")


def test_put_and_delete_need_no_body_and_mind_no_content_type(api: Api) -> None:
    made = api.alice.new_object()
    api.alice.ok("DELETE", f"objects/{made['uuid']}/0", headers=JSON)
    api.alice.ok("GET", f"objects/{made['uuid']}/0", headers=JSON)
    for event in api.alice.events_of(f"objects/{made['uuid']}/0"):
        api.alice.ok("PUT", f"events/{event['uuid']}/accept", headers=JSON)


def test_required_keys_come_before_the_dataset(api: Api) -> None:
    for path, whole in {"schemas": GOOD_SCHEMA, "objects": GOOD_OBJECT}.items():
        for missing in whole:
            body = {key: value for key, value in whole.items() if key != missing}
            assert missing in str(error_of(api.alice.call("POST", f"{ABSENT}/{path}", json=body), 400))
        error_of(api.alice.call("POST", f"{ABSENT}/{path}", json=whole), 404)
    assert "name" in str(error_of(api.alice.call("POST", "/datasets", json={}), 400))


def test_required_keys_are_missed_in_their_order(api: Api) -> None:
    def missed(path: str, body: object) -> str:
        return str(error_of(api.alice.call("POST", path, json=body), 400))

    assert "name" in missed("objects", {})
    assert "object" in missed("objects", {"name": "a"})
    assert "mimetype" in missed("objects", {"name": "a", "object": "?"})
    note: dict[str, object] = {}
    for key, value, next_missing in [
        ("colour", 1, "annotation"),
        ("annotation", "abc", "schema"),
        ("schema", {}, "object_identifiers"),
        ("object_identifiers", [], "schema.name"),
        ("schema", {"name": "schema-x"}, "schema.version"),
        ("schema", {"name": "schema-x", "version": 0}, "object_identifiers"),
        ("object_identifiers", [{}], "uuid"),
        ("object_identifiers", [{"uuid": str(uuid4())}], "version"),
    ]:
        note[key] = value
        assert next_missing in missed(ABSENT + "/annotations", note)


def test_base64_and_the_name_come_before_the_dataset(api: Api) -> None:
    for path, body in {
        "schemas": GOOD_SCHEMA | {"schema": "abc"},
        "objects": GOOD_OBJECT | {"object": "abc"},
    }.items():
        error_of(api.alice.call("POST", f"{ABSENT}/{path}", json=body), 400)
    error_of(api.alice.call("POST", ABSENT + "/schemas", json=GOOD_SCHEMA | {"name": "box"}), 400)
    error_of(api.alice.call("POST", ABSENT + "/objects", json=GOOD_OBJECT | {"name": "schema-x"}), 400)


def test_the_base64_of_an_annotation_comes_after_dataset_and_schema(api: Api) -> None:
    made = api.alice.new_object()
    body = {"annotation": "abc", "schema": {"name": "schema-absent", "version": 0}, "object_identifiers": [made]}
    error_of(api.alice.call("POST", ABSENT + "/annotations", json=body), 404)
    error_of(api.alice.call("POST", "annotations", json=body), 404)
    api.alice.new_schema("schema-order", {"title": "order"})
    body["schema"] = {"name": "schema-order", "version": 0}
    error_of(api.alice.call("POST", "annotations", json=body), 400)


def test_a_list_asks_for_the_dataset_before_cursor_and_status(api: Api) -> None:
    for path in ("objects", "annotations", "schemas"):
        error_of(api.alice.call("GET", f"{ABSENT}/{path}/elsewhere?after=x"), 404)
        error_of(api.alice.call("GET", f"{path}/accepted?after=x"), 400)
        answer = api.alice.call("GET", f"{path}/elsewhere")
        assert isinstance(error_of(answer, 400), str)
        fourth = "deprecated" if path == "schemas" else "deleted"
        assert sorted(answer.json()["valid_statuses"]) == sorted(["accepted", "pending", "rejected", fourth])


@pytest.mark.parametrize("data", ["aGVs\nbG8=", "aGVs bG8=", "*aGV*sbG8=", "aGVsbG8=\n"])
def test_foreign_characters_in_base64_are_skipped(api: Api, data: str) -> None:
    name = f"ds-{uuid4()}"
    api.alice.ok("POST", "/datasets", {"name": name})
    made = api.alice.ok("POST", f"/datasets/{name}/objects", GOOD_OBJECT | {"object": data})
    assert api.alice.ok("GET", f"/datasets/{name}/objects/{made['uuid']}/0")["bytes"] == b64("hello")


def test_more_than_two_million_bytes_are_taken(api: Api) -> None:
    data = uuid4().bytes * 140_000
    made = api.alice.new_object(data)
    found = api.alice.ok("GET", f"objects/{made['uuid']}/0")
    assert (found["object"]["size"], found["bytes"]) == (len(data), b64(data))


# --- answers --------------------------------------------------------------------------------------------------


def test_every_answer_is_compact_json_with_sorted_keys_and_a_newline(api: Api) -> None:
    api.alice.new_schema("schema-form", {"title": "form"})
    made = api.alice.new_object()
    for path in ("/", "/datasets", "schemas", "events", "owners", f"objects/{made['uuid']}/0", "objects/elsewhere"):
        answer = api.alice.call("GET", path)
        assert answer.headers["Content-Type"] == "application/json"
        again = json.dumps(answer.json(), separators=(",", ":"), sort_keys=True)
        assert answer.text == again + "\n"


NOT_THERE = f"""
GET /elsewhere 404
GET /datasets/ 404
GET objects/ 404
PUT /datasets 405
DELETE /datasets 405
POST owners/alice 405
GET objects/0/0/0 404
GET objects/{NO_UUID} 404
GET objects/{NO_UUID}/0 404
GET objects/{NO_UUID}/-1 404
GET objects/{NO_UUID}/one 404
DELETE objects/{NO_UUID}/0 404
GET annotations/{NO_UUID} 404
GET annotations/{NO_UUID}/0 404
DELETE annotations/{NO_UUID}/0 404
GET schemas/schema-no 404
GET schemas/schema-no/0 404
DELETE schemas/schema-no/0 404
PUT events/{NO_UUID}/accept 404
PUT events/{NO_UUID}/reject 404
PUT owners/nobody-here 400
"""


@pytest.mark.parametrize("case", NOT_THERE.strip().splitlines())
def test_what_is_not_there_is_said_to_be_absent(api: Api, case: str) -> None:
    method, path, status = case.split()
    error_of(api.alice.call(method, path, headers=JSON if method == "POST" else {}), int(status))


def test_patches_of_what_is_not_there(api: Api) -> None:
    error_of(api.alice.call("PATCH", "schemas/schema-no", json={"schema": b64("{}")}), 404)
    error_of(api.alice.call("PATCH", f"objects/{uuid4()}", json=GOOD_OBJECT), 404)
    api.alice.new_schema("schema-patch", {"title": "patch"})
    body = {"annotation": b64("{}"), "schema": {"name": "schema-patch", "version": 0}}
    error_of(api.alice.call("PATCH", f"annotations/{uuid4()}", json=body), 404)
    assert api.alice.call("PATCH", "schemas/accepted", json={"schema": b64("{}")}).status_code in (404, 405)


def test_an_error_is_a_text_where_the_route_finds_it_and_has_a_class_name_where_a_rule_or_a_parser_does(
    api: Api,
) -> None:
    made = api.alice.new_object()
    event = api.alice.accept(f"objects/{made['uuid']}/0")
    foreign = {"name": "schema-x", "schema": "abc"}
    found = {
        "no key": api.nobody.call("GET", "/"),
        "null": api.alice.call("POST", "/datasets", data="null", headers=JSON),
        "missing key": api.alice.call("POST", "/datasets", json={}),
        "bad name": api.alice.call("POST", "/datasets", json={"name": "-"}),
        "dataset exists": api.alice.call("POST", "/datasets", json={"name": "cells"}),
        "unknown user": api.alice.call("PUT", "owners/nobody-here"),
        "bad status": api.alice.call("GET", "objects/elsewhere"),
        "no dataset": api.alice.call("GET", ABSENT + "/objects"),
        "no object": api.alice.call("GET", f"objects/{NO_UUID}"),
        "rule": api.alice.call("PUT", f"events/{event}/accept"),
        "uuid": api.alice.call("GET", "objects?after=x"),
        "base64": api.alice.call("POST", "schemas", json=foreign),
        "malformed": api.alice.call("POST", "/datasets", data="{", headers=JSON),
        "routing": api.alice.call("GET", "/elsewhere"),
        "method": api.alice.call("DELETE", "/datasets"),
        "fits no schema": api.alice.call("POST", "schemas", json=foreign | {"schema": b64('{"type": 5}')}),
    }
    errors = {name: answer.json()["error"] for name, answer in found.items()}
    assert {name: type(error) is str or next(iter(error)) for name, error in errors.items()} == {
        **dict.fromkeys(["no key", "null", "missing key", "bad name", "dataset exists", "unknown user"], True),
        **dict.fromkeys(["bad status", "no dataset", "no object"], True),
        "rule": "ValidationError",
        "uuid": "ValueError",
        "base64": "Error",
        "malformed": "BadRequest",
        "routing": "NotFound",
        "method": "MethodNotAllowed",
        "fits no schema": "ValidationError",
    }
