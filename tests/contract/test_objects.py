"""Objects, as the contract of Gonk's HTTP API has them; lists are in test_paging, files as they are in test_files."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from kit.http_api import Api, Client, b64, sha256

pytestmark = pytest.mark.processes

STATUSES = ["accepted", "pending", "deleted", "rejected"]


def body(data: bytes = b"", **other: object) -> dict[str, object]:
    return {"name": "a.png", "object": b64(data or uuid4().bytes), "mimetype": "image/png"} | other


def reject(client: Client, path: str) -> None:
    event = next(each["uuid"] for each in client.events_of(path) if each["review"] == "PENDING")
    client.ok("PUT", f"events/{event}/reject")


def statuses(client: Client, uuid: str, version: int = 0) -> set[str]:
    wanted = {"uuid": uuid, "version": version}
    return {status for status in STATUSES if wanted in client.ok("GET", f"objects/{status}?limit=1000")}


# --- success --------------------------------------------------------------------------------------------------


def test_an_object_is_made_and_loaded_as_it_was_given(api: Api) -> None:
    data = b"pixels \x00\xff" + uuid4().bytes
    made = api.alice.new_object(data, "cell ä.png", "image/png; q=1")
    assert made == {"uuid": made["uuid"], "version": 0}
    assert len(made["uuid"]) == 36
    loaded = api.bob.ok("GET", f"objects/{made['uuid']}/0")
    assert loaded["object"] == made | {
        "name": "cell ä.png",
        "format": "image/png; q=1",
        "size": len(data),
        "hash_type": 1,
        "hash": sha256(data),
    }
    assert base64.b64decode(loaded["bytes"]) == data
    assert loaded["annotations"] == []
    assert [(each["type"], each["review"]) for each in loaded["events"]] == [("ObjectCreateEvent", "PENDING")]


def test_answers_have_gonks_form(api: Api) -> None:
    made = api.alice.new_object()
    answer = api.alice.call("GET", f"objects/{made['uuid']}")
    assert answer.text == json.dumps({"uuid": made["uuid"], "versions": 1}, separators=(",", ":")) + "\n"
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 2**20, 2**20 + 1, 3 * 2**20 + 5])
def test_bytes_of_any_size_come_back(api: Api, size: int) -> None:
    data = (uuid4().bytes * (size // 16 + 1))[:size]
    made = api.alice.new_object(data)
    answer = api.alice.call("GET", f"objects/{made['uuid']}/0")
    assert base64.b64decode(answer.json()["bytes"]) == data
    assert list(answer.json()) == ["annotations", "bytes", "events", "object"]
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    head = api.alice.call("HEAD", f"objects/{made['uuid']}/0")
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(answer.content)), b"")


def test_an_update_makes_the_next_version(api: Api) -> None:
    made = api.alice.new_object()
    path = f"objects/{made['uuid']}"
    assert api.alice.ok("PATCH", path, body(name="b.png")) == made | {"version": 1}
    assert api.alice.ok("GET", path) == {"uuid": made["uuid"], "versions": 2}
    assert api.alice.ok("PATCH", path, body(mimetype="image/gif"))["version"] == 2
    second = api.alice.ok("GET", path + "/1")
    assert (second["object"]["name"], second["object"]["format"]) == ("b.png", "image/png")
    assert [(each["type"], each["review"]) for each in second["events"]] == [("ObjectUpdateEvent", "PENDING")]


def test_somebody_without_a_role_may_propose_what_others_build_on(api: Api) -> None:
    made = api.bob.new_object()
    assert api.alice.ok("PATCH", f"objects/{made['uuid']}", body())["version"] == 1
    assert api.bob.ok("PATCH", f"objects/{made['uuid']}", body())["version"] == 2
    assert made in api.alice.ok("GET", "objects/pending?limit=1000")


def test_updates_at_one_time_make_one_version_each(api: Api) -> None:
    made = api.alice.new_object()
    clients = [api.client(name) for name in ("alice", "bob") * 6]
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = pool.map(lambda client: client.ok("PATCH", f"objects/{made['uuid']}", body()), clients)
    assert sorted(answer["version"] for answer in answers) == list(range(1, 13))
    assert api.alice.ok("GET", f"objects/{made['uuid']}")["versions"] == 13


def test_the_same_file_from_many_at_one_time_is_one_object(api: Api) -> None:
    data = uuid4().bytes
    clients = [api.client(name) for name in ("alice", "bob") * 4]
    with ThreadPoolExecutor(len(clients)) as pool:
        statuses = pool.map(lambda client: client.call("POST", "objects", json=body(data)).status_code, clients)
    assert sorted(statuses) == [200] + [409] * 7


def test_a_uuid_is_accepted_in_capitals_everywhere(api: Api) -> None:
    made = api.alice.new_object()
    path = f"objects/{made['uuid'].upper()}"
    assert api.alice.ok("GET", path)["uuid"] == made["uuid"]
    assert api.alice.ok("PATCH", path, body())["uuid"] == made["uuid"]
    assert api.alice.ok("GET", path + "/0")["object"]["uuid"] == made["uuid"]
    assert api.alice.ok("DELETE", path + "/0") == made


def test_an_updated_object_begins_without_annotations(api: Api) -> None:
    if api.alice.call("GET", "schemas/schema-box").status_code == 404:
        api.alice.new_schema()
    made, other = api.alice.new_object(), api.alice.new_object()
    hung = sorted(api.alice.new_annotation(made)["uuid"] for _ in range(5))
    api.alice.new_annotation(other)
    api.alice.ok("PATCH", f"objects/{made['uuid']}", body())
    first, second = (api.alice.ok("GET", f"objects/{made['uuid']}/{version}") for version in (0, 1))
    assert first["annotations"] == [{"uuid": uuid, "versions": 1} for uuid in hung]
    assert second["annotations"] == []


def test_schemas_are_no_objects(api: Api) -> None:
    schema = api.alice.new_schema("schema-no-object")
    uuid = schema["uuid"]
    assert uuid not in {each["uuid"] for each in api.alice.ok("GET", "objects?limit=1000")}
    assert statuses(api.alice, uuid) == set()
    api.alice.refused(404, "GET", f"objects/{uuid}")
    api.alice.refused(404, "GET", f"objects/{uuid}/0")
    api.alice.refused(404, "PATCH", f"objects/{uuid}", body())
    api.alice.refused(404, "DELETE", f"objects/{uuid}/0")
    reject(api.alice, "schemas/schema-no-object/0")
    assert statuses(api.alice, uuid) == set()


# --- statuses -------------------------------------------------------------------------------------------------


def test_every_status_is_listed_and_statuses_overlap(api: Api) -> None:
    alice, uuid = api.alice, api.alice.new_object()["uuid"]
    path = f"objects/{uuid}/0"
    assert statuses(alice, uuid) == {"pending"}
    alice.accept(path)
    assert statuses(alice, uuid) == {"accepted"}
    alice.ok("DELETE", path)
    assert statuses(alice, uuid) == {"accepted", "pending"}
    reject(alice, path)
    assert statuses(alice, uuid) == {"accepted"}
    alice.ok("DELETE", path)  # a rejected deletion may be asked for again
    alice.accept(path)
    assert statuses(alice, uuid) == {"deleted"}
    assert [(each["type"], each["review"]) for each in alice.events_of(path)] == [
        ("ObjectCreateEvent", "ACCEPTED"),
        ("ReviewAcceptEvent", None),
        ("ObjectDeleteEvent", "REJECTED"),
        ("ReviewRejectEvent", None),
        ("ObjectDeleteEvent", "ACCEPTED"),
        ("ReviewAcceptEvent", None),
    ]


def test_a_pending_object_may_be_deleted_first_and_reviewed_then(api: Api) -> None:
    alice, uuid = api.alice, api.alice.new_object()["uuid"]
    path = f"objects/{uuid}/0"
    alice.ok("DELETE", path)
    assert statuses(alice, uuid) == {"pending"}
    create, delete = alice.events_of(path)
    alice.ok("PUT", f"events/{delete['uuid']}/accept")
    assert statuses(alice, uuid) == {"pending", "deleted"}
    alice.ok("PUT", f"events/{create['uuid']}/reject")
    assert statuses(alice, uuid) == {"rejected", "deleted"}


def test_rejected_and_deleted_objects_are_still_loaded_and_updated(api: Api) -> None:
    made = api.alice.new_object()
    path = f"objects/{made['uuid']}"
    reject(api.alice, path + "/0")
    assert statuses(api.alice, made["uuid"]) == {"rejected"}
    assert api.alice.ok("GET", path + "/0")["bytes"]
    assert api.alice.ok("PATCH", path, body())["version"] == 1
    assert statuses(api.alice, made["uuid"], 1) == {"pending"}


# --- errors ---------------------------------------------------------------------------------------------------


def test_a_deletion_that_makes_no_sense_is_a_conflict(api: Api) -> None:
    made = api.alice.new_object()
    path = f"objects/{made['uuid']}/0"
    api.alice.ok("DELETE", path)
    assert "ValidationError" in api.alice.refused(409, "DELETE", path)
    reject(api.alice, path)  # the create event
    api.alice.refused(409, "DELETE", path)


def test_the_same_bytes_are_no_other_object(api: Api) -> None:
    data = uuid4().bytes
    made = api.bob.new_object(data)
    other = api.alice.new_object()
    for client in (api.alice, api.bob):
        error = client.refused(409, "POST", "objects", body(data, name="other"))
        assert made["uuid"] in error["ValidationError"]
    api.alice.refused(409, "PATCH", f"objects/{other['uuid']}", body(data))
    api.alice.refused(409, "PATCH", f"objects/{made['uuid']}", body(data, name="new name"))
    api.alice.ok("PATCH", f"objects/{made['uuid']}", body())
    api.alice.ok("PATCH", f"objects/{made['uuid']}", body(data))  # an older version's bytes are fine


@pytest.mark.parametrize("path", ["objects/{}", "objects/{}/0", "objects/{}/0/bytes"])
def test_what_is_not_there_is_not_found(api: Api, path: str) -> None:
    api.alice.refused(404, "GET", path.format(uuid4()))


@pytest.mark.parametrize("version", ["1", "7", str(2**63), "9" * 4400])
def test_a_version_that_is_not_there_is_not_found(api: Api, version: str) -> None:
    made = api.alice.new_object()
    api.alice.refused(404, "GET", f"objects/{made['uuid']}/{version}")
    api.alice.refused(404, "DELETE", f"objects/{made['uuid']}/{version}")


def test_unknown_objects_cannot_be_changed(api: Api) -> None:
    api.alice.refused(404, "PATCH", f"objects/{uuid4()}", body())
    api.alice.refused(404, "DELETE", f"objects/{uuid4()}/0")
    api.alice.refused(400, "PATCH", "objects/nonsense", body())
    api.alice.refused(400, "DELETE", "objects/nonsense/0")


@pytest.mark.parametrize("status", ["deprecated", "waiting", "x", "%00", "%ff", "0" * 35])
def test_a_status_that_is_none_is_told_with_those_that_are(api: Api, status: str) -> None:
    answer = api.alice.call("GET", f"objects/{status}")
    assert answer.status_code == 400
    assert answer.json()["valid_statuses"] == STATUSES


def test_a_uuid_that_is_none_is_told(api: Api) -> None:
    assert "ValueError" in api.alice.refused(400, "GET", "objects/" + "-" * 36)


@pytest.mark.parametrize("missing", ["name", "object", "mimetype"])
@pytest.mark.parametrize("value", [..., None, 5, [], {}, True])
def test_a_key_that_is_missing_or_of_another_type_is_refused(api: Api, missing: str, value: object) -> None:
    sent = body()
    if value is ...:
        del sent[missing]
    else:
        sent[missing] = value
    assert missing in api.alice.refused(400, "POST", "objects", sent)
    assert missing in api.alice.refused(400, "PATCH", f"objects/{uuid4()}", sent)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a" * 1025},
        {"name": "a\nb"},
        {"name": "a\x00b"},
        {"name": "schema-box"},
        {"mimetype": ""},
        {"mimetype": "a" * 1025},
        {"mimetype": "a\x1fb"},
        {"object": "abc"},
        {"object": "ä"},
        {"name": "\ud800"},
    ],
    ids=repr,
)
def test_a_value_that_cannot_be_is_refused_and_nothing_is_made(api: Api, wrong: dict[str, object]) -> None:
    made = api.alice.new_object()
    api.alice.refused(400, "POST", "objects", body(**wrong))
    api.alice.refused(400, "PATCH", f"objects/{made['uuid']}", body(**wrong))
    assert api.alice.ok("GET", f"objects/{made['uuid']}")["versions"] == 1


def test_base64_of_other_alphabets_is_read_past(api: Api) -> None:
    made = api.alice.ok("POST", "objects", body(object="YWJj\n ZGVm-_" + "\n"))
    assert base64.b64decode(api.alice.ok("GET", f"objects/{made['uuid']}/0")["bytes"]) == b"abcdef"


@pytest.mark.parametrize(
    "text", ["null", "[]", '"x"', "5", "", "{", "\xff", "[" * 100_000, '{"name": ' + "9" * 5000 + "}"]
)
def test_a_body_of_another_form_is_refused(api: Api, text: str) -> None:
    headers = {"Content-Type": "application/json"}
    api.alice.refused(400, "POST", "objects", data=text.encode("latin-1"), headers=headers)


def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    api.alice.refused(413, "POST", "objects", body(object="A" * 33 * 2**20))


def test_checks_are_made_in_gonks_order(api: Api) -> None:
    """Each request breaks everything that is checked from one point on; the first of it is told."""
    json_type = {"Content-Type": "application/json"}
    nowhere = "/datasets/nowhere/objects"
    assert "Content-Type" in api.nobody.refused(400, "POST", nowhere, data="{", headers={"Content-Type": "text/plain"})
    assert "x-api-key" in api.nobody.refused(400, "POST", nowhere, data="{", headers=json_type)
    assert "BadRequest" in api.alice.refused(400, "POST", nowhere, data="{", headers=json_type)
    assert "'name'" in api.alice.refused(400, "POST", nowhere, {})
    assert "'object'" in api.alice.refused(400, "POST", nowhere, {"name": "schema-x"})
    assert "'mimetype'" in api.alice.refused(400, "POST", nowhere, {"name": "schema-x", "object": "abc"})
    assert "Error" in api.alice.refused(400, "POST", nowhere, body(name="schema-x", object="abc"))
    assert "schema-" in api.alice.refused(400, "POST", nowhere, body(name="schema-x"))
    assert "nowhere" in api.alice.refused(404, "POST", nowhere, body())
    assert "nowhere" in api.alice.refused(404, "GET", nowhere + "?after=x")
    assert "ValueError" in api.alice.refused(400, "GET", "objects?after=x&status=y")


@pytest.mark.parametrize("path", ["objects/{}", "objects/{}/0", "objects/{}/0/bytes", "objects", "objects/pending"])
def test_every_route_needs_a_key(api: Api, path: str) -> None:
    path = path.format(uuid4())
    assert "x-api-key" in api.nobody.refused(400, "GET", path)
    api.nobody.refused(401, "GET", path, headers={"x-api-key": "gk_" + "a" * 32})


@pytest.mark.parametrize(("method", "path"), [("PUT", "objects"), ("DELETE", "objects/{}"), ("POST", "objects/{}/0")])
def test_a_method_that_is_none_is_told(api: Api, method: str, path: str) -> None:
    assert "MethodNotAllowed" in api.alice.refused(405, method, path.format(uuid4()))
