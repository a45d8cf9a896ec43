"""A dataset's life through Gonk's HTTP API, as Gonk's own users walk through it, from nothing to the last event.

Written from Gonk's contract alone, with plain requests; nothing here knows how the node is made.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from kit.command_line import Gonk
from kit.http_api import b64, new_user
from kit.processes import serving

pytestmark = pytest.mark.processes

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DRAFT_4 = "http://json-schema.org/draft-04/schema#"
LABEL = {
    "$schema": DRAFT_4,
    "type": "object",
    "properties": {"label": {"type": "string"}},
    "required": ["label"],
}


class User:
    """One user of Gonk's API, and nothing but requests."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.headers = {"x-api-key": key}

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(method, self.url + path, json=body, headers=self.headers, timeout=60)
        assert answer.status_code == 200, (method, path, answer.status_code, answer.text)
        return answer.json()

    def status(self, method: str, path: str, body: object = None) -> int:
        """The status of what is to be refused; the body has Gonk's shape."""
        answer = requests.request(method, self.url + path, json=body, headers=self.headers, timeout=60)
        assert set(answer.json()) - {"valid_statuses"} == {"error"}
        return answer.status_code

    def paged(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list, asked for by the uuid of the last row, as Gonk's clients do."""
        rows: list[dict[str, Any]] = []
        while page := self("GET", path + (f"?after={rows[-1]['uuid']}" if rows else "")):
            assert len(page) <= 25
            rows += page
        return rows

    def review(self, path: str, decision: str) -> dict[str, Any]:
        """Decide the first event of something that is pending."""
        dataset = "/".join(path.split("/")[:3])
        event = next(each for each in self("GET", path)["events"] if each["review"] == "PENDING")
        assert self("PUT", f"{dataset}/events/{event['uuid']}/{decision}") == {"uuid": event["uuid"]}
        found: dict[str, Any] = event
        return found


@pytest.fixture
def users(tmp_path: Path) -> Iterator[tuple[User, User]]:
    """One (made by `gonk init --username`) and two (by `gonk users add`)."""
    gonk = Gonk(tmp_path)
    printed = gonk.ok("init", "--username", "user-one").out.splitlines()
    first = next(line.removeprefix("KEY: ") for line in printed if line.startswith("KEY: "))
    assert re.fullmatch(r"gk_[A-Za-z0-9]{32}", first)
    second = new_user(gonk, "user.two_2")
    assert re.fullmatch(r"gk_[A-Za-z0-9]{32}", second)
    with serving(gonk) as server:
        yield User(server.url, first), User(server.url, second)


def test_the_whole_life_of_a_dataset(users: tuple[User, User]) -> None:
    one, two = users
    found_dataset(one, two)
    schema_and_its_versions(one, two)
    uuids = objects_and_their_versions(one, two)
    annotations_and_their_versions(one, two, uuids)
    owners(one, two)
    events(one)


def found_dataset(one: User, two: User) -> None:
    assert one("GET", "/datasets") == []
    assert one("POST", "/datasets", {"name": "Walk-1"}) == {"dataset": "Walk-1"}
    assert two("GET", "/datasets") == ["Walk-1"]
    assert one.status("POST", "/datasets", {"name": "Walk-1"}) == 400
    for bad in ("", "-walk", "walk_1", "walk 1", "walk/1", "wälk", "..", "walk.1", "walk\n"):
        assert one.status("POST", "/datasets", {"name": bad}) == 400
    for path in ("objects", "annotations", "schemas", "objects/accepted", "annotations/rejected", "schemas/pending"):
        assert two("GET", f"/datasets/Walk-1/{path}") == []
    assert two("GET", "/datasets/Walk-1/owners") == ["user-one"]


def schema_and_its_versions(one: User, two: User) -> None:
    path = "/datasets/Walk-1/schemas"
    document = json.dumps(LABEL)
    made = two("POST", path, {"name": "schema-label", "schema": b64(document)})
    uuid = made["uuid"]
    assert UUID.fullmatch(uuid)
    assert made == {"name": "schema-label", "uuid": uuid, "versions": 1}
    assert two("GET", f"{path}/schema-label") == made
    assert two("GET", path) == [made]
    row = {"uuid": uuid, "version": 0, "name": "schema-label"}
    assert two("GET", f"{path}/pending") == [row]
    loaded = two("GET", f"{path}/schema-label/0")
    assert set(loaded) == {"schema", "bytes", "events"}
    assert loaded["schema"] == row | {
        "format": "application/schema+json",
        "size": len(document),
        "hash_type": 1,
        "hash": hashlib.sha256(document.encode()).hexdigest(),
    }
    assert base64.b64decode(loaded["bytes"]).decode() == document
    assert loaded["events"] == [{"uuid": loaded["events"][0]["uuid"], "type": "ObjectCreateEvent", "review": "PENDING"}]
    assert two.status("PUT", f"/datasets/Walk-1/events/{loaded['events'][0]['uuid']}/accept") == 403
    one.review(f"{path}/schema-label/0", "accept")
    assert (one("GET", f"{path}/pending"), one("GET", f"{path}/accepted")) == ([], [row])

    updated = two("PATCH", f"{path}/schema-label", {"schema": b64(json.dumps(LABEL | {"title": "2"}))})
    assert updated == made | {"versions": 2}
    one.review(f"{path}/schema-label/1", "reject")
    assert one("GET", f"{path}/rejected") == [row | {"version": 1}]
    assert two("DELETE", f"{path}/schema-label/0") == row
    assert one("GET", f"{path}/pending") == [row] == one("GET", f"{path}/accepted")
    one.review(f"{path}/schema-label/0", "reject")
    assert (one("GET", f"{path}/pending"), one("GET", f"{path}/deprecated")) == ([], [])
    for name in ("label", "Schema-label", ""):
        assert two.status("POST", path, {"name": name, "schema": b64("{}")}) == 400


def objects_and_their_versions(one: User, two: User) -> list[str]:
    path = "/datasets/Walk-1/objects"
    made = []
    for index in range(31):
        body = {"name": f"{index}.txt", "object": b64(f"object {index}"), "mimetype": "text/plain"}
        made.append((one, two)[index % 2]("POST", path, body))
        assert made[-1] == {"uuid": made[-1]["uuid"], "version": 0}
    uuids = [each["uuid"] for each in made]
    assert all(map(UUID.fullmatch, uuids))
    assert len(two("GET", path)) == 25
    assert two.paged(path) == [{"uuid": uuid, "versions": 1} for uuid in uuids]
    assert two.paged(f"{path}/pending") == made
    for uuid in uuids[:28]:
        one.review(f"{path}/{uuid}/0", "accept")
    assert two.paged(f"{path}/accepted") == made[:28]
    one.review(f"{path}/{uuids[28]}/0", "reject")
    assert two.paged(f"{path}/rejected") == made[28:29]
    assert two.paged(f"{path}/pending") == made[29:]

    second = {"name": "0b.txt", "object": b64("object 0, better"), "mimetype": "text/csv"}
    assert two("PATCH", f"{path}/{uuids[0]}", second) == {"uuid": uuids[0], "version": 1}
    assert two("GET", f"{path}/{uuids[0]}") == {"uuid": uuids[0], "versions": 2}
    loaded = two("GET", f"{path}/{uuids[0]}/1")
    assert set(loaded) == {"object", "bytes", "events", "annotations"}
    assert (loaded["object"]["name"], loaded["object"]["format"]) == ("0b.txt", "text/csv")
    assert loaded["object"]["hash"] == hashlib.sha256(b"object 0, better").hexdigest()
    assert two("GET", f"{path}/{uuids[0]}/0")["bytes"] == b64("object 0")

    assert two("DELETE", f"{path}/{uuids[1]}/0") == {"uuid": uuids[1], "version": 0}
    event = one.review(f"{path}/{uuids[1]}/0", "accept")
    assert event["type"] == "ObjectDeleteEvent"
    assert one.paged(f"{path}/deleted") == [{"uuid": uuids[1], "version": 0}]
    assert one("GET", f"{path}/{uuids[1]}/0")["bytes"] == b64("object 1")
    return uuids


def annotations_and_their_versions(one: User, two: User, uuids: list[str]) -> None:
    path = "/datasets/Walk-1/annotations"
    schema = {"name": "schema-label", "version": 0}
    on = [{"uuid": uuids[2], "version": 0}, {"uuid": uuids[3], "version": 0}]
    text = '{ "label": "cell" }'
    made = two("POST", path, {"annotation": b64(text), "schema": schema, "object_identifiers": on})
    uuid = made["uuid"]
    assert made == {"uuid": uuid, "version": 0}
    assert two("GET", path) == [{"uuid": uuid, "versions": 1}] == [two("GET", f"{path}/{uuid}")]
    loaded = two("GET", f"{path}/{uuid}/0")
    assert set(loaded) == {"annotation", "bytes", "events", "objects"}
    schema_uuid = two("GET", "/datasets/Walk-1/schemas/schema-label")["uuid"]
    assert loaded["annotation"] == made | {
        "schema": {"uuid": schema_uuid, "version": 0},
        "size": len(text),
        "hash_type": 1,
        "hash": hashlib.sha256(text.encode()).hexdigest(),
    }
    assert base64.b64decode(loaded["bytes"]).decode() == text
    assert sorted(loaded["objects"], key=str) == sorted(on, key=str)
    assert two("GET", f"/datasets/Walk-1/objects/{uuids[2]}/0")["annotations"] == [{"uuid": uuid, "versions": 1}]
    one.review(f"{path}/{uuid}/0", "accept")
    assert two("PATCH", f"{path}/{uuid}", {"annotation": b64(text), "schema": schema}) == made | {"version": 1}
    assert two("GET", f"{path}/pending") == [made | {"version": 1}]
    one.review(f"{path}/{uuid}/1", "reject")
    assert (two("GET", f"{path}/rejected"), two("GET", f"{path}/accepted")) == ([made | {"version": 1}], [made])
    assert two("DELETE", f"{path}/{uuid}/0") == made
    assert one.review(f"{path}/{uuid}/0", "accept")["type"] == "AnnotationDeleteEvent"
    assert two("GET", f"{path}/deleted") == [made]
    for _ in range(27):
        two("POST", path, {"annotation": b64(text), "schema": schema, "object_identifiers": on[:1]})
    assert len({each["uuid"] for each in two.paged(path)}) == 28
    assert len(two.paged(f"{path}/pending")) == 27
    hung = two("GET", f"/datasets/Walk-1/objects/{uuids[2]}/0")["annotations"]
    assert len(hung) == 28
    assert hung == sorted(hung, key=lambda each: each["uuid"])


def owners(one: User, two: User) -> None:
    path = "/datasets/Walk-1/owners"
    assert two.status("PUT", f"{path}/user.two_2") == 403
    assert one.status("PUT", f"{path}/nobody") == 400
    assert one("PUT", f"{path}/user.two_2") == {"user": "user.two_2"}
    assert two("GET", path) == ["user-one", "user.two_2"]
    assert one.status("PUT", f"{path}/user.two_2") == 409
    assert two.status("DELETE", f"{path}/user-one") == 409  # the root owner stays, whoever asks
    assert one("DELETE", f"{path}/user.two_2") == {"user": "user.two_2"}
    assert one("GET", path) == ["user-one"]
    assert one("PUT", f"{path}/user.two_2") == {"user": "user.two_2"}
    assert two("DELETE", f"{path}/user.two_2") == {"user": "user.two_2"}


def events(one: User) -> None:
    found = one.paged("/datasets/Walk-1/events")
    assert len({each["uuid"] for each in found}) == len(found)
    assert found[0]["type"] == "OwnerAddEvent"
    assert (found[0]["owner"], found[0]["owner_action"], found[0]["author"]) == ("user-one", 1, "user-one")
    count = {name: sum(each["type"] == name for each in found) for name in {each["type"] for each in found}}
    assert count == {
        "OwnerAddEvent": 3,
        "OwnerRemoveEvent": 2,
        "ObjectCreateEvent": 32,
        "ObjectUpdateEvent": 2,
        "ObjectDeleteEvent": 2,
        "AnnotationCreateEvent": 28,
        "AnnotationUpdateEvent": 1,
        "AnnotationDeleteEvent": 1,
        "ReviewAcceptEvent": 32,
        "ReviewRejectEvent": 4,
    }
    assert {each["author"] for each in found} == {"user-one", "user.two_2"}
