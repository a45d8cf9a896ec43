"""What goes beyond Gonk: the log in pages, where a dataset stands, and what is in conflict."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kit.command_line import Gonk, exchange
from kit.http_api import Api, Client, b64
from kit.processes import until

pytestmark = pytest.mark.processes


def read_log(client: Client, query: str = "") -> list[dict[str, Any]]:
    """All entries that a query gives, page by page."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        cursor = "" if after is None else f"&after={after}"
        page = client.ok("GET", f"log?{query}{cursor}")
        found += page["entries"]
        after = page["after"]
        if after is None:
            return found


def kinds(entries: list[dict[str, Any]]) -> list[str]:
    return [event["kind"] for entry in entries for event in entry["events"]]


@pytest.fixture
def lived(fresh_api: Api) -> Api:
    """A dataset in which a little has happened."""
    fresh_api.alice.ok("PUT", "owners/bob")
    added = fresh_api.bob.new_object()
    fresh_api.alice.accept(f"objects/{added['uuid']}/0")
    return fresh_api


def test_the_log_has_every_entry_in_order_of_arrival(lived: Api) -> None:
    entries = read_log(lived.bob)
    assert kinds(entries)[0] == "dataset.create"
    assert {"profile", "grant", "accept-grant", "object.create", "review"} <= set(kinds(entries))
    assert [entry["lsn"] for entry in entries] == list(range(1, len(entries) + 1))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entries[0]["time"])
    assert entries[0]["entry"] == lived.bob.ok("GET", "status")["id"]
    assert [entry["author"] for entry in entries if kinds([entry])[0] in ("object.create", "review")] == [
        "bob",
        "alice",
    ]
    for limit in (1, 2, 1000):
        assert read_log(lived.bob, f"limit={limit}") == entries
        assert read_log(lived.bob, f"limit={limit}&order=newest") == entries[::-1]


def test_a_link_leads_to_the_next_page(lived: Api) -> None:
    answer = lived.bob.call("GET", "log?limit=1&kind=review&order=newest")
    link = re.fullmatch(r'<(.*)>; rel="next"', answer.headers["Link"])
    assert link is not None
    assert lived.bob.ok("GET", link[1]) == {"entries": [], "after": None}


def test_author_kind_and_time_choose(lived: Api) -> None:
    everything = read_log(lived.bob)
    of_bob = [entry for entry in everything if entry["author"] == "bob"]
    assert read_log(lived.bob, "author=bob") == of_bob
    assert read_log(lived.bob, f"author={of_bob[-1]['key']}") == of_bob
    assert set(kinds(read_log(lived.bob, "kind=review"))) == {"review"}
    assert read_log(lived.bob, "kind=redact") == []
    moment = everything[3]["time"]
    assert read_log(lived.bob, f"since={moment}") == [entry for entry in everything if entry["time"] >= moment]
    assert read_log(lived.bob, f"until={moment}") == [entry for entry in everything if entry["time"] < moment]
    assert read_log(lived.bob, "since=2999-01-01") == []
    assert read_log(lived.bob, "after=999999") == []


@pytest.mark.parametrize(
    "query",
    [
        "after=-1",
        "after=x",
        "after=99999999999999999999",
        "limit=0",
        "limit=1001",
        "kind=nonsense",
        "order=upwards",
        "author=nobody",
        "since=yesterday",
        "until=0000-01-01",
        "since=",
    ],
)
def test_a_query_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    assert api.bob.refused(400, "GET", f"log?{query}")


def test_the_log_is_for_those_with_a_key_and_of_a_dataset(api: Api) -> None:
    for route in ("log", "status", "conflicts"):
        api.nobody.refused(400, "GET", route)
        api.bob.refused(404, "GET", f"/datasets/nothing/{route}")


# --- status ---------------------------------------------------------------------------------------------------


def test_the_status_is_that_of_the_command_line(lived: Api) -> None:
    found = lived.alice.ok("GET", "status")
    (told,) = lived.gonk.json("status")
    shared = ("name", "id", "entries", "events", "heads_digest", "state_digest", "counts", "pending", "conflicts")
    assert {key: found[key] for key in shared} == {key: told[key] for key in shared}
    assert found["head_count"] == len(found["heads"]) == told["heads"] == 2
    assert {head["author"] for head in found["heads"]} == {"alice", "bob"}
    assert (found["role"], found["forks"], found["peers"], found["withheld"]) == ("owner", [], [], 0)
    assert found["counts"]["objects"]["current"] == 1


def test_the_role_is_that_of_who_asks(lived: Api) -> None:
    carol = lived.add_user("carol")
    assert carol.ok("GET", "status")["role"] is None
    lived.alice.ok("PUT", "owners/carol")
    assert carol.ok("GET", "status")["role"] == "owner"


# --- conflicts ------------------------------------------------------------------------------------------------


def test_there_are_no_conflicts_at_first(api: Api) -> None:
    assert api.bob.ok("GET", "conflicts") == []
    assert api.bob.call("GET", "conflicts?after=nonsense").status_code == 400


@pytest.fixture
def conflicting(fresh_api: Api, tmp_path: Path) -> Api:
    """Alice and somebody on another node changed one object apart from each other, and both changes were accepted."""
    other = Gonk(tmp_path, "other")
    other.ok("init", "--name", "Olga")
    added = fresh_api.alice.new_object(b"one", "a.png")
    fresh_api.alice.accept(f"objects/{added['uuid']}/0")
    fresh_api.alice.ok("PUT", f"owners/{other.key()}")
    exchange(fresh_api.gonk, other)
    other.ok("update", "cells", "a.png", other.file("new", b"two"))
    other.accept_all()
    change = {"name": "a.png", "object": b64(b"three"), "mimetype": "image/png"}
    fresh_api.alice.ok("PATCH", f"objects/{added['uuid']}", change)
    fresh_api.alice.accept(f"objects/{added['uuid']}/1")
    exchange(fresh_api.gonk, other)
    until(lambda: fresh_api.bob.ok("GET", "status")["conflicts"], "the conflict is seen", fresh_api.server)
    return fresh_api


def test_versions_that_compete_are_listed_the_current_one_first(conflicting: Api) -> None:
    (found,) = conflicting.bob.ok("GET", "conflicts")
    (rivals,) = conflicting.gonk.run("conflicts", "cells", "--json").json()
    assert (found["type"], found["uuid"]) == ("object", rivals[0]["uuid"])
    assert [(each["event"], each["current"]) for each in found["versions"]] == [
        (each["event"], each["current"]) for each in rivals
    ]
    assert [each["current"] for each in found["versions"]] == [True, False]
    assert {each["version"] for each in found["versions"]} == {1}
    assert "alice" in {each["author"] for each in found["versions"]}
    assert conflicting.bob.ok("GET", f"conflicts?after={found['uuid']}") == []
    assert 'rel="next"' in conflicting.bob.call("GET", "conflicts?limit=1").headers["Link"]


def test_what_another_node_did_shows_in_the_events(conflicting: Api) -> None:
    events = conflicting.bob.ok("GET", "events?limit=1000")
    updates = [event for event in events if event["type"] == "ObjectUpdateEvent"]
    assert [event["object"]["version"] for event in updates] == [1, 1]
    assert {len(event["author"]) for event in updates} == {64, len("alice")}  # no user of this node: by key
