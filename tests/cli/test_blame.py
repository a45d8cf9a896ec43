"""gonk blame: for each version who proposed it, who decided it, and what it changed from which."""

from __future__ import annotations

import json
from typing import Any

from kit.command_line import BOX, Gonk, exchange


def update(gonk: Gonk, uuid: str, body: dict[str, Any] | str) -> dict[str, Any]:
    made: dict[str, Any] = gonk.json(
        "annotate", "cells", "a.png", "bounding-box", gonk.file("body.json", body), "--update", uuid
    )
    return made


def test_each_version_is_told_with_who_decided_it_and_what_it_changed(gonk: Gonk, stranger: Gonk) -> None:
    gonk.add("a.png")
    made = gonk.annotate("a.png")
    gonk.accept_all()
    exchange(gonk, stranger)
    changed = {name: value for name, value in BOX.items() if name != "h"} | {"x": 7, "h": 41, "attributes": {"by": [1]}}
    theirs = update(stranger, made["uuid"], changed)
    exchange(gonk, stranger)
    gonk.ok("review", "cells", "accept", theirs["event"], "--comment", "better")
    first, second = gonk.json("blame", "cells", made["uuid"])
    assert (first["version"], first["base"], first["changes"]) == (0, None, [])
    assert (second["author"]["key"], second["current"]) == (stranger.key(), True)
    assert second["base"] == {"version": 0, "event": made["event"]}
    assert second["changes"] == [
        {"path": "/attributes", "new": {"by": [1]}},
        {"path": "/h", "old": 40, "new": 41},
        {"path": "/x", "old": 1, "new": 7},
    ]
    (review,) = second["reviews"]
    assert (review["decision"], review["comment"], review["author"]["key"]) == ("accepted", "better", gonk.key())
    text = gonk.ok("blame", "cells", made["uuid"]).out
    for line in ('/attributes: added {"by":[1]}', "/x: 1 → 7", "version 1 (accepted, current), made from version 0"):
        assert line in text
    assert "accepted by Ada" in text and ": better" in text and '"Eve"' in text


def test_deletions_are_told_with_who_decided_them(gonk: Gonk) -> None:
    gonk.add("a.png")
    made = gonk.annotate("a.png")
    gonk.accept_all()
    gonk.ok("delete", "cells", made["uuid"])
    assert gonk.json("blame", "cells", made["uuid"])[0]["deletions"][0]["decision"] == "pending"
    gonk.ok("review", "cells", "accept", "--all", "--comment", "no cell")
    (version,) = gonk.json("blame", "cells", made["uuid"])
    (deletion,) = version["deletions"]
    assert (deletion["decision"], deletion["reviews"][0]["comment"]) == ("accepted", "no cell")
    assert "deletion proposed by Ada" in gonk.ok("blame", "cells", made["uuid"]).out


def test_of_an_object_the_name_and_the_content_are_compared(gonk: Gonk) -> None:
    gonk.add("a.png", "old")
    gonk.ok("update", "cells", "a.png", gonk.file("b.png", "newer"))
    changes = {each["path"]: each for each in gonk.json("blame", "cells", "a.png")[1]["changes"]}
    assert (changes["size"]["old"], changes["size"]["new"]) == (3, 5)
    assert changes["sha256"]["old"] != changes["sha256"]["new"]


def test_of_a_schema_the_documents_are_compared_and_an_annotation_tells_which_it_follows(gonk: Gonk) -> None:
    gonk.add("a.png")
    schema = {"title": "x", "type": "object"}
    gonk.ok("schema", "add", "cells", gonk.file("thing.json", schema), "--name", "thing")
    made = gonk.json("annotate", "cells", "a.png", "thing", gonk.file("body.json", "{}"))
    gonk.accept_all()
    gonk.ok("schema", "add", "cells", gonk.file("thing.json", schema | {"title": "y"}), "--name", "thing", "--update")
    gonk.accept_all()
    assert gonk.json("blame", "cells", "schema-thing@1")[0]["changes"] == [{"path": "/title", "old": "x", "new": "y"}]
    gonk.ok("annotate", "cells", "a.png", "thing", gonk.file("body.json", "{}"), "--update", made["uuid"])
    assert gonk.json("blame", "cells", made["uuid"])[1]["changes"] == [
        {"path": "schema", "old": "schema-thing version 0", "new": "schema-thing version 1"}
    ]


def test_a_body_that_is_only_written_otherwise_is_told_as_that(gonk: Gonk) -> None:
    gonk.add("a.png")
    made = gonk.annotate("a.png")
    update(gonk, made["uuid"], json.dumps(dict(reversed(BOX.items())), indent=3))
    version = gonk.json("blame", "cells", made["uuid"])[1]
    assert (version["changes"], version["rewritten"]) == ([], True)
    assert "written otherwise" in gonk.ok("blame", "cells", made["uuid"]).out


def test_reviews_of_keys_that_may_not_review_are_left_out_and_texts_of_strangers_are_harmless(
    gonk: Gonk, stranger: Gonk
) -> None:
    gonk.add("a.png")
    made = gonk.annotate("a.png")
    gonk.ok("reviewer", "add", "cells", key := stranger.key())
    exchange(gonk, stranger)
    stranger.ok("review", "cells", "accept", made["event"], "--comment", "\x1b[31mred")
    exchange(gonk, stranger)
    assert "\x1b" not in gonk.ok("blame", "cells", made["uuid"]).out
    assert len(gonk.json("blame", "cells", made["uuid"])[0]["reviews"]) == 1
    gonk.ok("reviewer", "remove", "cells", key)
    stranger.ok("review", "cells", "reject", made["event"], "--supersede")
    exchange(gonk, stranger)
    decisions = [each["decision"] for each in gonk.json("blame", "cells", made["uuid"])[0]["reviews"]]
    assert decisions == ["accepted"]


def test_what_is_not_here_is_refused(gonk: Gonk) -> None:
    gonk.refused("blame", "cells", "nothing.png")


def test_a_version_that_is_not_there_is_refused(gonk: Gonk) -> None:
    gonk.add()
    assert "there is no version 7" in gonk.refused("blame", "cells", "a.png@7").err
    assert "versions here: 0" in gonk.refused("blame", "cells", "a.png@7").err
