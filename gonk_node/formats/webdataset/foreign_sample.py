"""Samples in shards that other programs wrote: which file is the object, and what the others say of it.

`cls` is its class and `txt` a text about it; each of all other files is an object, first of them images, sounds and videos. A
sample that has nothing else consists of its `txt`, or else of its `json`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from gonk_node.core.limits import (
    IMPORTED_BODY_BYTES_MAX,
    JSON_DEPTH_MAX,
    WEBDATASET_CLASS_BYTES_MAX,
    WEBDATASET_JSON_BYTES_MAX,
)
from gonk_node.errors import InputFileError, NonconformingError
from gonk_node.formats.compact import NameTable
from gonk_node.formats.file_part import FilePart, read_part
from gonk_node.formats.images import check_name, media_type
from gonk_node.formats.label_set import Label, declared_label
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels, Record, annotation
from gonk_node.formats.yolo.shapes import unused_class
from gonk_node.state.strict_json import Json, Problem, parse

FORMAT = "webdataset"
_CLASS = ("cls", "class")  # extensions, as webdataset decodes them
_TEXT = ("txt", "text", "transcript")
_JSON = ("json", "jsn")
_NUMBERS = ("cls2", "count", "id", "index", "inx")
_LEVELS_AROUND_JSON = 3  # the body, its attributes, those of this format
_NEGATIVE = re.compile("-[0-9]+")
_CLASSIFICATION, _CAPTION = "classification", "caption"


class Member(NamedTuple):
    """A file of a sample.

    Attributes:
        extension: what follows the first dot behind the key, in lower case, such as "jpg" or "seg.png".
        name: the whole name.
        part: its bytes.
    """

    extension: str
    name: str
    part: FilePart


class ShardSample(NamedTuple):
    """A sample as a shard has it.

    Attributes:
        place: for messages.
        shard: the name of the shard.
        key: what the names of its files begin with.
        members: its files, of an extension each.
    """

    place: str
    shard: str
    key: str
    members: tuple[Member, ...]

    def first(self, extensions: tuple[str, ...]) -> Member | None:
        """The file of the first of these extensions that it has."""
        by_extension = {member.extension: member for member in self.members}
        return next((by_extension[each] for each in extensions if each in by_extension), None)


class OtherSamples:
    """The samples of one source.

    Args:
        classes: the names of the classes, by their numbers; None where the source does not say. An empty one is none.
        place: where they are, for messages.
    """

    def __init__(self, classes: list[str] | None, place: str) -> None:
        self._classes = classes
        self._place = place
        self._classified = False
        self._names = NameTable()

    def records(self, sample: ShardSample) -> Iterator[Record]:
        """The objects of a sample, and the annotations on the first of them."""
        aside = {*_CLASS, *_TEXT, *_JSON, *_NUMBERS}
        objects = sorted((each for each in sample.members if each.extension not in aside), key=_rank)
        text, extra = sample.first(_TEXT), sample.first(_JSON)
        if not objects and (alone := text or extra):
            objects = [alone]
            text, extra = (None, extra) if alone is text else (None, None)
        if not objects:
            yield Problem(sample.place, "has no file that it is about; left out")
            return
        names = []
        for each in objects:
            image = self._object(sample, each)
            yield image
            names.append(image.name if isinstance(image, ImportedImage) else None)
        if len(objects) > 1:
            what = "that several files are one sample: its class and text are those of the first"
            yield NotCarried(sample.place, what)
        taken = {each.extension for each in (*objects, sample.first(_CLASS), text, extra) if each is not None}
        for each in sample.members:
            if each.extension not in taken:
                yield NotCarried(sample.place, f"members .{each.extension[:40]} of samples")
        if text is not None and not text.part.size:
            yield NotCarried(sample.place, "texts that are empty")
            text = None
        if names[0] is not None:
            yield from self._annotations(sample, names[0], objects[0].name, text, extra)

    def labels(self) -> Iterator[Record]:
        """The classes that the source names, if any of its samples has one."""
        labels: dict[str, Label] = {}
        for number, name in enumerate(self._classes or () if self._classified else ()):
            if name in ("", unused_class(number)):
                continue
            label = declared_label(name, {FORMAT: {"cls": number}})
            if label is None or name in labels:
                what = "that several classes have one name" if label else "names of classes that no label can have"
                yield NotCarried(f"{self._place}: class {number}", what)
            else:
                labels[name] = label
        if labels:
            yield ImportedLabels(_CLASSIFICATION, tuple(labels.values()), self._place)

    def _object(self, sample: ShardSample, member: Member) -> ImportedImage | Problem:
        try:
            name = check_name(member.name)
            kind = media_type(name, member.part)
        except InputFileError as error:
            return Problem(f"{sample.place}: .{member.extension[:40]}", f"{error.what}; left out with what is on it")
        key = name
        while key in self._names:
            key += f" ({sample.shard})"
        self._names.add(key)
        return ImportedImage(key, member.part, kind, object_name=name)

    def _annotations(
        self, sample: ShardSample, image: str, object_name: str, text: Member | None, extra: Member | None
    ) -> Iterator[Record]:
        said: list[tuple[str, Member, dict[str, Json]]] = []
        problems: list[Problem] = []
        for schema, member, read in (
            (_CLASSIFICATION, sample.first(_CLASS), self._class),
            (_CAPTION, text, _caption),
        ):
            try:
                if member is not None:
                    said.append((schema, member, read(member)))
            except InputFileError as error:
                problems.append(
                    Problem(f"{sample.place}: .{member.extension if member else ''}", f"{error.what}; left out")
                )
        yield from problems
        kept: dict[str, Json] = {"key": sample.key}
        more = None if extra is None else _json(extra)
        if extra is not None and (more is None or not said):
            what = "members .json of samples that are no JSON, too long, or without a class or text to keep them with"
            yield NotCarried(sample.place, what)
        elif extra is not None:
            kept["json"] = more
        for schema, member, body in said:
            own = {FORMAT: kept | body.pop("attributes", {})}
            made = annotation(
                object_name,  # not its key, which depends on what was read before
                schema,
                body | {"attributes": own},
                format_name=FORMAT,
                source_id=member.extension,
                place=f"{sample.place}: .{member.extension}",
            )
            yield made._replace(image_name=image) if isinstance(made, ImportedAnnotation) else made
            kept = {"key": sample.key}

    def _class(self, member: Member) -> dict[str, Json]:
        text = _text(member, WEBDATASET_CLASS_BYTES_MAX).strip()
        if _NEGATIVE.fullmatch(text):
            raise InputFileError(f"{text} is no number of a class")
        if not text.isascii() or not text.isdecimal() or len(text) > 9:
            return {"label": text}
        number = int(text)
        self._classified = True
        if self._classes is None:
            return {"label": text, "attributes": {"cls": number}}
        name = self._classes[number] if number < len(self._classes) else ""
        if not name:
            raise InputFileError(f"there is no class {number} in {self._place}")
        return {"label": name, "attributes": {"cls": number}}


def _rank(member: Member) -> tuple[bool, int]:
    """Where it stands among the objects of a sample: what people look at or hear first, a mask `seg.png` behind its `jpg`."""
    kind = media_type(f"x.{member.extension}", member.part).partition("/")[0]
    return kind not in ("image", "video", "audio"), member.extension.count(".")


def _caption(member: Member) -> dict[str, Json]:
    return {"text": _text(member, IMPORTED_BODY_BYTES_MAX)}


def _text(member: Member, bytes_max: int) -> str:
    if member.part.size > bytes_max:
        raise InputFileError(f"is longer than {bytes_max:,} bytes")
    try:
        return read_part(member.part).decode()
    except UnicodeDecodeError as error:
        raise InputFileError("is not UTF-8") from error


def _json(member: Member) -> Json:
    """What it says; None where it cannot be kept."""
    if member.part.size > WEBDATASET_JSON_BYTES_MAX:
        return None
    try:
        return parse(read_part(member.part), JSON_DEPTH_MAX - _LEVELS_AROUND_JSON)
    except NonconformingError:
        return None
