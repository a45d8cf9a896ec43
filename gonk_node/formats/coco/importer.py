"""COCO: one JSON file of images, categories and annotations; boxes, polygons, masks, keypoints and captions are read.

Format: https://cocodataset.org/#format-data. What one annotation of the file says becomes an annotation for each schema
that has a part of it (see `bodies`). Of the file, ids are held in memory; image files are not opened beyond their first
bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from blake3 import blake3

from gonk_node.errors import InputFileError
from gonk_node.formats.coco.bodies import OWN_FIELDS, Category, bodies, point_names, said_by_the_body, short_text
from gonk_node.formats.images import check_folder, check_name, find, media_type
from gonk_node.formats.json_stream import read_members
from gonk_node.formats.label_set import Label, declared_label
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.repeats import Repeats
from gonk_node.formats.sample import ImportedImage, ImportedLabels, Record, annotation, number, whole
from gonk_node.state.strict_json import Json, Problem, canonical

_FORMAT = "coco"
_LISTS = frozenset({"images", "annotations", "categories"})
_POINTED = frozenset({"keypoints", "skeleton"})  # of categories: a label has a place for them
_IMAGE_FIELDS = frozenset({"id", "file_name", "width", "height"})
_IDS = ("id", "image_id", "category_id")
_HASHED = 1 << 62  # this bit is set in the numbers of ids that are too large, or texts
Id: TypeAlias = int | str


@dataclass(slots=True)
class _Known:
    """What the file has said so far, by the ids in it."""

    file: str
    categories: dict[Id, Category] = field(default_factory=dict)
    fields: dict[str, dict[str, Json]] = field(default_factory=dict)  # of categories, by name, as in the file
    uses: Counter[Id] = field(default_factory=Counter)  # annotations of each image, by its id
    images: dict[Id, str | None] = field(default_factory=dict)  # id -> name; None: left out, and said so
    names: dict[str, str] = field(default_factory=dict)  # file name -> place of the first image with it
    annotations: Repeats = field(default_factory=Repeats)  # their ids
    repeated: set[int] = field(default_factory=set)  # those of several annotations, once the first of these was taken
    schemas: set[str] = field(default_factory=set)  # that annotations of categories have

    def is_taken(self, source_id: Id) -> bool:
        """Whether an annotation before has that id; ask once for each annotation, after all were added."""
        number = _number_of(source_id)
        if not self.annotations.repeated(number):
            return False
        taken = number in self.repeated
        self.repeated.add(number)
        return taken

    def at(self, *path: str | int) -> str:
        return f"{self.file}: " + "".join(f"/{step}" for step in path)


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a COCO file; see `sample.Importer`.

    A folder stands for the JSON files in it, or in its `annotations`. Ids and all fields that gonk has no word for are kept
    under `attributes.coco`. A file is gone through three times: to see that it is one and what its categories are, for the
    images, and for the annotations.
    """
    check_folder(images)
    if source.is_dir():
        folder = source / "annotations" if (source / "annotations").is_dir() else source
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json")
        if not files:
            raise InputFileError("holds no .json file", where=str(folder), hint="give the file with the annotations")
        yield from _read_files(files, images)
    else:
        yield from _read_file(source, images)


def _read_files(files: Sequence[Path], images: Path | None) -> Iterator[Record]:
    """Read all of them that are COCO files; a single bad one among good ones is a Problem."""
    bad: list[InputFileError] = []
    for file in files:
        records = _read_file(file, images)
        try:
            first = next(records, None)  # the file was gone through once then
        except InputFileError as error:
            bad.append(error)
            continue
        if first is not None:
            yield first
            yield from records
    if len(bad) == len(files):
        raise bad[0]
    for each in bad:
        yield Problem(str(each.where), f"{each.what}; left out")


def _read_file(source: Path, images: Path | None) -> Iterator[Record]:
    known = _Known(str(source))
    yield from _survey(source, known)
    for index, item in _elements(source, "images"):
        record = _image(item, index, images, known)
        yield record
        if isinstance(record, ImportedImage):
            yield from _lost_of_image(item, known.at("images", index), known.uses)
    for index, item in _elements(source, "annotations"):
        yield from _annotations(item, index, known)
    yield from _labels(known)


def _elements(source: Path, name: str) -> Iterator[tuple[int, Json]]:
    """The elements of a list at the top; nothing behind it is read."""
    index = 0
    for member in read_members(source, _LISTS):
        if member.name == name and member.position is not None:
            index = member.position
            yield index, member.value
        elif index:
            return


def _survey(source: Path, known: _Known) -> Iterator[Record]:
    """Go through the whole file, so that one that is no COCO file is refused before anything is taken of it."""
    found: set[str] = set()
    problems: list[Record] = []
    for member in read_members(source, _LISTS):
        name, index, item = member
        if name not in _LISTS:
            if item:
                problems.append(NotCarried(known.at(name), f"{name[:40]!r} of the file"))
        elif index is None or (index == 0 and name in found):
            what = "there is twice" if name in found else "is not a list"
            raise InputFileError(f'is no COCO file: "{name}" {what}', where=str(source))
        elif name == "annotations":
            if isinstance(item, dict):
                _survey_annotation(item, known)
        elif name == "categories":
            problems += _category(item, index, known)
        found.add(name)
    if "images" not in found:
        raise InputFileError(
            'is no COCO file: it has no list "images" at the top, or none in it',
            where=str(source),
            hint="a file of results (detections) is not a dataset; give the one that has images and annotations",
        )
    yield from problems


def _survey_annotation(item: dict[str, Json], known: _Known) -> None:
    image, source_id = _id(item.get("image_id")), _id(item.get("id"))
    if image is not None:
        known.uses[image] += 1
    if source_id is not None:
        known.annotations.add(_number_of(source_id))


