"""JSONL in, gonk's own format: `objects.jsonl` with a line for each object and all its annotations, of any schema.

The layout is described in `export.jsonl`, which writes it. Lines are read one by one. Bodies are taken as they are; they are
checked against the schemas of the dataset when they are proposed. Nothing is looked for outside of the folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.limits import JSON_DEPTH_MAX, JSONL_LINE_BYTES_MAX, NAME_BYTES_MAX
from gonk_node.errors import InputFileError, NonconformingError
from gonk_node.formats.images import check_folder, check_name, find, media_type
from gonk_node.formats.label_set import LabelSet
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedImage, ImportedLabels, ImportedSchema, Record, unchecked_annotation
from gonk_node.state.conformance import check_schema
from gonk_node.state.strict_json import Json, Problem, canonical, parse

_FORMAT = "jsonl"
_OBJECTS = "objects.jsonl"
_SCHEMAS = "schemas.jsonl"
_LABELS = "labels.jsonl"
_LEVELS_AROUND_BODY = 3  # the object, its list of annotations, the annotation
_OBJECT_FIELDS = frozenset({"uuid", "version", "name", "media_type", "size", "sha256", "file", "annotations"})
_ANNOTATION_FIELDS = frozenset({"uuid", "version", "schema", "schema_version", "body"})
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}")  # RFC 6838, section 4.2
_PIECE_BYTES = 1 << 20


class _Line(NamedTuple):
    place: str
    value: dict[str, Json]


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read `objects.jsonl`, or the folder with it; see `sample.Importer`. Files are below its folder, or in `images`.

    Raises:
        InputFileError: also later, where a line is too long: what follows it cannot be told apart.
    """
    check_folder(images)
    file = source / _OBJECTS if source.is_dir() else source
    schemas = file.parent / _SCHEMAS
    if schemas.is_file() and schemas != file:
        for line in _lines(schemas):
            yield line if isinstance(line, Problem) else _schema(line)
    label_sets = file.parent / _LABELS
    if label_sets.is_file() and label_sets != file:
        for line in _lines(label_sets):
            yield line if isinstance(line, Problem) else _labels(line)
    names: set[str] = set()
    for line in _lines(file):
        if isinstance(line, Problem):
            yield line
        else:
            yield from _object(line, images or file.parent, names)


def _lines(file: Path) -> Iterator[_Line | Problem]:
    try:
        with file.open("rb") as stream:
            for number, text in enumerate(iter(lambda: stream.readline(JSONL_LINE_BYTES_MAX + 1), b""), 1):
                place = f"{file}: line {number}"
                if len(text) > JSONL_LINE_BYTES_MAX:
                    raise InputFileError(f"is longer than {JSONL_LINE_BYTES_MAX:,} bytes", where=place)
                if text.strip():
                    yield _line(text, place)
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(file)) from error


def _line(text: bytes, place: str) -> _Line | Problem:
    try:
        value = parse(text, JSON_DEPTH_MAX + _LEVELS_AROUND_BODY)
    except NonconformingError as error:
        return Problem(place, f"{error.what}; left out")
    return _Line(place, value) if isinstance(value, dict) else Problem(place, "is no JSON object; left out")


def _schema(line: _Line) -> ImportedSchema | Problem:
    name, document = line.value.get("name"), line.value.get("document")
    if not isinstance(name, str) or not isinstance(document, str) or not _is_schema_name(name):
        return Problem(line.place, "a schema needs a name and a document, both of them texts; left out")
    try:
        check_schema(document.encode())
    except NonconformingError as error:
        return Problem(line.place, f"{error.what}; left out")
    return ImportedSchema(name, document.encode())


def _labels(line: _Line) -> ImportedLabels | Problem:
    try:
        found = LabelSet.decode(canonical(line.value))
    except NonconformingError as error:
        return Problem(line.place, f"{error.where}: {error.what}; left out")
    return ImportedLabels(found.schema.removeprefix(SCHEMA_PREFIX), found.labels, line.place)


def _is_schema_name(name: Json) -> bool:
    return isinstance(name, str) and name.isprintable() and 0 < len(name.encode()) < NAME_BYTES_MAX - len("schema-")


def _object(line: _Line, folder: Path, names: set[str]) -> Iterator[Record]:
    value, annotations = line.value, line.value.get("annotations", [])
    count = len(annotations) if isinstance(annotations, list) else 0
    try:
        image = _image(line, folder, names)
        if not isinstance(annotations, list):
            raise InputFileError('"annotations" is no list')
    except InputFileError as error:
        yield Problem(
            line.place, f"{error.what}; left out" + (f", and its {count} annotations with it" if count else "")
        )
        return
    names.add(image.name)
    yield image
    for name in sorted(value.keys() - _OBJECT_FIELDS):
        yield NotCarried(line.place, f"{name[:40]!r} of objects")
    if "uuid" in value:
        yield NotCarried(line.place, "uuids and versions: a dataset gives its own")
    for index, item in enumerate(annotations):
        yield from _annotation(item, index, image.name, f"{line.place}: /annotations/{index}")


def _image(line: _Line, folder: Path, names: set[str]) -> ImportedImage:
    value, path = line.value, None
    name, file, kind, digest = (value.get(each) for each in ("name", "file", "media_type", "sha256"))
    if not isinstance(name, str) or not name:
        raise InputFileError("an object needs a name")
    if file is not None:
        path = find(folder, check_name(file))
        if digest is not None and _sha256(path) != digest:
            raise InputFileError(f"the file {file!r} has another SHA-256 than the line says")
    if not isinstance(kind, str) or not _MEDIA_TYPE.fullmatch(kind):
        kind = media_type(name, path)
    key = name
    while key in names:
        key += f" ({line.place})"
    return ImportedImage(key, path, kind, object_name=name)


def _sha256(path: Path) -> str:
    hasher = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                hasher.update(piece)
    except OSError as error:
        raise InputFileError(f"the file {path.name!r} cannot be read: {error.strerror}") from error
    return hasher.hexdigest()


def _annotation(item: Json, index: int, image: str, place: str) -> Iterator[Record]:
    if not isinstance(item, dict) or not _is_schema_name(item.get("schema")) or "body" not in item:
        yield Problem(place, "an annotation needs a schema and a body; left out")
        return
    uuid = _uuid(item.get("uuid"))
    yield unchecked_annotation(
        image,
        item["schema"],
        item["body"],
        format_name=_FORMAT,
        source_id=uuid.hex() or f"#{index}",
        place=place,
        uuid=uuid,
    )
    for name in sorted(item.keys() - _ANNOTATION_FIELDS):
        yield NotCarried(place, f"{name[:40]!r} of annotations")
    if item.get("schema_version", 0) != 0:
        yield NotCarried(
            place, "which version of its schema an annotation is of: it is proposed for the one that counts"
        )


def _uuid(value: Json) -> bytes:
    """16 bytes; empty where it is none."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{32}", value):
        return b""
    return bytes.fromhex(value)
