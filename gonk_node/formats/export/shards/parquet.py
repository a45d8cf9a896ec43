"""Parquet out: `data-00000.parquet` and so on, a row for each object, with its bytes and all its annotations, of any schema.

The layout is in `formats.parquet.table`. Schemas and label sets are in the metadata of every file, not beside, since
programs read a folder of Parquet files as one table. The same samples give the same bytes with the same version of pyarrow.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.limits import (
    PARQUET_ANNOTATIONS_BYTES_MAX,
    PARQUET_CONTENT_BYTES_MAX,
    PARQUET_FILE_BYTES,
    PARQUET_GROUP_BYTES,
    PARQUET_GROUP_ROWS,
    PARQUET_METADATA_BYTES_MAX,
)
from gonk_node.errors import RefusedError, UsageError
from gonk_node.formats.export.job import Job, Sample, SchemaDocument, check_digest
from gonk_node.formats.export.object_lines import bodies, label_lines, schema_lines
from gonk_node.formats.extras import library
from gonk_node.formats.folder import ExportFile
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import Loss
from gonk_node.formats.parquet.table import (
    ANNOTATION_FIELDS,
    ANNOTATIONS,
    CONTENT,
    LABELS,
    OBJECT_COLUMNS,
    SCHEMAS,
    table_schema,
)
from gonk_node.state.strict_json import canonical

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_SHARED = ["media_type", f"{ANNOTATIONS}.list.element.schema"]  # columns whose texts are mostly the same
_PAGE_ROWS = 16  # looked at together whether a page is full: rows may be large


def write(job: Job) -> None:
    """Write Parquet files; see `job.Exporter`. Annotations have been checked against their schemas before.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    with contextlib.ExitStack() as stack:
        files = _Files(job, stack)
        for sample in job.samples():
            try:
                row = table_row(sample, job.loss, content=job.images)
            except UsageError as error:
                job.loss.left_out(sample.place, f"{error.what}; left out, with all its annotations")
                continue
            if job.images:
                check_digest(job, sample, hashlib.sha256(row[CONTENT]).digest())
            files.table().add(row)
        if not files.count:
            files.table()


class _Files:
    """The files of one export, each open until it is full; the last one until the stack closes it."""

    def __init__(self, job: Job, stack: contextlib.ExitStack) -> None:
        self.count = 0
        self._job = job
        self._stack = stack
        self._metadata = table_metadata(job.schemas, job.labels)
        self._table: TableWriter | None = None

    def table(self) -> TableWriter:
        """Where the next row goes."""
        if self._table is None or self._table.bytes >= PARQUET_FILE_BYTES:
            self._stack.close()
            file = self._stack.enter_context(self._job.folder.create(f"data-{self.count:05d}.parquet"))
            table = TableWriter(_Sink(file), self._metadata, content=self._job.images)
            self._table = self._stack.enter_context(table)
            self.count += 1
        return self._table


def table_metadata(schemas: Iterable[SchemaDocument], labels: Mapping[str, Mapping[str, Label]]) -> dict[str, bytes]:
    """What each file says besides its rows: the schemas' documents and the label sets.

    Args:
        schemas: as of `job.Job`.
        labels: as of `job.Job`.

    Raises:
        RefusedError: it is more than a file may have.
    """
    found = {SCHEMAS: schema_lines(schemas), LABELS: label_lines(labels)}
    if sum(map(len, found.values())) > PARQUET_METADATA_BYTES_MAX:
        what = f"schemas and label sets are more than {PARQUET_METADATA_BYTES_MAX:,} bytes, which no Parquet file takes"
        raise RefusedError(what, hint="jsonl has room for them")
    return found


