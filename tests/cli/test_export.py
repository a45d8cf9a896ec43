"""gonk export: round trips of the blood-cell set through a dataset, the same bytes on every node, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kit import formats
from kit.command_line import Gonk, exchange, share_content
from kit.source_tree import ROOT

# GONK_TEST_BCCD may name a folder with the whole set (364 images) in the same layout.
BCCD = Path(os.environ.get("GONK_TEST_BCCD") or ROOT / "scripts" / "demo_data" / "bccd")
ROUNDING = 1e-5  # pixels of YOLO's fractions, in images of 640 x 480


def imported(gonk: Gonk, format_name: str, path: Path, dataset: str = "cells") -> dict[str, Any]:
    report: dict[str, Any] = gonk.json("import", dataset, format_name, path)
    gonk.accept_all(dataset)
    return report


def coco(path: Path) -> dict[str, Any]:
    """Images, annotations and categories of a COCO file, by their ids."""
    document = json.loads(path.read_bytes())
    return {name: {each["id"]: each for each in document[name]} for name in ("images", "annotations", "categories")}


def voc(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Every object of every image, in order: all that its elements say."""
    found = {}
    for path in sorted(folder.glob("*.xml")):
        root = ElementTree.fromstring(path.read_bytes())
        found[root.findtext("filename") or ""] = [
            {element.tag: (element.text or "").strip() for element in each.iter() if len(element) == 0}
            for each in root.findall("object")
        ]
    return found


def test_coco_comes_back_value_by_value(gonk: Gonk) -> None:
    imported(gonk, "coco", BCCD / "instances.json")
    report = gonk.json("export", "cells", "coco", gonk.files / "out")
    before, after = coco(BCCD / "instances.json"), coco(gonk.files / "out/annotations/instances_default.json")
    used = {each["image_id"] for each in before["annotations"].values()}
    assert after["annotations"] == before["annotations"]
    assert after["categories"] == before["categories"]
    assert {key: after["images"][key] for key in used} == {key: before["images"][key] for key in used}
    assert len(after["images"]) == len(before["images"])
    assert report["annotations"] == len(before["annotations"])
    assert (report["problems"], report["not_carried"]) == ([], [])
    for image in before["images"].values():
        exported = gonk.files / "out/images" / image["file_name"]
        assert exported.read_bytes() == (BCCD / "images" / image["file_name"]).read_bytes()


def test_voc_comes_back_value_by_value(gonk: Gonk) -> None:
    read = imported(gonk, "voc", BCCD / "annotations")
    report = gonk.json("export", "cells", "voc", gonk.files / "out")
    before, after = voc(BCCD / "annotations"), voc(gonk.files / "out/Annotations")
    degenerate = 0
    for name, objects in before.items():
        good = [
            each for each in objects if int(each["xmax"]) > int(each["xmin"]) and int(each["ymax"]) > int(each["ymin"])
        ]
        degenerate += len(objects) - len(good)
        assert after[name] == good
    assert len(after) == len(before)
    assert len(read["problems"]) == degenerate > 0
    assert (report["problems"], report["not_carried"]) == ([], [])


def test_coco_comes_back_through_yolo_within_its_rounding(gonk: Gonk) -> None:
    imported(gonk, "coco", BCCD / "instances.json")
    gonk.ok("export", "cells", "yolo-detect", gonk.files / "yolo")
    gonk.ok("dataset", "create", "again")
    imported(gonk, "yolo-detect", gonk.files / "yolo", "again")
    gonk.ok("export", "again", "coco", gonk.files / "out")
    before, after = coco(BCCD / "instances.json"), coco(gonk.files / "out/annotations/instances_default.json")
    wanted, found = boxes(before), boxes(after)
    assert [each[:2] for each in wanted] == [each[:2] for each in found]
    for one, other in zip(wanted, found, strict=True):
        assert one[2] == pytest.approx(other[2], abs=ROUNDING)


def boxes(document: dict[str, Any]) -> list[tuple[str, str, list[float]]]:
    """(file name, label, box within the image), sorted."""
    found = []
    for each in document["annotations"].values():
        image = document["images"][each["image_id"]]
        x, y, w, h = each["bbox"]
        right, bottom = min(x + w, image["width"]), min(y + h, image["height"])
        box = [max(x, 0), max(y, 0), right - max(x, 0), bottom - max(y, 0)]
        label = document["categories"][each["category_id"]]["name"]
        found.append((image["file_name"], label, [round(value, 4) for value in box]))
    return sorted(found)


@pytest.mark.parametrize("format_name", ["coco", "voc", "yolo-detect"])
def test_importing_what_was_exported_brings_no_new_object(gonk: Gonk, format_name: str) -> None:
    imported(gonk, "coco", BCCD / "instances.json")
    gonk.ok("export", "cells", format_name, gonk.files / "out")
    source = gonk.files / "out"
    first = gonk.json("import", "cells", format_name, source)
    assert first["objects"] == 0
    before = gonk.state()
    again = gonk.json("import", "cells", format_name, source)
    assert again["annotations"] == 0
    assert gonk.state() == before


