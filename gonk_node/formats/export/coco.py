"""COCO out: `annotations/instances_default.json`, the same for keypoints and captions where there are any, and the images.

Format: https://cocodataset.org/#format-data. What came from one annotation of a COCO file (a box and an outline, say) is
one annotation again. Ids are those of the file that the data came from, where they are unique. Each file lists all images.
The names are those that other programs look for (`default` is where a train or val would be).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from gonk_node.formats.export import coco_shapes
from gonk_node.formats.export.job import (
    Job,
    Sample,
    SampleAnnotation,
    annotation_place,
    image_size,
    kept,
    kept_of_label,
    tell_other_attributes,
    typed_body,
    write_image,
)
from gonk_node.formats.export.numbering import Ids, Labels, kept_id
from gonk_node.formats.folder import ExportFile, Spool
from gonk_node.formats.loss import Loss
from gonk_node.formats.safe_names import Names

_FORMAT = "coco"
_IMAGES = "images/"
_FILES = {
    "instances": "annotations/instances_default.json",
    "keypoints": "annotations/person_keypoints_default.json",
    "captions": "annotations/captions_default.json",
}
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_SHAPES = ("bounding-box", "keypoints", "mask", "polygon")
_MEMBERS = ("occluded", "truncated", "difficult", "pose", "score")  # of bodies: fields of their own in COCO, too
_MADE_ANEW = ("id", "image_id", "category_id", "iscrowd", "area", "bbox", "segmentation", "keypoints", "num_keypoints")
_OF_CATEGORY = frozenset(("id", "name", "keypoints", "skeleton"))
_OWN = frozenset((*_MADE_ANEW, "caption", "supercategory"))


@dataclass(slots=True)
class _Item:
    """One COCO annotation: the gonk annotations that it consists of, by schema."""

    kept: int | None
    first: SampleAnnotation
    body: dict[str, Any]  # of the first
    bodies: dict[str, dict[str, Any]]
    unchanged: bool  # since they were imported

    @property
    def file(self) -> str:
        if "caption" in self.bodies:
            return "captions"
        return "keypoints" if "keypoints" in self.bodies else "instances"


@dataclass(slots=True)
class _Category:
    """What is said of a label beyond its number."""

    supercategory: str = ""
    keypoints: dict[str, None] = field(default_factory=dict)  # names, in order
    skeleton: list[list[int]] = field(default_factory=list)  # pairs of positions, from 1
    more: dict[str, Any] = field(default_factory=dict)  # what else the file said that it is from


class _Survey:
    """The first pass: which ids and names there are."""

    def __init__(self, job: Job) -> None:
        self.names = Names()
        self.images = Ids()
        self.annotations = {"instances": Ids(), "keypoints": Ids(), "captions": Ids()}
        self.used: set[str] = {"instances"}
        self.categories: dict[str, _Category] = {}
        declared = job.labels_of(_SHAPES)
        labels = Labels(declared, lambda label: kept_of_label(label, _FORMAT).get("id"))
        for label, said in declared.items():
            points = {name: at for at, name in enumerate(said.keypoints, 1)}
            joined = [[points[one], points[other]] for one, other in said.skeleton]
            rest = {**kept_of_label(said, _FORMAT)}
            above = rest.pop("supercategory", "")
            more = {name: value for name, value in rest.items() if name not in _OF_CATEGORY}
            self.categories[label] = _Category(
                above if isinstance(above, str) else "", dict.fromkeys(points), joined, more
            )
        for sample in job.samples():
            if _is_image(sample):
                self._add(job, sample, labels)
        self.numbers = labels.numbers(0, dense=False)
        self.label_names = labels.names()

    def _add(self, job: Job, sample: Sample, labels: Labels) -> None:
        self.names.add(sample.name)
        items = _items(job, sample, again=False)
        self.images.add(_image_id(items))
        for item in items:
            self.annotations[item.file].add(item.kept)
            self.used.add(item.file)
            if item.file == "captions":
                continue
            source = kept(item.body, _FORMAT)
            label = item.body["label"]
            labels.add(label, kept_id(source.get("category_id")))
            category = self.categories.setdefault(label, _Category())
            if not category.supercategory and isinstance(source.get("supercategory"), str):
                category.supercategory = source["supercategory"]
            if item.file == "keypoints":
                points = item.bodies["keypoints"]["points"]
                category.keypoints.update(dict.fromkeys(point["name"] for point in points))


def write(job: Job) -> None:
    """Write COCO files; see `job.Exporter`."""
    survey = _Survey(job)
    files = {name: _File(job, name) for name in sorted(survey.used)}
    for sample in job.samples():
        if not _is_image(sample):
            what = f"is {sample.media_type[:60]}, no image; left out, with its {len(sample.annotations)} annotations"
            job.loss.left_out(sample.place, what)
            continue
        items = _items(job, sample, again=True)
        image = _image(job, sample, items, survey)
        for file in files.values():
            file.image(image)
        for item in items:
            number = survey.annotations[item.file].next(item.kept)
            files[item.file].annotation(_annotation(item, number, image["id"], survey))
            _tell(item, sample, job.loss)
    for file in files.values():
        file.close(_categories(survey))


def _is_image(sample: Sample) -> bool:
    return sample.media_type.startswith("image/")


def _items(job: Job, sample: Sample, *, again: bool) -> list[_Item]:
    """The COCO annotations of a sample, in order of the first uuid of each."""
    items: list[_Item] = []
    joinable: dict[tuple[int, str, bool], _Item] = {}
    for annotation in sample.annotations:
        if annotation.schema not in _SHAPES and annotation.schema != "caption":
            if not again:
                job.loss.not_carried(sample.place, f"annotations of {annotation.schema[:60]}")
            continue
        body = typed_body(annotation, sample, job, again=again)
        if body is None:
            continue
        number = kept_id(kept(body, _FORMAT).get("id"))
        if annotation.schema != "caption" and number is not None:
            key = (number, body["label"], bool(body.get("iscrowd")))
            other = joinable.get(key)
            if other is not None and annotation.schema not in other.bodies:
                other.bodies[annotation.schema] = body
                other.unchanged = other.unchanged and annotation.version == 0
                continue
        items.append(_Item(number, annotation, body, {annotation.schema: body}, annotation.version == 0))
        if annotation.schema != "caption" and number is not None:
            joinable.setdefault(key, items[-1])
    return items


def _image_id(items: list[_Item]) -> int | None:
    """The id that the image had where its annotations come from; the least one, if they disagree."""
    found = (kept_id(kept(item.body, _FORMAT).get("image_id")) for item in items)
    return min((number for number in found if number is not None), default=None)


def _image(job: Job, sample: Sample, items: list[_Item], survey: _Survey) -> dict[str, Any]:
    name = survey.names.path(sample.name, sample.uuid)
    if name != sample.name:
        job.loss.not_carried(sample.place, "names that are no safe or unique file names; they were changed")
    image: dict[str, Any] = {"id": survey.images.next(_image_id(items)), "file_name": name}
    size = image_size(sample)
    if size is None:
        job.loss.not_carried(sample.place, "width and height, which cannot be read from the image file")
    else:
        image |= {"width": size.width, "height": size.height}
    write_image(job, sample, _IMAGES + name)
    return image


def _annotation(item: _Item, number: int, image_id: int, survey: _Survey) -> dict[str, Any]:
    source = kept(item.body, _FORMAT)
    extra = {name: source[name] for name in sorted(source.keys() - _OWN)}
    if item.file == "captions":
        return {"id": number, "image_id": image_id, "caption": item.body["text"], **extra}
    label = item.body["label"]
    area = source.get("area")
    if not item.unchanged or isinstance(area, bool) or not isinstance(area, int | float):
        area = coco_shapes.area(item.bodies)
    found: dict[str, Any] = {
        "id": number,
        "image_id": image_id,
        "category_id": survey.numbers[label],
        "bbox": coco_shapes.box(item.bodies),
        "area": area,
        "iscrowd": int(item.body.get("iscrowd", False)),
        "segmentation": coco_shapes.segmentation(item.bodies),
    }
    if item.file == "keypoints":
        points, visible = coco_shapes.keypoints(item.bodies["keypoints"], list(survey.categories[label].keypoints))
        found |= {"keypoints": points, "num_keypoints": visible}
    members = {name: item.body[name] for name in _MEMBERS if name in item.body}
    return found | extra | members


def _tell(item: _Item, sample: Sample, loss: Loss) -> None:
    place = annotation_place(item.first, sample)
    for schema, body in item.bodies.items():
        tell_other_attributes(body, place, _FORMAT, loss)
        if schema == "polygon" and any(part.get("holes") for part in body["parts"]):
            loss.not_carried(place, "holes of polygons, which are filled")
    if "lang" in item.body:
        loss.not_carried(place, "the language of captions")


def _categories(survey: _Survey) -> list[dict[str, Any]]:
    found = []
    for label, number in survey.numbers.items():
        category = survey.categories[label]
        entry: dict[str, Any] = {
            "id": number,
            "name": survey.label_names[label],
            "supercategory": category.supercategory,
        }
        entry |= category.more
        if category.keypoints:
            entry |= {"keypoints": list(category.keypoints), "skeleton": category.skeleton}
        found.append(entry)
    return found


class _File:
    """One COCO file, written while the samples pass: annotations wait in a spool until all images are listed."""

    def __init__(self, job: Job, name: str) -> None:
        self._captions = name == "captions"
        self._file: ExportFile = job.folder.create(_FILES[name])
        self._spool: Spool = job.folder.spool()
        self._images = self._annotations = 0
        self._file.write(b'{"info":{},"licenses":[],"images":[')

    def image(self, image: dict[str, Any]) -> None:
        self._file.write(_line(image, self._images))
        self._images += 1

    def annotation(self, annotation: dict[str, Any]) -> None:
        self._spool.write(_line(annotation, self._annotations))
        self._annotations += 1

    def close(self, categories: list[dict[str, Any]]) -> None:
        self._file.write(b'\n],"annotations":[')
        self._spool.pour(self._file)
        self._file.write(b"\n]")
        if not self._captions:
            self._file.write(b',"categories":[')
            for index, category in enumerate(categories):
                self._file.write(_line(category, index))
            self._file.write(b"\n]")
        self._file.write(b"}\n")
        self._file.close()


def _line(value: dict[str, Any], index: int) -> bytes:
    return (",\n" if index else "\n").encode() + _encode(value).encode()