def _number_of(source_id: Id) -> int:
    """A number of 63 bits for an id, the same for the same id, so that many can be held in little memory."""
    if isinstance(source_id, int) and 0 <= source_id < _HASHED:
        return source_id
    return _HASHED | int.from_bytes(blake3(repr(source_id).encode()).digest(8), "big") >> 2


def _id(value: Json) -> Id | None:
    """The value as an id: 7.0, as tables with gaps write it, is 7. None where it is none."""
    found = number(value) if isinstance(value, float) else value
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def _is_json(value: Json) -> bool:
    try:
        canonical(value)
    except (ValueError, RecursionError):
        return False
    return True


def _with_ids(fields: dict[str, Json]) -> dict[str, Json]:
    """The fields, with ids as `_id` has them."""
    ids = {name: found for name in _IDS if name in fields and (found := _id(fields[name])) is not None}
    return {**fields, **ids}


def _category(item: Json, index: int, known: _Known) -> Iterator[Record]:
    category = _id(item.get("id")) if isinstance(item, dict) else None
    if category is None or not isinstance(item.get("name"), str) or not item["name"]:
        yield Problem(known.at("categories", index), "a category needs an id and a name; left out")
    elif category in known.categories:
        yield Problem(known.at("categories", index, "id"), f"category id {category!r} is taken; left out")
    else:
        known.categories[category] = Category(item["name"], item.get("supercategory"), point_names(item))
        if item["name"] in known.fields:
            yield NotCarried(known.at("categories", index), "that several categories have one name")
        else:
            said = {name: value for name, value in item.items() if name == "name" or _is_json({name: value})}
            known.fields[item["name"]] = _with_ids(said)
            if len(known.fields[item["name"]]) < len(item):
                yield NotCarried(
                    known.at("categories", index), "fields of categories that JSON cannot hold (NaN, Infinity)"
                )
            if declared_label(item["name"]) is None:
                yield NotCarried(known.at("categories", index), "names of categories that no label can have")
            if not _skeleton(item)[1]:
                yield NotCarried(
                    known.at("categories", index, "skeleton"), "lines of skeletons that join no two keypoints"
                )


def _labels(known: _Known) -> Iterator[Record]:
    """The categories that the file declares, for each schema that its annotations have."""
    pointed = any(category.keypoints for category in known.categories.values())
    for schema in sorted(known.schemas) or (["keypoints"] if pointed else ["bounding-box"] if known.fields else []):
        labels = (_label(item, schema) for item in known.fields.values())
        yield ImportedLabels(schema, tuple(label for label in labels if label is not None), known.at("categories"))


def _label(item: dict[str, Json], schema: str) -> Label | None:
    points = point_names(item) if schema == "keypoints" else ()
    pairs = _skeleton(item)[0] if points else []
    rest = {name: value for name, value in item.items() if name != "name" and name not in (_POINTED if points else ())}
    return declared_label(
        item["name"],
        {_FORMAT: rest},
        keypoints=points,
        skeleton=tuple((points[one - 1], points[other - 1]) for one, other in pairs),
    )


def _skeleton(item: dict[str, Json]) -> tuple[list[list[int]], bool]:
    """(the pairs of a category's skeleton, whether that is all it says)."""
    points, joined = point_names(item), item.get("skeleton")
    pairs = [pair for pair in joined if _joins(pair, len(points))] if isinstance(joined, list) else []
    return pairs, not points or pairs == (joined or [])


def _joins(pair: Json, count: int) -> bool:
    """Whether it is two positions of points, counted from 1."""
    return isinstance(pair, list) and len(pair) == 2 and all(type(at) is int and 0 < at <= count for at in pair)


def _image(item: Json, index: int, images: Path | None, known: _Known) -> ImportedImage | Problem:
    image_id = _id(item.get("id")) if isinstance(item, dict) else None
    if image_id is None:
        return Problem(known.at("images", index), "an image needs an id and a file_name; left out")
    if image_id in known.images:
        return Problem(known.at("images", index, "id"), f"image id {image_id!r} is taken; left out")
    known.images[image_id] = None
    consequence = f"; left out, and its {known.uses[image_id]} annotations with it"
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
    source_id = f"#{index}" if item.get("id") is None else _id(item["id"])
    if source_id is None or known.is_taken(source_id):
        yield Problem(f"{here}/id", f"annotation id {short_text(item['id'])} is taken or no id; left out")
        return
    image_id = _id(item.get("image_id"))
    if image_id is None or image_id not in known.images:
        yield Problem(f"{here}/image_id", f"there is no image of id {short_text(item.get('image_id'))}; left out")
        return
    image_name = known.images[image_id]
    if image_name is None:  # its image was left out, and the problem there counts this annotation
        return
    category = _id(item.get("category_id"))
    if item.get("iscrowd") not in (None, 0, 1):
        yield NotCarried(here, "'iscrowd' of annotations that is neither 0 nor 1")
    kept = _with_ids({key: value for key, value in item.items() if key not in OWN_FIELDS})
    found = known.categories.get(category) if category is not None else None
    if found is not None and found.supercategory:
        kept.setdefault("supercategory", found.supercategory)
    for schema, body, place in bodies(item, found):
        if isinstance(body, str):
            yield Problem(here + place, body)
        else:
            members, rest = said_by_the_body(schema, kept)
            body |= members
            identity = {name: value for name, value in body.items() if name != "iscrowd" or value}
            body["attributes"] = {_FORMAT: rest}
            if schema != "caption":
                known.schemas.add(schema)
            yield annotation(
                image_name,
                schema,
                body,
                format_name=_FORMAT,
                source_id=repr(source_id),
                place=here + place,
                identity=identity,
            )
