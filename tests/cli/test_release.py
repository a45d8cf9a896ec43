"""gonk release: made by owners, verified by anybody, compared; and gonk list --at."""

from __future__ import annotations

import pytest

from kit.command_line import BOX, Gonk, exchange


@pytest.fixture
def released(gonk: Gonk) -> Gonk:
    """A dataset with one object and one annotation, released as v1.0."""
    gonk.add()
    gonk.accept_all()
    gonk.annotate()
    gonk.accept_all()
    gonk.ok("release", "create", "cells", "v1.0", "--notes", "first light")
    return gonk


def test_a_release_is_listed_shown_and_verified(released: Gonk) -> None:
    (listed,) = released.json("release", "list", "cells")
    shown = released.json("release", "show", "cells", "v1.0")
    assert (listed["tag"], listed["objects"], listed["annotations"], listed["left_out"]) == ("v1.0", 1, 1, 0)
    assert listed["named_by_tag"] is True
    assert shown["notes"] == "first light"
    assert {key: shown[key] for key in listed} == listed
    assert len(shown["heads"]) == 1
    assert released.json("release", "show", "cells", listed["event"]) == shown
    verified = released.json("release", "verify", "cells", "v1.0")
    assert verified["verified"] is True
    assert verified["manifest_hash"] == listed["manifest_hash"]
    assert released.ok("release", "verify", "cells", "v1.0").out.strip() == listed["manifest_hash"]
    assert "v1.0" in released.ok("release", "list", "cells").out
    assert "first light" in released.ok("release", "show", "cells", "v1.0").out


def test_the_manifest_is_written_as_it_is(released: Gonk) -> None:
    lines = released.ok("release", "show", "cells", "v1.0", "--manifest", "-").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["gonk-node manifest 1", "object", "annotation"]
    target = released.files / "manifest.txt"
    mixed = released.run("release", "show", "cells", "v1.0", "--manifest", "-", "--json")
    assert (mixed.code, mixed.out, mixed.error()["code"]) == (2, "", "usage")
    told = released.ok("release", "show", "cells", "v1.0", "--manifest", target).err
    assert f"its manifest is saved as {target}" in told
    assert target.read_text().splitlines() == lines
    released.refused("release", "show", "cells", "v1.0", "--manifest", target)


def test_only_owners_release_and_a_tag_is_used_once(released: Gonk, stranger: Gonk) -> None:
    assert "there is a release 'v1.0' already" in released.refused("release", "create", "cells", "v1.0").err
    for tag in ("", ".hidden", "a/b", "v 1", "v1 ", "v\u202e1", "v\x1b[31m", "x" * 101, "ü", "2026-11-30", "00" * 16):
        released.refused("release", "create", "cells", tag, code=2)
    exchange(released, stranger)
    refused = stranger.refused("release", "create", "cells", "v2.0").err
    assert "only owners may make releases" in refused
    assert "next: gonk owner list cells" in refused
    assert "there is no release 'v9'" in released.refused("release", "verify", "cells", "v9").err


def test_another_node_verifies_and_a_note_that_is_too_long_is_refused(released: Gonk, stranger: Gonk) -> None:
    exchange(released, stranger)
    mine = released.json("release", "verify", "cells", "v1.0")["manifest_hash"]
    assert stranger.json("release", "verify", "cells", "v1.0")["manifest_hash"] == mine
    released.refused("release", "create", "cells", "v2.0", "--notes", "x" * 5000, code=2)


def test_what_two_releases_differ_in(released: Gonk) -> None:
    annotation = released.json("list", "cells", "annotations")["annotations"][0]
    released.add("b.png", b"other pixels")
    moved = released.file("moved.json", BOX | {"x": 9})
    released.ok("annotate", "cells", "a.png", "bounding-box", moved, "--update", annotation["uuid"])
    released.accept_all()
    released.ok("release", "create", "cells", "v1.1")
    found = released.json("release", "diff", "cells", "v1.0", "v1.1")
    assert [(each["change"], each["type"]) for each in found] == [("added", "object"), ("changed", "annotation")]
    assert found[0]["before"] is None
    assert found[0]["after"]["name"] == "b.png"
    assert (found[1]["before"]["version"], found[1]["after"]["version"]) == (0, 1)
    back = released.json("release", "diff", "cells", "v1.1", "v1.0")
    assert [each["change"] for each in back] == ["removed", "changed"]
    assert released.json("release", "diff", "cells", "v1.0", "v1.0") == []
    result = released.ok("release", "diff", "cells", "v1.0", "v1.1")
    assert "b.png" in result.out
    assert "1 object added, 1 annotation changed" in result.err
    assert "the same objects" in released.ok("release", "diff", "cells", "v1.0", "v1.0").err


