"""Where the column chunks of a Parquet file are, and how much they unpack to, as the headers of their pages say.

The footer says so too, but a library unpacks what the pages say, and only they bound what it takes of memory. The footer is
read here because pyarrow ends the process over some odd ones. No page is unpacked. Format:
https://github.com/apache/parquet-format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from gonk_node.core.limits import (
    PARQUET_DEPTH_MAX,
    PARQUET_FOOTER_BYTES_MAX,
    PARQUET_PAGE_BYTES_MAX,
    PARQUET_PAGE_HEADER_BYTES_MAX,
    PARQUET_STRUCTURES_MAX,
    PARQUET_VALUES_MAX,
)
from gonk_node.errors import InputFileError
from gonk_node.formats.parquet.thrift_compact import I32, I64, LIST, STRUCT, CompactReader, Fields

_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3  # PageType
_DELTA_BYTE_ARRAY = 7  # Encoding
_MAGIC, _MAGIC_ENCRYPTED = b"PAR1", b"PARE"
_END_BYTES = 8  # the length of the footer, and the magic


class Chunk(NamedTuple):
    """A column chunk, as the footer places it.

    Attributes:
        begin: its first byte in the file.
        size: in bytes.
        values: how many there are, nulls too; a reader stops after so many.
    """

    begin: int
    size: int
    values: int


class Pages(NamedTuple):
    """The pages of a chunk.

    Attributes:
        largest: how many bytes the largest unpacks to.
        shared: whether values that are equal are stored once, in a dictionary.
    """

    largest: int
    shared: bool


def read_chunks(file: BinaryIO) -> list[list[Chunk]]:
    """The column chunks of each row group, in the order of the columns.

    Args:
        file: seekable.

    Raises:
        InputFileError: it is no Parquet file, is damaged, encrypted, or has more in its footer than is read here.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_BYTES))
    end = file.read(_END_BYTES)
    if end[4:] == _MAGIC_ENCRYPTED:
        raise InputFileError("is encrypted")
    if size < 3 * 4 or end[4:] != _MAGIC:
        raise InputFileError("is no Parquet file, or cut off")
    length = int.from_bytes(end[:4], "little")
    if length > min(PARQUET_FOOTER_BYTES_MAX, size - 3 * 4):
        raise InputFileError(f"is damaged, or has a footer of more than {PARQUET_FOOTER_BYTES_MAX:,} bytes")
    begin = file.seek(size - _END_BYTES - length)
    footer = CompactReader(file, length, PARQUET_STRUCTURES_MAX).struct()
    _check_depth(_list(footer, 2))
    return [[_chunk(chunk, begin) for chunk in _list(group, 1)] for group in _list(footer, 4)]


def _check_depth(elements: list[Fields]) -> None:
    """Refuse columns in columns that are nested too deep: SchemaElements, each before those that are in it."""
    open_: list[int] = []  # how many are still to come at each level
    for element in elements:
        while open_ and not open_[-1]:
            open_.pop()
        if open_:
            open_[-1] -= 1
        children = _int(element, 5, I32)
        if children > 0:
            open_.append(children)
        if len(open_) > PARQUET_DEPTH_MAX:
            raise InputFileError(f"has columns that are nested more than {PARQUET_DEPTH_MAX} deep")


def _chunk(fields: Fields, end: int) -> Chunk:
    """ColumnChunk; its dictionary, if there is one, stands before its first page."""
    about = _struct(fields, 3)
    begin, size, values = _int(about, 9, I64), _int(about, 7, I64), _int(about, 5, I64)
    dictionary = _int(about, 11, I64)
    if 0 < dictionary < begin:
        begin = dictionary
    if begin < 0 or size < 0 or values < 0 or begin + size > end:
        raise InputFileError("is damaged: a column is not in the file")
    return Chunk(begin, size, values)


def check_chunk(file: BinaryIO, chunk: Chunk, *, repeated: bool) -> Pages:
    """See what the pages of a chunk unpack to.

    Args:
        file: seekable.
        chunk: in it.
        repeated: whether one row may have several values.

    Raises:
        InputFileError: a page is too large, or all together where one row may have them all; there are too many values; or of
            values that may be several in a row each may be as long as all together (DELTA_BYTE_ARRAY); or what is there
            are no pages.
    """
    largest = total = values = 0
    shared = False
    for header in _headers(file, chunk) if chunk.values else ():
        kind, unpacked = _int(header, 1, I32), _int(header, 2, I32)
        total = total + unpacked if repeated else unpacked
        if unpacked < 0 or total > PARQUET_PAGE_BYTES_MAX:
            what = "lists unpack" if repeated else "a page unpacks"
            raise InputFileError(f"{what} to {total:,} bytes; the limit is {PARQUET_PAGE_BYTES_MAX:,}")
        largest = max(largest, unpacked)
        shared = shared or kind == _DICTIONARY
        if kind in (_DATA, _DATA_2):
            about = _struct(header, 5 if kind == _DATA else 8)
            count, encoding = _int(about, 1, I32), _int(about, 2 if kind == _DATA else 4, I32)
            if count < 0:
                raise InputFileError("has a page with a negative number of values")
            values += count
            if repeated and encoding == _DELTA_BYTE_ARRAY:
                raise InputFileError("lists of texts that are stored as differences may be of any size")
        if values > PARQUET_VALUES_MAX:
            raise InputFileError(f"has more than {PARQUET_VALUES_MAX:,} values in one row group")
        if values >= chunk.values:
            break
    return Pages(largest, shared)


def _headers(file: BinaryIO, chunk: Chunk) -> Iterator[Fields]:
    at, end = chunk.begin, chunk.begin + chunk.size
    while at < end:
        file.seek(at)
        reader = CompactReader(file, PARQUET_PAGE_HEADER_BYTES_MAX)
        header = reader.struct()
        packed = _int(header, 3, I32)
        if packed < 0:
            raise InputFileError("has a page of a negative size")
        yield header
        at += reader.bytes + packed


def _int(fields: Fields, number: int, kind: int) -> int:
    found = fields.get((number, kind), 0)
    return found if isinstance(found, int) else 0


def _struct(fields: Fields, number: int) -> Fields:
    found = fields.get((number, STRUCT), {})
    return found if isinstance(found, dict) else {}


def _list(fields: Fields, number: int) -> list[Fields]:
    found = fields.get((number, LIST), [])
    return found if isinstance(found, list) else []
