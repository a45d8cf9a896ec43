"""YOLO out: detect, segment, pose and OBB: `labels/NAME.txt` for each image, the images, and `data.yaml`.

Format: https://docs.ultralytics.com/datasets; how lines are made is in `formats.yolo.shapes`. An image that was reviewed and
has nothing gets an empty label file; one without annotations of the task gets none. `classify` is in `class_folders`.
"""

from __future__ import annotations

from typing import Any

from gonk_node.core.plural import with_its
from gonk_node.formats.export.coco.shapes import around
from gonk_node.formats.export.job import (
    Exporter,
    Job,
    Sample,
    SampleAnnotation,
    annotation_place,
    image_size,
    kept,
    kept_of_label,
    name_with_ending,
    tell_other_attributes,
    typed_body,
    write_image,
)
from gonk_node.formats.export.numbering import Labels, kept_id
from gonk_node.formats.image_size import ImageSize
from gonk_node.formats.safe_names import Names, split_extension
from gonk_node.formats.yolo import data_yaml
from gonk_node.formats.yolo.shapes import (
    DETECT,
    OBB,
    POSE,
    SCHEMAS,
    SEGMENT,
    box_fractions,
    corners,
    point_fractions,
    unused_class,
)

_FORMAT = "yolo"
_EMPTY = "reviewed-empty"
_MEMBERS = ("iscrowd", "occluded", "truncated", "difficult", "pose", "score")
_CUT = "parts of shapes beyond the edge of the image, which are cut off"


def writer(task: str) -> Exporter:
    """The exporter of a task: DETECT, SEGMENT, POSE or OBB of `formats.yolo.shapes`."""

    def write(job: Job) -> None:
        """Write YOLO files; see `job.Exporter`."""
        _Export(job, task).run()

    return write


class _Teller:
    """Tells what one annotation loses."""

    def __init__(self, job: Job, place: str) -> None:
        self._loss = job.loss
        self._place = place

    def lost(self, what: str) -> None:
        self._loss.not_carried(self._place, what)

    def left_out(self, what: str) -> list[str]:
        self._loss.left_out(self._place, what)
        return []


