"""What an import does with the labels that a file declares, and with those that the dataset has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kit import formats
from kit.command_line import Gonk

CATEGORIES = [{"id": 3, "name": "WBC", "supercategory": "cell"}, {"id": 9, "name": "unseen"}, {"id": 1, "name": "RBC"}]


@pytest.fixture
def coco(gonk: Gonk) -> Path:
    """An image with two boxes, and a category that none has."""
    folder = gonk.files / "images"
    folder.mkdir()
    (folder / "1.png").write_bytes(formats.png())
    boxes = [{"id": at, "image_id": 1, "category_id": which, "bbox": [at, 0, 9, 9]} for at, which in ((1, 3), (2, 1))]
    images = [{"id": 1, "file_name": "1.png", "width": 64, "height": 48}]
    return gonk.file("instances.json", {"images": images, "categories": CATEGORIES, "annotations": boxes})


def labels(gonk: Gonk) -> list[dict[str, Any]]:
    (found,) = gonk.json("labels", "cells", "list")
    return found["labels"]


def used(gonk: Gonk) -> list[str]:
    return sorted(each["body"]["label"] for each in gonk.json("show", "cells", "1.png")["annotations"])


def test_a_label_set_is_proposed_in_the_order_of_the_file_and_only_once(gonk: Gonk, coco: Path) -> None:
    first, again = (gonk.json("import", "cells", "coco", coco) for _ in range(2))
    assert (first["label_sets"], again["label_sets"]) == (["schema-bounding-box"], [])
    gonk.accept_all()
    assert gonk.json("import", "cells", "coco", coco)["label_sets"] == []
    assert [(each["id"], each["name"]) for each in labels(gonk)] == [(name, name) for name in ("WBC", "unseen", "RBC")]


def test_categories_come_back_with_their_ids_also_those_that_nothing_has(gonk: Gonk, coco: Path) -> None:
    gonk.ok("import", "cells", "coco", coco)
    gonk.accept_all()
    report = gonk.json("export", "cells", "coco", gonk.files / "out")
    assert (report["problems"], report["not_carried"]) == ([], [])
    written = json.loads((gonk.files / "out/annotations/instances_default.json").read_text())
    assert written["categories"] == sorted(
        ({"supercategory": "", **each} for each in CATEGORIES), key=lambda c: c["id"]
    )
    gonk.ok("export", "cells", "yolo-detect", gonk.files / "yolo")  # numbers of its own, in the order of the labels
    assert '0: "WBC"\n  1: "unseen"\n  2: "RBC"\n' in (gonk.files / "yolo/data.yaml").read_text()


def test_what_was_renamed_is_known_by_its_new_name_and_keeps_its_id(gonk: Gonk, coco: Path) -> None:
    gonk.ok("import", "cells", "coco", coco)
    gonk.accept_all()
    gonk.ok("labels", "cells", "rename", "bounding-box", "WBC", "White blood cell")
    gonk.accept_all()
    gonk.ok("export", "cells", "coco", gonk.files / "out")
    written = json.loads((gonk.files / "out/annotations/instances_default.json").read_text())
    assert "White blood cell" in [each["name"] for each in written["categories"]]
    for number, each in enumerate(written["annotations"]):
        each |= {"id": 100 + number, "bbox": [5 + number, 5, 5, 5]}
    (gonk.files / "out/annotations/instances_default.json").write_text(json.dumps(written))
    report = gonk.json("import", "cells", "coco", gonk.files / "out/annotations/instances_default.json")
    assert (report["annotations"], report["label_sets"]) == (2, [])
    gonk.accept_all()
    assert used(gonk) == ["RBC", "RBC", "WBC", "WBC"]


def test_labels_that_a_second_file_brings_are_proposed_behind_what_is_there(gonk: Gonk, coco: Path) -> None:
    own = {"schema": "schema-bounding-box", "labels": [{"id": "w", "name": "WBC", "hotkey": "w", "index": 7}]}
    gonk.ok("schema", "add", "cells", "bounding-box")
    gonk.ok("labels", "cells", "set", gonk.file("labels.json", own))
    gonk.accept_all()
    assert gonk.json("import", "cells", "coco", coco)["label_sets"] == ["schema-bounding-box"]
    gonk.accept_all()
    assert labels(gonk)[0] == own["labels"][0]
    assert [each["id"] for each in labels(gonk)] == ["w", "unseen", "RBC"]
    assert used(gonk) == ["RBC", "w"]


@pytest.mark.parametrize(
    ("format_name", "schema"),
    [
        ("coco", "bounding-box"),
        ("cvat", "bounding-box"),
        ("label-studio", "bounding-box"),
        ("voc", "bounding-box"),
        ("yolo-detect", "bounding-box"),
        ("csv", "classification"),
        ("imagefolder", "classification"),
        ("yolo-classify", "classification"),
    ],
)
def test_what_came_from_a_format_is_known_when_it_comes_back_under_another_name(
    gonk: Gonk, format_name: str, schema: str
) -> None:
    body = {"label": "cat", **({"x": 1, "y": 2, "w": 3, "h": 4} if schema == "bounding-box" else {})}
    one = formats.sample("a.png", [(schema, body)])
    formats.export([one], format_name, gonk.files / "in")
    gonk.ok("schema", "add", "cells", schema)
    labelled = {"schema": f"schema-{schema}", "labels": [{"id": "cat", "name": "cat"}]}
    gonk.ok("labels", "cells", "set", gonk.file("labels.json", labelled))
    gonk.accept_all()
    gonk.ok("import", "cells", format_name, gonk.files / "in")
    gonk.accept_all()
    gonk.ok("labels", "cells", "rename", schema, "cat", "Katze")
    gonk.accept_all()
    gonk.ok("export", "cells", format_name, gonk.files / "out")
    back = gonk.json("import", "cells", format_name, gonk.files / "out")
    assert (back["annotations"], back["annotations_known"], back["label_sets"]) == (0, 1, [])


def test_labels_of_several_files_are_proposed_together_and_only_once(gonk: Gonk, coco: Path) -> None:
    other = json.loads(coco.read_text())
    other["categories"] = [{"id": 1, "name": "platelet"}, {"id": 3, "name": "WBC"}]
    other["annotations"] = [{"id": 7, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}]
    folder = gonk.files / "annotations"
    folder.mkdir()
    coco.rename(folder / "a.json")
    (folder / "b.json").write_text(json.dumps(other))
    first, again = (gonk.json("import", "cells", "coco", folder) for _ in range(2))
    assert (first["label_sets"], again["label_sets"]) == (["schema-bounding-box"], [])
    gonk.accept_all()
    assert gonk.json("import", "cells", "coco", folder)["label_sets"] == []
    assert [each["name"] for each in labels(gonk)] == ["WBC", "unseen", "RBC", "platelet"]


def test_too_many_labels_are_told_and_the_rest_is_imported(gonk: Gonk, coco: Path) -> None:
    document = json.loads(coco.read_text())
    document["categories"] += [{"id": 100 + number, "name": f"n{number}"} for number in range(10_000)]
    coco.write_text(json.dumps(document))
    report = gonk.json("import", "cells", "coco", coco)
    assert (report["annotations"], report["label_sets"]) == (2, [])
    assert "make no label set" in report["problems"][0]["what"]


def test_a_label_set_that_was_rejected_is_proposed_again(gonk: Gonk, coco: Path) -> None:
    gonk.ok("import", "cells", "coco", coco)
    pending = gonk.json("list", "cells", "objects", "--status", "pending")["objects"]
    event = next(each["event"] for each in pending if each["name"].startswith("labels-"))
    gonk.ok("review", "cells", "reject", event)
    gonk.accept_all()
    assert gonk.json("import", "cells", "coco", coco)["label_sets"] == ["schema-bounding-box"]


def test_classes_of_yolo_come_back_with_their_numbers(gonk: Gonk) -> None:
    folder = gonk.files / "in"
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    (folder / "images/a.png").write_bytes(formats.png())
    (folder / "labels/a.txt").write_text("2 0.5 0.5 0.25 0.25\n")
    (folder / "data.yaml").write_text("train: images\nval: images\nnames: [cat, dog, eel, unused 3]\n")
    gonk.ok("import", "cells", "yolo-detect", folder)
    gonk.accept_all()
    gonk.ok("export", "cells", "yolo-detect", gonk.files / "out")
    assert (gonk.files / "out/labels/a.txt").read_bytes() == (folder / "labels/a.txt").read_bytes()
    assert '0: "cat"\n  1: "dog"\n  2: "eel"\n' in (gonk.files / "out/data.yaml").read_text()
    assert "unused" not in (gonk.files / "out/data.yaml").read_text()


def test_jsonl_carries_label_sets_and_takes_bodies_as_they_are(gonk: Gonk, coco: Path) -> None:
    gonk.ok("import", "cells", "coco", coco)
    gonk.accept_all()
    gonk.ok("labels", "cells", "rename", "bounding-box", "WBC", "RBC cousin")
    gonk.accept_all()
    gonk.ok("export", "cells", "jsonl", gonk.files / "out")
    gonk.ok("dataset", "create", "other")
    assert gonk.json("import", "other", "jsonl", gonk.files / "out")["label_sets"] == ["schema-bounding-box"]
    gonk.accept_all("other")
    assert gonk.json("labels", "other", "list")[0]["labels"] == labels(gonk)
    shown = gonk.json("show", "other", "1.png")["annotations"]
    assert sorted(each["body"]["label"] for each in shown) == ["RBC", "WBC"]


def test_a_name_goes_before_an_id_that_reads_alike(gonk: Gonk, coco: Path) -> None:
    gonk.ok("import", "cells", "coco", coco)
    gonk.accept_all()
    swapped = {"schema": "schema-bounding-box", "labels": [{"id": "WBC", "name": "RBC"}, {"id": "RBC", "name": "WBC"}]}
    gonk.ok("labels", "cells", "set", gonk.file("labels.json", swapped))
    gonk.accept_all()
    gonk.ok("export", "cells", "coco", gonk.files / "out")
    report = gonk.json("import", "cells", "coco", gonk.files / "out")
    assert (report["annotations"], report["annotations_known"]) == (0, 2)
    gonk.accept_all()
    assert used(gonk) == ["RBC", "WBC"]


def test_what_was_exported_after_a_renaming_is_known_when_it_comes_back(gonk: Gonk, coco: Path) -> None:
    gonk.ok("import", "cells", "coco", coco)
    gonk.accept_all()
    gonk.ok("labels", "cells", "rename", "bounding-box", "WBC", "White blood cell")
    gonk.accept_all()
    gonk.ok("export", "cells", "coco", gonk.files / "out")
    before = gonk.state()
    assert gonk.json("import", "cells", "coco", gonk.files / "out")["annotations_known"] == 2
    assert (
        gonk.json("import", "cells", "coco", coco)["annotations_known"] == 2
    )  # the first file still calls it as before
    assert gonk.state() == before
