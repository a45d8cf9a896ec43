"""The first pass of an export to CVAT: which names, ids, labels and attributes there are. It writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gonk_node.core.limits import CVAT_ATTRIBUTES_MAX
from gonk_node.formats.cvat.shapes import FORMAT
from gonk_node.formats.export.cvat.meta import CvatLabel
from gonk_node.formats.export.cvat.shapes import are_plain_points, named_attributes, own_attributes
from gonk_node.formats.export.cvat.tracks import element_names
from gonk_node.formats.export.job import Job, Sample, kept, typed_body
from gonk_node.formats.export.numbering import Ids, Labels, kept_id
from gonk_node.formats.label_set import Label
from gonk_node.formats.safe_names import Names, flat
from gonk_node.state.strict_json import Json, canonical

IMAGE_SCHEMAS = ("bounding-box", "classification", "keypoints", "mask", "polygon", "polyline", "rotated-box")
TRACK = "video-track"
_KINDS = {  # types of labels in CVAT
    "bounding-box": "rectangle",
    "classification": "tag",
    "keypoints": "points",
    "mask": "mask",
    "polygon": "polygon",
    "polyline": "polyline",
    "rotated-box": "rectangle",
}
_OF_SHAPES = {"box": "rectangle"}
_OF_TASK = ("task", "job", "subset")


def is_image(sample: Sample) -> bool:
    """Whether it goes into `annotations.xml`."""
    return sample.media_type.startswith("image/")


def is_video(sample: Sample) -> bool:
    """Whether it gets a file of its own: a video, or what has tracks and is no image."""
    tracked = any(annotation.schema == TRACK for annotation in sample.annotations)
    return not is_image(sample) and (tracked or sample.media_type.startswith("video/"))


def plain_labels(body: dict[str, Any]) -> list[str]:
    """The ids of the labels that a body has."""
    return list(body.get("labels") or [body["label"]])


class Survey:
    """What is known before anything is written.

    Attributes:
        names: of all files.
        tracks: of the files of videos: names of videos that differ also where folders do not count.
        image_count: how many images there are.
        labels: what is said of each label, by its id: first those of label sets in their order, then others by id.
        task: what an import kept of the task, where all annotations of images are of one; empty otherwise.
    """

    def __init__(self, job: Job) -> None:
        self.names = Names()
        self.tracks = Names(key=flat)
        self.image_count = 0
        self._images = Ids()
        self._tasks: dict[bytes, dict[str, Json]] = {}  # two at most
        self._attributes = 0
        declared = _declared(job)
        names = Labels(declared)
        found = {label: CvatLabel("", said) for label, said in declared.items()}
        for label, said in declared.items():
            schemas = (schema for schema in IMAGE_SCHEMAS if label in job.labels.get(schema, ()))
            found[label].kinds.update(_KINDS[schema] for schema in schemas)
            found[label].add_points(said.keypoints)
            found[label].is_skeleton = bool(said.keypoints)
        for sample in job.samples():
            if is_image(sample) or is_video(sample):
                self._add(job, sample, names, found)
        called = names.names()
        self.labels = {label: found[label] for label in (*declared, *sorted(found.keys() - declared.keys()))}
        for label, each in self.labels.items():
            each.name = called[label]
            if each.is_skeleton and each.kinds - {"points"}:
                what = "that a label of skeletons is one of other shapes, too: CVAT has two labels for that"
                job.loss.not_carried(f"label {each.name[:200]!r}", what)
        tasks = list(self._tasks.values())
        self.task = tasks[0] if len(tasks) == 1 else {}

    def image_id(self, bodies: Iterable[dict[str, Any]]) -> int:
        """The id of the next image; CVAT counts from 0, and `Ids` from 1."""
        return self._images.next(_image_id(bodies)) - 1

    def task_of(self, body: dict[str, Any]) -> dict[str, Json]:
        """What an import kept of the task of an annotation, with the subset; empty for nothing."""
        source = kept(body, FORMAT)
        task = source.get("task", source.get("job"))
        found = dict(task) if isinstance(task, dict) else {}
        if "job" in source:
            found.pop("id", None)  # of a job
        subset = source.get("subset")
        return found | ({"subset": subset} if isinstance(subset, str) else {})

    def _add(self, job: Job, sample: Sample, names: Labels, found: dict[str, CvatLabel]) -> None:
        self.names.add(sample.name)
        image = is_image(sample)
        if not image:
            self.tracks.add(sample.name)
        schemas = IMAGE_SCHEMAS if image else (TRACK,)
        bodies: list[dict[str, Any]] = []
        for annotation in sample.annotations:
            if annotation.schema not in schemas:
                what = "images" if image else "videos"
                job.loss.not_carried(sample.place, f"annotations of {annotation.schema[:60]} on {what}")
                continue
            body = typed_body(annotation, sample, job)
            if body is None:
                continue
            bodies.append(body)
            for label in plain_labels(body):
                names.add(label, None)
                one = found.setdefault(label, CvatLabel(""))
                self._use(one, annotation.schema, body)
        if image:
            self.image_count += 1
            self._images.add(_image_id(bodies))
            for body in bodies:
                task = self.task_of(body)
                if len(self._tasks) < 2:
                    self._tasks.setdefault(canonical(task), task)

    def _use(self, label: CvatLabel, schema: str, body: dict[str, Any]) -> None:
        if schema == TRACK:
            shapes = (name for each in body["keyframes"] for name in each.get("shape", ()))
            label.kinds.update(_OF_SHAPES.get(name, name) for name in shapes)
            label.add_points(element_names(body))
            label.is_skeleton = label.is_skeleton or bool(element_names(body))
            for each in body["keyframes"]:
                self._attribute(label, own_attributes(each.get("attributes")))
                self._attribute(label, named_attributes({"attributes": {FORMAT: kept(each, FORMAT)}}))
        else:
            label.kinds.add(_KINDS[schema])
        if schema == "keypoints":
            label.add_points(point["name"] for point in body["points"])
            label.is_skeleton = label.is_skeleton or not are_plain_points(body)
        self._attribute(label, named_attributes(body))

    def _attribute(self, label: CvatLabel, names: Iterable[str]) -> None:
        for name in names:
            if name not in label.attributes and self._attributes < CVAT_ATTRIBUTES_MAX:
                label.attributes[name] = None
                self._attributes += 1


def _declared(job: Job) -> dict[str, Label]:
    """The labels of all sets by their ids, in order; of one in several sets what the first says, or that with points."""
    found: dict[str, Label] = {}
    for schema in (*IMAGE_SCHEMAS, TRACK):
        job.tell_names(schema, job.labels.get(schema, {}), found)
        for label_id, label in job.labels.get(schema, {}).items():
            if label_id not in found or (label.keypoints and not found[label_id].keypoints):
                found[label_id] = label
    return found


def _image_id(bodies: Iterable[dict[str, Any]]) -> int | None:
    """The id that the image had where its annotations come from, and one more; the least one, if they disagree."""
    found = (kept_id(kept(body, FORMAT).get("image_id")) for body in bodies)
    return min((number + 1 for number in found if number is not None), default=None)
