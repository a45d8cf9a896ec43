"""Lists in pages: their order, their cursors, which always come to an end, and their filters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
import requests

from kit.http_api import Api, Client, b64

pytestmark = pytest.mark.processes

LISTS = ["objects", "annotations", "schemas"]


class Dataset(Client):
    """A user of a dataset of its own."""

    def __init__(self, client: Client, dataset: str) -> None:
        super().__init__(client.url, client.key, client.name)
        self.dataset = dataset

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return super().call(method, path if path.startswith("/") else f"/datasets/{self.dataset}/{path}", **options)

    def objects(self, count: int) -> list[str]:
        return [self.new_object()["uuid"] for _ in range(count)]

    def update(self, uuid: str) -> None:
        body = {"name": "b", "object": b64(uuid4().bytes), "mimetype": "image/png"}
        self.ok("PATCH", f"objects/{uuid}", body)

    def reject(self, path: str) -> None:
        event = next(each["uuid"] for each in self.events_of(path) if each["review"] == "PENDING")
        self.ok("PUT", f"events/{event}/reject")

    def page(self, path: str, **query: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ok("GET", path, params=query)
        return found

    def walk(self, path: str, **query: object) -> Iterator[list[dict[str, Any]]]:
        """Page after page, by the uuid of the last row, until there is none: as Gonk's clients do."""
        page = self.page(path, **query)
        for _ in range(100):
            if not page:
                return
            yield page
            page = self.page(path, **query, after=page[-1]["uuid"])
        raise AssertionError("this walk does not end")


@pytest.fixture
def alice(api: Api) -> Dataset:
    """The owner of a new dataset."""
    name = f"d{uuid4()}"
    api.alice.ok("POST", "/datasets", {"name": name})
    return Dataset(api.alice, name)


@pytest.fixture
def bob(api: Api, alice: Dataset) -> Dataset:
    """Who has no role in it."""
    return Dataset(api.bob, alice.dataset)


def ids(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(row["uuid"], row["version"]) for row in rows]


def test_a_page_has_25_rows_in_order_of_arrival(alice: Dataset) -> None:
    made = alice.objects(60)
    for path in ("objects", "objects/pending"):
        pages = list(alice.walk(path))
        assert [len(page) for page in pages] == [25, 25, 10]
        assert [row["uuid"] for page in pages for row in page] == made


@pytest.mark.parametrize("kind", LISTS)
def test_every_list_is_paged_in_order_of_arrival(alice: Dataset, kind: str) -> None:
    thing = alice.new_object()
    alice.new_schema("schema-box")
    if kind == "schemas":
        made = [alice.new_schema(f"schema-{number}")["uuid"] for number in range(7)]
    elif kind == "annotations":
        made = [alice.new_annotation(thing)["uuid"] for _ in range(7)]
    else:
        made = alice.objects(7)
    pages = list(alice.walk(f"{kind}/pending", limit=3))
    assert [row["uuid"] for page in pages for row in page][-7:] == made
    assert {len(page) for page in pages[:-1]} == {3}
    paged = [row for page in alice.walk(kind, limit=3) for row in page]
    assert paged == alice.page(kind, limit=1000)
    assert [row["uuid"] for row in paged][-7:] == made or kind == "schemas"
    assert kind != "schemas" or paged == sorted(paged, key=lambda row: row["uuid"])


def test_versions_of_one_object_stand_together_and_are_not_cut(alice: Dataset) -> None:
    first, second, third = alice.objects(3)
    for _ in range(30):  # more than a page: Gonk would page for ever
        alice.update(first)
    alice.update(third)
    pages = [ids(page) for page in alice.walk("objects/pending", limit=5)]
    assert pages[0] == [(first, version) for version in range(31)]
    assert pages[1:] == [[(second, 0), (third, 0), (third, 1)]]
    assert [ids(page) for page in alice.walk("objects/pending", limit=2)][1:] == [[(second, 0), (third, 0), (third, 1)]]
    assert [ids(page) for page in alice.walk("objects/pending", limit=1)][1:] == [
        [(second, 0)],
        [(third, 0), (third, 1)],
    ]


def test_counts_do_not_depend_on_the_cursor(alice: Dataset) -> None:
    made = alice.objects(4)
    alice.update(made[0])
    alice.update(made[2])
    alice.update(made[2])
    whole = [(row["uuid"], row["versions"]) for row in alice.page("objects")]
    assert whole == list(zip(made, [2, 1, 3, 1], strict=True))
    for limit in (1, 2, 3):
        paged = [(row["uuid"], row["versions"]) for page in alice.walk("objects", limit=limit) for row in page]
        assert paged == whole


def test_a_walk_that_reviews_what_it_sees_sees_everything(alice: Dataset) -> None:
    made = alice.objects(10)
    seen = []
    for page in alice.walk("objects/pending", limit=3):
        for uuid, version in ids(page):
            seen.append(uuid)
            (alice.accept if len(seen) % 2 else alice.reject)(f"objects/{uuid}/{version}")
    assert seen == made
    assert alice.page("objects/pending") == []
    assert len(alice.page("objects/accepted")) == len(alice.page("objects/rejected")) == 5


def test_an_object_stands_where_its_first_listed_version_came(alice: Dataset) -> None:
    first, second = alice.objects(2)
    alice.update(first)
    alice.accept(f"objects/{first}/0")
    assert ids(alice.page("objects/pending")) == [(second, 0), (first, 1)]
    assert ids(alice.page("objects/pending", after=second)) == [(first, 1)]
    assert ids(alice.page("objects/pending", after=first)) == []
    assert ids(alice.page("objects/accepted", after=first)) == []
    alice.accept(f"objects/{first}/1")
    assert ids(alice.page("objects/pending", after=first)) == [(second, 0)]  # not listed any more: where it came first


