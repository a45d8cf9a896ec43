"""COCO: one JSON file of images, categories and annotations; boxes, polygons and captions are read.

Format: https://cocodataset.org/#format-data. A box is [x, y, width, height] in pixels from the top left corner, as in
gonk's own schema. Masks in run-length encoding (RLE) are reported and left out; keypoints are kept as attributes.
The file is read as a whole into memory; image files are not opened beyond their first bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from gonk_node.errors import InputFileError
from gonk_node.formats.images import check_folder, check_name, find, media_type
from gonk_node.formats.sample import ImportedImage, Record, annotation, number, whole
from gonk_node.state.strict_json import Json, Problem

_FORMAT = "coco"
_OWN_FIELDS = frozenset({"bbox", "segmentation", "caption", "iscrowd"})  # said by the body itself
Id: TypeAlias = int | str
Ring: TypeAlias = list[list[int | float]]


@dataclass(slots=True)
class _Known:
    """What the file has said so far, by the ids in it."""

    file: str
    categories: dict[Id, str] = field(default_factory=dict)
    images: dict[Id, str | None] = field(default_factory=dict)  # id -> name; None: left out, and said so
    names: dict[str, str] = field(default_factory=dict)  # file name -> place of the first image with it
    annotations: set[Id] = field(default_factory=set)

    def at(self, *path: str | int) -> str:
        return f"{self.file}: " + "".join(f"/{step}" for step in path)


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a COCO file; see `sample.Importer`.

    Ids and all fields that gonk has no word for are kept under `attributes.coco`.
    """
    check_folder(images)
    document = _load(source)
    known = _Known(str(source))
    yield from _read_categories(document, known)
    uses = Counter(
        item["image_id"]
        for item in document["annotations"]
        if isinstance(item, dict) and _id(item.get("image_id")) is not None
    )
    for index, item in enumerate(document["images"]):
        yield _image(item, index, images, uses, known)
    for index, item in enumerate(document["annotations"]):
        yield from _annotations(item, index, known)


def _load(source: Path) -> dict[str, Json]:
    """The top level, with lists under "images", "annotations" and "categories"."""
    try:
        document = json.loads(source.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(source)) from error
    except (ValueError, RecursionError) as error:  # ValueError: not JSON, not UTF-8, or a number too long
        raise InputFileError(f"is not JSON: {error}", where=str(source)) from error
    if not isinstance(document, dict) or not isinstance(document.get("images"), list):
        raise InputFileError(
            'is no COCO file: it has no list "images" at the top',
            where=str(source),
            hint="a file of results (detections) is not a dataset; give the one that has images and annotations",
        )
    for name in ("annotations", "categories"):
        if not isinstance(document.setdefault(name, []), list):
            raise InputFileError(f'is no COCO file: "{name}" is not a list', where=str(source))
    return document


def _id(value: Json) -> Id | None:
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _read_categories(document: dict[str, Json], known: _Known) -> Iterator[Problem]:
    for index, item in enumerate(document["categories"]):
        category = _id(item.get("id")) if isinstance(item, dict) else None
        if category is None or not isinstance(item.get("name"), str) or not item["name"]:
            yield Problem(known.at("categories", index), "a category needs an id and a name; left out")
        elif category in known.categories:
            yield Problem(known.at("categories", index, "id"), f"category id {category!r} is taken; left out")
        else:
            known.categories[category] = item["name"]


def _image(item: Json, index: int, images: Path | None, uses: Counter[Id], known: _Known) -> ImportedImage | Problem:
    image_id = _id(item.get("id")) if isinstance(item, dict) else None
    if image_id is None:
        return Problem(known.at("images", index), "an image needs an id and a file_name; left out")
    if image_id in known.images:
        return Problem(known.at("images", index, "id"), f"image id {image_id!r} is taken; left out")
    known.images[image_id] = None
    consequence = f"; left out, and its {uses[image_id]} annotations with it"
    try:
        name = check_name(item.get("file_name"))
        if name in known.names:
            raise InputFileError(f"the file name {name!r} is taken by {known.names[name]}")
        path = None if images is None else find(images, name)
        kind = media_type(name, path)
    except InputFileError as error:
        return Problem(known.at("images", index, "file_name"), error.what + consequence)
    known.images[image_id] = name
    known.names[name] = f"/images/{index}"
    attributes = {key: value for key, value in item.items() if key not in ("file_name", "width", "height")}
    return ImportedImage(name, path, kind, whole(item.get("width")), whole(item.get("height")), {_FORMAT: attributes})


