"""Label Studio JSON out: `tasks.json` with a task for each image, and the images in `images`.

Format: https://labelstud.io/guide/export#Label-Studio-JSON-format-of-annotated-tasks, as `formats.label_studio` reads it:
boxes, rotated boxes, polygons, classifications and captions. The labelling interface is not written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from gonk_node.formats.export.job import (
    Job,
    Sample,
    SampleAnnotation,
    annotation_place,
    image_size,
    kept,
    tell_other_attributes,
    typed_body,
    write_image,
)
from gonk_node.formats.export.numbering import Labels
from gonk_node.formats.image_size import ImageSize
from gonk_node.formats.label_studio import FORMAT
from gonk_node.formats.safe_names import Names, safe_path
from gonk_node.state.strict_json import canonical

_IMAGES = "images/"
_DECIMALS = 10  # of percentages
_SCHEMAS = ("bounding-box", "caption", "classification", "polygon", "rotated-box")
_MEMBERS = frozenset({"label", "labels", "text", "score", "attributes", "parts", *"xywh", "cx", "cy", "angle"})
_SHAPES = {"bounding-box": "rectanglelabels", "rotated-box": "rectanglelabels", "polygon": "polygonlabels"}


def write(job: Job) -> None:
    """Write one task an image; see `job.Exporter`."""
    names = Names()
    called = Labels(job.labels_of(_SCHEMAS)).names()
    for sample in job.samples():
        names.add(sample.name)
    number = 0
    with job.folder.create("tasks.json") as file:
        file.write(b"[")
        for sample in job.samples():
            if not sample.media_type.startswith("image/"):
                what = (
                    f"is {sample.media_type[:60]}, no image; left out, with its {len(sample.annotations)} annotations"
                )
                job.loss.left_out(sample.place, what)
                continue
            name = names.path(sample.name, sample.uuid)
            if name != sample.name:
                job.loss.not_carried(sample.place, "names that are no safe or unique file names; they were changed")
            path = safe_path(_IMAGES + name)
            number += 1
            results = list(_results(job, sample, called))
            annotations = [{"id": number, "result": results}] if results else []
            task = {"id": number, "data": {"image": path}, "annotations": annotations}
            file.write((b",\n" if number > 1 else b"\n") + canonical(task))
            write_image(job, sample, path)
        file.write(b"\n]\n")


def _results(job: Job, sample: Sample, called: dict[str, str]) -> Iterator[dict[str, Any]]:
    size, taken = image_size(sample), set[str]()
    for annotation in sample.annotations:
        if annotation.schema not in _SCHEMAS:
            job.loss.not_carried(sample.place, f"annotations of {annotation.schema[:60]}")
            continue
        body = typed_body(annotation, sample, job)
        if body is None:
            continue
        place = annotation_place(annotation, sample)
        if size is None and annotation.schema in _SHAPES:
            job.loss.left_out(place, "needs the image's size, which cannot be read from the image file; left out")
            continue
        _tell(job, place, annotation, body)
        values = _values(annotation.schema, body, size or ImageSize(1, 1), called)
        for at, (kind, value) in enumerate(values):
            region = kept(body, FORMAT).get("id")
            if not isinstance(region, str) or region in taken or at:
                region = annotation.uuid.hex() + (f"-{at}" if at else "")
            taken.add(region)
            tag = "label" if annotation.schema in _SHAPES else kind
            found: dict[str, Any] = {"id": region, "type": kind, "from_name": tag, "to_name": "image", "value": value}
            if size is not None and annotation.schema in _SHAPES:
                found |= {"original_width": size.width, "original_height": size.height, "image_rotation": 0}
            yield found | ({"score": body["score"]} if "score" in body else {})


def _values(
    schema: str, body: dict[str, Any], size: ImageSize, called: dict[str, str]
) -> Sequence[tuple[str, dict[str, Any]]]:
    """(type, value) of each result that an annotation makes."""
    if schema == "caption":
        return [("textarea", {"text": [body["text"]]})]
    labels = [called.get(label, label) for label in body.get("labels") or [body["label"]]]
    if schema == "classification":
        return [("choices", {"choices": labels})]
    kind = _SHAPES[schema]
    if schema == "polygon":
        outlines = ([_percent(x, y, size) for x, y in part["outer"]] for part in body["parts"])
        return [(kind, {"points": points, "closed": True, kind: labels}) for points in outlines]
    angle, w, h = body.get("angle", 0), body["w"], body["h"]
    if schema == "bounding-box":
        x, y = body["x"], body["y"]
    else:
        turn = math.radians(angle)
        x = body["cx"] - (w * math.cos(turn) - h * math.sin(turn)) / 2
        y = body["cy"] - (w * math.sin(turn) + h * math.cos(turn)) / 2
    sides = dict(zip(("x", "y", "width", "height"), (*_percent(x, y, size), *_percent(w, h, size)), strict=True))
    return [(kind, {**sides, "rotation": angle, kind: labels})]


def _percent(x: float, y: float, size: ImageSize) -> list[float]:
    return [round(100 * x / size.width, _DECIMALS), round(100 * y / size.height, _DECIMALS)]


def _tell(job: Job, place: str, annotation: SampleAnnotation, body: dict[str, Any]) -> None:
    tell_other_attributes(body, place, FORMAT, job.loss)
    for member in sorted(body.keys() - _MEMBERS):
        job.loss.not_carried(place, f"{member} of {annotation.schema}")
    parts = body.get("parts", [])
    if len(parts) > 1:
        job.loss.not_carried(place, "that several parts are one thing: each is a region")
    if any(part.get("holes") for part in parts):
        job.loss.not_carried(place, "holes of polygons, which are filled")
    if annotation.schema == "rotated-box" and not body["angle"]:
        job.loss.not_carried(place, "that boxes of angle 0 are rotated boxes")
    if len(body.get("labels", "ab")) == 1:
        job.loss.not_carried(place, "that one label is a list of labels")
