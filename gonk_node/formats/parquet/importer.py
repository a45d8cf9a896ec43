"""Parquet in: gonk's own tables (`table`), which come back whole; image datasets of Hugging Face (`hugging_face`).

Rows are read one by one; the bytes of objects go into temporary files, from where they are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.limits import JSON_DEPTH_MAX, PARQUET_ANNOTATIONS_BYTES_MAX
from gonk_node.errors import InputFileError, NonconformingError
from gonk_node.formats.file_part import FilePart, Unpacker
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.object_lines import Line, ObjectLines, labels_record, line, schema_record, uuid_of
from gonk_node.formats.parquet.file import ParquetFile
from gonk_node.formats.parquet.hugging_face import HuggingFace
from gonk_node.formats.parquet.table import (
    ANNOTATION_FIELDS,
    ANNOTATIONS,
    CONTENT,
    LABELS,
    OBJECT_COLUMNS,
    SCHEMAS,
    is_own,
)
from gonk_node.formats.sample import Record
from gonk_node.formats.source_files import source_files
from gonk_node.state.strict_json import Json, Problem, parse

_SUFFIXES = (".parquet",)
_ANNOTATION_OVERHEAD = 256  # bytes of memory that one takes beside its texts


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a Parquet file, or all that are in a folder; see `sample.Importer`. What is damaged is told, and others are read.

    Raises:
        InputFileError: also if a folder of images is given: the bytes are in the tables.
        MissingExtraError: pyarrow is not installed.
    """
    if images is not None:
        raise InputFileError("Parquet files have the bytes of their objects themselves", where=str(source))
    reading = _Reading()
    for file in source_files(source, _SUFFIXES):
        if isinstance(file, Problem):
            yield file
            continue
        try:
            yield from reading.file(file)
        except InputFileError as error:
            if file == source and not reading.rows:
                raise
            yield Problem(error.where or str(file), f"{error.what}; what follows there is left out")
    yield from reading.others.labels()


class _Reading:
    def __init__(self) -> None:
        self.rows = 0  # read so far
        self.others = HuggingFace()
        self._objects = ObjectLines()
        self._said: set[bytes] = set()  # of schemas and label sets, which each file has

    def file(self, path: Path) -> Iterator[Record]:
        table = ParquetFile(path)
        if is_own(table.arrow, table.schema):
            yield from self._own(table)
            return
        for record in self.others.records(table):
            self.rows += not isinstance(record, NotCarried)
            yield record

    def _own(self, table: ParquetFile) -> Iterator[Record]:
        yield from self._declared(table, SCHEMAS, schema_record)
        yield from self._declared(table, LABELS, labels_record)
        known = [name for name in (*OBJECT_COLUMNS, ANNOTATIONS, CONTENT) if name in table.schema.names]
        for name in sorted(set(table.schema.names).difference(known)):
            yield NotCarried(str(table.path), f"the column {name[:40]!r}")
        unpacker = Unpacker(table.path)
        for number, row in enumerate(table.rows(known), 1):
            self.rows += 1
            place = f"{table.path}: row {number}"
            value, part, problems = _object(table, row, unpacker, place)
            yield from problems
            if value is not None:
                yield from self._objects.records(Line(place, value), partial(_given, part))

    def _declared(self, table: ParquetFile, key: str, record: Callable[[Line], Record]) -> Iterator[Record]:
        for number, text in enumerate(table.metadata.get(key, b"").split(b"\n"), 1):
            if text.strip() and text not in self._said:
                self._said.add(text)
                found = line(text, f"{table.path}: {key}: line {number}")
                yield found if isinstance(found, Problem) else record(found)


def _given(part: FilePart | None, _name: str) -> FilePart:
    if part is None:
        raise InputFileError("there are no bytes")
    return part


def _object(
    table: ParquetFile, row: dict[str, Any], unpacker: Unpacker, place: str
) -> tuple[dict[str, Json] | None, FilePart | None, list[Problem]]:
    """What a line of JSONL would say of a row, its bytes, and what was left out."""
    problems: list[Problem] = []
    try:
        value: dict[str, Json] = {name: table.value(row[name]) for name in OBJECT_COLUMNS if name in row}
        value[ANNOTATIONS] = list(_annotations(table, row[ANNOTATIONS], place, problems))
    except InputFileError as error:
        return None, None, [*problems, Problem(place, f"{error.what}; left out, with all its annotations")]
    content = row.get(CONTENT)
    if content is None or not content.is_valid:
        return value, None, problems
    return value | {"file": CONTENT}, unpacker.part([table.bytes(content)]), problems


def _annotations(table: ParquetFile, cell: Any, place: str, problems: list[Problem]) -> Iterator[dict[str, Json]]:
    """One after the other: texts that are equal are stored once, and may be terabytes together."""
    size = 0
    for index, item in enumerate(cell.values if cell.is_valid else ()):
        fields = {name: table.value(each) for name, each in table.fields(item).items() if name in ANNOTATION_FIELDS}
        size += _ANNOTATION_OVERHEAD + sum(len(each) for each in fields.values() if isinstance(each, str))
        if size > PARQUET_ANNOTATIONS_BYTES_MAX:
            raise InputFileError(f"has more than {PARQUET_ANNOTATIONS_BYTES_MAX:,} bytes of annotations")
        try:
            body = parse(str(fields.get("body", "")).encode(), JSON_DEPTH_MAX)
        except NonconformingError as error:
            problems.append(Problem(f"{place}: /annotations/{index}", f"{error.what}; left out"))
            continue
        schema = str(fields.get("schema", "")).removeprefix(SCHEMA_PREFIX)
        said = {name: each for name, each in fields.items() if each is not None}
        yield said | {"uuid": uuid_of(fields.get("uuid")).hex(), "schema": schema, "body": body}
