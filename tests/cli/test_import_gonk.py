"""gonk import DATASET gonk FOLDER: all of a Gonk dataset comes over, once; a broken one does not come at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node import open_dataset
from gonk_node.errors import NotFoundError
from kit.command_line import Gonk, exchange
from kit.gonk_folder import GonkFolder

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}


@pytest.fixture
def folder(tmp_path: Path) -> GonkFolder:
    return GonkFolder(tmp_path / "in gonk")


def filled(folder: GonkFolder) -> dict[str, Any]:
    """One of everything that Gonk knows; what is what, by name."""
    schema = folder.schema("schema-point", SCHEMA)
    folder.review()
    a = folder.object("a.png", b"a", author="bob")
    folder.review()
    mark = folder.annotate([a], schema, {"x": 1}, author="bob")
    folder.review()
    folder.annotate([], schema, {"x": 2}, of=mark[0], author="carol")
    folder.review()
    folder.annotate([], schema, {"x": 3}, of=mark[0], author="carol")
    folder.review(accept=False)
    rejected = folder.object("b.png", b"b")
    folder.review(accept=False)
    newer = folder.object("a2.png", b"a2", of=a[0])
    both = folder.annotate([a, newer], schema, {"x": 4})
    folder.add_owner("carol")
    gone = folder.object("c.png", b"c")
    folder.review(author="carol")
    folder.delete(gone, author="bob")
    folder.review(accept=False)
    folder.delete(gone, author="bob")
    folder.review()
    strict = folder.schema("schema-point", SCHEMA | {"title": "Point"}, of=schema[0])
    folder.review()
    folder.delete(mark, is_annotation=True)
    return {"schema": schema, "a": a, "mark": mark, "rejected": rejected, "both": both, "gone": gone, "strict": strict}


def versions(gonk: Gonk, what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gonk.json("show", "cells", what)["versions"]
    return found


def statuses(gonk: Gonk, what: str) -> list[tuple[int, list[str], bool]]:
    return [(each["version"], each["status"], each["current"]) for each in versions(gonk, what)]


def test_every_version_with_its_status_comes_over(gonk: Gonk, folder: GonkFolder) -> None:
    made = filled(folder)
    report = gonk.json("import", "cells", "gonk", folder.path)
    assert report["added"] == {"schema": 2, "object": 4, "annotation": 4, "deletion": 3, "review": 10}
    assert (report["known"], report["problems"], report["events"]) == ({}, [], len(folder.events))
    assert statuses(gonk, made["a"][0]) == [(0, ["accepted"], True), (1, ["pending"], False)]
    assert statuses(gonk, made["mark"][0]) == [
        (0, ["pending", "accepted"], False),
        (1, ["accepted"], True),
        (2, ["rejected"], False),
    ]
    assert statuses(gonk, made["rejected"][0]) == [(0, ["rejected"], False)]
    assert statuses(gonk, made["gone"][0]) == [(0, ["deleted"], False)]
    assert statuses(gonk, "schema-point") == [(0, ["accepted"], False), (1, ["accepted"], True)]
    both = versions(gonk, made["both"][0])[0]
    assert sorted((each["uuid"], each["version"]) for each in both["objects"]) == [(made["a"][0], 0), (made["a"][0], 1)]
    assert both["schema"]["version"] == 0
    assert gonk.json("status", "cells")["counts"]["annotations"]["current"] == 1


def test_the_very_bytes_come_over(gonk: Gonk, folder: GonkFolder) -> None:
    schema = folder.schema("schema-point", b'{ "type":  "object" }\n')
    a = folder.object("a.png", b"pixels")
    mark = folder.annotate([a], schema, b' {"x" : 1.0 }')
    gonk.ok("import", "cells", "gonk", folder.path)
    assert gonk.ok("show", "cells", mark[0], "--save", "-").out == ' {"x" : 1.0 }'
    assert gonk.ok("show", "cells", a[0], "--save", "-").out == "pixels"
    assert gonk.ok("show", "cells", "schema-point", "--save", "-").out == '{ "type":  "object" }\n'


def test_who_did_what_when_stands_in_the_reviews_and_in_the_log_that_is_kept(gonk: Gonk, folder: GonkFolder) -> None:
    made = filled(folder)
    report = gonk.json("import", "cells", "gonk", folder.path)
    (review,) = gonk.json("blame", "cells", made["a"][0])[0]["reviews"]
    assert review["comment"] == (
        'Gonk: proposed by "bob" at 2023-09-27T00:00:04.000001Z, accepted by "alice" at 2023-09-27T00:00:05.000001Z'
    )
    assert report["authors"] == ["alice", "bob", "carol"]
    lines = gonk.ok("show", "cells", report["log"], "--save", "-").out.splitlines()
    assert [json.loads(line)["uuid"] for line in lines] == folder.events
    assert [json.loads(line)["author"] for line in lines[:4]] == ["alice", "alice", "alice", "bob"]
    assert statuses(gonk, "gonk-log.jsonl") == [(0, ["accepted"], True)]
    assert [each["what"] for each in report["not_carried"]] == ["owners, whom Gonk knows by names only"]


def test_the_log_that_is_kept_is_no_sample(gonk: Gonk, folder: GonkFolder, tmp_path: Path) -> None:
    filled(folder)
    gonk.ok("import", "cells", "gonk", folder.path)
    objects = gonk.json("list", "cells", "objects")["objects"]
    assert "application/vnd.gonk.log+jsonl" in {each["media_type"] for each in objects}
    with open_dataset("cells", gonk.home) as cells:
        assert [sample.name for sample in cells] == ["a.png"]
        assert cells.object("gonk-log.jsonl").media_type == "application/vnd.gonk.log+jsonl"
        with pytest.raises(NotFoundError, match="no sample"):
            cells.sample("gonk-log.jsonl")
    report = gonk.json("export", "cells", "jsonl", tmp_path / "out")
    (lost,) = [each for each in report["not_carried"] if each["what"] == "what gonk keeps beside a dataset's files"]
    assert lost["places"] == ["object 'gonk-log.jsonl'"]
    assert b"gonk-log" not in (tmp_path / "out" / "objects.jsonl").read_bytes()


def test_importing_twice_adds_nothing(gonk: Gonk, folder: GonkFolder) -> None:
    filled(folder)
    first = gonk.json("import", "cells", "gonk", folder.path)
    before = gonk.state()
    again = gonk.json("import", "cells", "gonk", folder.path)
    assert gonk.state() == before
    assert (again["added"], again["known"]) == ({}, first["added"])


def test_a_log_that_went_on_adds_what_is_new(gonk: Gonk, folder: GonkFolder) -> None:
    made = filled(folder)
    gonk.ok("import", "cells", "gonk", folder.path)
    folder.annotate([], made["schema"], {"x": 9}, of=made["mark"][0])
    folder.review()
    report = gonk.json("import", "cells", "gonk", folder.path)
    assert report["added"] == {"annotation": 1, "review": 1}
    assert statuses(gonk, made["mark"][0])[-1] == (3, ["accepted"], True)
    lines = gonk.ok("show", "cells", report["log"], "--save", "-").out.splitlines()
    assert len(lines) == len(folder.events)


def test_what_was_interrupted_is_finished(gonk: Gonk, folder: GonkFolder, tmp_path: Path) -> None:
    whole, part = GonkFolder(tmp_path / "whole", seed=7), GonkFolder(tmp_path / "part", seed=7)
    made = filled(whole)
    schema = part.schema("schema-point", SCHEMA)  # the same seed: the same uuids and hashes
    part.review()
    part.object("a.png", b"a", author="bob")
    assert part.events == whole.events[: len(part.events)] and schema == made["schema"]
    gonk.ok("import", "cells", "gonk", part.path)
    report = gonk.json("import", "cells", "gonk", whole.path)
    assert report["known"] == {"schema": 1, "review": 1, "object": 1}
    assert statuses(gonk, made["mark"][0])[1] == (1, ["accepted"], True)


def test_what_was_decided_here_since_stays(gonk: Gonk, folder: GonkFolder) -> None:
    a = folder.object("a.png", b"a")
    gonk.ok("import", "cells", "gonk", folder.path)
    gonk.accept_all()
    folder.review(accept=False)
    report = gonk.json("import", "cells", "gonk", folder.path)
    assert "decided otherwise" in report["problems"][0]["what"]
    assert statuses(gonk, a[0]) == [(0, ["accepted"], True)]


def test_a_broken_chain_imports_nothing(gonk: Gonk, folder: GonkFolder) -> None:
    filled(folder)
    folder.change(folder.events[-1], timestamp="2023-09-28T00:00:00.000000Z")
    result = gonk.refused("import", "cells", "gonk", folder.path, code=4)
    assert folder.events[-1] in result.err
    assert gonk.json("list", "cells", "objects")["objects"] == []


@pytest.mark.parametrize("damage", ["missing", "changed", "cut"])
def test_bytes_that_are_lost_cost_what_needs_them_and_are_told_with_their_place(
    gonk: Gonk, folder: GonkFolder, damage: str
) -> None:
    made = filled(folder)
    file = folder.content_file(made["a"])
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(b"A" if damage == "changed" else b"")
    report = gonk.json("import", "cells", "gonk", folder.path)
    places = [each["place"] for each in report["problems"]]
    assert places[0] == folder.event_file(folder.events[3]).relative_to(folder.path).as_posix()
    assert "depot/" in report["problems"][0]["what"]
    left = [each["what"].split(":")[0] for each in report["problems"]]
    assert left[:2] == ["object a.png version 0", f"review of the event {folder.events[3]}"]
    assert any(each.startswith("annotation") for each in left)
    assert statuses(gonk, made["gone"][0]) == [(0, ["deleted"], False)]
    assert statuses(gonk, made["a"][0]) == [(0, ["pending"], False)], "the version that is whole"
    assert {each["what"] for each in report["not_carried"]} >= {
        "version numbers of what follows a version that was left out"
    }


def test_what_gonk_never_checked_is_left_out(gonk: Gonk, folder: GonkFolder) -> None:
    a = folder.object("a.png", b"a")
    schema = folder.schema("schema-point", SCHEMA)
    none = folder.schema("schema-none", b'{"type": 5}')
    folder.annotate([a], schema, b"no JSON")
    folder.annotate([a], schema, {"x": "text"})
    folder.annotate([a], none, {"x": 1})
    folder.annotate([], schema, {"x": 1})
    folder.annotate([schema], schema, {"x": 1})
    folder.annotate([a], a, {"x": 1})
    folder.delete(("00000000-0000-4000-8000-000000000000", 0))
    folder.review("00000000-0000-4000-8000-000000000000")
    folder.object("\x1b[31m", b"d")
    folder.object("ok.png", b"e")
    report = gonk.json("import", "cells", "gonk", folder.path)
    assert report["added"] == {"object": 2, "schema": 1}
    assert report["problem_count"] == 10
    assert "\x1b" not in gonk.ok("import", "cells", "gonk", folder.path).err


def test_what_the_dataset_has_under_a_name_is_not_mixed_up(gonk: Gonk, folder: GonkFolder) -> None:
    folder.schema("schema-point", SCHEMA)
    gonk.ok("schema", "add", "cells", gonk.file("other.json", {"type": "string"}), "--name", "point")
    result = gonk.refused("import", "cells", "gonk", folder.path)
    assert "schema-point" in result.err and "gonk dataset create" in result.err


def test_only_who_may_review_imports(gonk: Gonk, stranger: Gonk, folder: GonkFolder) -> None:
    filled(folder)
    exchange(gonk, stranger)
    stranger.refused("import", "cells", "gonk", folder.path)


def test_more_events_than_an_entry_holds_come_over_in_order(gonk: Gonk, folder: GonkFolder) -> None:
    schema = folder.schema("schema-point", SCHEMA)
    a = folder.object("a.png", b"a")
    for number in range(700):
        mark = folder.annotate([a], schema, {"x": number})
        folder.review()
    report = gonk.json("import", "cells", "gonk", folder.path)
    assert report["added"] == {"schema": 1, "object": 1, "annotation": 700, "review": 700}
    assert statuses(gonk, mark[0]) == [(0, ["accepted"], True)]
    assert gonk.json("import", "cells", "gonk", folder.path)["added"] == {}


def test_what_is_no_folder_of_gonk_is_refused(gonk: Gonk, folder: GonkFolder, tmp_path: Path) -> None:
    gonk.refused("import", "cells", "gonk", tmp_path / "missing")
    gonk.refused("import", "cells", "gonk", gonk.files)
    gonk.refused("import", "cells", "gonk", folder.path, "--images", gonk.files, code=2)


def test_where_two_must_approve_it_waits_for_the_other(tmp_path: Path, folder: GonkFolder) -> None:
    gonk = Gonk(tmp_path, "careful").with_dataset(approvals=2)
    made = filled(folder)
    assert gonk.json("import", "cells", "gonk", folder.path)["approvals_short"] == 1
    assert statuses(gonk, made["a"][0])[0] == (0, ["pending"], False)
    assert "1 more person" in gonk.ok("import", "cells", "gonk", folder.path).err


def test_an_owner_elsewhere_gets_the_same_by_sync(gonk: Gonk, stranger: Gonk, folder: GonkFolder) -> None:
    filled(folder)
    gonk.ok("import", "cells", "gonk", folder.path)
    exchange(gonk, stranger)
    assert stranger.state() == gonk.state()
