"""CSV in: a row for each label of an image, in columns `file_name`, `label`, `score`, `annotation`, and any others.

Format: RFC 4180, UTF-8. Cells are texts: nothing in them is evaluated. Rows are read one by one.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import IO, Any, NamedTuple

from gonk_node.core.limits import CSV_COLUMNS_MAX, CSV_LINE_CHARS_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats.compact import NameTable
from gonk_node.formats.csv_cells import COLUMNS, read_cell
from gonk_node.formats.images import check_folder, check_name, find, media_type
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedImage, Record, annotation, number
from gonk_node.state.strict_json import Json, Problem, canonical

_FORMAT = "csv"
_FILE = "annotations.csv"
_SCHEMA = "classification"


class _Row(NamedTuple):
    place: str
    ordinal: int  # of the row, from 0: tells apart rows that make no list
    cells: dict[str, str]  # by column; none that are empty

    @property
    def name(self) -> str:
        return self.cells.get("file_name", "")

    @property
    def group(self) -> tuple[str, int]:
        """Equal for the rows of one list of labels."""
        listed = self.cells.get("annotation", "")
        return listed, -1 if listed else self.ordinal


class _Seen(NamedTuple):
    """Names of images that came already, and of those among them that were left out."""

    names: NameTable
    left_out: NameTable


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a CSV file, or the folder with `annotations.csv`; see `sample.Importer`."""
    check_folder(images)
    file = source / _FILE if source.is_dir() else source
    seen = _Seen(NameTable(), NameTable())
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            for name, rows in groupby(_rows(stream, file), key=lambda row: row.name if isinstance(row, _Row) else None):
                if name is None:
                    yield from (row for row in rows if isinstance(row, Problem))
                else:
                    yield from _image(name, (row for row in rows if isinstance(row, _Row)), images, seen)
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise InputFileError(f"is not UTF-8 (byte {error.start} of a part)", where=str(file)) from error


def _rows(stream: IO[str], file: Path) -> Iterator[_Row | Problem]:
    reader = csv.reader(_lines(stream, file), strict=True)
    try:
        header = [read_cell(cell) for cell in next(reader, [])]
    except csv.Error as error:
        raise InputFileError(f"is no CSV file: {error}", where=str(file)) from error
    if "file_name" not in header or "label" not in header or len(set(header)) != len(header):
        raise InputFileError(
            "its first line must name the columns, each once, among them file_name and label", where=str(file)
        )
    if len(header) > CSV_COLUMNS_MAX:
        raise InputFileError(f"has more than {CSV_COLUMNS_MAX} columns", where=str(file))
    index = 0
    while True:
        place = f"{file}: line {reader.line_num + 1}"  # where the row begins: cells may have line ends in them
        try:
            cells = _next(reader)
        except csv.Error as error:
            if "limit" in str(error):  # what follows is in the middle of a cell: it must not be taken for rows
                what = f"has a cell of more than {CSV_LINE_CHARS_MAX:,} characters"
                raise InputFileError(what, where=place) from error
            yield Problem(place, f"is no CSV: {error}; left out")
            continue
        if cells is None:
            return
        if cells and len(cells) != len(header):
            yield Problem(place, f"has {len(cells)} cells, and there are {len(header)} columns; left out")
        elif cells:
            yield _Row(place, index, {name: read_cell(cell) for name, cell in zip(header, cells, strict=True) if cell})
        index += 1


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    """The next row, whose cells may be longer than Python's limit, which is one for the whole process."""
    limit = csv.field_size_limit(CSV_LINE_CHARS_MAX)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(limit)


def _lines(stream: IO[str], file: Path) -> Iterator[str]:
    for line in iter(lambda: stream.readline(CSV_LINE_CHARS_MAX + 1), ""):
        if len(line) > CSV_LINE_CHARS_MAX:
            raise InputFileError(f"has a line of more than {CSV_LINE_CHARS_MAX:,} characters", where=str(file))
        yield line


def _image(name: str, rows: Iterator[_Row], images: Path | None, seen: _Seen) -> Iterator[Record]:
    """Rows of one image that follow one another."""
    equal: Counter[bytes] = Counter()
    for _, group in groupby(rows, key=lambda row: row.group):
        first, *more = group
        if name not in seen.names:
            image = _file(name, first.place, images)
            seen.names.add(name)
            if isinstance(image, Problem):
                seen.left_out.add(name)
            yield image
        elif name in seen.left_out:
            yield Problem(first.place, f"the image {name[:80]!r} was left out before; left out")
        if name in seen.left_out or not (first.cells.keys() - {"file_name"}):  # an image without annotations
            continue
        try:
            body = _body(first, more)
        except InputFileError as error:
            yield Problem(first.place, f"{error.what}; left out")
            continue
        kept = {column: cell for column, cell in first.cells.items() if column not in COLUMNS}
        if any({**row.cells, **dict.fromkeys(COLUMNS)} != {**first.cells, **dict.fromkeys(COLUMNS)} for row in more):
            yield NotCarried(first.place, "other columns of the further labels of a list")
        if kept:
            body["attributes"] = {_FORMAT: kept}
        text = canonical(body)
        equal[text] += 1
        yield annotation(name, _SCHEMA, body, format_name=_FORMAT, source_id=f"#{equal[text]}", place=first.place)


def _file(name: str, place: str, images: Path | None) -> ImportedImage | Problem:
    try:
        path = None if images is None else find(images, check_name(name))
        return ImportedImage(check_name(name), path, media_type(name, path))
    except InputFileError as error:
        return Problem(place, f"{error.what}; left out")


def _body(first: _Row, more: list[_Row]) -> dict[str, Any]:
    """One label, or with something in the column `annotation` a list."""
    rows = [first, *more]
    labels = [row.cells.get("label", "") for row in rows]
    if "" in labels:
        raise InputFileError("there is no label")
    scores = [_score(row.cells["score"]) for row in rows if "score" in row.cells]
    if scores and len(scores) != len(rows):
        raise InputFileError("of a list of labels all have a score, or none")
    if "annotation" in first.cells:
        return {"labels": labels, "scores": scores} if scores else {"labels": labels}
    return {"label": labels[0], "score": scores[0]} if scores else {"label": labels[0]}


def _score(text: str) -> Json:
    try:
        found = number(float(text))
    except ValueError:
        found = None
    if found is None or not 0 <= found <= 1:
        raise InputFileError(f"the score {text[:40]!r} is no number from 0 to 1")
    return found