def _annotations(item: Json, index: int, known: _Known) -> Iterator[Record]:
    """The box, polygon and caption of one COCO annotation."""
    here = known.at("annotations", index)
    if not isinstance(item, dict):
        yield Problem(here, "an annotation must be an object; left out")
        return
    source_id = _id(item.get("id", f"#{index}"))
    if source_id is None or source_id in known.annotations:
        yield Problem(f"{here}/id", f"annotation id {_short(item['id'])} is taken or no id; left out")
        return
    known.annotations.add(source_id)
    image_id = _id(item.get("image_id"))
    if image_id is None or image_id not in known.images:
        yield Problem(f"{here}/image_id", f"there is no image of id {_short(item.get('image_id'))}; left out")
        return
    image_name = known.images[image_id]
    if image_name is None:  # its image was left out, and the problem there counts this annotation
        return
    for schema, body, place in _bodies(item, here, known):
        if isinstance(body, str):
            yield Problem(place, body)
        else:
            body["attributes"] = {_FORMAT: {k: v for k, v in item.items() if k not in _OWN_FIELDS}}
            yield annotation(image_name, schema, body, format_name=_FORMAT, source_id=repr(source_id), place=place)


def _bodies(item: dict[str, Json], here: str, known: _Known) -> Iterator[tuple[str, dict[str, Json] | str, str]]:
    """(schema, body or what is wrong, place) of each thing that one annotation says of its image."""
    if "caption" in item:
        text = item["caption"]
        good = isinstance(text, str) and text.strip()
        yield "caption", {"text": text} if good else "the caption is no text; left out", f"{here}/caption"
    box, outline = item.get("bbox"), item.get("segmentation")
    has_box, has_outline = box not in (None, []), outline not in (None, [])
    if not has_box and not has_outline:
        if "caption" not in item:
            yield "", "has neither bbox, segmentation nor caption; left out", here
        return
    category = _id(item.get("category_id"))
    if category is None or category not in known.categories:
        what = f"there is no category of id {_short(item.get('category_id'))}; left out"
        yield "", what, f"{here}/category_id"
        return
    base: dict[str, Json] = {"label": known.categories[category]}
    if item.get("iscrowd") in (0, 1):
        base["iscrowd"] = bool(item["iscrowd"])
    if has_box:
        yield "bounding-box", _box(box, base), f"{here}/bbox"
    if has_outline:
        yield "polygon", _polygon(outline, base), f"{here}/segmentation"


def _box(box: Json, base: dict[str, Json]) -> dict[str, Json] | str:
    values = [number(value) for value in box] if isinstance(box, list) else []
    if len(values) != 4 or None in values:
        return f"a box must be four finite numbers, not {_short(box)}; left out"
    x, y, w, h = values
    if not (w and w > 0 and h and h > 0):
        return f"the box is degenerate: {w} wide, {h} high; left out"
    return {**base, "x": x, "y": y, "w": w, "h": h}


def _polygon(outline: Json, base: dict[str, Json]) -> dict[str, Json] | str:
    if isinstance(outline, dict):
        return "a mask in run-length encoding is not imported; a box of the same annotation is"
    if not isinstance(outline, list):
        return f"a segmentation must be a list of polygons, not {_short(outline)}; left out"
    parts = []
    for index, flat in enumerate(outline):
        ring = _ring(flat)
        if isinstance(ring, str):
            return f"polygon {index} {ring}; the outline is left out"
        parts.append({"outer": ring, "holes": []})
    return {**base, "parts": parts}


def _ring(flat: Json) -> Ring | str:
    """The points of [x1, y1, x2, y2, …], or what is wrong with them."""
    values = [number(value) for value in flat] if isinstance(flat, list) else []
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(values) or len(values) < 6 or len(values) % 2:
        return "must be x, y of at least three points, in finite numbers"
    points = [[numbers[at], numbers[at + 1]] for at in range(0, len(numbers), 2)]
    following = [*points[1:], points[0]]
    if not sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, following, strict=True)):
        return "is degenerate: it has no area"
    return points


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
