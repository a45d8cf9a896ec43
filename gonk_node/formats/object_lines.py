"""Objects with all their annotations as gonk's own formats have them, in: JSONL, WebDataset and Parquet say the same of each.

What is made of them does not depend on the format: what came as one and comes again as another is known. Where the lines and
the files are is for the importers of the formats; `export.object_lines` writes what is read here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.limits import INT_MAX, JSON_DEPTH_MAX, NAME_BYTES_MAX
from gonk_node.core.plural import with_its
from gonk_node.core.safe_text import is_printable
from gonk_node.errors import InputFileError, NonconformingError
from gonk_node.formats.compact import NameTable
from gonk_node.formats.file_part import FileOrPart, open_file
from gonk_node.formats.images import media_type
from gonk_node.formats.label_set import LabelSet
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import (
    ImportedAnnotation,
    ImportedImage,
    ImportedLabels,
    ImportedSchema,
    Record,
    unchecked_annotation,
)
from gonk_node.state.conformance import check_schema
from gonk_node.state.strict_json import Json, Problem, canonical, parse

_FORMAT = "jsonl"  # of all: annotations are told apart by it
_LEVELS_AROUND_BODY = 3  # the object, its list of annotations, the annotation
_OBJECT_FIELDS = frozenset({"uuid", "version", "name", "media_type", "size", "sha256", "file", "annotations"})
_ANNOTATION_FIELDS = frozenset({"uuid", "version", "schema", "schema_version", "body"})
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}")  # RFC 6838, section 4.2
_UUID = re.compile(r"[0-9a-f]{32}")
_PIECE_BYTES = 1 << 20


class Line(NamedTuple):
    """A JSON object, and where it stands, for messages."""

    place: str
    value: dict[str, Json]


def line(text: bytes, place: str) -> Line | Problem:
    """A line of JSON (UTF-8) as read; a Problem where it is none, or no object."""
    try:
        value = parse(text, JSON_DEPTH_MAX + _LEVELS_AROUND_BODY)
    except NonconformingError as error:
        return Problem(place, f"{error.what}; left out")
    return Line(place, value) if isinstance(value, dict) else Problem(place, "is no JSON object; left out")


def schema_record(line: Line) -> ImportedSchema | Problem:
    """A line of `schemas.jsonl`: the name of a schema, and its document as a text."""
    name, document = line.value.get("name"), line.value.get("document")
    if not isinstance(name, str) or not isinstance(document, str) or not _is_schema_name(name):
        return Problem(line.place, "a schema needs a name and a document, both of them texts; left out")
    try:
        check_schema(document.encode())
    except NonconformingError as error:
        return Problem(line.place, f"{error.what}; left out")
    version = line.value.get("version", 0)
    return ImportedSchema(name.removeprefix(SCHEMA_PREFIX), document.encode(), version if _is_version(version) else 0)


def labels_record(line: Line) -> ImportedLabels | Problem:
    """A line of `labels.jsonl`: a label set."""
    try:
        found = LabelSet.decode(canonical(line.value))
    except NonconformingError as error:
        return Problem(line.place, f"{error.where}: {error.what}; left out")
    return ImportedLabels(found.schema.removeprefix(SCHEMA_PREFIX), found.labels, line.place)


class ObjectLines:
    """The objects of one source, which may share names."""

    def __init__(self) -> None:
        self._names = NameTable()

    def records(self, line: Line, find_file: Callable[[str], FileOrPart]) -> Iterator[Record]:
        """What a line of `objects.jsonl` says.

        Args:
            line: of one object.
            find_file: gives the bytes of the `file` of that name; raises InputFileError where there is none.
        """
        value, annotations = line.value, line.value.get("annotations", [])
        count = len(annotations) if isinstance(annotations, list) else 0
        try:
            image = self._image(line, find_file)
            if not isinstance(annotations, list):
                raise InputFileError('"annotations" is no list')
        except InputFileError as error:
            yield Problem(line.place, f"{error.what}; left out{with_its(count, 'annotation')}")
            return
        self._names.add(image.name)
        yield image
        for name in sorted(value.keys() - _OBJECT_FIELDS):
            yield NotCarried(line.place, f"{name[:40]!r} of objects")
        if "uuid" in value:
            yield NotCarried(line.place, "uuids and versions: a dataset gives its own")
        found = []
        for index, item in enumerate(annotations):
            for record in _annotation(item, index, image, f"{line.place}: /annotations/{index}"):
                if isinstance(record, ImportedAnnotation):
                    found.append((record, item["body"]))
                else:
                    yield record
        yield from _referring(found)

    def _image(self, line: Line, find_file: Callable[[str], FileOrPart]) -> ImportedImage:
        value, path = line.value, None
        name, file, kind, digest = (value.get(each) for each in ("name", "file", "media_type", "sha256"))
        if not isinstance(name, str) or not name:
            raise InputFileError("an object needs a name")
        if file is not None:
            if not isinstance(file, str):
                raise InputFileError("the file name is no text")
            path = find_file(file)
            if digest is not None and _sha256(file, path) != digest:
                raise InputFileError(f"the file {file!r} has another SHA-256 than the line says")
        if not isinstance(kind, str) or not _MEDIA_TYPE.fullmatch(kind):
            kind = media_type(name, path)
        key = name
        while key in self._names:
            key += f" ({line.place})"
        return ImportedImage(key, path, kind, object_name=name)


def uuid_of(value: Json) -> bytes:
    """The uuid that a text is, 16 bytes, with or without dashes; empty where it is none."""
    if not isinstance(value, str) or not _UUID.fullmatch(plain := value.replace("-", "")):
        return b""
    return bytes.fromhex(plain)


def _referring(annotations: Sequence[tuple[ImportedAnnotation, Json]]) -> list[ImportedAnnotation]:
    """The annotations of a line, with which others of it they refer to, as relations do; those come behind all others.

    Whatever the schema is: a text in a body that is the uuid of an annotation beside it means that one.
    """
    keys = {each.uuid: each.key for each, _ in annotations if each.uuid}
    found = []
    for each, body in annotations:
        members = body.items() if isinstance(body, dict) and len(keys) > 1 else ()
        meant = {name: uuid for name, value in members if (uuid := uuid_of(value)) and uuid != each.uuid}
        refers = {name: keys[uuid] for name, uuid in meant.items() if uuid in keys}
        found.append(each._replace(refers=refers) if refers else each)
    return sorted(found, key=lambda each: bool(each.refers))


def _annotation(item: Json, index: int, image: ImportedImage, place: str) -> Iterator[Record]:
    if not isinstance(item, dict) or not _is_schema_name(item.get("schema")) or "body" not in item:
        yield Problem(place, "an annotation needs a schema and a body; left out")
        return
    uuid = uuid_of(item.get("uuid"))
    found = unchecked_annotation(
        image.object_name,  # not its key, which says where the line was
        item["schema"].removeprefix(SCHEMA_PREFIX),
        item["body"],
        format_name=_FORMAT,
        source_id=uuid.hex() or f"#{index}",
        place=place,
        uuid=uuid,
    )
    version = item.get("schema_version")
    if isinstance(found, ImportedAnnotation):
        found = found._replace(image_name=image.name, schema_version=version if _is_version(version) else None)
    yield found
    for name in sorted(item.keys() - _ANNOTATION_FIELDS):
        yield NotCarried(place, f"{name[:40]!r} of annotations")


def _is_version(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INT_MAX


def _is_schema_name(name: Json) -> bool:
    return isinstance(name, str) and is_printable(name) and 0 < len(name.encode()) < NAME_BYTES_MAX - len("schema-")


def _sha256(name: str, file: FileOrPart) -> str:
    hasher = hashlib.sha256()
    try:
        with open_file(file) as stream:
            while piece := stream.read(_PIECE_BYTES):
                hasher.update(piece)
    except OSError as error:
        raise InputFileError(f"the file {name!r} cannot be read: {error.strerror}") from error
    return hasher.hexdigest()
