"""gonk export and import of JSONL and the formats of labels, through datasets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kit import formats
from kit.command_line import Gonk

OWN_SCHEMA = '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["mood"]}'


def listed(folder: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL export without what each dataset gives itself, by name."""
    found = [json.loads(line) for line in (folder / "objects.jsonl").read_text().splitlines()]
    for each in (part for one in found for part in (one, *one["annotations"])):
        del each["uuid"], each["version"]
    for one in found:
        one["annotations"].sort(key=json.dumps)  # they come by uuid
    return sorted(found, key=lambda each: str(each["name"]))


def test_jsonl_carries_a_dataset_into_another_one_with_its_own_schemas(gonk: Gonk) -> None:
    gonk.add("a.png", formats.png())
    gonk.annotate("a.png")
    gonk.ok("schema", "add", "cells", gonk.file("mine.json", OWN_SCHEMA), "--name", "mine")
    gonk.json("annotate", "cells", "a.png", "mine", gonk.file("body.json", {"mood": [1, {"deep": None}]}))
    gonk.add("notes.txt", "no image")
    gonk.accept_all()
    report = gonk.json("export", "cells", "jsonl", gonk.files / "out")
    assert (report["objects"], report["annotations"], report["problems"], report["not_carried"]) == (2, 2, [], [])
    gonk.ok("dataset", "create", "other")
    taken = gonk.json("import", "other", "jsonl", gonk.files / "out")
    assert (taken["objects"], taken["annotations"], taken["problems"]) == (2, 2, [])
    assert set(taken["schemas"]) == {"schema-bounding-box", "schema-mine"}
    gonk.accept_all("other")
    gonk.ok("export", "other", "jsonl", gonk.files / "again")
    assert listed(gonk.files / "again") == listed(gonk.files / "out")
    before, after = (formats.data(gonk.files / name) for name in ("out", "again"))
    assert before.pop("objects.jsonl") != after.pop("objects.jsonl")  # uuids
    assert before == after


def test_jsonl_carries_every_version_of_a_schema_that_annotations_are_of(gonk: Gonk) -> None:
    one = '{"type": "object", "required": ["a"], "additionalProperties": false, "properties": {"a": {}}}'
    two = one.replace('"a"', '"b"')
    gonk.add("a.png", formats.png())
    gonk.ok("schema", "add", "cells", gonk.file("mine.json", one), "--name", "mine")
    gonk.accept_all()
    gonk.json("annotate", "cells", "a.png", "mine", gonk.file("body.json", {"a": 1}))
    gonk.ok("schema", "add", "cells", gonk.file("mine.json", two), "--name", "mine", "--update")
    gonk.accept_all()
    gonk.json("annotate", "cells", "a.png", "mine", gonk.file("body.json", {"b": 2}))
    gonk.ok("delete", "cells", "schema-mine")  # deprecated: annotations stay
    gonk.accept_all()
    report = gonk.json("export", "cells", "jsonl", gonk.files / "out")
    assert (report["annotations"], report["problems"]) == (2, [])
    gonk.ok("dataset", "create", "other")
    first, again = (gonk.json("import", "other", "jsonl", gonk.files / "out") for _ in range(2))
    assert (first["annotations"], first["problems"], first["schemas"]) == (2, [], ["schema-mine"])
    assert (again["annotations"], again["schemas"]) == (0, [])
    gonk.accept_all("other")
    gonk.ok("export", "other", "jsonl", gonk.files / "again")
    (said,) = listed(gonk.files / "again")
    assert sorted((each["body"].popitem(), each["schema_version"]) for each in said["annotations"]) == [
        (("a", 1), 0),
        (("b", 2), 1),
    ]


def test_importing_the_jsonl_of_a_dataset_into_itself_or_twice_adds_nothing(gonk: Gonk) -> None:
    gonk.add("a.png", formats.png())
    gonk.annotate("a.png")
    gonk.accept_all()
    gonk.ok("export", "cells", "jsonl", gonk.files / "out")
    again = gonk.json("import", "cells", "jsonl", gonk.files / "out")
    assert (again["objects"], again["annotations"], again["objects_known"], again["annotations_known"]) == (0, 0, 1, 1)
    path = gonk.files / "out/objects.jsonl"
    changed = json.loads(path.read_text())
    changed["annotations"][0]["body"]["label"] = "another"
    path.write_text(json.dumps(changed))
    assert [gonk.json("import", "cells", "jsonl", path)["annotations"] for _ in range(2)] == [1, 0]


def test_an_annotation_of_a_schema_that_is_nowhere_is_told_and_left_out(gonk: Gonk) -> None:
    line = {"name": "a", "file": "a.png", "annotations": [{"schema": "nowhere", "body": {}}]}
    gonk.file("a.png", formats.png())
    report = gonk.json("import", "cells", "jsonl", gonk.file("objects.jsonl", line))
    assert (report["objects"], report["annotations"], report["left_out"]) == (1, 0, 1)
    assert [each["place"] for each in report["problems"]] == ["schema-nowhere"]


def test_images_by_class_come_back_and_importing_them_again_adds_nothing(gonk: Gonk) -> None:
    for path in ("in/cat/1.png", "in/cat/2.png", "in/train/3.png"):
        (gonk.files / path).parent.mkdir(parents=True, exist_ok=True)
        (gonk.files / path).write_bytes(formats.png(salt=path.encode()))
    first, again = (gonk.json("import", "cells", "imagefolder", gonk.files / "in") for _ in range(2))
    assert (first["objects"], first["annotations"], first["problems"]) == (3, 3, [])
    assert (again["objects"], again["annotations"]) == (0, 0)
    gonk.accept_all()
    gonk.ok("export", "cells", "imagefolder", gonk.files / "out")
    assert formats.data(gonk.files / "out") == formats.data(gonk.files / "in")
    gonk.refused("export", "cells", "imagefolder", gonk.files / "none", "--images", "none")


def test_csv_comes_back_and_importing_it_again_adds_nothing(gonk: Gonk) -> None:
    (gonk.files / "in/images").mkdir(parents=True)
    for name in ("a.png", "b.png"):
        (gonk.files / "in/images" / name).write_bytes(formats.png(salt=name.encode()))
    text = "file_name,label,score,annotation,who\r\na.png,'=1+1,0.5,,Ada\r\nb.png,x,,1,\r\nb.png,y,,1,\r\n"
    (gonk.files / "in/annotations.csv").write_bytes(text.encode())
    first, again = (gonk.json("import", "cells", "csv", gonk.files / "in") for _ in range(2))
    assert (first["objects"], first["annotations"], first["problems"]) == (2, 2, [])
    assert (again["objects"], again["annotations"]) == (0, 0)
    gonk.accept_all()
    report = gonk.json("export", "cells", "csv", gonk.files / "out")
    assert (report["problems"], report["not_carried"]) == ([], [])
    before, after = (formats.data(gonk.files / name) for name in ("in", "out"))
    rows = [files.pop("annotations.csv").split(b"\r\n") for files in (before, after)]
    assert sorted(rows[0]) == sorted(rows[1])
    assert before == after
