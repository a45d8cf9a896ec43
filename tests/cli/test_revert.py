"""gonk revert: what was accepted is proposed to be undone; what others built on stays; nothing is signed in vain."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from gonk_node.errors import NonconformingError
from kit.command_line import BOX, Gonk, exchange


@pytest.fixture
def shared(gonk: Gonk, stranger: Gonk) -> Gonk:
    """An accepted object with an accepted annotation of the owner, known to the stranger too."""
    gonk.add("a.png")
    gonk.annotate("a.png")
    gonk.accept_all()
    exchange(gonk, stranger)
    return gonk


def annotation(gonk: Gonk) -> str:
    uuid: str = gonk.json("list", "cells", "annotations")["annotations"][0]["uuid"]
    return uuid


def update(gonk: Gonk, uuid: str, **members: Any) -> None:
    body = gonk.file("update.json", BOX | members)
    gonk.ok("annotate", "cells", "a.png", "bounding-box", body, "--update", uuid)


def take(owner: Gonk, other: Gonk) -> None:
    """What the other proposed comes to the owner and is accepted."""
    exchange(owner, other)
    owner.ok("review", "cells", "accept", "--author", other.key())


def current(gonk: Gonk, uuid: str) -> dict[str, Any] | None:
    versions = gonk.json("show", "cells", uuid)["versions"]
    return next((each for each in versions if each["current"]), None)


def test_an_accepted_update_of_a_stranger_is_undone_and_the_version_before_counts_again(
    shared: Gonk, stranger: Gonk
) -> None:
    uuid = annotation(shared)
    update(stranger, uuid, x=666)
    take(shared, stranger)
    assert current(shared, uuid)["body"]["x"] == 666
    before = shared.state()
    plan = shared.json("revert", "cells", "--author", stranger.key(), "--dry-run")
    assert [(each["action"], each["revision"]["version"]) for each in plan["steps"]] == [("delete", 1)]
    assert shared.state() == before, "a dry run signs nothing"
    done = shared.json("revert", "cells", "--author", stranger.key())
    assert len(done["proposed"]) == 1 and current(shared, uuid)["body"]["x"] == 666
    shared.accept_all()
    assert current(shared, uuid)["version"] == 0


def test_reverting_twice_proposes_nothing_new(shared: Gonk, stranger: Gonk) -> None:
    update(stranger, annotation(shared), x=666)
    stranger.ok("delete", "cells", annotation(stranger) + "@0")
    take(shared, stranger)
    first = shared.json("revert", "cells", "--author", stranger.key())
    assert sorted((each["action"], each["revision"]["version"]) for each in first["steps"]) == [
        ("delete", 1),
        ("restore", 0),
    ]
    before = shared.state()
    again = shared.json("revert", "cells", "--author", stranger.key())
    assert (again["steps"], again["proposed"]) == ([], [])
    assert [event for step in again["asked"] for event in step["proposed"]] == first["proposed"]
    assert shared.state() == before
    assert "nothing was signed" in shared.ok("revert", "cells", "--author", stranger.key()).err
    shared.accept_all()
    now = current(shared, annotation(shared))
    assert now is not None and now["body"] == BOX


@pytest.mark.parametrize("times", [1, 2])
def test_what_came_back_stays_when_the_same_is_reverted_again(shared: Gonk, stranger: Gonk, times: int) -> None:
    since = shared.json("log", "cells", "--limit", "1")[0]["time"]
    uuid = annotation(shared)
    for _ in range(times):  # what came back is deleted once more
        stranger.ok("delete", "cells", uuid)
        stranger.ok("delete", "cells", "a.png")
        take(shared, stranger)
        assert len(shared.json("revert", "cells", "--since", since, "--accept")["accepted"]) == 2
        exchange(shared, stranger)
    before = shared.state()
    again = shared.json("revert", "cells", "--since", since, "--accept")
    assert (again["steps"], again["kept"], again["asked"]) == ([], [], [])
    assert shared.state() == before
    now = current(shared, uuid)
    assert now is not None and now["body"] == BOX


def test_a_deletion_is_undone_by_a_new_version_with_the_old_content(shared: Gonk, stranger: Gonk) -> None:
    uuid = annotation(shared)
    stranger.ok("delete", "cells", uuid)
    take(shared, stranger)
    assert current(shared, uuid) is None
    done = shared.json("revert", "cells", "--author", stranger.key(), "--accept", "--comment", "vandalism")
    assert [each["action"] for each in done["steps"]] == ["restore"]
    assert done["accepted"] == done["proposed"]
    now = current(shared, uuid)
    assert now is not None and (now["version"], now["body"]) == (1, BOX)
    assert shared.json("revert", "cells", "--author", stranger.key())["steps"] == []


def test_a_deleted_object_and_schema_come_back(shared: Gonk, stranger: Gonk) -> None:
    stranger.ok("delete", "cells", "a.png")
    stranger.ok("delete", "cells", "schema-bounding-box")
    take(shared, stranger)
    text = shared.ok("revert", "cells", "--author", stranger.key(), "--dry-run").out
    assert "as a new version" in text
    shared.ok("revert", "cells", "--author", stranger.key(), "--accept")
    for name in ("a.png", "schema-bounding-box"):
        now = current(shared, name)
        assert now is not None and now["version"] == 1


def test_what_others_built_on_is_left_and_told(shared: Gonk, stranger: Gonk) -> None:
    uuid = annotation(shared)
    update(stranger, uuid, x=666)
    take(shared, stranger)
    update(shared, uuid, x=667)
    shared.accept_all()
    before = shared.state()
    done = shared.json("revert", "cells", "--author", stranger.key())
    assert (done["steps"], done["proposed"]) == ([], [])
    assert [each["why"] for each in done["kept"]] == ["version 2 was built on it"]
    assert shared.state() == before
    assert "version 2 was built on it" in shared.ok("revert", "cells", "--author", stranger.key()).err


def test_concurrent_edits_of_others_stay(shared: Gonk, stranger: Gonk) -> None:
    uuid = annotation(shared)
    update(stranger, uuid, x=666)
    update(shared, uuid, x=5)
    take(shared, stranger)
    accepted = shared.run("review", "cells", "accept", "--all")
    assert accepted.code == 5 and "gonk conflicts cells" in accepted.err
    shared.ok("revert", "cells", "--author", stranger.key(), "--accept")
    now = current(shared, uuid)
    assert now is not None and now["body"]["x"] == 5
    assert shared.json("conflicts", "cells") == []


def test_an_object_on_which_annotations_of_others_hang_is_left(shared: Gonk, stranger: Gonk) -> None:
    stranger.add("b.png", "theirs")
    stranger.annotate("b.png")
    take(shared, stranger)
    shared.annotate("b.png")
    plan = shared.json("revert", "cells", "--author", stranger.key(), "--dry-run")
    assert [(each["revision"]["type"], each["waiting"]) for each in plan["steps"]] == [("annotation", 0), ("object", 1)]
    shared.accept_all()
    plan = shared.json("revert", "cells", "--author", stranger.key(), "--dry-run")
    assert [each["revision"]["type"] for each in plan["steps"]] == ["annotation"]
    assert [each["why"] for each in plan["kept"]] == ["annotations that stay hang on it: 1"]


def test_what_nobody_accepted_is_counted_and_not_reverted(shared: Gonk, stranger: Gonk) -> None:
    stranger.annotate("a.png")
    exchange(shared, stranger)
    before = shared.state()
    done = shared.json("revert", "cells", "--author", stranger.key())
    assert (done["steps"], done["undecided"]) == ([], 1)
    assert shared.state() == before
    assert "rejected instead" in shared.ok("revert", "cells", "--author", stranger.key()).err


def test_an_entry_or_a_time_chooses_and_reviews_are_told_apart(shared: Gonk, stranger: Gonk) -> None:
    entries = shared.json("log", "cells")
    (made,) = [each for each in entries if [event["kind"] for event in each["events"]] == ["annotation.create"]]
    by_entry = shared.json("revert", "cells", "--entry", made["entry"][:16], "--dry-run")
    assert [each["revision"]["type"] for each in by_entry["steps"]] == ["annotation"]
    since = shared.json("revert", "cells", "--since", made["time"], "--dry-run")
    assert since["steps"] == by_entry["steps"] and since["not_undone"] == {"reviews": 1}
    both = shared.json("revert", "cells", "--since", made["time"], "--author", stranger.key(), "--dry-run")
    assert both["steps"] == []
    assert "not undone: 1 review" in shared.ok("revert", "cells", "--since", made["time"], "--dry-run").err


def test_what_cannot_be_chosen_is_refused(shared: Gonk) -> None:
    shared.refused("revert", "cells", code=2)
    shared.refused("revert", "cells", "--entry", "0" * 16)
    shared.refused("revert", "cells", "--entry", "nonsense", code=2)
    shared.refused("revert", "cells", "--since", "soon", code=2)


def test_who_may_not_review_cannot_accept_and_signs_nothing(shared: Gonk, stranger: Gonk) -> None:
    stranger.refused("revert", "cells", "--author", shared.key(), "--accept")
    done = stranger.json("revert", "cells", "--author", shared.key())
    assert [each["revision"]["type"] for each in done["steps"]] == ["annotation", "object", "schema"]
    assert len(done["proposed"]) == 3


def test_a_schema_that_annotations_of_others_follow_is_left(shared: Gonk, stranger: Gonk) -> None:
    exchange(shared, stranger)
    stranger.annotate("a.png")
    take(shared, stranger)
    (made,) = [each for each in shared.json("log", "cells") if "schema.create" in str(each["events"])]
    plan = shared.json("revert", "cells", "--entry", made["entry"], "--dry-run")
    assert (plan["steps"], [each["why"] for each in plan["kept"]]) == ([], ["annotations that stay follow it: 2"])


def test_what_strangers_built_on_and_nobody_accepted_holds_nothing_up_but_is_told(shared: Gonk, stranger: Gonk) -> None:
    uuid = annotation(shared)
    update(shared, uuid, x=5)
    shared.accept_all()
    exchange(shared, stranger)
    update(stranger, uuid, x=6)
    exchange(shared, stranger)
    (step,) = shared.json("revert", "cells", "--entry", _newest_update(shared), "--dry-run")["steps"]
    assert (step["action"], step["revision"]["version"], step["waiting"]) == ("delete", 1, 1)
    assert "1 proposal of others needs it" in shared.ok("revert", "cells", "--entry", _newest_update(shared)).out


def _newest_update(gonk: Gonk) -> str:
    found = gonk.json("log", "cells", "--kind", "annotation.update", "--author", gonk.key())
    entry: str = found[0]["entry"]
    return entry


def test_a_restored_object_may_be_brought_back_whole_by_who_decided(shared: Gonk, stranger: Gonk) -> None:
    stranger.ok("delete", "cells", "a.png")
    take(shared, stranger)
    deletion = shared.json("show", "cells", "a.png")["versions"][0]["deletions"][0]
    shared.ok("review", "cells", "reject", deletion["event"], "--supersede")
    now = current(shared, "a.png")
    assert now is not None and now["version"] == 0
    assert shared.json("revert", "cells", "--author", stranger.key())["steps"] == []


def printed(text: str, beginning: str) -> list[str]:
    """The words behind `gonk` of a command that is printed as the next one, which begins so."""
    (line,) = [line for line in text.splitlines() if line.strip().startswith(f"next: {beginning}")]
    return shlex.split(line.partition("next: gonk ")[2].partition("    (")[0])


def test_what_was_proposed_to_be_undone_before_is_accepted_with_the_rest(shared: Gonk, stranger: Gonk) -> None:
    uuid = annotation(shared)
    update(stranger, uuid, x=666)
    stranger.ok("delete", "cells", uuid + "@0")
    take(shared, stranger)
    first = shared.json("revert", "cells", "--author", stranger.key())["proposed"]
    stranger.add("late.png", "more of it")
    take(shared, stranger)
    done = shared.json("revert", "cells", "--author", stranger.key(), "--accept", "--comment", "vandalism")
    assert len(first) == 2 and len(done["proposed"]) == 1
    assert sorted(done["accepted"]) == sorted(first + done["proposed"])
    now = current(shared, uuid)
    assert now is not None and now["body"] == BOX
    assert shared.json("review", "cells", "list")["proposals"] == []
    before = shared.state()
    shared.ok("revert", "cells", "--author", stranger.key(), "--accept")
    assert shared.state() == before


def test_after_proposing_the_command_that_accepts_just_that_is_printed(shared: Gonk, stranger: Gonk) -> None:
    update(stranger, annotation(shared), x=666)
    take(shared, stranger)
    text = shared.ok("revert", "cells", "--author", stranger.key()[:8]).err
    shared.add("other.png", "something else that waits")
    assert "1 undoing is proposed already" in shared.ok("revert", "cells", "--author", stranger.key()).err
    assert "accepted 1" in shared.ok(*printed(text, "gonk revert")).out
    assert len(shared.json("review", "cells", "list")["proposals"]) == 1, "nothing else was accepted"


def test_undoings_that_are_proposed_already_are_not_among_what_can_be_rejected(shared: Gonk, stranger: Gonk) -> None:
    since = shared.json("log", "cells", "--limit", "1")[0]["time"]
    update(stranger, annotation(shared), x=666)
    take(shared, stranger)
    shared.ok("revert", "cells", "--since", since)
    stranger.add("undecided.png", "nobody looked at it yet")
    exchange(shared, stranger)
    again = shared.json("revert", "cells", "--since", since, "--dry-run")
    assert (len(again["asked"]), again["undecided"]) == (1, 1)


def test_who_may_not_review_is_told_what_an_owner_is_to_run(shared: Gonk, stranger: Gonk) -> None:
    uuid = annotation(shared)
    update(shared, uuid, x=5)
    shared.accept_all()
    exchange(shared, stranger)
    entry = _newest_update(shared)
    stranger.ok("revert", "cells", "--entry", entry)
    refused = stranger.refused("revert", "cells", "--entry", entry, "--accept")
    exchange(shared, stranger)
    told = refused.err.partition("to run: gonk ")[2].split()
    assert "accepted 1" in shared.ok(*told).out
    now = current(shared, uuid)
    assert now is not None and now["version"] == 0


def test_where_several_must_accept_each_of_them_can(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("dataset", "create", "pairs", "--approvals", "2")
    exchange(gonk, stranger, "pairs")
    gonk.ok("owner", "add", "pairs", stranger.key())
    gonk.add(dataset="pairs")
    exchange(gonk, stranger, "pairs")
    for each in (gonk, stranger):
        each.accept_all("pairs")
    exchange(gonk, stranger, "pairs")
    words = ("revert", "pairs", "--author", gonk.key(), "--accept")
    assert "each counts once 2 different people have accepted it" in gonk.ok(*words).err
    before = gonk.state("pairs")
    assert "1 undoing is proposed already" in gonk.ok(*words).err
    assert gonk.state("pairs") == before, "nobody accepts twice"
    exchange(gonk, stranger, "pairs")
    assert len(stranger.json(*words)["accepted"]) == 1
    assert current_of(stranger, "pairs") == 0


def current_of(gonk: Gonk, dataset: str) -> int:
    return len(gonk.json("list", dataset, "objects", "--status", "current")["objects"])


def test_an_object_that_comes_back_has_its_annotations(shared: Gonk, stranger: Gonk) -> None:
    stranger.ok("delete", "cells", "a.png")
    take(shared, stranger)
    assert shared.json("export", "cells", "jsonl", shared.files / "without")["annotations"] == 0
    shared.ok("revert", "cells", "--author", stranger.key(), "--accept")
    now = current(shared, "a.png")
    assert now is not None and now["version"] == 1
    assert shared.json("release", "create", "cells", "v1")["annotations"] == 1
    assert shared.json("export", "cells", "jsonl", shared.files / "with")["annotations"] == 1


def test_what_may_not_be_accepted_any_more_is_told(
    shared: Gonk, stranger: Gonk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger.ok("delete", "cells", annotation(shared))
    take(shared, stranger)

    def refuse(*_: object) -> None:
        raise NonconformingError("it does not fit its schema, so it cannot be accepted")

    monkeypatch.setattr("gonk_node.replica.signing.governing.Governor._check_acceptable", refuse)
    result = shared.run("revert", "cells", "--author", stranger.key(), "--accept")
    assert result.code == 6
    assert "not accepted: " in result.err and "does not fit its schema" in result.err


def test_what_has_no_effect_since_its_base_was_erased_is_nothing_to_decide(shared: Gonk, stranger: Gonk) -> None:
    uuid = annotation(shared)
    update(stranger, uuid, x=666)
    take(shared, stranger)
    shared.ok(
        "redact", "cells", shared.json("show", "cells", uuid + "@0")["versions"][0]["event"], "--reason", "a face"
    )
    assert shared.json("revert", "cells", "--author", stranger.key())["undecided"] == 0
    shown = shared.ok("show", "cells", uuid).out
    assert "-: waiting" in shown and "version - accepted" in shown and "None" not in shown


def test_a_comment_that_cannot_be_signed_is_refused_before_anything_is_proposed(shared: Gonk) -> None:
    shared.refused("revert", "cells", "--author", shared.key(), "--accept", "--comment", "x" * 5000, code=2)


def test_several_changes_of_roles_are_spelled_so(shared: Gonk, stranger: Gonk) -> None:
    since = shared.json("log", "cells", "--limit", "1")[0]["time"]
    for role in ("contributor", "reviewer"):
        shared.ok(role, "add", "cells", stranger.key())
    assert "2 changes of roles" in shared.ok("revert", "cells", "--since", since, "--dry-run").err