def test_two_nodes_write_the_same_bytes_whatever_the_order_of_arrival(gonk: Gonk, stranger: Gonk) -> None:
    imported(gonk, "coco", BCCD / "instances.json")
    exchange(gonk, stranger)
    for name in ("one.png", "two.png"):
        stranger.file(name, formats.png(salt=name.encode()))
        stranger.ok("add", "cells", stranger.files / name)
    gonk.add("three.png", formats.png(salt=b"3"))
    exchange(gonk, stranger)
    gonk.accept_all()
    exchange(gonk, stranger)
    share_content(gonk, stranger)
    for format_name in ("coco", "voc", "yolo-detect"):
        for node in (gonk, stranger):
            node.ok("export", "cells", format_name, node.files / format_name, "--images", "none")
        one = formats.files(gonk.files / format_name)
        assert one == formats.files(stranger.files / format_name)
        assert len(one) > 0
        assert not any(name.endswith(".jpg") for name in one)


def test_a_release_gives_the_same_files_later(gonk: Gonk) -> None:
    imported(gonk, "coco", BCCD / "instances.json")
    gonk.ok("release", "create", "cells", "v1")
    gonk.ok("export", "cells", "coco", gonk.files / "now")
    gonk.ok("delete", "cells", "BloodImage_00000.jpg")
    gonk.accept_all()
    gonk.ok("export", "cells", "coco", gonk.files / "released", "--release", "v1")
    gonk.ok("export", "cells", "coco", gonk.files / "later")
    assert formats.data(gonk.files / "released") == formats.data(gonk.files / "now")
    assert formats.data(gonk.files / "later") != formats.data(gonk.files / "now")
    gonk.refused("export", "cells", "coco", gonk.files / "none", "--release", "v2")


def test_only_what_is_accepted_is_written(gonk: Gonk) -> None:
    gonk.add("a.png", formats.png())
    gonk.annotate("a.png")
    gonk.ok("export", "cells", "coco", gonk.files / "before")
    gonk.accept_all()
    gonk.ok("export", "cells", "coco", gonk.files / "after")
    assert coco(gonk.files / "before/annotations/instances_default.json")["images"] == {}
    after = coco(gonk.files / "after/annotations/instances_default.json")
    assert [each["bbox"] for each in after["annotations"].values()] == [[1, 2, 30, 40]]


def test_what_the_format_cannot_carry_is_told(gonk: Gonk) -> None:
    gonk.add("a.png", formats.png())
    gonk.add("notes.txt", "not an image")
    gonk.annotate("a.png", {"label": "WBC", "x": 1, "y": 2, "w": 3, "h": 4, "score": 0.5, "attributes": {"mine": 1}})
    gonk.accept_all()
    report = gonk.json("export", "cells", "voc", gonk.files / "json")
    assert report["objects"] == 2
    [problem] = report["problems"]
    assert "notes.txt" in problem["place"]
    assert "no image" in problem["what"]
    assert {each["what"]: each["count"] for each in report["not_carried"]} == {
        "the score of boxes": 1,
        "the attribute 'mine' of annotations": 1,
    }
    result = gonk.ok("export", "cells", "voc", gonk.files / "text")
    [uuid] = [each["uuid"] for each in gonk.json("list", "cells", "annotations")["annotations"]]
    assert f"not carried: the score of boxes (once: object 'a.png': annotation {uuid})" in result.err
    assert "read 2 objects and 1 annotation; wrote 4 files" in result.out


def test_nothing_is_written_over_unless_asked(gonk: Gonk) -> None:
    gonk.add("a.png", formats.png())
    gonk.accept_all()
    gonk.ok("export", "cells", "coco", gonk.files / "out")
    before = formats.files(gonk.files)
    gonk.refused("export", "cells", "voc", gonk.files / "out")
    assert formats.files(gonk.files) == before
    told = gonk.ok("export", "cells", "voc", gonk.files / "out", "--replace").err
    assert f"what was there before is kept as {gonk.files / 'out.1'}" in told
    assert (gonk.files / "out/Annotations/a.xml").exists()
    assert (gonk.files / "out.1/annotations/instances_default.json").exists()


def test_a_folder_that_is_missing_on_the_way_is_no_fault_of_the_disk(gonk: Gonk) -> None:
    gonk.add("a.png", formats.png())
    gonk.accept_all()
    refused = gonk.refused("export", "cells", "coco", gonk.files / "missing" / "out")
    assert f"where: {gonk.files / 'missing'}\n" in refused.err
    assert "fault" not in refused.err
    refused = gonk.refused("show", "cells", "a.png", "--save", gonk.files / "missing" / "a.png")
    assert "fault" not in refused.err


def test_classes_without_images_are_refused(gonk: Gonk) -> None:
    gonk.refused("export", "cells", "yolo-classify", gonk.files / "out", "--images", "none")


def test_missing_content_ends_the_export_and_leaves_nothing(gonk: Gonk, stranger: Gonk) -> None:
    gonk.add("a.png", formats.png())
    gonk.accept_all()
    exchange(gonk, stranger)
    result = stranger.run("export", "cells", "coco", stranger.files / "out")
    assert result.code == 3, result
    assert list(stranger.files.iterdir()) == []


def test_images_by_class_come_back(gonk: Gonk) -> None:
    for label, split, name in (("cat", "train", "1.png"), ("cat", "val", "2.png"), ("dog", "train", "1.png")):
        folder = gonk.files / "in" / split / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(formats.png(salt=f"{label}{split}".encode()))
    report = imported(gonk, "yolo-classify", gonk.files / "in")
    assert (report["objects"], report["annotations"], report["problems"]) == (3, 3, [])
    gonk.ok("export", "cells", "yolo-classify", gonk.files / "out")
    before, after = (formats.data(gonk.files / name) for name in ("in", "out"))
    assert {(path.rpartition("/")[0], data) for path, data in before.items()} == {
        (path.rpartition("/")[0], data) for path, data in after.items()
    }
