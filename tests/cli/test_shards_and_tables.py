"""gonk export and import of WebDataset shards and Parquet tables, through datasets."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.formats import extras
from kit import formats, tars
from kit.command_line import Gonk

OWN_SCHEMA = '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["mood"]}'

each_format = pytest.mark.parametrize("format_name", ["parquet", "webdataset"])


def filled(gonk: Gonk) -> Gonk:
    """The dataset with objects of two types and name, an own schema, and a label set."""
    gonk.add("a.png", formats.png())
    gonk.annotate("a.png")
    gonk.ok("schema", "add", "cells", gonk.file("mine.json", OWN_SCHEMA), "--name", "mine")
    gonk.json("annotate", "cells", "a.png", "mine", gonk.file("body.json", {"mood": [1, {"deep": None}, "ä"]}))
    gonk.add("notes.txt", "no image")
    gonk.ok("schema", "add", "cells", "classification")
    gonk.ok("schema", "add", "cells", "caption")
    gonk.json("annotate", "cells", "notes.txt", "classification", gonk.file("body.json", {"labels": ["x", "y"]}))
    gonk.json("annotate", "cells", "notes.txt", "caption", gonk.file("body.json", {"text": "About."}))
    labels = {"schema": "schema-classification", "labels": [{"id": "y", "name": "Why"}]}
    gonk.ok("labels", "cells", "set", gonk.file("labels.json", labels))
    gonk.accept_all()
    return gonk


def without_uuids(folder: Path) -> list[Any]:
    """All that an export says, but what each dataset gives itself: rows or samples, and what is beside them."""
    said: list[Any] = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".tar":
            said.append(sorted((_sample(items) for items in _samples(path)), key=json.dumps))
        elif path.suffix == ".parquet":
            said += _table(path)
        elif path.name != "SHA256SUMS":
            said.append((path.name, path.read_text()))
    return said


def _samples(path: Path) -> list[dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    for name, data in tars.items(path):
        key, _, extension = name.partition(".")
        found.setdefault(key, {})[extension] = data
    return list(found.values())


def _sample(files: dict[str, bytes]) -> list[Any]:
    line = json.loads(files.pop("json"))
    line["file"] = line["file"].partition(".")[2]
    return [_plain(line), {name: data.decode(errors="replace") for name, data in sorted(files.items())}]


def _table(path: Path) -> list[Any]:
    parquet = pytest.importorskip("pyarrow.parquet", reason="extra parquet")
    metadata = parquet.read_metadata(path).metadata
    rows = [{**row, "content": row["content"].decode(errors="replace")} for row in parquet.read_table(path).to_pylist()]
    return [metadata[b"gonk.schemas"], metadata[b"gonk.labels"], sorted(map(_plain, rows), key=json.dumps)]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    for each in (row, *row["annotations"]):
        del each["uuid"], each["version"]
    row["annotations"].sort(key=json.dumps)  # they come by uuid
    return row


@each_format
def test_a_dataset_is_carried_into_another_one_and_comes_out_the_same(gonk: Gonk, format_name: str) -> None:
    filled(gonk)
    report = gonk.json("export", "cells", format_name, gonk.files / "out")
    assert (report["objects"], report["annotations"], report["problems"], report["not_carried"]) == (2, 4, [], [])
    gonk.ok("dataset", "create", "other")
    first, again = (gonk.json("import", "other", format_name, gonk.files / "out") for _ in range(2))
    assert (first["objects"], first["annotations"], first["problems"]) == (2, 4, [])
    assert set(first["schemas"]) == {f"schema-{name}" for name in ("bounding-box", "caption", "classification", "mine")}
    assert first["label_sets"] == ["schema-classification"]
    assert (again["objects"], again["annotations"], again["schemas"], again["label_sets"]) == (0, 0, [], [])
    assert (again["objects_known"], again["annotations_known"]) == (2, 4)
    gonk.accept_all("other")
    gonk.ok("export", "other", format_name, gonk.files / "again")
    assert without_uuids(gonk.files / "again") == without_uuids(gonk.files / "out")


@each_format
def test_importing_it_where_it_came_from_adds_nothing(gonk: Gonk, format_name: str) -> None:
    filled(gonk)
    gonk.ok("export", "cells", format_name, gonk.files / "out")
    before = gonk.state()
    found = gonk.json("import", "cells", format_name, gonk.files / "out")
    assert (found["objects_known"], found["annotations_known"], found["problems"]) == (2, 4, [])
    assert gonk.state() == before


@pytest.mark.parametrize("format_name", ["jsonl", "parquet", "webdataset"])
def test_relations_join_the_annotations_of_the_dataset_that_they_come_to(gonk: Gonk, format_name: str) -> None:
    gonk.add("a.png", formats.png())
    gonk.annotate("a.png")
    gonk.annotate("a.png", {"label": "other", "x": 1, "y": 1, "w": 2, "h": 2})
    boxes = joined(gonk, "cells")["bounding-box"]
    gonk.ok("schema", "add", "cells", "relation")
    for head, tail in (boxes, boxes[::-1]):
        body = {"label": "on", "head": head, "tail": tail, "attributes": {"n": 1}}
        gonk.json("annotate", "cells", "a.png", "relation", gonk.file("body.json", body))
    gonk.accept_all()
    gonk.ok("export", "cells", format_name, gonk.files / "out")
    back = gonk.json("import", "cells", format_name, gonk.files / "out")
    assert (back["annotations"], back["annotations_known"], back["problems"]) == (0, 4, [])
    gonk.ok("dataset", "create", "other")
    first, again = (gonk.json("import", "other", format_name, gonk.files / "out") for _ in range(2))
    assert (first["annotations"], first["problems"]) == (4, [])
    assert (again["annotations"], again["annotations_known"]) == (0, 4)
    found = joined(gonk, "other")
    assert set(found["bounding-box"]).isdisjoint(boxes)
    assert sorted(found["relation"]) == sorted(
        (one, two) for one in found["bounding-box"] for two in found["bounding-box"] if one != two
    )


def joined(gonk: Gonk, dataset: str) -> dict[str, list[Any]]:
    """The uuids of the boxes of a.png, and what its relations join."""
    found: dict[str, list[Any]] = {"bounding-box": [], "relation": []}
    for each in gonk.json("show", dataset, "a.png")["annotations"]:
        name, body = each["schema"]["name"].removeprefix("schema-"), each["body"]
        found[name].append((body["head"], body["tail"]) if name == "relation" else each["uuid"])
    return found


def test_what_came_as_one_format_of_gonk_and_comes_as_another_adds_nothing(gonk: Gonk) -> None:
    filled(gonk)
    gonk.ok("dataset", "create", "other")
    counts = []
    for name in ("parquet", "jsonl", "webdataset"):
        gonk.ok("export", "cells", name, gonk.files / name)
        found = gonk.json("import", "other", name, gonk.files / name)
        counts.append((found["objects"], found["annotations"]))
    assert counts == [(2, 4), (0, 0), (0, 0)]


@each_format
def test_two_nodes_write_the_same_bytes_of_a_release(gonk: Gonk, format_name: str) -> None:
    filled(gonk)
    gonk.ok("release", "create", "cells", "v1")
    gonk.ok("export", "cells", format_name, gonk.files / "one", "--release", "v1")
    gonk.add("later.png", formats.png(salt=b"later"))
    gonk.accept_all()
    gonk.ok("export", "cells", format_name, gonk.files / "two", "--release", "v1")
    assert formats.files(gonk.files / "one") == formats.files(gonk.files / "two")


@each_format
def test_annotations_alone_are_put_on_the_objects_of_those_names(gonk: Gonk, format_name: str) -> None:
    filled(gonk)
    gonk.ok("export", "cells", format_name, gonk.files / "out", "--images", "none")
    gonk.ok("dataset", "create", "other")
    for name, data in (("a.png", formats.png()), ("notes.txt", b"no image")):
        gonk.add(name, data, "other")
    found = gonk.json("import", "other", format_name, gonk.files / "out")
    assert (found["objects"], found["objects_known"], found["annotations"]) == (0, 2, 4)


@each_format
def test_a_folder_of_images_is_refused_and_nothing_is_signed(gonk: Gonk, format_name: str) -> None:
    filled(gonk)
    gonk.ok("export", "cells", format_name, gonk.files / "out")
    result = gonk.refused("import", "cells", format_name, gonk.files / "out", "--images", gonk.files)
    assert "themselves" in result.err


def test_shards_of_others_that_are_packed_are_taken_bit_by_bit(gonk: Gonk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gonk_node.replica.exchange.importing.SPOOLED_WAITING_BYTES_MAX", 40)
    items = [
        (f"{n}.{end}", data) for n in range(6) for end, data in (("png", formats.png(salt=b"%d" % n)), ("cls", b"1"))
    ]
    (gonk.files / "in").mkdir()
    (gonk.files / "in/a.tar.gz").write_bytes(gzip.compress(tars.tar(items)))
    (gonk.files / "in/classes.txt").write_text("no\nyes\n")
    before = gonk.state()[1]
    first = gonk.json("import", "cells", "webdataset", gonk.files / "in")
    assert (first["objects"], first["annotations"], first["problems"]) == (6, 6, [])
    assert gonk.state()[1] - before >= 3 + 3  # objects two at a time; schema, annotations, labels
    again = gonk.json("import", "cells", "webdataset", gonk.files / "in")
    assert (again["objects"], again["annotations"], again["label_sets"]) == (0, 0, [])
    gonk.accept_all()
    gonk.ok("export", "cells", "webdataset", gonk.files / "out")
    assert {files["cls"] for files in _samples(gonk.files / "out/shard-000000.tar")} == {b"1"}
    assert (gonk.files / "out/classes.txt").read_text() == "no\nyes\n"


def test_a_shard_that_is_cut_off_is_finished_by_importing_the_whole_one(gonk: Gonk) -> None:
    filled(gonk)
    gonk.ok("export", "cells", "webdataset", gonk.files / "out")
    shard = gonk.files / "out/shard-000000.tar"
    whole = shard.read_bytes()
    at = len(whole) // 2
    while whole[at:].find(b".json") < 0:
        at -= 512
    shard.write_bytes(whole[: at // 512 * 512 + 100])
    gonk.ok("dataset", "create", "other")
    first = gonk.run("import", "other", "webdataset", gonk.files / "out", "--json").json()  # 1: perhaps nothing at all
    assert [each["what"] for each in first["problems"]] != []
    shard.write_bytes(whole)
    second = gonk.json("import", "other", "webdataset", gonk.files / "out")
    assert first["objects"] + second["objects"] == 2
    assert first["annotations"] + second["annotations"] == 4


def test_without_pyarrow_it_is_told_what_to_install(gonk: Gonk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = extras.importlib.import_module

    def missing(name: str) -> Any:
        if name.startswith("pyarrow"):
            raise ModuleNotFoundError(name)
        return real(name)

    filled(gonk)
    (gonk.files / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(extras.importlib, "import_module", missing)
    for words in (("export", "cells", "parquet", gonk.files / "out"), ("import", "cells", "parquet", gonk.files)):
        result = gonk.refused(*words)
        assert 'pip install "gonk-node[parquet]"' in result.err
    assert not (gonk.files / "out").exists()
