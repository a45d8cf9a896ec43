"""Samples as tables: data frames of pandas, Parquet files, and datasets of Hugging Face.

One row is one sample, with its annotations in one cell; the columns are those of `formats.parquet.table`, and where asked for
the bytes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from gonk_node.core.limits import PARQUET_CONTENT_BYTES_MAX
from gonk_node.errors import DiskFullError, GonkError, InputFileError, UsageError
from gonk_node.formats.export.shards.parquet import TableWriter, table_metadata, table_row
from gonk_node.formats.extras import library
from gonk_node.formats.loss import Loss
from gonk_node.formats.parquet.table import ANNOTATION_FIELDS, ANNOTATIONS, CONTENT, OBJECT_COLUMNS
from gonk_node.node.loading.annotations import Annotation
from gonk_node.node.loading.exported import exported
from gonk_node.node.loading.sample import Sample, decodable_types
from gonk_node.node.loading.source import Declared

_HF_BATCH_ROWS = 100  # written at a time: each may hold an image


def frame(samples: Iterable[Sample], rows: str) -> Any:
    """A `pandas.DataFrame`.

    Args:
        samples: what to put into it.
        rows: "samples": the columns above, each cell of `annotations` a list of the annotation objects. "annotations": one
            row each, with object_uuid, object_name, uuid, version, schema, schema_version, and the body as Python has JSON.
    """
    pandas = library("pandas", "pandas")
    if rows == "samples":
        columns = [*OBJECT_COLUMNS, ANNOTATIONS]
        records = [[*_about(sample).values(), list(sample.annotations)] for sample in samples]
    elif rows == "annotations":
        columns = ["object_uuid", "object_name", *ANNOTATION_FIELDS]
        records = [
            [str(sample.uuid), sample.name, *(_annotation(each) | {"body": each.body}).values()]
            for sample in samples
            for each in sample.annotations
        ]
    else:
        raise UsageError(f"a table has no rows of {rows!r}", hint='rows="samples" or rows="annotations"')
    return pandas.DataFrame(records, columns=columns)


def write_parquet(samples: Iterable[Sample], declared: Declared, path: Path, *, content: bool) -> None:
    """Write a Parquet file as `formats.export.shards.parquet` does, but one only: memory does not grow with the dataset.

    The same samples give the same bytes with the same version of pyarrow. The file is put in place once it is whole.
    """
    metadata = table_metadata(declared.schemas, declared.labels)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        try:
            with TableWriter(unfinished, metadata, content=content) as table:
                for sample in samples:
                    table.add(table_row(exported(sample), Loss(), content=content))
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
    features: dict[str, Any] = dict.fromkeys(OBJECT_COLUMNS, text) | {
        "version": number,
        "size": datasets.Value("int64"),
    }
    annotation = dict.fromkeys(ANNOTATION_FIELDS, text) | {"version": number, "schema_version": number}
    features[ANNOTATIONS] = [annotation]
    column = None
    if content:
        column = "image" if _are_images(samples, contents) else CONTENT
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


def _content(sample: Sample) -> bytes:
    if sample.object.size > PARQUET_CONTENT_BYTES_MAX:
        raise UsageError(
            f"{sample.object.size:,} bytes do not fit a cell; the limit is {PARQUET_CONTENT_BYTES_MAX:,}",
            where=sample.name,
            hint="content=False leaves the bytes out",
        )
    return sample.bytes()


def _row(sample: Sample) -> dict[str, Any]:
    return _about(sample) | {ANNOTATIONS: [_annotation(each) for each in sample.annotations]}


def _about(sample: Sample) -> dict[str, Any]:
    of = sample.object
    values = (str(of.uuid), of.version, of.name, of.media_type, of.size, of.sha256.hex())
    return dict(zip(OBJECT_COLUMNS, values, strict=True))


def _annotation(annotation: Annotation) -> dict[str, Any]:
    values = (str(annotation.uuid), annotation.version, annotation.schema, annotation.schema_version)
    return dict(zip(ANNOTATION_FIELDS, (*values, annotation.data.decode()), strict=True))
