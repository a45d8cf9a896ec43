"""Gonk's lists: pages of 25, in order of arrival, the cursor a uuid in any form; some sorted by uuid, some without pages.

Written from Gonk's contract alone, with plain requests; nothing here knows how the node is made.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.http_api import Api, Client, b64

pytestmark = pytest.mark.processes

PAGE = 25


class Full:
    """A dataset in which every list is longer than a page; `path` ends with a slash."""

    def __init__(self, api: Api) -> None:
        self.alice, self.bob = api.alice, api.bob
        self.path = "/datasets/full/"
        self.alice.ok("POST", "/datasets", {"name": "full"})
        self.schemas = [self.new_schema() for _ in range(PAGE + 3)]
        self.objects = [self.new_object()["uuid"] for _ in range(2 * PAGE + 5)]
        self.annotations = [self.annotate(self.objects[0]) for _ in range(PAGE + 4)]

    def new_schema(self) -> dict[str, Any]:
        name = f"schema-{uuid4()}"
        body = {"name": name, "schema": b64(f'{{"title": "{name}"}}')}
        found: dict[str, Any] = self.alice.ok("POST", self.path + "schemas", body)
        return found

    def new_object(self, update: str = "") -> dict[str, Any]:
        body = {"name": "a", "object": b64(uuid4().bytes), "mimetype": "text/plain"}
        method, path = ("PATCH", f"objects/{update}") if update else ("POST", "objects")
        found: dict[str, Any] = self.alice.ok(method, self.path + path, body)
        return found

    def annotate(self, uuid: str) -> str:
        body = {
            "annotation": b64("{}"),
            "schema": {"name": self.schemas[0]["name"], "version": 0},
            "object_identifiers": [{"uuid": uuid, "version": 0}],
        }
        found: str = self.alice.ok("POST", self.path + "annotations", body)["uuid"]
        return found


@pytest.fixture(scope="module")
def full(api: Api) -> Full:
    return Full(api)


def walk(client: Client, path: str) -> list[dict[str, Any]]:
    """All pages, as a client of Gonk asks for them: by the uuid of the last row, until a page is empty."""
    rows: list[dict[str, Any]] = []
    for _ in range(20):
        page = client.ok("GET", path + (f"?after={rows[-1]['uuid']}" if rows else ""))
        if not page:
            return rows
        rows += page
    raise AssertionError(f"{path} has no end")


@pytest.mark.parametrize("what", ["objects", "objects/pending", "annotations", "annotations/pending"])
def test_a_page_has_25_rows_and_the_next_begins_after_its_last(full: Full, what: str) -> None:
    wanted = full.objects if what.startswith("objects") else full.annotations
    first = full.bob.ok("GET", full.path + what)
    assert [each["uuid"] for each in first] == wanted[:PAGE]
    assert [each["uuid"] for each in walk(full.bob, full.path + what)] == wanted
    assert full.bob.ok("GET", f"{full.path}{what}?after={wanted[-1]}") == []
    assert full.bob.ok("GET", f"{full.path}{what}?after={uuid4()}") == []


def test_schemas_by_status_have_pages_and_all_schemas_have_none(full: Full) -> None:
    pending = walk(full.bob, full.path + "schemas/pending")
    assert len(full.bob.ok("GET", full.path + "schemas/pending")) == PAGE
    assert pending == [{"uuid": each["uuid"], "version": 0, "name": each["name"]} for each in full.schemas]
    everything = full.bob.ok("GET", full.path + "schemas")
    assert everything == sorted(full.schemas, key=lambda each: each["uuid"])


def test_events_have_pages_in_the_order_of_the_log(full: Full) -> None:
    assert len(full.bob.ok("GET", full.path + "events")) == PAGE
    found = [each for each in walk(full.bob, full.path + "events") if each["type"] == "ObjectCreateEvent"]
    uuids = [each["object"]["uuid"] for each in found]
    assert uuids[: len(full.schemas) + PAGE] == [each["uuid"] for each in full.schemas] + full.objects[:PAGE]


def test_the_annotations_of_an_object_have_no_pages_and_stand_by_uuid(full: Full) -> None:
    found = full.bob.ok("GET", f"{full.path}objects/{full.objects[0]}/0")["annotations"]
    assert found == [{"uuid": uuid, "versions": 1} for uuid in sorted(full.annotations)]


@pytest.mark.parametrize("what", ["objects", "objects/pending", "annotations", "annotations/pending", "events"])
def test_a_cursor_is_a_uuid_in_any_form(full: Full, what: str) -> None:
    last = full.bob.ok("GET", full.path + what)[-1]["uuid"]
    wanted = full.bob.ok("GET", f"{full.path}{what}?after={last}")
    assert wanted
    for form in (last.upper(), f"{{{last}}}", f"urn:uuid:{last}", UUID(last).hex):
        assert full.bob.ok("GET", full.path + what, params={"after": form}) == wanted
    for bad in ("", "x", last[:-1], last + "0", "g" * 32):
        full.bob.refused(400, "GET", full.path + what, params={"after": bad})


def test_lists_without_pages_pass_over_the_cursor(full: Full) -> None:
    assert full.bob.ok("GET", f"/datasets?after={uuid4()}") == full.bob.ok("GET", "/datasets")
    assert full.bob.ok("GET", f"{full.path}owners?after={uuid4()}") == ["alice"]


def test_more_versions_than_a_page_never_stop_a_walk(full: Full) -> None:
    many, behind = full.new_object()["uuid"], full.new_object()["uuid"]
    for _ in range(PAGE + 2):
        full.new_object(many)
    rows = walk(full.alice, full.path + "objects/pending")
    assert len({(each["uuid"], each["version"]) for each in rows}) == len(rows)
    assert sorted(each["version"] for each in rows if each["uuid"] == many) == list(range(PAGE + 3))
    assert behind in [each["uuid"] for each in rows]


def test_what_is_updated_later_keeps_its_place_and_its_count(full: Full) -> None:
    uuid = full.new_object()["uuid"]
    behind = full.new_object()["uuid"]
    full.new_object(uuid)
    rows = walk(full.alice, full.path + "objects")
    assert [each for each in rows if each["uuid"] == uuid] == [{"uuid": uuid, "versions": 2}]
    assert uuid not in str(full.alice.ok("GET", f"{full.path}objects?after={uuid}"))
    assert rows.index({"uuid": uuid, "versions": 2}) < rows.index({"uuid": behind, "versions": 1})


@pytest.mark.parametrize("what", ["objects", "annotations", "schemas"])
def test_a_walk_goes_on_although_each_page_was_reviewed(api: Api, what: str) -> None:
    """The cursor is then something that the list has no more; so it is for who reviews what is pending page by page."""
    alice, path = api.alice, f"/datasets/reviewed-{what}/"
    alice.ok("POST", "/datasets", {"name": f"reviewed-{what}"})
    file = {"name": "a", "mimetype": "text/plain"}
    alice.ok("POST", path + "schemas", {"name": "schema-s", "schema": b64("{}")})
    made = alice.ok("POST", path + "objects", file | {"object": b64("first")})
    note = {"annotation": b64("{}"), "schema": {"name": "schema-s", "version": 0}, "object_identifiers": [made]}
    bodies = {
        "objects": [file | {"object": b64(str(index))} for index in range(PAGE + 5)],
        "annotations": [note] * (PAGE + 5),
        "schemas": [{"name": f"schema-{index}", "schema": b64(f'{{"title": "{index}"}}')} for index in range(PAGE + 5)],
    }
    for body in bodies[what]:
        alice.ok("POST", path + what, body)
    count, after = 0, ""
    while page := alice.ok("GET", f"{path}{what}/pending{after}"):
        for row in page:
            name = row["name"] if what == "schemas" else row["uuid"]
            event = alice.ok("GET", f"{path}{what}/{name}/{row['version']}")["events"][0]["uuid"]
            alice.ok("PUT", f"{path}events/{event}/{'accept' if count % 2 else 'reject'}")
            count += 1
        after = f"?after={page[-1]['uuid']}"
    assert count == PAGE + 5 + (what != "annotations")
    assert alice.ok("GET", f"{path}{what}/pending") == []


def test_a_uuid_of_another_list_is_unknown_to_this_one(full: Full) -> None:
    assert full.bob.ok("GET", f"{full.path}annotations?after={full.objects[0]}") == []
    assert full.bob.ok("GET", f"{full.path}objects?after={full.annotations[0]}") == []
    assert full.bob.ok("GET", f"{full.path}events?after={full.objects[0]}") == []
