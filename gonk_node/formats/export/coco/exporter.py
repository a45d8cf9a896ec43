"""COCO out: `annotations/instances_default.json`, the same for keypoints and captions where there are any, and the images.

Format: https://cocodataset.org/#format-data. What came from one annotation of a COCO file (a box and an outline, say) is
one annotation again. Ids are those of the file that the data came from, where they are unique. Each file lists all images.
The names are those that other programs look for (`default` is where a train or val would be).
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from typing import Any

from gonk_node.core.plural import with_its
from gonk_node.formats.export.coco import shapes as coco_shapes
from gonk_node.formats.export.coco.file import CocoFile, Waiting
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
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import Loss
from gonk_node.formats.safe_names import Names

_FORMAT = "coco"
_IMAGES = "images/"
_FILES = {
    "instances": "annotations/instances_default.json",
    "keypoints": "annotations/person_keypoints_default.json",
    "captions": "annotations/captions_default.json",
}
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


def write(job: Job) -> None:
    """Write COCO files; see `job.Exporter`."""
    _Export(job).run()


class _Export:
    """The samples are gone through once for the annotations, and once more, without them, for the images."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._names = Names()
        self._image_ids = Ids()
        self._claimed = array("q")  # the id that each image had before; -1: none
        self._files: dict[str, CocoFile] = {}
        declared = job.labels_of(_SHAPES)
        self._labels = Labels(declared, lambda label: kept_of_label(label, _FORMAT).get("id"))
        self._categories = {label: _declared_category(said) for label, said in declared.items()}

    def run(self) -> None:
        """Write everything."""
        job, ids = self._job, array("q")
        self._file("instances")
        for sample in job.samples():
            if _is_image(sample):
                self._take(sample, len(self._claimed))
            else:
                what = (
                    f"is {sample.media_type[:60]}, no image; left out{with_its(len(sample.annotations), 'annotation')}"
                )
                job.loss.left_out(sample.place, what)
        for sample in job.samples(annotations=False):
            if _is_image(sample):
                claimed = self._claimed[len(ids)]
                ids.append(self._image_ids.next(None if claimed < 0 else claimed))
                image = self._image(sample, ids[-1])
                for file in self._files.values():
                    file.image(image)
        numbers = self._labels.numbers(0, dense=False)
        categories = self._category_list(numbers)
        for name, file in sorted(self._files.items()):
            file.close(ids, numbers, None if name == "captions" else categories, self._points)

    def _file(self, name: str) -> CocoFile:
        if name not in self._files:
            self._files[name] = CocoFile(self._job.folder, _FILES[name])
        return self._files[name]

    def _take(self, sample: Sample, image: int) -> None:
        """Take a sample's annotations, and what it claims."""
        self._names.add(sample.name)
        claimed = -1
        for item in _items(self._job, sample):
            source = kept(item.body, _FORMAT)
            number = kept_id(source.get("image_id"))
            if number is not None and (claimed < 0 or number < claimed):  # the least one, if they disagree
                claimed = number
            _tell(item, sample, self._job.loss)
            if item.file == "captions":
                members = {"caption": item.body["text"], **_extra(source)}
                self._file("captions").add(Waiting(item.kept, image, None, members))
                continue
            label, points = item.body["label"], ""
            self._labels.add(label, kept_id(source.get("category_id")))
            category = self._categories.get(label) or self._categories.setdefault(label, _Category())
            if not category.supercategory and isinstance(source.get("supercategory"), str):
                category.supercategory = source["supercategory"]
            if item.file == "keypoints":
                named = item.bodies["keypoints"]["points"]
                category.keypoints.update(dict.fromkeys(point["name"] for point in named))
                points = json.dumps(named)
            self._file(item.file).add(Waiting(item.kept, image, label, _members(item, source), points))
        self._claimed.append(claimed)
        if claimed >= 0:
            self._image_ids.add(claimed)

    def _image(self, sample: Sample, number: int) -> dict[str, Any]:
        job, name = self._job, self._names.path(sample.name, sample.uuid)
        if name != sample.name:
            job.loss.not_carried(sample.place, "names that are no safe or unique file names; they were changed")
        image: dict[str, Any] = {"id": number, "file_name": name}
        size = image_size(sample)
        if size is None:
            job.loss.not_carried(sample.place, "width and height, which cannot be read from the image file")
        else:
            image |= {"width": size.width, "height": size.height}
        write_image(job, sample, _IMAGES + name)
        return image

    def _points(self, label: str, points: str) -> dict[str, Any]:
        """The members for keypoints, of which COCO lists all that their category has."""
        flat, visible = coco_shapes.keypoints(json.loads(points), list(self._categories[label].keypoints))
        return {"keypoints": flat, "num_keypoints": visible}

    def _category_list(self, numbers: dict[str, int]) -> list[dict[str, Any]]:
        names, found = self._labels.names(), []
        for label, number in numbers.items():
            category = self._categories[label]
            entry = {"id": number, "name": names[label], "supercategory": category.supercategory, **category.more}
            if category.keypoints:
                entry |= {"keypoints": list(category.keypoints), "skeleton": category.skeleton}
            found.append(entry)
        return found


