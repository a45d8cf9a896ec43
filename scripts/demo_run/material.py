"""The input of the demo: a COCO file with its images, what must come out of it, and the boxes that the story is about."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from demo_run.person import DemoError

_CORRECTIONS = 3
_NEEDED = "A folder must have instances.json (COCO, with boxes) and images/"


class Box(NamedTuple):
    """A box of the COCO file: on which image, what it is, where (pixels), and whether the image's edge cuts it off."""

    image: str
    label: str
    x: float
    y: float
    w: float
    h: float
    is_cut: bool

    def is_body(self, body: dict[str, Any]) -> bool:
        """Whether an annotation's body is this box."""
        return [body.get(key) for key in ("label", "x", "y", "w", "h")] == [self.label, self.x, self.y, self.w, self.h]


class Material(NamedTuple):
    """What goes in: the COCO file, how many different images and boxes it has, their size, and boxes to be corrected."""

    instances: Path
    images: int
    boxes: int
    width: int
    height: int
    to_correct: list[Box]

    @property
    def objects(self) -> int:
        """How many objects a dataset has of it: the images, and the set of their labels."""
        return self.images + 1


def read_material(folder: Path) -> Material:
    """Read FOLDER/instances.json, and look at FOLDER/images; DemoError where that is not what it takes."""
    instances = folder / "instances.json"
    try:
        coco = json.loads(instances.read_bytes())
        images = {each["id"]: each for each in coco["images"] if (folder / "images" / each["file_name"]).is_file()}
        labels = {each["id"]: each["name"] for each in coco["categories"]}
        boxes = [
            _box(images[each["image_id"]], labels[each["category_id"]], *each["bbox"])
            for each in coco["annotations"]
            if each["image_id"] in images and min(each["bbox"][2:]) > 0
        ]
    except OSError as error:
        raise DemoError(f"{_NEEDED}, but {instances} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DemoError(f"{instances}: not a COCO file with boxes: {type(error).__name__}: {error}") from error
    if not boxes:
        raise DemoError(f"{_NEEDED}, but in {folder} there is no box on an image that is there")
    contents = {
        hashlib.sha256((folder / "images" / each["file_name"]).read_bytes()).digest() for each in images.values()
    }
    first = images[min(images)]
    chosen = _one_an_image([box for box in boxes if box.is_cut] or boxes)
    return Material(instances.resolve(), len(contents), len(boxes), first["width"], first["height"], chosen)


def _box(image: dict[str, Any], label: str, x: float, y: float, w: float, h: float) -> Box:
    is_cut = min(x, y) <= 1 or x + w >= image["width"] - 1 or y + h >= image["height"] - 1
    return Box(image["file_name"], label, x, y, w, h, is_cut)


def _one_an_image(boxes: list[Box]) -> list[Box]:
    """The first box of each of the first images."""
    firsts = {box.image: box for box in reversed(boxes)}
    return sorted(firsts.values(), key=lambda box: box.image)[:_CORRECTIONS]
