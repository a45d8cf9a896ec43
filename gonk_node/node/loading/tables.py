"""Samples as tables: data frames of pandas, Parquet files, and datasets of Hugging Face.

One row is one sample, with its annotations in one cell; bodies are JSON text, so that any schema fits and nothing is lost.
The columns: uuid, version, name, media_type, size (bytes), sha256 (hex), annotations, and where asked for the bytes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from gonk_node.core.limits import PARQUET_CONTENT_BYTES_MAX, PARQUET_GROUP_BYTES, PARQUET_GROUP_ROWS
from gonk_node.errors import DiskFullError, GonkError, InputFileError, UsageError
from gonk_node.node.loading.annotations import Annotation
from gonk_node.node.loading.extras import library
from gonk_node.node.loading.sample import Sample, decodable_types

_HF_BATCH_ROWS = 100  # written at a time: each may hold an image
_SAMPLE_COLUMNS = ("uuid", "version", "name", "media_type", "size", "sha256")
_ANNOTATION_COLUMNS = ("uuid", "version", "schema", "schema_version", "body")


def frame(samples: Iterable[Sample], rows: str) -> Any:
    """A `pandas.DataFrame`.

    Args:
        samples: what to put into it.
        rows: "samples": the columns above, each cell of `annotations` a list of the annotation objects. "annotations": one
            row each, with object_uuid, object_name, uuid, version, schema, schema_version, and the body as Python has JSON.
    """
    pandas = library("pandas", "pandas")
    if rows == "samples":
        columns = [*_SAMPLE_COLUMNS, "annotations"]
        records = [[*_about(sample).values(), list(sample.annotations)] for sample in samples]
    elif rows == "annotations":
        columns = ["object_uuid", "object_name", *_ANNOTATION_COLUMNS]
        records = [
            [str(sample.uuid), sample.name, *(_annotation(each) | {"body": each.body}).values()]
            for sample in samples
            for each in sample.annotations
        ]
    else:
        raise UsageError(f"a table has no rows of {rows!r}", hint='rows="samples" or rows="annotations"')
    return pandas.DataFrame(records, columns=columns)


def write_parquet(samples: Iterable[Sample], path: Path, *, content: bool) -> None:
    """Write a Parquet file, a row group at a time: memory does not grow with the dataset.

    The same samples give the same bytes with the same version of pyarrow. The file is put in place once it is whole.
    """
    arrow, parquet = library("pyarrow", "parquet"), library("pyarrow.parquet", "parquet")
    schema = _schema(arrow, content)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        try:
            with parquet.ParquetWriter(unfinished, schema, compression="zstd", version="2.6") as writer:
                for group in _groups(samples, content):
                    writer.write_table(arrow.Table.from_pylist(group, schema))
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritten(error, str(path)) from error


def _unwritten(error: OSError, where: str) -> GonkError:
    what = f"cannot be written: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFullError(what, where=where, hint="free some space, or write to another disk")
    return InputFileError(what, where=where)


def hugging_face(
    samples: Sequence[Sample],
    digest: bytes,
    contents: Mapping[str, int],
    *,
    content: bool,
    cache_dir: str | PathLike[str] | None,
) -> Any:
    """A `datasets.Dataset`. The library keeps a copy in its cache; the same samples of the same State are copied once.

    Args:
        samples: what to put into it; picklable.
        digest: of the State.
        contents: the media types in the whole dataset, with the size of the smallest of each (`Source.contents`).
        content: with a column of the bytes: `image` (decoded by the library) where all in the whole dataset are of types that
            Pillow decodes, so that shards are alike; else `content`.
        cache_dir: of the library.

    Raises:
        MissingExtraError, UsageError: as of `write_parquet`. DiskFullError, InputFileError: its cache cannot be written.
        As `Sample.bytes`.
    """
    datasets = library("datasets", "hf")
    text, number = datasets.Value("string"), datasets.Value("int32")
    features: dict[str, Any] = dict.fromkeys(_SAMPLE_COLUMNS, text) | {
        "version": number,
        "size": datasets.Value("int64"),
    }
    annotation = dict.fromkeys(_ANNOTATION_COLUMNS, text) | {"version": number, "schema_version": number}
    features["annotations"] = [annotation]
    column = None
    if content:
        column = "image" if _are_images(samples, contents) else "content"
        features[column] = datasets.Image() if column == "image" else datasets.Value("binary")
    features = datasets.Features(features)
    if not samples:  # which the library refuses to generate
        return datasets.Dataset.from_dict({name: [] for name in features}, features=features)
    try:
        return datasets.Dataset.from_generator(
            _hf_rows,
            features=features,
            cache_dir=None if cache_dir is None else str(cache_dir),
            gen_kwargs={"samples": samples, "column": column, "digest": digest.hex()},
            writer_batch_size=_HF_BATCH_ROWS,
        )
    except (OSError, datasets.exceptions.DatasetGenerationError) as error:
        problem = error if isinstance(error, OSError) else error.__cause__  # what reading a sample raised, or writing
        if not isinstance(problem, OSError | GonkError):
            raise
    if isinstance(problem, OSError):
        raise _unwritten(problem, "cache of datasets" if cache_dir is None else str(cache_dir)) from problem
    raise problem


def _are_images(samples: Iterable[Sample], contents: Mapping[str, int]) -> bool:
    """Whether Pillow decodes all, as far as can be told without reading them; also what was a sample before is looked at."""
    types = decodable_types(library("PIL.Image", "hf"))
    found = [*contents.items(), *((sample.media_type, sample.object.size) for sample in samples)]
    return all(media_type in types and size for media_type, size in found)


def _hf_rows(samples: Iterable[Sample], column: str | None, digest: str) -> Iterator[dict[str, Any]]:
    """Every row; `digest` only makes the library see when the annotations have changed."""
    del digest
    for sample in samples:
        row = _row(sample)
        if column == "image":
            row["image"] = {"bytes": _content(sample), "path": None}
        elif column is not None:
            row[column] = _content(sample)
        yield row


def _schema(arrow: Any, content: bool) -> Any:
    text, number = arrow.string(), arrow.int32()
    annotation = dict.fromkeys(_ANNOTATION_COLUMNS, text) | {"version": number, "schema_version": number}
    columns = dict.fromkeys(_SAMPLE_COLUMNS, text) | {"version": number, "size": arrow.int64()}
    columns["annotations"] = arrow.list_(arrow.struct(list(annotation.items())))
    if content:
        columns["content"] = arrow.binary()
    return arrow.schema([arrow.field(name, kind, nullable=False) for name, kind in columns.items()])


def _groups(samples: Iterable[Sample], content: bool) -> Iterator[list[dict[str, Any]]]:
    """The rows of each row group; none where there are no samples."""
    group: list[dict[str, Any]] = []
    size = 0
    for sample in samples:
        row = _row(sample)
        if content:
            row["content"] = _content(sample)
            if group and size + len(row["content"]) > PARQUET_GROUP_BYTES:
                yield group
                group, size = [], 0
            size += len(row["content"])
        group.append(row)
        if len(group) == PARQUET_GROUP_ROWS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _content(sample: Sample) -> bytes:
    if sample.object.size > PARQUET_CONTENT_BYTES_MAX:
        raise UsageError(
            f"{sample.object.size:,} bytes do not fit a cell; the limit is {PARQUET_CONTENT_BYTES_MAX:,}",
            where=sample.name,
            hint="content=False leaves the bytes out",
        )
    return sample.bytes()


def _row(sample: Sample) -> dict[str, Any]:
    return _about(sample) | {"annotations": [_annotation(each) for each in sample.annotations]}


def _about(sample: Sample) -> dict[str, Any]:
    of = sample.object
    values = (str(of.uuid), of.version, of.name, of.media_type, of.size, of.sha256.hex())
    return dict(zip(_SAMPLE_COLUMNS, values, strict=True))


def _annotation(annotation: Annotation) -> dict[str, Any]:
    values = (str(annotation.uuid), annotation.version, annotation.schema, annotation.schema_version)
    return dict(zip(_ANNOTATION_COLUMNS, (*values, annotation.data.decode()), strict=True))
