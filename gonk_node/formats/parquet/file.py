"""Parquet files of strangers, read row by row with pyarrow: only the columns that are asked for, in bounded memory.

A kilobyte of Parquet can hold terabytes: pages may be packed, and texts that are equal are stored once. So before a row group
is read the headers of its pages are looked at (`pages`), and texts in lists stay shared. What columns mean is not
known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from gonk_node.core.limits import (
    PARQUET_BATCH_BYTES,
    PARQUET_COLUMNS_MAX,
    PARQUET_GROUP_ROWS,
)
from gonk_node.errors import InputFileError
from gonk_node.formats.extras import library
from gonk_node.formats.parquet.pages import Chunk, Pages, check_chunk, read_chunks

_BUFFER_BYTES = 1 << 20
T = TypeVar("T")


class ParquetFile:
    """An open Parquet file.

    Attributes:
        path: where it is.
        schema: a `pyarrow.Schema`.
        metadata: what the footer says besides, by key.

    Raises:
        MissingExtraError: pyarrow is not installed. InputFileError: it is no Parquet file that is read here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arrow = library("pyarrow", "parquet")
        self._parquet = library("pyarrow.parquet", "parquet")
        self._chunks = self._read_chunks()
        self._footer = self._try(lambda: self._parquet.read_metadata(path))
        if self._footer.num_columns > PARQUET_COLUMNS_MAX:
            raise self._refused(f"has more than {PARQUET_COLUMNS_MAX:,} columns")
        if [self._footer.num_columns] * self._footer.num_row_groups != list(map(len, self._chunks)):
            raise self._refused("is damaged: not all row groups have the same columns")
        self.schema = self._try(lambda: self._footer.schema.to_arrow_schema())
        pairs = (self._footer.metadata or {}).items()
        self.metadata: dict[str, bytes] = {key.decode(errors="replace"): value for key, value in pairs}

    def rows(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Each row, as `pyarrow.Scalar`s by column; what they take of memory is the reader's once it asks for more of them.

        Args:
            columns: names of top columns.

        Raises:
            InputFileError: from where it shows, a column is not there once, is damaged, or unpacks to too much.
        """
        if any(self.schema.names.count(name) != 1 for name in columns):
            raise self._refused("has several columns of one name")
        leaves = [at for at in range(self._footer.num_columns) if self._is_of(at, columns)]
        count, count_max = 0, self.path.stat().st_size
        for group in range(self._footer.num_row_groups):
            for batch in self._batches(group, leaves, columns):
                count += batch.num_rows
                if count > count_max:
                    raise self._refused("has more rows than bytes")
                cells = self._try(partial(_columns, batch, columns))
                for row in range(batch.num_rows):
                    yield {name: column[row] for name, column in cells.items()}

    def _batches(self, group: int, leaves: Sequence[int], columns: Sequence[str]) -> Iterator[Any]:
        """The rows of a row group, a few at a time; texts of lists that are stored once stay so."""
        with self._open() as file:
            pages = {at: self._check(file, group, at) for at in leaves}
        reader = self._try(
            lambda: self._parquet.ParquetFile(
                self.path,
                metadata=self._footer,
                read_dictionary=[self._path(at) for at in leaves if pages[at].shared and self._is_list_of_texts(at)],
                buffer_size=_BUFFER_BYTES,
                pre_buffer=False,
            )
        )
        largest = max((each.largest for each in pages.values()), default=0)
        rows = max(1, min(PARQUET_GROUP_ROWS, PARQUET_BATCH_BYTES // max(1, largest)))
        with reader:
            batches = reader.iter_batches(rows, row_groups=[group], columns=list(columns), use_threads=False)
            while (batch := self._try(lambda: next(batches, None))) is not None:
                yield batch

    def value(self, scalar: Any) -> Any:
        """A scalar as Python has it: None, a number, a text. InputFileError where a text is none."""
        return self._try(scalar.as_py)

    def fields(self, scalar: Any) -> dict[str, Any]:
        """The scalars that a struct consists of; none of null."""
        return self._try(lambda: dict(scalar.items()) if scalar.is_valid else {})

    def bytes(self, scalar: Any) -> memoryview:
        """The bytes that a scalar is; it must not be null."""
        while self.arrow.types.is_dictionary(scalar.type):
            scalar = scalar.value
        return memoryview(scalar.as_buffer())

    def _path(self, at: int) -> str:
        return str(self._footer.schema.column(at).path)

    def _is_of(self, at: int, columns: Sequence[str]) -> bool:
        """Whether a leaf is of one of these top columns, or may be taken for that."""
        path = self._path(at)
        return any(path == name or path.startswith(f"{name}.") for name in columns)

    def _is_list_of_texts(self, at: int) -> bool:
        """Whether one row may have many texts of that leaf."""
        column = self._footer.schema.column(at)
        return bool(column.max_repetition_level) and column.physical_type == "BYTE_ARRAY"

    def _check(self, file: BinaryIO, group: int, at: int) -> Pages:
        repeated = self._footer.schema.column(at).max_repetition_level > 0
        try:
            return check_chunk(file, self._chunks[group][at], repeated=repeated)
        except InputFileError as error:
            raise self._refused(f"row group {group}, column {self._path(at)[:80]!r}: {error.what}") from error
        except OSError as error:
            raise self._refused(f"cannot be read: {error.strerror}") from error

    def _read_chunks(self) -> list[list[Chunk]]:
        if not self.path.is_file():  # reading a pipe or a device might never end
            raise self._refused("is no plain file")
        try:
            with self._open() as file:
                return read_chunks(file)
        except InputFileError as error:
            raise self._refused(error.what) from error
        except OSError as error:
            raise self._refused(f"cannot be read: {error.strerror}") from error

    def _open(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise self._refused(f"cannot be read: {error.strerror}") from error

    def _try(self, read: Callable[[], T]) -> T:
        """What pyarrow reads; its errors are InputFileErrors here."""
        try:
            return read()
        except (self.arrow.ArrowException, OSError, ValueError, KeyError, IndexError, RecursionError) as error:
            raise self._refused(f"cannot be read: {str(error)[:300]}") from error

    def _refused(self, what: str) -> InputFileError:
        return InputFileError(what, where=str(self.path))


def _columns(batch: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: batch.column(name) for name in names}
