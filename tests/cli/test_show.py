"""gonk show: everything about one thing, and its content."""

from __future__ import annotations

import json

from kit.command_line import BOX, Gonk, exchange


def test_an_object_is_shown_with_versions_reviews_and_annotations(gonk: Gonk) -> None:
    added = gonk.add("a.png", b"a")
    gonk.ok("review", "cells", "accept", "--all", "--comment", "sharp")
    gonk.annotate("a.png")
    shown = gonk.json("show", "cells", "a.png")
    assert shown["uuid"] == added["uuid"]
    assert shown["versions"][0]["reviews"][0]["decision"] == "accepted"
    assert shown["versions"][0]["reviews"][0]["author"]["name"] == "Ada"
    assert shown["annotations"][0]["body"] == BOX
    text = gonk.ok("show", "cells", added["uuid"]).out
    for part in ("a.png", added["sha256"], "accepted, current", "accepted by Ada", ": sharp", '"label":"WBC"'):
        assert part in text, part


def test_an_annotation_is_shown_with_its_body_and_whether_it_fits(gonk: Gonk) -> None:
    gonk.add("a.png", b"a")
    made = gonk.annotate("a.png")
    shown = gonk.json("show", "cells", made["uuid"])
    assert shown["conformance"] == "valid"
    assert shown["versions"][0]["body"] == BOX
    text = gonk.ok("show", "cells", made["uuid"]).out
    assert json.dumps(BOX) in text
    assert "schema-bounding-box version 0 (valid)" in text


def test_an_event_is_shown_as_what_it_makes_or_would_delete(gonk: Gonk) -> None:
    added = gonk.add("a.png", b"a")
    assert gonk.json("show", "cells", added["event"])["uuid"] == added["uuid"]
    gonk.accept_all()
    deletion = gonk.json("delete", "cells", "a.png")["event"]
    assert gonk.json("show", "cells", deletion)["uuid"] == added["uuid"]


def test_a_name_with_an_at_sign_and_a_number_is_still_a_name(gonk: Gonk) -> None:
    gonk.add("cell@2", b"a")
    assert gonk.json("show", "cells", "cell@2")["shown"] == 0
    assert gonk.json("show", "cells", "cell@2@0")["shown"] == 0


def test_content_is_saved_and_nothing_is_overwritten(gonk: Gonk) -> None:
    gonk.add("a.png", b"pixels")
    target = gonk.files / "copy"
    gonk.ok("show", "cells", "a.png", "--save", target)
    assert target.read_bytes() == b"pixels"
    target.write_bytes(b"precious")
    assert "there is such a file already" in gonk.refused("show", "cells", "a.png", "--save", target).err
    assert target.read_bytes() == b"precious"
    assert gonk.ok("show", "cells", "a.png", "--save", "-").out == "pixels"
    mixed = gonk.run("show", "cells", "a.png", "--save", "-", "--json")
    assert (mixed.code, mixed.out, mixed.error()["code"]) == (2, "", "usage")
    gonk.refused("show", "cells", "a.png", "--save", gonk.files / "no" / "folder")


def test_content_that_is_not_here_is_told_and_leaves_no_file(gonk: Gonk, stranger: Gonk) -> None:
    gonk.add("a.png", b"pixels")
    exchange(gonk, stranger)
    assert stranger.json("show", "cells", "a.png")["content_here"] is False
    target = stranger.files / "copy"
    assert "it is not on this node" in stranger.refused("show", "cells", "a.png", "--save", target, code=3).err
    assert not target.exists()


def test_looking_needs_no_unlocked_key(gonk: Gonk) -> None:
    gonk.add("a.png", b"a")
    made = gonk.annotate("a.png")
    key = gonk.home / "keys" / "author.key"
    key.rename(key.with_suffix(".away"))
    key.write_bytes(b"")  # `exists`, and cannot be read
    key.chmod(0o600)
    gonk.ok("show", "cells", made["uuid"])
    gonk.ok("list", "cells", "objects")
    gonk.ok("log", "cells")


def test_what_is_not_there_is_told(gonk: Gonk) -> None:
    assert "there is no object 'z.png'" in gonk.refused("show", "cells", "z.png").err
    gonk.refused("show", "cells", "00000000-0000-4000-8000-000000000000")
    gonk.add("a.png", b"a")
    assert "versions here: 0" in gonk.refused("show", "cells", "a.png@1").err


def test_a_new_version_is_shown_with_what_it_changes(gonk: Gonk) -> None:
    gonk.add("a.png", b"a")
    made = gonk.annotate("a.png")
    gonk.accept_all()
    body = gonk.file("corrected.json", {**BOX, "x": 5, "truncated": True})
    gonk.ok("annotate", "cells", "a.png", "bounding-box", body, "--update", made["uuid"])
    event = gonk.json("review", "cells", "list")["proposals"][0]["event"]
    assert "changes     x: 1 → 5; truncated: none → true\n" in gonk.ok("show", "cells", event).out
    assert "changes" not in gonk.ok("show", "cells", f"{made['uuid']}@0").out


def test_of_what_was_erased_it_is_told_who_had_it_erased_when_and_why(gonk: Gonk) -> None:
    gonk.add()
    event = gonk.annotate()["event"]
    gonk.ok("redact", "cells", event, "--reason", "a face in it")
    for words in (("show", "cells", event), ("blame", "cells", event), ("log", "cells", "--annotation", event)):
        told = gonk.refused(*words).err
        assert f"what it said was erased: redacted by Ada ({gonk.key()[:8]}) on 20" in told
        assert "a face in it" in told and f"event {event}" in told


def test_an_event_that_makes_nothing_is_told_by_its_kind(gonk: Gonk) -> None:
    gonk.add()
    gonk.accept_all()
    (review,) = gonk.json("log", "cells", "--kind", "review")[0]["events"]
    assert "it is a review, which makes no version of anything" in gonk.refused("show", "cells", review["event"]).err


def test_what_has_no_name_here_is_told_so(gonk: Gonk) -> None:
    uuid = "00000000-0000-0000-0000-000000000000"
    assert f"nothing here has the uuid {uuid}" in gonk.refused("show", "cells", uuid).err
    assert "there is no object 'b.png'" in gonk.refused("show", "cells", "b.png").err
    assert "nothing here is called '\\udcff'" in gonk.refused("show", "cells", "\udcff").err