def table_row(sample: Sample, loss: Loss, *, content: bool) -> dict[str, Any]:
    """The row of an object.

    Args:
        sample: the object.
        loss: where it is told what is left out.
        content: with its bytes.

    Raises:
        UsageError: its bytes or its annotations do not fit a cell. Errors of the sample's `open`.
    """
    size = sum(len(each.body) for each in sample.annotations)
    if size > PARQUET_ANNOTATIONS_BYTES_MAX:
        what = f"{size:,} bytes of annotations do not fit a cell; the limit is {PARQUET_ANNOTATIONS_BYTES_MAX:,}"
        raise UsageError(what, where=sample.name)
    about = (
        str(UUID(bytes=sample.uuid)),
        sample.version,
        sample.name,
        sample.media_type,
        sample.size,
        sample.sha256.hex(),
    )
    row: dict[str, Any] = dict(zip(OBJECT_COLUMNS, about, strict=True))
    row[ANNOTATIONS] = [
        dict(
            zip(
                ANNOTATION_FIELDS,
                (
                    str(UUID(bytes=each.uuid)),
                    each.version,
                    SCHEMA_PREFIX + each.schema,
                    each.schema_version,
                    canonical(body).decode(),
                ),
                strict=True,
            )
        )
        for each, body in bodies(sample, loss)
    ]
    if content:
        row[CONTENT] = _content(sample)
    return row


def _content(sample: Sample) -> bytes:
    with sample.open() as stream:
        size = stream.seek(0, io.SEEK_END)
        if size > PARQUET_CONTENT_BYTES_MAX:
            raise UsageError(
                f"{size:,} bytes do not fit a cell; the limit is {PARQUET_CONTENT_BYTES_MAX:,}",
                where=sample.name,
                hint="leave the bytes out: content=False, or --images none",
            )
        stream.seek(0)
        return stream.read()


class TableWriter:
    """Writes rows as one Parquet file, a row group at a time; use it in a `with` statement.

    Args:
        sink: a path or a binary file.
        metadata: of the file.
        content: whether rows have the column of bytes.

    Attributes:
        bytes: of content and bodies in all rows that were added.

    Raises:
        MissingExtraError: pyarrow is not installed. OSError, or what the sink raises: it cannot be written.
    """

    def __init__(self, sink: Any, metadata: Mapping[str, bytes], *, content: bool) -> None:
        self._arrow = library("pyarrow", "parquet")
        self._schema = table_schema(self._arrow, content=content)
        self._sink = sink
        self._writer = library("pyarrow.parquet", "parquet").ParquetWriter(
            sink,
            self._schema,
            compression="zstd",
            version="2.6",
            use_dictionary=_SHARED,
            write_batch_size=_PAGE_ROWS,
        )
        self._writer.add_key_value_metadata(dict(metadata))
        self._group: list[dict[str, Any]] = []
        self._group_bytes = 0
        self.bytes = 0

    def add(self, row: dict[str, Any]) -> None:
        """Add a row, as `table_row` makes it."""
        size = len(row.get(CONTENT, b"")) + sum(len(each["body"]) for each in row[ANNOTATIONS])
        if self._group and self._group_bytes + size > PARQUET_GROUP_BYTES:
            self._end_group()
        self._group.append(row)
        self._group_bytes += size
        self.bytes += size
        if len(self._group) >= PARQUET_GROUP_ROWS:
            self._end_group()

    def _end_group(self) -> None:
        group, self._group, self._group_bytes = self._group, [], 0
        if group:
            self._writer.write_table(self._arrow.Table.from_pylist(group, self._schema))

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._end_group()
        finally:
            self._writer.close()


class _Sink(io.RawIOBase):
    """A file of an export as pyarrow writes to it."""

    def __init__(self, file: ExportFile) -> None:
        super().__init__()
        self._file = file
        self._position = 0

    def writable(self) -> bool:
        """True: it is written."""
        return True

    def tell(self) -> int:
        """How many bytes were written."""
        return self._position

    def write(self, data: ReadableBuffer) -> int:
        """Write bytes; errors as of `ExportFile.write`."""
        view = memoryview(data)
        self._file.write(bytes(view))
        self._position += view.nbytes
        return view.nbytes