class _Export:
    def __init__(self, job: Job, task: str) -> None:
        self._job = job
        self._task = task
        self._schema = SCHEMAS[task]
        self._names = Names(key=lambda path: split_extension(_outside_of_images(path))[0])
        self._points: dict[str, dict[str, None]] = {}  # of each label, in order
        self._numbers: dict[str, int] = {}
        self._label_names: dict[str, str] = {}

    def run(self) -> None:
        declared = self._job.labels_of([self._schema])
        labels = Labels(declared, lambda label: kept_of_label(label, _FORMAT).get("class"))
        self._points = {label: dict.fromkeys(said.keypoints) for label, said in declared.items()}
        for sample in self._job.samples():
            if sample.media_type.startswith("image/"):
                self._names.add(name_with_ending(sample))
                for body in self._bodies(sample, tell=False):
                    labels.add(body[1]["label"], kept_id(kept(body[1], _FORMAT).get("class")))
                    names = dict.fromkeys(point["name"] for point in body[1].get("points", ()))
                    self._points.setdefault(body[1]["label"], {}).update(names)
        self._numbers = labels.numbers(0, dense=True)
        self._label_names = labels.names()
        for sample in self._job.samples():
            self._write(sample)
        self._job.folder.write("data.yaml", self._yaml().encode())

    def _bodies(self, sample: Sample, *, tell: bool) -> list[tuple[SampleAnnotation, dict[str, Any]]]:
        """The annotations of the task, in the order in which they were in the file that they come from."""
        found: list[tuple[tuple[str, int, bytes], tuple[SampleAnnotation, dict[str, Any]]]] = []
        for annotation in sample.annotations:
            if annotation.schema != self._schema:
                if tell and annotation.schema != _EMPTY:
                    self._job.loss.not_carried(sample.place, f"annotations of {annotation.schema[:60]}")
                continue
            body = typed_body(annotation, sample, self._job, again=tell)
            if body is not None:
                source = kept(body, _FORMAT)
                line = kept_id(source.get("line"))
                file = source.get("file") if line is not None else None
                order = (file if isinstance(file, str) else "\U0010ffff", line or 0, annotation.uuid)  # new ones last
                found.append((order, (annotation, body)))
        return [each for _, each in sorted(found, key=lambda each: each[0])]

    def _write(self, sample: Sample) -> None:
        job = self._job
        if not sample.media_type.startswith("image/"):
            what = f"is {sample.media_type[:60]}, no image; left out{with_its(len(sample.annotations), 'annotation')}"
            job.loss.left_out(sample.place, what)
            return
        size = image_size(sample)
        if size is None:
            what = f"has no size that can be read; left out{with_its(len(sample.annotations), 'annotation')}"
            job.loss.left_out(sample.place, what)
            return
        name = _outside_of_images(self._names.path(name_with_ending(sample), sample.uuid))
        if name != sample.name:
            job.loss.not_carried(sample.place, "names that are no safe or unique file names; they were changed")
        lines: list[str] = []
        for annotation, body in self._bodies(sample, tell=True):
            place = annotation_place(annotation, sample)
            tell_other_attributes(body, place, _FORMAT, job.loss)
            for member in _MEMBERS:
                if body.get(member):
                    job.loss.not_carried(place, f"{member} of annotations")
            lines += self._lines(body, size, _Teller(job, place))
        if lines or any(each.schema == _EMPTY for each in sample.annotations):
            text = "".join(f"{line}\n" for line in lines)
            job.folder.write(f"labels/{split_extension(name)[0]}.txt", text.encode(), part_of="labels")
        write_image(job, sample, f"images/{name}")

    def _lines(self, body: dict[str, Any], size: ImageSize, teller: _Teller) -> list[str]:
        number = self._numbers[body["label"]]
        if self._task == DETECT:
            return _detect(body, size, number, teller)
        if self._task == SEGMENT:
            return _segment(body, size, number, teller)
        if self._task == OBB:
            return _obb(body, size, number, teller)
        return self._pose(body, size, number, teller)

    def _pose(self, body: dict[str, Any], size: ImageSize, number: int, teller: _Teller) -> list[str]:
        by_name = {point["name"]: point for point in body["points"]}
        visible = [(point["x"], point["y"]) for point in body["points"] if point["v"]]
        frame = body.get("box")
        if frame is None:
            teller.lost("that there is no box: it is made of the points")
            frame = dict(zip("xywh", around(visible), strict=True))
        box = box_fractions(frame, size)
        if box is None:
            return teller.left_out("has no box within the image; left out")
        texts, cut = box
        for name in self._points[body["label"]]:
            point = by_name.get(name, {"v": 0})
            at, outside = point_fractions([(point.get("x", 0), point.get("y", 0))], size)
            cut = cut or outside
            texts += [*at, str(point["v"])]
        texts += ["0"] * 3 * (self._point_count() - len(self._points[body["label"]]))
        if cut:
            teller.lost(_CUT)
        return [f"{number} {' '.join(texts)}"]

    def _point_count(self) -> int:
        return max(map(len, self._points.values()), default=0)

    def _yaml(self) -> str:
        pairs: dict[str, Any] = {"train": "images", "val": "images"}
        points: dict[int, list[str]] = {}
        if self._task == POSE:
            pairs["kpt_shape"] = [self._point_count(), 3]
            points = {number: list(self._points.get(label, ())) for label, number in self._numbers.items()}
        names = {number: self._label_names[label] for label, number in self._numbers.items()}
        for number in range(max(names, default=-1)):
            if number not in names:  # its class has no annotation left, and readers want no gaps
                self._job.loss.not_carried(f"class {number}", "names of classes that no annotation has")
                names[number] = unused_class(number)
        return data_yaml.dump(pairs, dict(sorted(names.items())), points)


def _outside_of_images(path: str) -> str:
    """The path without folders called `images`: readers would look for its labels beside the last of them."""
    return "/".join("_images" if part == "images" else part for part in path.split("/"))


def _detect(body: dict[str, Any], size: ImageSize, number: int, teller: _Teller) -> list[str]:
    box = box_fractions(body, size)
    if box is None:
        return teller.left_out("is wholly outside of its image; left out")
    if box[1]:
        teller.lost(_CUT)
    return [f"{number} {' '.join(box[0])}"]


def _segment(body: dict[str, Any], size: ImageSize, number: int, teller: _Teller) -> list[str]:
    if len(body["parts"]) > 1:
        teller.lost("that several parts are one thing: each part is a line")
    lines = []
    for part in body["parts"]:
        if part.get("holes"):
            teller.lost("holes of polygons, which are filled")
        texts, cut = point_fractions(part["outer"], size)
        if cut:
            teller.lost(_CUT)
        lines.append(f"{number} {' '.join(texts)}")
    return lines


def _obb(body: dict[str, Any], size: ImageSize, number: int, teller: _Teller) -> list[str]:
    texts, cut = point_fractions(corners(body), size)
    if cut:
        teller.lost(_CUT)
    return [f"{number} {' '.join(texts)}"]
