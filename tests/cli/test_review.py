"""gonk review: who may, what is decided, what is refused, and strangers apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gonk_node.core.events import AnnotationCreate
from kit.command_line import Gonk, exchange


@pytest.fixture
def proposed(gonk: Gonk, stranger: Gonk) -> Gonk:
    """The owner proposed one object, the stranger another."""
    exchange(gonk, stranger)
    gonk.add("mine.png", b"mine")
    stranger.add("theirs.png", b"theirs")
    exchange(gonk, stranger)
    return gonk


def test_the_list_says_what_waits_and_tells_strangers_apart(proposed: Gonk, stranger: Gonk) -> None:
    found = proposed.json("review", "cells", "list")
    assert [each["revision"]["name"] for each in found["proposals"]] == ["mine.png"]
    assert found["pending"] == {"members": 1, "strangers": 1}
    result = proposed.ok("review", "cells", "list")
    assert "theirs.png" not in result.out
    assert "1 proposal of strangers: --strangers lists them" in result.err
    result = proposed.ok("review", "cells", "list", "--strangers")
    assert f'"Eve" ({stranger.key()[:8]})' in result.out
    assert "mine.png" not in result.out


def test_accepting_all_leaves_out_what_strangers_proposed(proposed: Gonk, stranger: Gonk) -> None:
    proposed.accept_all()
    assert [each["name"] for each in proposed.json("list", "cells", "objects", "--status", "current")["objects"]] == [
        "mine.png"
    ]
    proposed.ok("review", "cells", "accept", "--author", stranger.key())
    assert proposed.json("status", "cells")["counts"]["objects"]["current"] == 2


def test_strangers_are_decided_on_together_only_when_named(proposed: Gonk) -> None:
    proposed.ok("review", "cells", "reject", "--all", "--strangers", "--comment", "who are you?")
    shown = proposed.json("show", "cells", "theirs.png")["versions"][0]
    assert shown["status"] == ["rejected"]
    assert shown["reviews"][0]["comment"] == "who are you?"
    assert proposed.json("show", "cells", "mine.png")["versions"][0]["status"] == ["pending"]


def test_one_who_is_no_owner_or_reviewer_may_not_review(proposed: Gonk, stranger: Gonk) -> None:
    event = proposed.json("review", "cells", "list")["proposals"][0]["event"]
    for words in ((event,), ("--all",)):
        result = stranger.refused("review", "cells", "accept", *words)
        assert "only owners and reviewers of the dataset may review" in result.err
        assert stranger.key() in result.err  # what to give to an owner


def test_a_second_review_is_refused_unless_it_supersedes(proposed: Gonk) -> None:
    event = proposed.json("review", "cells", "list")["proposals"][0]["event"]
    proposed.ok("review", "cells", "accept", event)
    for action in ("accept", "reject"):
        assert "you reviewed it before" in proposed.refused("review", "cells", action, event).err
    proposed.ok("review", "cells", "reject", event, "--supersede")
    assert proposed.json("show", "cells", "mine.png")["versions"][0]["status"] == ["rejected"]


def test_what_somebody_else_decided_is_not_decided_again(proposed: Gonk, stranger: Gonk) -> None:
    proposed.ok("reviewer", "add", "cells", stranger.key())
    exchange(proposed, stranger)
    event = proposed.json("review", "cells", "list")["proposals"][0]["event"]
    stranger.ok("review", "cells", "accept", event)
    exchange(proposed, stranger)
    assert "it is decided: accepted" in proposed.refused("review", "cells", "reject", event).err


def test_with_two_approvals_needed_one_is_not_enough(tmp_path: Path, stranger: Gonk) -> None:
    owner = Gonk(tmp_path, "owner").with_dataset(approvals=2)
    owner.ok("reviewer", "add", "cells", stranger.key())
    owner.add("a.png", b"a")
    owner.accept_all()
    assert owner.json("show", "cells", "a.png")["versions"][0]["status"] == ["pending"]
    assert owner.json("review", "cells", "list")["proposals"][0]["approvals"] == 1
    assert "nothing waits" in owner.ok("review", "cells", "accept", "--all").err
    exchange(owner, stranger)
    stranger.accept_all()
    exchange(owner, stranger)
    assert owner.json("show", "cells", "a.png")["versions"][0]["status"] == ["accepted"]


def test_part_of_what_was_asked_is_done_and_the_rest_is_told(proposed: Gonk) -> None:
    first = proposed.json("review", "cells", "list")["proposals"][0]["event"]
    proposed.ok("review", "cells", "accept", first)
    second = proposed.add("b.png", b"b")["event"]
    result = proposed.run("review", "cells", "accept", first, second, "--json")
    assert result.code == 6
    assert result.json()["decided"] == [second]
    assert result.json()["refused"][0]["event"] == first
    third = proposed.add("c.png", b"c")["event"]
    result = proposed.run("review", "cells", "accept", first, third)
    assert result.code == 6
    assert f"{first}: not accepted: you reviewed it before" in result.err


def test_if_none_can_be_decided_nothing_is_signed(proposed: Gonk) -> None:
    first, second = proposed.add("b.png", b"b")["event"], proposed.add("c.png", b"c")["event"]
    proposed.ok("review", "cells", "accept", first, second)
    before = proposed.state()
    assert proposed.run("review", "cells", "accept", first, second).code == 1
    assert proposed.state() == before


def test_an_event_that_is_not_here_is_refused(proposed: Gonk) -> None:
    proposed.refused("review", "cells", "accept", "00000000-0000-8000-8000-000000000000")
    proposed.refused("review", "cells", "accept", "mine.png", code=2)
    genesis = proposed.json("log", "cells", "--kind", "dataset.create")[0]["events"][0]["event"]
    assert "there is nothing to review" in proposed.refused("review", "cells", "accept", genesis).err


def test_events_or_a_choice_of_them_must_be_named(proposed: Gonk) -> None:
    proposed.refused("review", "cells", "accept", code=2)
    event = proposed.json("review", "cells", "list")["proposals"][0]["event"]
    proposed.refused("review", "cells", "accept", event, "--all", code=2)
    proposed.refused("review", "cells", "list", event, code=2)


def test_nobody_is_chosen_by_a_name(proposed: Gonk) -> None:
    assert (
        "names do not identify anybody" in proposed.refused("review", "cells", "accept", "--author", "Eve", code=2).err
    )


def test_an_annotation_that_does_not_fit_its_schema_cannot_be_accepted(proposed: Gonk, stranger: Gonk) -> None:
    """A stranger's own program need not check what it signs; the owner's does."""
    proposed.ok("schema", "add", "cells", "bounding-box")
    proposed.accept_all()
    exchange(proposed, stranger)
    with stranger.node() as node:
        author = node.author(node.replica("cells"))
        schema = author.queries.schema("schema-bounding-box")[0]
        on = author.queries.find_object("mine.png")[0]
        author.sign([AnnotationCreate(b"u" * 16, schema.ref, (on.ref,), json.dumps({"label": "?"}).encode())])
    exchange(proposed, stranger)
    proposal = proposed.json("review", "cells", "list", "--author", stranger.key())["proposals"][-1]
    assert proposal["revision"]["type"] == "annotation"
    assert "does not fit its schema" in proposed.refused("review", "cells", "accept", proposal["event"]).err
    proposed.ok("review", "cells", "reject", proposal["event"])


def test_a_name_that_steers_terminals_is_shown_without_harm(gonk: Gonk, stranger: Gonk) -> None:
    exchange(gonk, stranger)
    stranger.ok("whoami", "cells", "--name", "Ada\u202e\u200b (root)")
    stranger.add("x.png", b"x")
    exchange(gonk, stranger)
    result = gonk.ok("review", "cells", "list", "--strangers")
    assert f'"Ada (root)" ({stranger.key()[:8]})' in result.out
    assert "\u202e" not in gonk.ok("review", "cells", "list", "--strangers", "--json").out
