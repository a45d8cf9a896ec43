"""Reviews over HTTP: one event as Gonk has it, with a comment, and many at a time."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from gonk_node.core.events import ACCEPT, AnnotationCreate, Review
from gonk_node.core.ids import EventRef, event_uuid, uuid_text
from kit.http_api import Api, Client, b64
from kit.processes import until

pytestmark = pytest.mark.processes


def event_of(client: Client, path: str) -> str:
    """The uuid of the first event about a version, such as `objects/UUID/0`."""
    event: str = client.events_of(path)[0]["uuid"]
    return event


def proposed(client: Client, count: int) -> list[str]:
    """Propose objects; their events."""
    return [event_of(client, f"objects/{client.new_object()['uuid']}/0") for _ in range(count)]


def review_states(client: Client, events: list[str]) -> list[str]:
    return [client.ok("GET", f"events/{event}")["review"] for event in events]


@pytest.mark.parametrize(("decision", "state"), [("accept", "ACCEPTED"), ("reject", "REJECTED")])
def test_an_event_is_decided_and_echoed(api: Api, decision: str, state: str) -> None:
    (event,) = proposed(api.bob, 1)
    assert review_states(api.bob, [event]) == ["PENDING"]
    assert api.alice.ok("PUT", f"events/{event}/{decision}") == {"uuid": event}
    found = api.bob.ok("GET", f"events/{event}")
    assert found["review"] == state
    (review,) = found["reviews"]
    assert review | {"uuid": "", "timestamp": ""} == {
        "uuid": "",
        "author": "alice",
        "decision": decision,
        "comment": "",
        "timestamp": "",
        "honoured": True,
    }


def test_a_comment_is_kept_for_the_authors(api: Api) -> None:
    (event,) = proposed(api.bob, 1)
    api.alice.ok("PUT", f"events/{event}/reject", {"comment": "too dark 🌒"})
    assert api.bob.ok("GET", f"events/{event}")["reviews"][0]["comment"] == "too dark 🌒"


@pytest.mark.parametrize("decision", ["accept", "reject"])
def test_what_cannot_be_decided_is_told_why(api: Api, decision: str) -> None:
    (event,) = proposed(api.bob, 1)
    path = f"events/{event}/{decision}"
    api.bob.refused(403, "PUT", path)
    api.nobody.refused(400, "PUT", path)
    api.nobody.refused(401, "PUT", path, headers={"x-api-key": "gk_" + "a" * 32})
    api.alice.refused(404, "PUT", f"events/{uuid4()}/{decision}")
    api.alice.refused(400, "PUT", f"events/nonsense/{decision}")
    api.alice.refused(404, "PUT", f"/datasets/nothing/{path}")
    api.alice.refused(400, "PUT", path, {"comment": 5})
    api.alice.refused(400, "PUT", path, {"comment": "x" * 5000})
    api.alice.refused(400, "PUT", path, data="comment", headers={"Content-Type": "text/plain"})
    assert review_states(api.bob, [event]) == ["PENDING"]
    api.alice.ok("PUT", path)
    assert "ValidationError" in api.alice.refused(409, "PUT", path)
    other = "accept" if decision == "reject" else "reject"
    api.alice.refused(409, "PUT", f"events/{event}/{other}")


def test_only_proposals_are_reviewed(api: Api) -> None:
    (event,) = proposed(api.bob, 1)
    api.alice.ok("PUT", f"events/{event}/accept")
    (review,) = api.alice.ok("GET", f"events/{event}")["reviews"]
    founding = api.alice.ok("GET", "events?limit=1")[0]["uuid"]
    for uuid in (review["uuid"], founding):
        api.alice.refused(404, "PUT", f"events/{uuid}/accept")


def test_a_uuid_is_read_in_any_form(api: Api) -> None:
    (event,) = proposed(api.bob, 1)
    assert api.alice.ok("PUT", f"events/{event.upper().replace('-', '')}/accept") == {"uuid": event}


def test_of_two_who_decide_at_one_time_the_second_is_refused(api: Api) -> None:
    events = proposed(api.bob, 8)
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(
                lambda at: api.client("alice").call("PUT", f"events/{at[0]}/{at[1]}").status_code,
                [(event, decision) for event in events for decision in ("accept", "reject")],
            )
        )
    assert sorted(answers) == [200] * 8 + [409] * 8


def test_a_deletion_is_reviewed_like_everything_else(api: Api) -> None:
    added = api.bob.new_object()
    path = f"objects/{added['uuid']}/0"
    api.alice.accept(path)
    api.bob.ok("DELETE", path)
    deletion = next(each["uuid"] for each in api.bob.events_of(path) if each["type"] == "ObjectDeleteEvent")
    assert review_states(api.bob, [deletion]) == ["PENDING"]
    api.alice.ok("PUT", f"events/{deletion}/reject")
    assert review_states(api.bob, [deletion]) == ["REJECTED"]
    assert added in api.bob.ok("GET", "objects/accepted?limit=1000")


def test_an_annotation_that_does_not_fit_its_schema_is_not_accepted(fresh_api: Api) -> None:
    alice = fresh_api.alice
    alice.new_schema()
    alice.new_object(b"one", "a.png")
    with fresh_api.gonk.node() as node:  # an honest program would not sign it; another one might
        author = node.author(node.replica("cells"))
        (thing,) = author.queries.find_object("a.png")
        (schema,) = author.queries.schema("schema-box")
        entry = author.sign([AnnotationCreate(uuid4().bytes, schema.ref, (thing.ref,), b'{"label": 5}')])
    event = uuid_text(event_uuid(EventRef(entry.entry_id, 0)))
    until(lambda: alice.call("GET", f"events/{event}").status_code == 200, "it is seen", fresh_api.server)
    error = alice.refused(422, "PUT", f"events/{event}/accept")
    assert "does not fit its schema" in error["ValidationError"]
    (refused,) = review_many(alice, decision="accept", events=[event])["refused"]
    assert refused["uuid"] == event
    assert "does not fit its schema" in refused["error"]
    alice.ok("PUT", f"events/{event}/reject")


def test_a_review_without_effect_is_shown_as_such(fresh_api: Api) -> None:
    (event,) = proposed(fresh_api.alice, 1)
    with fresh_api.gonk.node() as node:
        author = node.author(node.replica("cells"))  # the node's own person has no role
        author.sign([Review(ACCEPT, (author.queries.find_event(event),), (), "mine")])
    until(lambda: fresh_api.bob.ok("GET", f"events/{event}")["reviews"], "it is seen", fresh_api.server)
    found = fresh_api.bob.ok("GET", f"events/{event}")
    assert found["review"] == "PENDING"
    assert [(review["comment"], review["honoured"]) for review in found["reviews"]] == [("mine", False)]
    fresh_api.alice.ok("PUT", f"events/{event}/accept")
    found = fresh_api.bob.ok("GET", f"events/{event}")
    assert [review["honoured"] for review in found["reviews"]] == [True, False]
    assert [each["type"] for each in fresh_api.bob.ok("GET", "events")][-1] == "ReviewAcceptEvent"
    assert len(fresh_api.bob.ok("GET", "events")) == 3


def test_where_several_must_accept_it_waits_for_all_of_them(fresh_api: Api) -> None:
    alice, bob = fresh_api.alice, fresh_api.bob
    alice.ok("POST", "/datasets", {"name": "strict", "approvals": 2})
    alice.ok("PUT", "/datasets/strict/owners/bob")
    body = {"name": "a.png", "object": b64(b"a"), "mimetype": "image/png"}
    alice.ok("POST", "/datasets/strict/objects", body)
    event = alice.ok("GET", "/datasets/strict/events")[-1]["uuid"]
    path = f"/datasets/strict/events/{event}"
    alice.ok("PUT", f"{path}/accept")
    assert alice.ok("GET", path)["review"] == "PENDING"
    alice.refused(409, "PUT", f"{path}/accept")
    everything = {"decision": "accept", "all": True}
    assert alice.ok("POST", "/datasets/strict/reviews", everything)["reviewed"] == []  # it waits for somebody else
    assert bob.ok("POST", "/datasets/strict/reviews", everything)["reviewed"] == [event]
    assert alice.ok("GET", path)["review"] == "ACCEPTED"


# --- many at a time ------------------------------------------------------------------------------------------


def review_many(client: Client, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.ok("POST", "reviews", body)
    return found


def test_many_are_decided_at_once_and_those_that_cannot_be_are_named(api: Api) -> None:
    events = proposed(api.bob, 3)
    unknown = str(uuid4())
    api.alice.ok("PUT", f"events/{events[0]}/reject")
    found = review_many(api.alice, decision="accept", events=[*events, unknown, events[1]], comment="all")
    assert found["reviewed"] == events[1:]
    unknown_as_event = str(UUID(unknown))
    assert {each["uuid"][:8] for each in found["refused"]} == {events[0][:8], unknown_as_event[:8]}
    assert all(each["error"] for each in found["refused"])
    assert review_states(api.bob, events) == ["REJECTED", "ACCEPTED", "ACCEPTED"]
    reviews = {api.bob.ok("GET", f"events/{event}")["reviews"][0]["uuid"] for event in events[1:]}
    assert len(reviews) == 1  # signed once
    listed = api.bob.ok("GET", f"events/{reviews.pop()}")
    assert (listed["event_uuid"], listed["event_uuids"], listed["comment"]) == (events[1], events[1:], "all")


def test_all_that_waits_leaves_out_what_strangers_proposed(fresh_api: Api) -> None:
    alice, bob = fresh_api.alice, fresh_api.bob
    mine, theirs = proposed(alice, 2), proposed(bob, 2)
    assert review_many(alice, decision="accept", all=True) == {"reviewed": mine, "refused": [], "after": None}
    assert review_many(alice, decision="reject", all=True, author="bob")["reviewed"] == theirs
    assert review_many(alice, decision="reject", all=True, author="bob")["reviewed"] == []
    assert review_states(bob, [*mine, *theirs]) == ["ACCEPTED"] * 2 + ["REJECTED"] * 2


def test_all_begins_after_an_event(fresh_api: Api) -> None:
    events = proposed(fresh_api.alice, 3)
    assert review_many(fresh_api.alice, decision="accept", all=True, after=events[0])["reviewed"] == events[1:]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "accept"},
        {"decision": "perhaps", "all": True},
        {"decision": "accept", "all": False},
        {"decision": "accept", "all": True, "events": [str(uuid4())]},
        {"decision": "accept", "events": []},
        {"decision": "accept", "events": [str(uuid4())] * 4097},
        {"decision": "accept", "events": ["nonsense"]},
        {"decision": "accept", "events": [5]},
        {"decision": "accept", "events": [str(uuid4())], "author": "bob"},
        {"decision": "accept", "all": True, "author": "nobody"},
        {"decision": "accept", "all": True, "after": "nonsense"},
        {"decision": 1, "all": True},
        {"decision": "accept", "all": 1},
        {"decision": "accept", "all": True, "comment": "x" * 5000},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(api: Api, body: dict[str, Any]) -> None:
    if "comment" in body:
        proposed(api.alice, 1)
    api.alice.refused(400, "POST", "reviews", body)


def test_many_are_refused_to_who_may_not_review(api: Api) -> None:
    body = {"decision": "accept", "all": True}
    api.bob.refused(403, "POST", "reviews", body)
    api.nobody.refused(400, "POST", "reviews", body)
    api.alice.refused(404, "POST", "/datasets/nothing/reviews", body)
    api.alice.refused(404, "POST", "reviews", body | {"after": str(uuid4())})
    api.alice.refused(400, "POST", "reviews", data=json.dumps(body), headers={"Content-Type": "text/plain"})
