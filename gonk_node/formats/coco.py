"""COCO: one JSON file of images, categories and annotations; boxes, polygons, masks, keypoints and captions are read.

Format: https://cocodataset.org/#format-data. What one annotation of the file says becomes an annotation for each schema
that has a part of it (see `coco_bodies`). The file is read as a whole into memory; image files are not opened beyond
their first bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from gonk_node.errors import InputFileError
from gonk_node.formats.coco_bodies import OWN_FIELDS, Category, bodies, point_names, said_by_the_body, short_text
from gonk_node.formats.images import check_folder, check_name, find, media_type
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedImage, Record, annotation, whole
from gonk_node.state.strict_json import Json, Problem

_FORMAT = "coco"
_TOP_FIELDS = frozenset({"images", "annotations", "categories"})
_CATEGORY_FIELDS = frozenset({"id", "name", "supercategory", "keypoints"})
_IMAGE_FIELDS = frozenset({"id", "file_name", "width", "height"})
Id: TypeAlias = int | str


@dataclass(slots=True)
class _Known:
    """What the file has said so far, by the ids in it."""

    file: str
    categories: dict[Id, Category] = field(default_factory=dict)
    unused: dict[Id, int] = field(default_factory=dict)  # categories that no annotation had so far -> position
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
        record = _image(item, index, images, uses, known)
        yield record
        if isinstance(record, ImportedImage):
            yield from _lost_of_image(item, known.at("images", index), uses)
    for index, item in enumerate(document["annotations"]):
        yield from _annotations(item, index, known)
    for index in known.unused.values():
        yield NotCarried(known.at("categories", index), "categories that no annotation has")
    for name in sorted(document.keys() - _TOP_FIELDS):
        if document[name]:
            yield NotCarried(known.at(name), f"{name[:40]!r} of the file")


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


def _read_categories(document: dict[str, Json], known: _Known) -> Iterator[Record]:
    for index, item in enumerate(document["categories"]):
        category = _id(item.get("id")) if isinstance(item, dict) else None
        if category is None or not isinstance(item.get("name"), str) or not item["name"]:
            yield Problem(known.at("categories", index), "a category needs an id and a name; left out")
        elif category in known.categories:
            yield Problem(known.at("categories", index, "id"), f"category id {category!r} is taken; left out")
        else:
            known.categories[category] = Category(item["name"], item.get("supercategory"), point_names(item))
            known.unused[category] = index
            for name in sorted(item.keys() - _CATEGORY_FIELDS):
                yield NotCarried(known.at("categories", index), f"{name[:40]!r} of categories")


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


def _lost_of_image(item: dict[str, Json], place: str, uses: Counter[Id]) -> Iterator[NotCarried]:
    for name in sorted(item.keys() - _IMAGE_FIELDS):
        if item[name] is not None:
            yield NotCarried(place, f"{name[:40]!r} of images")
    if not uses[item["id"]]:
        yield NotCarried(place, "ids of images that have no annotation")


def _annotations(item: Json, index: int, known: _Known) -> Iterator[Record]:
    """What one COCO annotation says, a record for each schema that has a part of it."""
    here = known.at("annotations", index)
    if not isinstance(item, dict):
        yield Problem(here, "an annotation must be an object; left out")
        return
    source_id = _id(item.get("id", f"#{index}"))
    if source_id is None or source_id in known.annotations:
        yield Problem(f"{here}/id", f"annotation id {short_text(item['id'])} is taken or no id; left out")
        return
    known.annotations.add(source_id)
    image_id = _id(item.get("image_id"))
    if image_id is None or image_id not in known.images:
        yield Problem(f"{here}/image_id", f"there is no image of id {short_text(item.get('image_id'))}; left out")
        return
    image_name = known.images[image_id]
    if image_name is None:  # its image was left out, and the problem there counts this annotation
        return
    category = _id(item.get("category_id"))
    kept = {key: value for key, value in item.items() if key not in OWN_FIELDS}
    found = known.categories.get(category) if category is not None else None
    if found is not None and category is not None:
        known.unused.pop(category, None)
        if found.supercategory:
            kept.setdefault("supercategory", found.supercategory)
    for schema, body, place in bodies(item, found):
        if isinstance(body, str):
            yield Problem(here + place, body)
        else:
            members, rest = said_by_the_body(schema, kept)
            body |= {**members, "attributes": {_FORMAT: rest}}
            yield annotation(
                image_name, schema, body, format_name=_FORMAT, source_id=repr(source_id), place=here + place
            )
