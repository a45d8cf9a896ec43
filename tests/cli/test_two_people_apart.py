"""Two people who add and annotate the same files apart from each other: what both did is kept, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kit import formats
from kit.command_line import BOX, Gonk, exchange


def coco(who: Gonk, boxes: list[dict[str, Any]], names: str = "cell") -> Path:
    """A COCO file of two images that everybody has, under names of their own."""
    folder = who.files / "images"
    folder.mkdir(exist_ok=True)
    for number in (1, 2):
        (folder / f"{names} {number}.png").write_bytes(formats.png(salt=bytes([number])))
    images = [{"id": number, "file_name": f"{names} {number}.png", "width": 64, "height": 48} for number in (1, 2)]
    document = {"images": images, "categories": [{"id": 1, "name": "cell"}], "annotations": boxes}
    return who.file("instances.json", document)


def box(number: int, image: int, x: int) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": 1, "bbox": [x, 0, 9, 9]}


@pytest.fixture
def anna(gonk: Gonk, stranger: Gonk) -> Gonk:
    """A second owner, who has the dataset as it was founded."""
    gonk.ok("owner", "add", "cells", stranger.key())
    exchange(gonk, stranger)
    return stranger


def released(who: Gonk, tag: str) -> tuple[int, int, int]:
    made = who.json("release", "create", "cells", tag)
    return made["objects"], made["annotations"], made["left_out"]


def test_annotations_of_both_are_on_one_object(gonk: Gonk, anna: Gonk) -> None:
    gonk.ok("import", "cells", "coco", coco(gonk, [box(1, 1, 5), box(2, 2, 6)]))
    anna.ok("import", "cells", "coco", coco(anna, [box(3, 1, 25), box(4, 2, 26), box(5, 2, 27)]))
    exchange(gonk, anna)
    gonk.accept_all()
    assert gonk.run("conflicts", "cells").code == 0
    assert released(gonk, "v1") == (3, 5, 0)  # two images and the labels
    gonk.ok("export", "cells", "coco", gonk.files / "out")
    written = json.loads((gonk.files / "out/annotations/instances_default.json").read_text())
    assert sorted(each["bbox"][0] for each in written["annotations"]) == [5, 6, 25, 26, 27]
    assert sorted(each["body"]["x"] for each in gonk.json("show", "cells", "cell 2.png")["annotations"]) == [6, 26, 27]


def test_the_same_import_on_two_computers_is_there_once(gonk: Gonk, anna: Gonk) -> None:
    for who in (gonk, anna):
        who.ok("import", "cells", "coco", coco(who, [box(1, 1, 5), box(2, 2, 6)]))
    exchange(gonk, anna)
    gonk.accept_all()
    assert gonk.run("conflicts", "cells").code == 0
    assert released(gonk, "v1") == (3, 2, 0)


def test_a_new_name_keeps_the_annotations_and_other_bytes_do_not(gonk: Gonk) -> None:
    gonk.ok("import", "cells", "coco", coco(gonk, [box(1, 1, 5), box(2, 2, 6)]))
    gonk.accept_all()
    gonk.ok("update", "cells", "cell 1.png", gonk.files / "images/cell 1.png", "--name", "renamed.png")
    gonk.accept_all()
    assert released(gonk, "v1") == (3, 2, 0)
    assert len(gonk.json("show", "cells", "renamed.png")["annotations"]) == 1
    gonk.ok("update", "cells", "renamed.png", gonk.file("other.png", formats.png(salt=b"other")))
    gonk.accept_all()
    assert released(gonk, "v2") == (3, 1, 1)


def test_changes_that_one_person_makes_one_after_the_other_are_not_rivals(gonk: Gonk) -> None:
    gonk.add("a.png", formats.png())
    gonk.annotate("a.png")
    gonk.accept_all()
    uuid = gonk.json("list", "cells", "annotations")["annotations"][0]["uuid"]
    for x in (10, 20):
        body = gonk.file("body.json", {"label": "WBC", "x": x, "y": 2, "w": 30, "h": 40})
        gonk.ok("annotate", "cells", "a.png", "bounding-box", body, "--update", uuid)
    gonk.ok("update", "cells", "a.png", gonk.file("b.png", formats.png(salt=b"2")))
    gonk.ok("update", "cells", "a.png", gonk.file("c.png", formats.png(salt=b"3")))
    gonk.accept_all()
    assert gonk.json("conflicts", "cells") == []
    assert gonk.json("show", "cells", uuid)["versions"][-1]["body"]["x"] == 20


def test_what_is_left_out_of_an_export_for_its_object_is_told(gonk: Gonk) -> None:
    for name in ("a.png", "b.png"):
        gonk.add(name, formats.png(salt=name.encode()))
    gonk.annotate("a.png")
    of_both = ("a.png", "bounding-box", gonk.file("body.json", BOX), "--also", "b.png")
    made = gonk.json("annotate", "cells", *of_both)
    gonk.accept_all()
    report = gonk.json("export", "cells", "coco", gonk.files / "out")
    assert report["not_carried"][0]["places"] == [f"annotation {made['uuid']}"]
    assert [each["what"].split(":")[0] for each in report["not_carried"]] == [
        "that an annotation is of several objects"
    ]
    gonk.ok("update", "cells", "b.png", gonk.file("new.png", formats.png(salt=b"new")))
    gonk.accept_all()
    report = gonk.json("export", "cells", "coco", gonk.files / "again")
    assert (report["annotations"], report["problem_count"]) == (1, 1)
    assert "made on" in report["problems"][0]["what"]
    assert report["problems"][0]["place"] == f"annotation {made['uuid']}"


def test_an_export_before_anything_is_accepted_says_what_waits(gonk: Gonk) -> None:
    gonk.add("a.png", formats.png())
    told = gonk.ok("export", "cells", "coco", gonk.files / "out").err
    assert "1 proposal" in told and "gonk review cells list" in told
    gonk.annotate("a.png")
    gonk.accept_all()
    refused = gonk.refused("export", "cells", "imagefolder", gonk.files / "none").err
    assert "nothing could be written as imagefolder: object 'a.png': has no classification" in refused
    assert not (gonk.files / "none").exists()
