"""Servers that are connected pass on what is new as it comes, whoever appends it, and find one another again."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.command_line import Gonk
from kit.processes import Serving, digest, entries_held, person, serving, status, sync, until

pytestmark = pytest.mark.processes


@pytest.fixture
def owner(tmp_path: Path) -> Gonk:
    gonk = Gonk(tmp_path, "owner").with_dataset()
    gonk.add("a.png", b"pixels of a")
    gonk.accept_all()
    return gonk


def clone(owner: Gonk, name: str, server: Serving) -> Gonk:
    """One more person with a clone; the owner's node is in the peer book by it."""
    gonk = person(owner.home.parent, name)
    gonk.ok("clone", server.link)
    return gonk


def agree(*people: Gonk) -> bool:
    """Whether all hold the same entries."""
    return len({status(each)["heads_digest"] for each in people}) == 1


def test_what_a_command_appends_beside_a_server_reaches_the_connected_peers(owner: Gonk) -> None:
    with serving(owner) as server:
        annotator = clone(owner, "annotator", server)
        with serving(annotator) as other:
            until(lambda: "in sync" in other.log, "the two are connected", server, other)
            annotator.annotate("a.png")
            until(lambda: agree(owner, annotator), "the annotation reaches the owner", server, other)
            owner.ok("review", "cells", "accept", "--all", "--author", annotator.key())
            until(lambda: agree(owner, annotator), "the decision comes back", server, other)
            assert status(annotator)["counts"]["annotations"]["current"] == 1
            assert digest(annotator) == digest(owner)


def test_what_comes_from_one_peer_is_passed_on_to_the_others(owner: Gonk) -> None:
    with serving(owner) as hub:
        one, other = clone(owner, "one", hub), clone(owner, "other", hub)
        with serving(one) as first, serving(other) as second:
            until(lambda: "in sync" in first.log and "in sync" in second.log, "all are connected", first, second)
            one.annotate("a.png")
            until(lambda: agree(one, other), "the annotation gets there through the owner", hub, first, second)
    assert digest(one) == digest(other) == digest(owner)


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_a_peer_that_comes_back_is_called_again(owner: Gonk, killed: bool) -> None:
    with serving(owner) as server:
        annotator = clone(owner, "annotator", server)
        with serving(annotator) as other:
            until(lambda: "in sync" in other.log, "the two are connected", server, other)
            server.kill() if killed else server.stop()
            until(lambda: annotator.json("peer", "list")[0]["problem"], "the loss is noticed", other)
            annotator.annotate("a.png")
            owner.add("b.png", b"pixels of b")
            with serving(owner, server.port) as again:
                until(lambda: agree(owner, annotator), "both have what was new", again, other)
                until(lambda: annotator.json("peer", "list")[0]["problem"] is None, "the peer book says so", other)


def test_a_dataset_and_a_peer_that_are_added_while_serving_are_taken_up(owner: Gonk, tmp_path: Path) -> None:
    late = person(tmp_path, "late")
    with serving(owner) as server, serving(late) as other:
        owner.ok("dataset", "create", "second")
        link = owner.json("share", "second", "--address", f"127.0.0.1:{server.port}")["link"]
        until(lambda: late.run("clone", link).code == 0, "the new dataset is served", server)
        owner.ok("schema", "add", "second", "caption")
        until(
            lambda: status(late, "second")["heads_digest"] == status(owner, "second")["heads_digest"],
            "what was appended after the clone comes over the session that the server began",
            server,
            other,
        )


def test_edits_of_days_offline_on_both_sides_meet_in_one_sync(owner: Gonk) -> None:
    with serving(owner) as server:
        annotator = clone(owner, "annotator", server)
    for number in range(5):
        owner.add(f"owner{number}.png", f"by the owner {number}".encode())
        annotator.add(f"annotator{number}.png", f"by the annotator {number}".encode())
    owner.accept_all()
    with serving(owner) as server:
        outcome = sync(annotator, server.link)
        assert outcome["received"]["entries"] == 6
        assert outcome["sent"]["entries"] >= 5  # the first entry of a log also says who writes it
        assert (outcome["same_entries"], outcome["same_state"]) == (True, True)
        nothing = sync(annotator, server.link)
        assert nothing["received"]["entries"] == nothing["sent"]["entries"] == 0
    assert agree(owner, annotator)
    assert digest(owner) == digest(annotator)


def test_a_role_is_taken_up_by_the_node_of_whom_it_was_given(owner: Gonk) -> None:
    with serving(owner) as server:
        reviewer = clone(owner, "reviewer", server)
        owner.ok("reviewer", "add", "cells", reviewer.key())
        before = entries_held(reviewer)
        sync(reviewer, server.link)
        assert entries_held(reviewer) == before + 2  # the grant, and the acceptance that his node signed
        sync(reviewer, server.link)
        assert owner.json("reviewer", "list", "cells")[0]["accepted"] is True
        owner.add("b.png", b"pixels of b")
        sync(reviewer, server.link)
        reviewer.accept_all()
        sync(reviewer, server.link)
    assert status(owner)["counts"]["objects"]["current"] == 2


def test_two_servers_that_call_one_another_do_no_harm(owner: Gonk) -> None:
    with serving(owner) as server:
        annotator = clone(owner, "annotator", server)
        with serving(annotator) as other:
            owner.ok("peer", "add", other.link)
            until(lambda: server.log.count("in sync") >= 2, "each has called the other", server, other)
            for number in range(3):
                owner.add(f"{number}.png", f"pixels {number}".encode())
                annotator.add(f"mine{number}.png", f"other pixels {number}".encode())
            until(lambda: agree(owner, annotator), "all comes through", server, other)
    assert digest(owner) == digest(annotator)
