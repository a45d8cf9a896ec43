"""gonk list: pages of versions, by status and author."""

from __future__ import annotations

import pytest

from kit.command_line import Gonk, exchange


def test_each_kind_is_listed_in_order_of_arrival(gonk: Gonk) -> None:
    for name in ("b.png", "a.png"):
        gonk.add(name, name)
    gonk.annotate("a.png")
    objects = gonk.json("list", "cells", "objects")["objects"]
    assert [each["name"] for each in objects] == ["b.png", "a.png"]
    assert gonk.json("list", "cells", "annotations")["annotations"][0]["objects"][0]["name"] == "a.png"
    assert gonk.json("list", "cells", "schemas")["schemas"][0]["name"] == "schema-bounding-box"
    assert "schema-bounding-box" in gonk.ok("list", "cells", "annotations").out
    assert "no objects that are rejected in cells" in gonk.ok("list", "cells", "objects", "--status", "rejected").err


def test_a_status_chooses_and_statuses_overlap(gonk: Gonk) -> None:
    gonk.add("a.png", "a")
    gonk.accept_all()
    gonk.add("b.png", "b")
    gonk.ok("delete", "cells", "a.png")

    def names(status: str) -> list[str]:
        return [each["name"] for each in gonk.json("list", "cells", "objects", "--status", status)["objects"]]

    assert names("accepted") == names("current") == ["a.png"]
    assert names("pending") == ["a.png", "b.png"]
    assert names("deleted") == names("rejected") == names("waiting") == []
    assert gonk.run("list", "cells", "objects", "--status", "lost").code == 2


def test_pages_follow_one_another_without_gap_or_repeat(gonk: Gonk) -> None:
    gonk.ok("add", "cells", *(gonk.file(f"{number}.txt", str(number)) for number in range(5)))
    names, after = [], 0
    while after is not None:
        page = gonk.json("list", "cells", "objects", "--limit", 2, "--after", after)
        assert len(page["objects"]) <= 2
        names += [each["name"] for each in page["objects"]]
        after = page["next"]
    assert names == [f"{number}.txt" for number in range(5)]
    assert "there are more: --after" in gonk.ok("list", "cells", "objects", "--limit", 2).err


def test_an_author_chooses_by_key_or_its_beginning(gonk: Gonk, stranger: Gonk) -> None:
    exchange(gonk, stranger)
    gonk.add("mine.png", "mine")
    stranger.add("theirs.png", "theirs")
    exchange(gonk, stranger)
    for key in (stranger.key(), stranger.key()[:12], stranger.key()[:8].upper()):
        found = gonk.json("list", "cells", "objects", "--author", key)["objects"]
        assert [each["name"] for each in found] == ["theirs.png"]
    assert "(stranger's)" in gonk.ok("list", "cells", "objects").out
    assert gonk.run("list", "cells", "objects", "--author", "ffffffff").code == 1
    assert gonk.run("list", "cells", "objects", "--author", "abc").code == 2


def test_a_pipe_gets_full_width_without_colours(gonk: Gonk) -> None:
    name = "n" * 200 + ".png"
    gonk.add("a.png", "a")
    gonk.ok("update", "cells", "a.png", gonk.file("x", "b"), "--name", name)
    out = gonk.ok("show", "cells", "a.png@1").out
    assert "\x1b" not in out
    assert gonk.ok("list", "cells", "objects").out.count("\n") == 3


@pytest.mark.parametrize("words", [("--limit", 2**63 - 1), ("--limit", 0), ("--after", 10**30), ("--after", -1)])
def test_a_page_that_cannot_be_is_refused_as_wrong_usage(gonk: Gonk, words: tuple[object, ...]) -> None:
    assert "is not in the range" in gonk.refused("list", "cells", "objects", *words, code=2).err
