"""YOLO in: detect, segment, pose and OBB: a folder with `data.yaml`, images, and a label file for each image.

Format: https://docs.ultralytics.com/datasets; how lines are read is in `shapes`. The labels of `…/images/NAME.jpg`
are in `…/labels/NAME.txt`. Coordinates are fractions, so the image files are needed for their size. `classify` is in
`class_folders`.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gonk_node.core.limits import YOLO_FILE_BYTES_MAX
from gonk_node.core.plural import with_its
from gonk_node.errors import InputFileError
from gonk_node.formats.compact import NamedTexts, NameTable
from gonk_node.formats.exif import is_turned
from gonk_node.formats.image_size import ImageSize, read_size
from gonk_node.formats.images import check_name, find, media_type
from gonk_node.formats.label_set import Label, declared_label
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedImage, ImportedLabels, Importer, Record, annotation, number
from gonk_node.formats.yolo import shapes as yolo_shapes
from gonk_node.formats.yolo.folder import Source, Split, all_files, files_by_folder, is_image_file
from gonk_node.formats.yolo.shapes import DETECT, OBB, POSE, SCHEMAS, SEGMENT, unused_class
from gonk_node.state.strict_json import Json, Problem, canonical

_FORMAT = "yolo"
_BOX_TOKENS = 5  # class, and four fractions


def reader(task: str) -> Importer:
    """The importer of a task: DETECT, SEGMENT, POSE or OBB of `shapes`."""

    def read(source: Path, images: Path | None) -> Iterator[Record]:
        """Read a YOLO dataset (its folder, or its data.yaml); see `sample.Importer`."""
        yield from _Reading(task, Source.open(source, images)).records()

    return read


@dataclass(slots=True)
class _Reading:
    task: str
    source: Source
    names: NamedTexts = field(default_factory=NamedTexts)  # of images: where they are
    files: NameTable = field(default_factory=NameTable)  # images that were come to: splits may overlap

    def records(self) -> Iterator[Record]:
        yield from self.source.problems
        for split in self.source.splits:
            for file in split.files():
                if (place := str(file)) not in self.files:
                    self.files.add(place)
                    yield from self._image(split, file, place)
        told: set[str] = set()  # splits may overlap
        for split in self.source.splits:
            for record in _passed_over(split):
                if record.place not in told:
                    told.add(record.place)
                    yield record
        yield from self._declared()

    def _declared(self) -> Iterator[Record]:
        """The classes in order, as labels."""
        labels: dict[str, Label] = {}
        for index, name in sorted(self.source.classes.items()):
            if name == unused_class(index):
                continue
            points = tuple(self.source.point_names(index)) if self.task == POSE else ()
            label = declared_label(name, {_FORMAT: {"class": index}}, keypoints=points)
            if label is None or name in labels:
                what = "that several classes have one name" if label else "names of classes that no label can have"
                yield NotCarried(f"{self.source.place}: class {index}", what)
            else:
                labels[name] = label
        if labels:
            yield ImportedLabels(SCHEMAS[self.task], tuple(labels.values()), self.source.place)

    def _image(self, split: Split, file: Path, place: str) -> Iterator[Record]:
        relative = file.relative_to(split.images).as_posix()
        try:
            name = check_name(relative)
            if name in self.names:
                name = check_name(f"{split.name}/{relative}")
            if name in self.names:
                raise InputFileError(f"the file name {name!r} is taken by {self.names.get(name)}")
            path = find(split.images, relative)
            kind = media_type(name, path)
            with path.open("rb") as stream:
                size, turned = read_size(stream), is_turned(stream)
            if size is None:
                raise InputFileError("the size of the image cannot be read, of which coordinates are fractions")
        except OSError as error:
            yield Problem(place, f"cannot be read: {error.strerror}; left out with its annotations")
            return
        except InputFileError as error:
            yield Problem(place, f"{error.what}; left out with its annotations")
            return
        self.names.add(name, place)
        yield ImportedImage(name, path, kind, size.width, size.height)
        if turned:
            yield NotCarried(
                place, "EXIF orientations: fractions are taken of the picture as stored, not as it is shown"
            )
        yield from self._labels(name, size, split, (split.labels / relative).with_suffix(".txt"))

    def _labels(self, name: str, size: ImageSize, split: Split, file: Path) -> Iterator[Record]:
        try:
            lines = _lines(file, split.labels)
        except InputFileError as error:
            yield Problem(str(file), f"{error.what}; left out")
            return
        if lines is None:
            return
        where = f"{split.name}/{file.relative_to(split.labels).as_posix()}"
        origin: dict[str, Json] = {"file": where}
        equal: Counter[bytes] = Counter()  # lines have no ids: they are known by what they say, wherever they stand
        if not any(line.strip() for line in lines):
            body: dict[str, Json] = {"schemas": [f"schema-{SCHEMAS[self.task]}"]}
            whole = {**body, "attributes": {_FORMAT: origin}}
            place = str(file)
            yield annotation(
                name, "reviewed-empty", whole, format_name=_FORMAT, source_id="", place=place, identity=body
            )
        for index, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{file}: line {index}"
            try:
                schema, body, odd = self._body(line.split(), size)
            except InputFileError as error:
                yield Problem(place, f"{error.what}; left out")
                continue
            if odd:
                yield NotCarried(place, odd)
            said = canonical(body)
            equal[said] += 1
            source_id = f"{self.task} #{equal[said]}"
            kept = {_FORMAT: {**origin, "line": index, "class": _class(line.split()[0])}}
            whole = {**body, "attributes": kept}
            yield annotation(name, schema, whole, format_name=_FORMAT, source_id=source_id, place=place, identity=body)

    def _body(self, words: Sequence[str], size: ImageSize) -> tuple[str, dict[str, Json], str]:
        """(schema, body, what is not carried) of a line."""
        index = _class(words[0])
        label = self.source.classes.get(index)
        if label is None:
            raise InputFileError(f"there is no class {words[0][:40]!r} in {self.source.place}")
        base: dict[str, Json] = {"label": label}
        schema, body, odd = _READERS[self.task](words[1:], size, self.source, index)
        return schema, base | body, odd


def _passed_over(split: Split) -> Iterator[Problem | NotCarried]:
    """What is in the folders of a split and belongs to no image there."""
    if split.images != split.labels and split.listed is None:
        for file in all_files(split.images):
            if not is_image_file(file):
                yield NotCarried(str(file), "files that are no images by the ends of their names")
    for at, names in files_by_folder(split.labels):
        beside = split.images / at.relative_to(split.labels)
        stems = {path.stem for path in beside.iterdir() if is_image_file(path)} if beside.is_dir() else set()
        for file in (at / name for name in names):
            if file.suffix.lower() == ".txt" and (file.suffix != ".txt" or file.stem not in stems):
                yield from _without_image(file, split.labels, beside)


def _without_image(file: Path, folder: Path, beside: Path) -> Iterator[Problem]:
    """A label file of no image; other texts, such as names of classes, are passed over."""
    try:
        lines = [line.split() for line in _lines(file, folder) or () if line.strip()]
    except InputFileError as error:
        yield Problem(str(file), f"{error.what}; left out")
        return
    if lines and _class(lines[0][0]) >= 0 and len(lines[0]) >= _BOX_TOKENS:
        what = f"there is no image {file.stem[:80]!r} with a known ending in {beside}; left out"
        yield Problem(str(file), f"{what}{with_its(len(lines), 'annotation')}")


_Found = tuple[str, dict[str, Any], str]


def _detect(words: Sequence[str], size: ImageSize, _source: Source, _class: int) -> _Found:
    if len(words) not in (4, 5):
        raise InputFileError(f"a box has 4 numbers behind its class (and perhaps a score), not {len(words)}")
    body = yolo_shapes.read_box(words[:4], size)
    if len(words) == 5:
        body["score"] = number(_score(words[4]))
    return SCHEMAS[DETECT], body, ""


def _score(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InputFileError(f"the score {text[:40]!r} is no number from 0 to 1")
    return value


def _segment(words: Sequence[str], size: ImageSize, source: Source, index: int) -> _Found:
    if len(words) == 4:  # datasets of outlines may have boxes among them
        return _detect(words, size, source, index)
    if len(words) < 6 or len(words) % 2:
        raise InputFileError(f"an outline has x, y of at least three points behind its class, not {len(words)} numbers")
    return SCHEMAS[SEGMENT], {"parts": [{"outer": yolo_shapes.read_points(words, size), "holes": []}]}, ""


def _pose(words: Sequence[str], size: ImageSize, source: Source, index: int) -> _Found:
    count, dims = source.keypoint_shape
    if len(words) != 4 + count * dims:
        raise InputFileError(f"a pose has {4 + count * dims} numbers behind its class (kpt_shape), not {len(words)}")
    names = source.point_names(index)
    points = yolo_shapes.read_keypoints(words[4:], dims, names, size)
    return SCHEMAS[POSE], {"points": points, "box": yolo_shapes.read_box(words[:4], size)}, ""


def _obb(words: Sequence[str], size: ImageSize, _source: Source, _class: int) -> _Found:
    if len(words) != 8:
        raise InputFileError(f"a rotated box has the x, y of four corners behind its class, not {len(words)} numbers")
    body, is_rectangle = yolo_shapes.read_corners(words, size)
    return SCHEMAS[OBB], body, "" if is_rectangle else "corners that make no rectangle: the nearest one is taken"


_READERS: dict[str, Callable[[Sequence[str], ImageSize, Source, int], _Found]] = {
    DETECT: _detect,
    SEGMENT: _segment,
    POSE: _pose,
    OBB: _obb,
}


def _class(text: str) -> int:
    """The number of a class; -1 for what is none. Programs that write all numbers alike write 3.0 for 3."""
    whole, _, fraction = text.partition(".")
    good = whole.isdecimal() and len(whole) < 10 and not fraction.strip("0")
    return int(whole) if good else -1


def _lines(file: Path, folder: Path) -> list[str] | None:
    """The lines of a label file; None where there is none."""
    try:
        if not file.resolve().is_relative_to(folder.resolve()):
            raise InputFileError(f"is a link that leads out of {folder}")
        with file.open("rb") as stream:
            data = stream.read(YOLO_FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links, before Python 3.13
        raise InputFileError(f"cannot be read: {error}") from error
    if len(data) > YOLO_FILE_BYTES_MAX:
        raise InputFileError(f"is larger than {YOLO_FILE_BYTES_MAX:,} bytes")
    return data.removeprefix(codecs.BOM_UTF8).decode("ascii", errors="replace").splitlines()
