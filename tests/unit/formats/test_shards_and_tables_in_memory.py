"""Shards and tables are written and read in memory that does not grow with the dataset, but for names."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from gonk_node.formats import IMPORTERS
from gonk_node.formats.export import EXPORTERS
from gonk_node.formats.export.job import Job, Sample
from gonk_node.formats.export.shards import parquet, tar_shards
from gonk_node.formats.folder import FolderWriter
from gonk_node.formats.loss import Loss
from kit import formats
from kit.tars import tar

BODIES: formats.Bodies = [
    ("mine", {"x": [1.5, "text", {"deep": True}] * 10}),
    ("classification", {"label": "a"}),
    ("caption", {"text": "about it"}),
]
DATA = 4000  # bytes of an object


def allocated() -> int:
    """What is held by gonk, as parsed JSON and by pyarrow."""
    filters = [tracemalloc.Filter(True, f"*{part}*") for part in ("gonk_node", "json")]
    held = sum(each.size for each in tracemalloc.take_snapshot().filter_traces(filters).statistics("filename"))
    arrow = pytest.importorskip("pyarrow", reason="extra parquet")
    return held + arrow.total_allocated_bytes()


def written(count: int, format_name: str, target: Path) -> int:
    """The most bytes that are held at one of a hundred moments, or at the end of a pass over the samples."""
    held = [0]

    def samples() -> Iterator[Sample]:
        for index in range(count):
            data = index.to_bytes(4, "big") * (DATA // 4)
            yield formats.sample(f"{index}.png", BODIES, data=data, uuid=index.to_bytes(16, "big"))
            if index % (count // 10) == 0:
                held.append(allocated())
        held.append(allocated())

    tracemalloc.start()
    try:
        with FolderWriter(target) as folder:
            EXPORTERS[format_name](Job(samples, folder, Loss()))
    finally:
        tracemalloc.stop()
    return max(held)


def read(count: int, format_name: str, source: Path) -> int:
    """The same while a folder is read."""
    held = [0]
    tracemalloc.start()
    try:
        for index, _ in enumerate(IMPORTERS[format_name](source, None)):
            if index % (count // 10) == 0:
                held.append(allocated())
    finally:
        tracemalloc.stop()
    return max(held)


@pytest.mark.slow
@pytest.mark.parametrize("format_name", ["parquet", "webdataset"])
def test_memory_does_not_grow_with_the_dataset(
    tmp_path: Path, format_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "PARQUET_GROUP_ROWS", 50)
    monkeypatch.setattr(parquet, "PARQUET_FILE_BYTES", 1 << 20)
    monkeypatch.setattr(tar_shards, "WEBDATASET_SHARD_SAMPLES", 100)
    small, large = 200, 1200
    for what in (written, read):
        held = [what(count, format_name, tmp_path / str(count)) for count in (small, large)]
        each = (held[1] - held[0]) / (large - small)
        assert each < 300, f"{what.__name__}: {each:.0f} bytes more for each object: {held}"  # its bytes are 4000


@pytest.mark.slow
def test_packed_shards_of_others_are_read_in_memory_that_does_not_grow(tmp_path: Path) -> None:
    small, large = 200, 1200
    for count in (small, large):
        items = []
        for index in range(count):
            extra = json.dumps({"n": index, "more": ["x" * 100] * 10}).encode()
            items += [
                (f"{index}.jpg", index.to_bytes(4, "big") * (DATA // 4)),
                (f"{index}.cls", b"1"),
                (f"{index}.json", extra),
            ]
        (tmp_path / str(count)).mkdir()
        (tmp_path / str(count) / "a.tgz").write_bytes(gzip.compress(tar(items), 1))
    held = [read(count, "webdataset", tmp_path / str(count)) for count in (small, large)]
    each = (held[1] - held[0]) / (large - small)
    assert each < 300, f"{each:.0f} bytes more for each object: {held}"