def test_pages_are_linked(alice: Dataset) -> None:
    made = alice.objects(5)
    for path in ("objects/pending", "objects"):
        answer, seen = alice.call("GET", path, params={"limit": "2", "author": "alice"}), []
        for _ in range(10):
            seen += [row["uuid"] for row in answer.json()]
            if "next" not in answer.links:
                break
            target = urlsplit(answer.links["next"]["url"])
            assert parse_qs(target.query)["author"] == ["alice"]
            answer = alice.call("GET", f"{target.path}?{target.query}")
        assert seen == made
    assert "Link" not in alice.call("GET", "objects?limit=5").headers
    for number in range(3):
        alice.new_schema(f"schema-{number}")
    assert "Link" not in alice.call("GET", "schemas").headers
    answer = alice.call("GET", "schemas?limit=2")
    target = urlsplit(answer.links["next"]["url"])
    assert len(answer.json()) == 2
    assert len(alice.ok("GET", f"{target.path}?{target.query}")) == 1


def test_a_page_has_up_to_1000_rows(alice: Dataset) -> None:
    alice.objects(30)
    assert len(alice.page("objects", limit=1000)) == 30
    for limit in ("0", "1001", "-1", "x", "1.5", "", "²", "9" * 5000):
        for path in ("objects", "objects/pending", "annotations", "schemas", "schemas/accepted"):
            assert "ValueError" in alice.refused(400, "GET", path, params={"limit": limit})


@pytest.mark.parametrize("form", ["{}", "{{{}}}", "urn:uuid:{}"])
def test_a_cursor_is_read_in_any_form(alice: Dataset, form: str) -> None:
    first, second = alice.objects(2)
    for text in (first, first.upper(), UUID(first).hex):
        assert [row["uuid"] for row in alice.page("objects", after=form.format(text))] == [second]


@pytest.mark.parametrize("path", [path for kind in LISTS for path in (kind, f"{kind}/pending", f"{kind}/rejected")])
def test_cursors_that_name_nothing(alice: Dataset, path: str) -> None:
    alice.new_schema("schema-box")
    alice.new_annotation(alice.new_object())
    unknown = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    assert alice.page(path, after=unknown) == []
    for text in ("x", "", "\ud800".encode("utf-8", "surrogatepass"), "0" * 31):
        assert "ValueError" in alice.refused(400, "GET", path, params={"after": text})


def test_lists_are_filtered_by_author(alice: Dataset, bob: Dataset) -> None:
    alice.new_schema("schema-box")
    hers, his = alice.objects(3), bob.objects(3)
    bob.update(hers[0])
    bob.new_annotation({"uuid": hers[1], "version": 0})
    assert [row["uuid"] for row in alice.page("objects", author="alice")] == hers
    assert [row["uuid"] for row in alice.page("objects", author="bob")] == [*his, hers[0]]
    assert ids(alice.page("objects/pending", author="bob")) == [*((uuid, 0) for uuid in his), (hers[0], 1)]
    assert alice.page("annotations", author="alice") == alice.page("schemas", author="bob") == []
    assert len(alice.page("annotations/pending", author="bob")) == len(alice.page("schemas", author="alice")) == 1
    assert alice.page("objects", author="0" * 64) == []
    for unknown in ("carol", "", "0" * 63, "0" * 65, "g" * 64, "ä"):
        alice.refused(400, "GET", "objects", params={"author": unknown})


def test_lists_are_filtered_by_status(alice: Dataset) -> None:
    made = alice.objects(4)
    alice.update(made[0])
    alice.accept(f"objects/{made[0]}/0")
    alice.accept(f"objects/{made[1]}/0")
    alice.reject(f"objects/{made[2]}/0")
    assert [row["uuid"] for row in alice.page("objects", status="accepted")] == made[:2]
    assert [row["versions"] for row in alice.page("objects", status="accepted")] == [2, 1]
    assert [row["uuid"] for row in alice.page("objects", status="rejected")] == [made[2]]
    assert [row["uuid"] for row in alice.page("objects", status="pending")] == [made[3], made[0]]
    alice.new_schema("schema-a")
    alice.new_schema("schema-b")
    alice.accept("schemas/schema-a/0")
    assert [row["name"] for row in alice.page("schemas", status="accepted")] == ["schema-a"]
    assert alice.page("schemas", status="deprecated") == []
    for path, status in (("objects", "deprecated"), ("annotations", ""), ("schemas", "deleted"), ("schemas", "x")):
        answer = alice.call("GET", path, params={"status": status})
        assert answer.status_code == 400
        assert len(answer.json()["valid_statuses"]) == 4


def test_what_nobody_vouched_for_is_listed_as_any_other(alice: Dataset, bob: Dataset) -> None:
    alice.new_schema("schema-box")
    thing = bob.new_object()
    annotation = bob.new_annotation(thing)
    bob.ok("POST", "schemas", {"name": "schema-b", "schema": b64(json.dumps({"type": "string"}))})
    assert alice.page("objects/pending") == [thing]
    assert alice.page("annotations/pending") == [annotation]
    assert [row["name"] for row in alice.page("schemas/pending")] == ["schema-box", "schema-b"]
