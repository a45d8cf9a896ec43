"""gonk log: entries, newest first."""

from __future__ import annotations

from kit.command_line import Gonk, exchange


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
    assert "no such entries" in gonk.ok("log", "cells", "--kind", "redact").err
    assert gonk.run("log", "cells", "--kind", "nonsense").code == 2