def test_lists_as_they_were_at_a_release_or_at_a_time(released: Gonk) -> None:
    before = released.json("list", "cells", "objects", "--status", "current")["objects"]
    released.add("b.png", b"other pixels")
    released.accept_all()
    assert len(released.json("list", "cells", "objects")["objects"]) == 2
    assert released.json("list", "cells", "objects", "--status", "current", "--at", "v1.0")["objects"] == before
    assert len(released.json("list", "cells", "annotations", "--at", "v1.0")["annotations"]) == 1
    assert len(released.json("list", "cells", "objects", "--at", "2100-01-01")["objects"]) == 2
    when = before[0]["time"]
    (then,) = released.json("list", "cells", "objects", "--at", when)["objects"]
    assert then["status"] == ["pending"]
    assert "did not exist yet" in released.refused("list", "cells", "objects", "--at", "1999-12-31").err
    assert "there is no release 'nonsense'" in released.refused("list", "cells", "objects", "--at", "nonsense").err


def test_erasing_after_a_release_is_told_apart_from_tampering(released: Gonk) -> None:
    annotation = released.json("list", "cells", "annotations")["annotations"][0]
    released.ok("redact", "cells", annotation["event"], "--reason", "a face in it")
    result = released.refused("release", "verify", "cells", "v1.0", code=4)
    assert "erased since" in result.err and "fault" not in result.err
    assert f"event {annotation['event']} was redacted by {released.key()[:8]} on " in result.err
    assert "a face in it" in result.err
    assert released.run("release", "verify", "cells", "v1.0", "--json").error()["code"] == "erased"
    assert len(released.json("list", "cells", "objects", "--at", "v1.0")["objects"]) == 1
    assert released.json("list", "cells", "annotations", "--at", "v1.0")["annotations"] == []
    released.ok("release", "create", "cells", "v1.1")
    assert released.json("release", "verify", "cells", "v1.1")["annotations"] == 0


def test_an_empty_release_is_refused_and_the_tag_stays_free(gonk: Gonk, stranger: Gonk) -> None:
    assert "next: gonk add cells" in gonk.refused("release", "create", "cells", "v1").err
    exchange(gonk, stranger)
    stranger.add("theirs.png", "theirs")
    exchange(gonk, stranger)
    assert "gonk review cells list --strangers" in gonk.refused("release", "create", "cells", "v1").err
    gonk.add()
    result = gonk.refused("release", "create", "cells", "v1")
    assert "nothing is accepted" in result.err
    assert "next: 1 proposal waits: gonk review cells list" in result.err
    gonk.accept_all()
    gonk.ok("release", "create", "cells", "v1")


def test_what_is_undecided_when_a_release_is_made_is_told(released: Gonk, stranger: Gonk) -> None:
    assert "not in it" not in released.ok("release", "create", "cells", "v1.1").err
    exchange(released, stranger)
    released.ok("contributor", "add", "cells", stranger.key())
    annotation = released.json("list", "cells", "annotations")["annotations"][0]["uuid"]
    for each, x in ((released, 5), (stranger, 6)):
        moved = each.file("moved.json", BOX | {"x": x})
        each.ok("annotate", "cells", "a.png", "bounding-box", moved, "--update", annotation)
    exchange(released, stranger)
    assert released.run("review", "cells", "accept", "--all").code == 5
    released.add("b.png", "other pixels")
    told = released.ok("release", "create", "cells", "v1.2").err
    assert "nobody has decided, so not in it: 1 proposal\n" in told and "gonk review cells list" in told
    assert "1 conflict is open" in told and "gonk conflicts cells" in told
    made = released.json("release", "create", "cells", "v1.3")
    assert (made["pending"], made["conflicts"]) == ({"members": 1, "strangers": 0}, 1)
