"""CVAT's XML out, version 1.1: `annotations.xml` for all images, `tracks/NAME.xml` for each video; they are in `images`.

Format: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/ and https://docs.cvat.ai/docs/other/xml_format/, as
`formats.cvat` reads it. CVAT has a task of its own for each video, so each has a file of its own ("CVAT for video").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gonk_node.core.plural import with_its
from gonk_node.errors import RefusedError
from gonk_node.formats.cvat.shapes import FORMAT
from gonk_node.formats.export.cvat import meta as cvat_meta
from gonk_node.formats.export.cvat import shapes as cvat_shapes
from gonk_node.formats.export.cvat import tracks as cvat_tracks
from gonk_node.formats.export.cvat.survey import IMAGE_SCHEMAS, TRACK, Survey, is_image, is_video, plain_labels
from gonk_node.formats.export.job import (
    Job,
    Sample,
    SampleAnnotation,
    annotation_place,
    image_size,
    kept,
    typed_body,
    write_image,
)
from gonk_node.formats.export.numbering import Ids, kept_id
from gonk_node.formats.export.xml_lines import Xml, begin, fits
from gonk_node.formats.folder import ExportFile
from gonk_node.formats.image_size import ImageSize
from gonk_node.formats.safe_names import flat, safe_path

_IMAGES = "images/"
_TRACKS = "tracks/"
_HEAD = b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
_TAIL = b"</annotations>\n"
_LOST = ("difficult", "iscrowd", "pose", "score", "scores", "source", "truncated")  # members that have no place


def write(job: Job) -> None:
    """Write CVAT files; see `job.Exporter`."""
    survey = Survey(job)
    with job.folder.create("annotations.xml") as file:
        file.write(_HEAD)
        meta = cvat_meta.element(survey.task, survey.labels.values(), size=survey.image_count, mode="annotation")
        file.write(meta.encode(1))
        for sample in job.samples():
            if is_image(sample):
                name = _name(job, sample, survey)
                _image(job, sample, name, survey, file)
                write_image(job, sample, _IMAGES + name)
            elif is_video(sample):
                name = _name(job, sample, survey)
                path = f"{_TRACKS}{flat(survey.tracks.path(sample.name, sample.uuid))}.xml"
                with job.folder.create(path) as tracks:
                    _video(job, sample, name, survey, tracks)
                write_image(job, sample, _IMAGES + name)
            else:
                what = f"is {sample.media_type[:60]}, neither an image nor a video"
                job.loss.left_out(sample.place, f"{what}; left out{with_its(len(sample.annotations), 'annotation')}")
        file.write(_TAIL)


def _name(job: Job, sample: Sample, survey: Survey) -> str:
    name = safe_path(_IMAGES + survey.names.path(sample.name, sample.uuid)).removeprefix(_IMAGES)
    if name != sample.name:
        job.loss.not_carried(sample.place, "names that are no safe or unique file names; they were changed")
    return name


def _bodies(
    job: Job, sample: Sample, schemas: tuple[str, ...]
) -> Iterator[tuple[SampleAnnotation, str, dict[str, Any]]]:
    """(annotation, its place, its body) of each that can be written; the others were told before."""
    for annotation in sample.annotations:
        body = typed_body(annotation, sample, job, again=True) if annotation.schema in schemas else None
        if body is not None:
            yield annotation, annotation_place(annotation, sample), body


# --- images -------------------------------------------------------------------------------------------------


def _image(job: Job, sample: Sample, name: str, survey: Survey, file: ExportFile) -> None:
    bodies = list(_bodies(job, sample, IMAGE_SCHEMAS))
    size = image_size(sample)
    head = {"id": str(survey.image_id(body for _, _, body in bodies)), "name": name}
    if size is None:
        job.loss.not_carried(sample.place, "width and height, which cannot be read from the image file")
    else:
        head |= {"width": str(size.width), "height": str(size.height)}
    if not survey.task and any(survey.task_of(body) for _, _, body in bodies):
        job.loss.not_carried(sample.place, "which task of CVAT an image is of, where there are several")
    file.write(f"  {begin('image', head)}\n".encode())
    for annotation, place, body in bodies:
        _tell(job, place, annotation.schema, body)
        for element in _elements(job, place, annotation.schema, body, survey, size):
            file.write(element.encode(2))
    file.write(b"  </image>\n")


def _elements(
    job: Job, place: str, schema: str, body: dict[str, Any], survey: Survey, size: ImageSize | None
) -> list[Xml]:
    labels = [survey.labels[label] for label in plain_labels(body)]
    points = labels[0].points if schema == "keypoints" else []
    try:
        found = cvat_shapes.elements(schema, body, [label.name for label in labels], points, size)
    except RefusedError as error:
        job.loss.left_out(place, error.what)
        return []
    if schema == "polygon":
        if len(body["parts"]) > 1:
            job.loss.not_carried(place, "that several parts are one thing: each is a polygon")
        if any(part.get("holes") for part in body["parts"]):
            job.loss.not_carried(place, "holes of polygons, which are filled")
    if schema == "mask" and size is not None and list(body["size"]) != [size.height, size.width]:
        job.loss.not_carried(place, "sizes of masks that are not those of their images")
    if "labels" in body:
        job.loss.not_carried(place, "that labels are a list: each is a tag")
    if points and "occluded" in body:
        job.loss.not_carried(place, "occluded of keypoints, which each point has of its own")
    return found


# --- videos -------------------------------------------------------------------------------------------------


def _video(job: Job, sample: Sample, name: str, survey: Survey, file: ExportFile) -> None:
    bodies = list(_bodies(job, sample, (TRACK,)))
    for annotation, place, body in bodies:
        _tell(job, place, annotation.schema, body)
    tracks = cvat_tracks.joined(body for _, _, body in bodies)
    task, original_size = survey.task_of(bodies[0][2]) if bodies else {}, None
    for body in tracks:
        original_size = original_size or kept(body, FORMAT).get("original_size")
    more = [Xml("source", text=name)]
    sides = [original_size.get(side) if isinstance(original_size, dict) else None for side in ("width", "height")]
    if all(type(side) is int for side in sides):
        named = zip(("width", "height"), sides, strict=True)
        more.insert(0, Xml("original_size", children=[Xml(side, text=str(value)) for side, value in named]))
    elif tracks:
        job.loss.not_carried(sample.place, "width and height of videos, which gonk does not read")
    used = dict.fromkeys(body["label"] for body in tracks)
    labels = [label for own, label in survey.labels.items() if own in used]
    file.write(_HEAD + cvat_meta.element(task, labels, size=None, mode="interpolation", more=more).encode(1))
    ids = Ids()
    for body in tracks:
        ids.add(_track_id(body))
    for body in tracks:
        number, label = ids.next(_track_id(body)) - 1, survey.labels[body["label"]]
        try:
            element, lost = cvat_tracks.element(body, number, label.name, label.points)
        except RefusedError as error:
            job.loss.left_out(f"{sample.place}: track {number}", error.what)
            continue
        for what in lost:
            job.loss.not_carried(f"{sample.place}: track {number}", what)
        file.write(element.encode(1))
    file.write(_TAIL)


def _track_id(body: dict[str, Any]) -> int | None:
    """What it was numbered before, and one more: CVAT counts from 0, and `Ids` from 1."""
    number = kept_id(kept(body, FORMAT).get("track_id", body.get("track")))
    return None if number is None else number + 1


# --- what is lost -------------------------------------------------------------------------------------------


def _tell(job: Job, place: str, schema: str, body: dict[str, Any]) -> None:
    for member in _LOST if schema != "keypoints" else (*_LOST, "box"):
        if member in body:
            job.loss.not_carried(place, f"{member} of {schema}")
    if "project" in kept(body, FORMAT):
        job.loss.not_carried(place, "the project of a task of CVAT")
    attributes = body.get("attributes") or {}
    carried = cvat_shapes.named_attributes(body)
    for name, value in attributes.items():
        if name != FORMAT and (value is None or isinstance(value, dict)):
            job.loss.not_carried(place, f"the attribute {name[:40]!r} of annotations")
    if not all(fits(text) for each in carried.items() for text in each):
        job.loss.not_carried(place, "characters that no XML can hold, in attributes")
    if not all(fits(label) for label in plain_labels(body)):
        job.loss.not_carried(place, "characters that no XML can hold, in labels")
