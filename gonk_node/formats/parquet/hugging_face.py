"""Image datasets of Hugging Face as Parquet files, in: what becomes of their columns.

Format: https://huggingface.co/docs/datasets/about_dataset_features; the types of columns are JSON in the file's metadata.
The object is a column of files (a struct of `bytes` and `path`: images, sounds, videos); its classes are columns of
ClassLabel, or one called `label`; its captions are columns called `text`, `caption` or `captions`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from gonk_node.core.limits import PARQUET_ROW_BYTES_MAX
from gonk_node.errors import InputFileError, NonconformingError
from gonk_node.formats.compact import NameTable
from gonk_node.formats.file_part import Unpacker
from gonk_node.formats.images import check_name, extension, media_type
from gonk_node.formats.label_set import Label, declared_label
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.parquet.file import ParquetFile
from gonk_node.formats.parquet.table import is_bytes, is_list, is_text, plain
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels, Record, annotation
from gonk_node.state.strict_json import Json, Problem, canonical, parse

_FORMAT = "parquet"
_METADATA = "huggingface"
_CAPTIONS = ("text", "caption", "captions")
_LABEL = "label"
_FILES_FIRST = "image"  # where several columns have files
_LIST_MAX = 4096  # labels or captions of one object
_CLASSIFICATION, _CAPTION = "classification", "caption"


class _Columns(NamedTuple):
    """What the columns of a table are for.

    Attributes:
        file: that of the objects.
        labels: those of labels; with the names of the classes, or without where values are labels themselves.
        captions: those of captions.
        kept: those of other single values.
        lost: all others.
    """

    file: str
    labels: dict[str, list[str] | None]
    captions: list[str]
    kept: list[str]
    lost: list[str]


class HuggingFace:
    """The tables of one source."""

    def __init__(self) -> None:
        self._names = NameTable()
        self._classes: dict[str, Label] = {}
        self._place = ""

    def records(self, table: ParquetFile) -> Iterator[Record]:
        """What a table holds.

        Raises:
            InputFileError: it has no column of files, or several of which none is called `image`; says which it has. From
                where it shows: as `ParquetFile.rows`.
        """
        columns = _columns(table)
        for name in columns.lost:
            yield NotCarried(str(table.path), f"the column {name[:40]!r}")
        yield from self._declare(table, columns)
        unpacker = Unpacker(table.path)
        wanted = [columns.file, *columns.labels, *columns.captions, *columns.kept]
        for number, row in enumerate(table.rows(wanted), 1):
            place = f"{table.path}: row {number}"
            image = self._object(table, row[columns.file], unpacker, number, place)
            yield image
            if isinstance(image, ImportedImage):
                yield from _annotations(table, columns, row, image, place)

    def labels(self) -> Iterator[Record]:
        """The classes that the tables name."""
        if self._classes:
            yield ImportedLabels(_CLASSIFICATION, tuple(self._classes.values()), self._place)

    def _declare(self, table: ParquetFile, columns: _Columns) -> Iterator[NotCarried]:
        for column, names in columns.labels.items():
            for number, name in enumerate(names or ()):
                label = declared_label(name, {_FORMAT: {"column": column, "class": number}})
                if label is None:
                    yield NotCarried(
                        f"{table.path}: {column[:40]}: class {number}", "names of classes that no label can have"
                    )
                else:
                    self._classes.setdefault(name, label)
            self._place = self._place or f"{table.path}: {column[:40]}"

    def _object(
        self, table: ParquetFile, cell: Any, unpacker: Unpacker, number: int, place: str
    ) -> ImportedImage | Problem:
        fields = table.fields(cell)
        data = fields.get("bytes")
        if data is None or not data.is_valid:
            return Problem(place, "has no bytes, but at most the name of a file elsewhere; left out with what is on it")
        part = unpacker.part([table.bytes(data)])
        try:
            given = table.value(fields["path"]) or ""
            kind = media_type(given, part)
            name = _name(given or f"{table.path.stem}-{number:06d}.{extension(kind)}")
        except InputFileError as error:
            return Problem(place, f"{error.what}; left out with what is on it")
        key = name
        while key in self._names:
            key += f" ({place})"
        self._names.add(key)
        return ImportedImage(key, part, kind, object_name=name)


def _name(given: str) -> str:
    """The name; the last part of it, if it leads elsewhere."""
    try:
        return check_name(given)
    except InputFileError:
        return check_name(PurePosixPath(given.replace("\\", "/")).name)


def _columns(table: ParquetFile) -> _Columns:
    arrow = table.arrow
    kinds = {name: plain(arrow, table.schema.field(at).type) for at, name in enumerate(table.schema.names)}
    files = [name for name, kind in kinds.items() if _is_file(arrow, kind)]
    if not files or (len(files) > 1 and _FILES_FIRST not in files):
        what = "several columns" if files else "neither gonk's columns nor one column"
        names = ", ".join(sorted(repr(name[:40]) for name in list(kinds)[:40]))
        what = f"has {what} of files as Hugging Face has them (a struct of bytes and path), but {names}"
        raise InputFileError(what, where=str(table.path))
    found = _Columns(_FILES_FIRST if _FILES_FIRST in files else files[0], {}, [], [], [])
    classes = _classes(table)
    for name, kind in kinds.items():
        of = plain(arrow, kind.value_type) if is_list(arrow, kind) else kind
        whole, text = bool(arrow.types.is_integer(of)), is_text(arrow, of)
        if name == found.file:
            continue
        if name in classes and whole:
            found.labels[name] = classes[name]
        elif name == _LABEL and (whole or text):
            found.labels[name] = None
        elif name in _CAPTIONS and text:
            found.captions.append(name)
        elif of is kind and (whole or text or arrow.types.is_boolean(kind) or arrow.types.is_floating(kind)):
            found.kept.append(name)
        else:
            found.lost.append(name)
    return found


def _is_file(arrow: Any, kind: Any) -> bool:
    if not arrow.types.is_struct(kind):
        return False
    fields = {each.name: plain(arrow, each.type) for each in kind}
    return fields.keys() == {"bytes", "path"} and is_bytes(arrow, fields["bytes"]) and is_text(arrow, fields["path"])


def _classes(table: ParquetFile) -> dict[str, list[str]]:
    """The names of the classes of each column that is of ClassLabel, or of lists of that."""
    try:
        said: Any = parse(table.metadata.get(_METADATA, b"{}"))
    except NonconformingError:
        return {}
    for step in ("info", "features"):
        said = said.get(step) if isinstance(said, dict) else None
    found: dict[str, list[str]] = {}
    for column, feature in said.items() if isinstance(said, dict) else ():
        if isinstance(feature, dict) and feature.get("_type") in ("Sequence", "List", "LargeList"):
            feature = feature.get("feature")
        elif isinstance(feature, list) and len(feature) == 1:
            feature = feature[0]
        if (
            isinstance(feature, dict)
            and feature.get("_type") == "ClassLabel"
            and isinstance(feature.get("names"), list)
        ):
            found[column] = [str(name) for name in feature["names"]]
    return found


def _annotations(
    table: ParquetFile, columns: _Columns, row: dict[str, Any], image: ImportedImage, place: str
) -> Iterator[Record]:
    said: list[tuple[str, str, dict[str, Json]]] = []  # schema, what tells it apart, body
    for column, names in columns.labels.items():
        try:
            labels, numbers = _labels(_values(table, row[column]), names)
        except InputFileError as error:
            yield Problem(f"{place}: {column[:40]}", f"{error.what}; left out")
            continue
        if labels:
            one = not is_list(table.arrow, row[column].type)
            origin: dict[str, Json] = {"column": column}
            if numbers:
                origin["class"] = numbers[0] if one else numbers
            body: dict[str, Json] = {"label": labels[0]} if one else {"labels": labels}
            said.append((_CLASSIFICATION, column, body | {"attributes": {_FORMAT: origin}}))
    for column in columns.captions:
        try:
            texts = _values(table, row[column])
        except InputFileError as error:
            yield Problem(f"{place}: {column[:40]}", f"{error.what}; left out")
            continue
        if "" in texts:
            yield NotCarried(place, "texts that are empty")
        for index, text in enumerate(filter(None, texts)):
            body = {"text": text, "attributes": {_FORMAT: {"column": column}}}
            said.append((_CAPTION, f"{column} {index}", body))
    kept = {name: value for name in columns.kept if (value := _kept(table, row[name])) is not None}
    if kept and said and len(canonical(kept)) <= PARQUET_ROW_BYTES_MAX:
        said[0][2]["attributes"][_FORMAT]["row"] = kept
    elif kept:
        yield NotCarried(place, "other columns of rows that are too long, or without a class or text to keep them with")
    for schema, source_id, body in said:
        made = annotation(
            image.object_name,  # not its key, which depends on what was read before
            schema,
            body,
            format_name=_FORMAT,
            source_id=source_id,
            place=place,
        )
        yield made._replace(image_name=image.name) if isinstance(made, ImportedAnnotation) else made


def _values(table: ParquetFile, cell: Any) -> list[Any]:
    """The value of a cell, or those of a list, without nulls."""
    if not cell.is_valid:
        return []
    if not is_list(table.arrow, cell.type):
        return [table.value(cell)]
    values = cell.values
    if len(values) > _LIST_MAX:
        raise InputFileError(f"has more than {_LIST_MAX:,} values")
    return [value for each in values if (value := table.value(each)) is not None]


def _labels(values: list[Any], names: list[str] | None) -> tuple[list[str], list[int]]:
    """Labels, and their numbers where they have names; -1 is none, as the hidden classes of a test split have it."""
    if names is None:
        return [str(value) for value in values if value != -1], []
    numbers = [value for value in values if value != -1]
    for value in numbers:
        if not 0 <= value < len(names):
            raise InputFileError(f"there is no class {value}")
    return [names[value] for value in numbers], numbers


def _kept(table: ParquetFile, cell: Any) -> Json:
    """The value of a cell; None for NaN, which stands for none, and for what JSON has not."""
    try:
        value = table.value(cell)
    except InputFileError:
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value
