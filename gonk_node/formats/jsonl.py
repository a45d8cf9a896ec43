"""JSONL in, gonk's own format: `objects.jsonl` with a line for each object and all its annotations, of any schema.

The layout is described in `export.jsonl`, which writes it. Lines are read one by one. Bodies are taken as they are; they are
checked against the schemas of the dataset when they are proposed. Nothing is looked for outside of the folder.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from pathlib import Path

from gonk_node.core.limits import JSONL_LINE_BYTES_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats.images import check_folder, check_name, find
from gonk_node.formats.object_lines import Line, ObjectLines, labels_record, line, schema_record
from gonk_node.formats.sample import Record
from gonk_node.state.strict_json import Problem

_OBJECTS = "objects.jsonl"
_DECLARED: tuple[tuple[str, Callable[[Line], Record]], ...] = (
    ("schemas.jsonl", schema_record),
    ("labels.jsonl", labels_record),
)


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read `objects.jsonl`, or the folder with it; see `sample.Importer`. Files are below its folder, or in `images`.

    Raises:
        InputFileError: also later, where a line is too long: what follows it cannot be told apart.
    """
    check_folder(images)
    file = source / _OBJECTS if source.is_dir() else source
    folder = images or file.parent
    yield from declared(file.parent, file)
    objects = ObjectLines()
    for each in _lines(file):
        if isinstance(each, Problem):
            yield each
        else:
            yield from objects.records(each, lambda name: find(folder, check_name(name)))


def declared(folder: Path, but: Path | None = None) -> Iterator[Record]:
    """The schemas and label sets of `schemas.jsonl` and `labels.jsonl` in a folder, if they are there.

    Args:
        folder: where they are.
        but: a file that is neither, whatever it is called.

    Raises:
        InputFileError: as of `read`.
    """
    for name, record in _DECLARED:
        file = folder / name
        if file.is_file() and file != but:
            for each in _lines(file):
                yield each if isinstance(each, Problem) else record(each)


def _lines(file: Path) -> Iterator[Line | Problem]:
    try:
        with file.open("rb") as stream:
            for number, text in enumerate(iter(lambda: stream.readline(JSONL_LINE_BYTES_MAX + 1), b""), 1):
                place = f"{file}: line {number}"
                if len(text) > JSONL_LINE_BYTES_MAX:
                    raise InputFileError(f"is longer than {JSONL_LINE_BYTES_MAX:,} bytes", where=place)
                text = text.removeprefix(codecs.BOM_UTF8) if number == 1 else text
                if text.strip():
                    yield line(text, place)
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(file)) from error
