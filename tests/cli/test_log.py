"""gonk log: entries, newest first."""

from __future__ import annotations

from kit.command_line import BOX, Gonk, exchange


def test_entries_are_listed_newest_first_with_what_they_hold(gonk: Gonk) -> None:
    gonk.ok("add", "cells", *(gonk.file(f"{number}", str(number)) for number in range(3)))
    gonk.accept_all()
    found = gonk.json("log", "cells")
    assert [sorted({each["kind"] for each in entry["events"]}) for entry in found] == [
        ["review"],
        ["object.create"],
        ["profile"],
        ["dataset.create"],
    ]
    assert found[1]["seq"] == found[0]["seq"] - 1
    assert found[-1]["entry"] == gonk.json("dataset", "show", "cells")["id"]
    assert "3 x object.create" in gonk.ok("log", "cells").out


def test_events_are_named_as_everywhere_else(gonk: Gonk) -> None:
    added = gonk.add()
    assert gonk.json("log", "cells", "--limit", 1)[0]["events"][0]["event"] == added["event"]


def test_author_kind_and_limit_choose(gonk: Gonk, stranger: Gonk) -> None:
    exchange(gonk, stranger)
    gonk.add("mine", "mine")
    stranger.add("theirs", "theirs")
    exchange(gonk, stranger)
    found = gonk.json("log", "cells", "--author", stranger.key(), "--kind", "object.create")
    assert [entry["author"]["key"] for entry in found] == [stranger.key()]
    assert len(gonk.json("log", "cells", "--limit", 2)) == 2
    entries = len(gonk.json("log", "cells"))
    assert "there are more" in gonk.ok("log", "cells", "--limit", entries - 1).err
    assert "there are more" not in gonk.ok("log", "cells", "--limit", entries).err
    assert "no such entries" in gonk.ok("log", "cells", "--kind", "redact").err
    assert gonk.run("log", "cells", "--kind", "nonsense").code == 2


def test_of_an_object_only_what_is_about_it_and_its_annotations_is_shown(gonk: Gonk) -> None:
    gonk.ok("add", "cells", gonk.file("a.png", "a"), gonk.file("b.png", "b"))
    mine, other = gonk.annotate("a.png"), gonk.annotate("b.png")
    gonk.accept_all()
    gonk.ok("delete", "cells", mine["uuid"])
    gonk.ok("delete", "cells", other["uuid"])
    found = gonk.json("log", "cells", "--object", "a.png")
    kinds = [[each["kind"] for each in entry["events"]] for entry in found]
    assert kinds == [["delete"], ["review"], ["annotation.create"], ["object.create"]]
    assert mine["event"] in {each["event"] for entry in found for each in entry["events"]}
    assert other["event"] not in {each["event"] for entry in found for each in entry["events"]}
    assert "2 x object.create" not in gonk.ok("log", "cells", "--object", "a.png").out


def test_of_an_annotation_only_its_own_events_are_shown(gonk: Gonk) -> None:
    gonk.add("a.png")
    made, _ = gonk.annotate("a.png"), gonk.annotate("a.png")
    body = gonk.file("better.json", BOX | {"x": 5})
    gonk.ok("annotate", "cells", "a.png", "bounding-box", body, "--update", made["uuid"])
    gonk.ok("review", "cells", "reject", made["event"])
    found = gonk.json("log", "cells", "--annotation", made["uuid"])
    kinds = [[each["kind"] for each in entry["events"]] for entry in found]
    assert kinds == [["review"], ["annotation.update"], ["annotation.create"]]
    assert [entry["lsn"] for entry in found] == sorted((entry["lsn"] for entry in found), reverse=True)


def test_the_kind_and_the_author_choose_among_what_is_about_an_object(gonk: Gonk, stranger: Gonk) -> None:
    gonk.add("a.png")
    mine = gonk.annotate("a.png")
    exchange(gonk, stranger)
    theirs = stranger.annotate("a.png")
    exchange(gonk, stranger)
    found = gonk.json("log", "cells", "--object", "a.png", "--kind", "annotation.create")
    assert [each["event"] for entry in found for each in entry["events"]] == [theirs["event"], mine["event"]]
    (only,) = gonk.json("log", "cells", "--object", "a.png", "--author", stranger.key())
    assert [each["event"] for each in only["events"]] == [theirs["event"]]
    assert len(gonk.json("log", "cells", "--object", "a.png", "--limit", 1)) == 1


def test_times_choose_as_authors_state_them(gonk: Gonk) -> None:
    gonk.add("a.png")
    (last,) = gonk.json("log", "cells", "--limit", 1)
    assert [each["lsn"] for each in gonk.json("log", "cells", "--since", last["time"])] == [last["lsn"]]
    assert last["lsn"] not in [each["lsn"] for each in gonk.json("log", "cells", "--until", last["time"])]
    assert gonk.json("log", "cells", "--object", "a.png", "--until", last["time"]) == []
    assert gonk.run("log", "cells", "--since", "yesterday").code == 2


def test_what_is_no_object_is_refused(gonk: Gonk) -> None:
    gonk.add("a.png")
    made = gonk.annotate("a.png")
    refused = gonk.refused("log", "cells", "--object", made["uuid"]).err
    assert "this is an annotation, not an object" in refused
    assert f"next: gonk log cells --annotation {made['uuid']}" in refused
    gonk.add("b c.png", b"other")
    assert "next: gonk log cells --object 'b c.png'" in gonk.refused("log", "cells", "--annotation", "b c.png").err
    nothing = gonk.refused("log", "cells", "--annotation", "nope").err
    assert "there is no annotation 'nope'" in nothing
    assert "gonk list cells annotations" in nothing
    assert "this is a schema" in gonk.refused("log", "cells", "--annotation", "schema-bounding-box").err
    gonk.refused("log", "cells", "--object", "a.png", "--annotation", made["uuid"], code=2)
