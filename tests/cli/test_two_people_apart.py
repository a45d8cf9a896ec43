"""Two people who add and annotate the same files apart from each other: what both did is kept, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kit import formats
from kit.command_line import Gonk, exchange


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