def _declared_category(label: Label) -> _Category:
    """What a label set says of a label."""
    points = {name: at for at, name in enumerate(label.keypoints, 1)}
    joined = [[points[one], points[other]] for one, other in label.skeleton]
    rest = {name: value for name, value in kept_of_label(label, _FORMAT).items() if name not in _OF_CATEGORY}
    above = rest.pop("supercategory", "")
    return _Category(above if isinstance(above, str) else "", dict.fromkeys(points), joined, rest)


def _is_image(sample: Sample) -> bool:
    return sample.media_type.startswith("image/")


def _items(job: Job, sample: Sample) -> list[_Item]:
    """The COCO annotations of a sample, in order of the first uuid of each."""
    items: list[_Item] = []
    joinable: dict[tuple[int, str, bool], _Item] = {}
    for annotation in sample.annotations:
        if annotation.schema not in _SHAPES and annotation.schema != "caption":
            job.loss.not_carried(sample.place, f"annotations of {annotation.schema[:60]}")
            continue
        body = typed_body(annotation, sample, job)
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


def _members(item: _Item, source: dict[str, Any]) -> dict[str, Any]:
    """What an annotation says, without ids and keypoints."""
    area = source.get("area")
    if not item.unchanged or isinstance(area, bool) or not isinstance(area, int | float):
        area = coco_shapes.area(item.bodies)
    found: dict[str, Any] = {
        "bbox": coco_shapes.box(item.bodies),
        "area": area,
        "iscrowd": int(item.body.get("iscrowd", False)),
        "segmentation": coco_shapes.segmentation(item.bodies),
        **_extra(source),
    }
    for name in _MEMBERS:
        if name in item.body:
            found[name] = item.body[name]
    return found


def _extra(source: dict[str, Any]) -> dict[str, Any]:
    """What the file that it comes from said besides."""
    return {name: source[name] for name in sorted(source.keys() - _OWN)}


def _tell(item: _Item, sample: Sample, loss: Loss) -> None:
    place = annotation_place(item.first, sample)
    for schema, body in item.bodies.items():
        tell_other_attributes(body, place, _FORMAT, loss)
        if schema == "polygon" and any(part.get("holes") for part in body["parts"]):
            loss.not_carried(place, "holes of polygons, which are filled")
        if schema == "polygon" and not all(coco_shapes.ring_area(part["outer"]) for part in body["parts"]):
            loss.not_carried(place, "outlines without an area: readers take them for degenerate, gonk too")
    if item.file != "captions" and "bounding-box" not in item.bodies and "box" not in item.bodies.get("keypoints", {}):
        loss.not_carried(place, "that there is no box: COCO wants one, which is made of the shape")
    if "lang" in item.body:
        loss.not_carried(place, "the language of captions")
