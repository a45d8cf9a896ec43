"""Samples as data frames, Parquet files and datasets of Hugging Face: nothing lost, the same bytes each time."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from gonk_node import Dataset, open_dataset
from gonk_node.core import limits
from gonk_node.errors import DiskFullError, ExistsError, InputFileError, PeerUnavailableError, UsageError
from gonk_node.formats.export.shards import parquet as export_parquet
from kit import formats, sample_dataset, tars
from kit.command_line import Gonk, exchange
from kit.sample_dataset import IMAGES

needs_datasets = pytest.mark.skipif(
    importlib.util.find_spec("datasets") is None, reason="datasets is not installed (extra hf)"
)


@pytest.fixture
def gonk(tmp_path: Path) -> Gonk:
    return sample_dataset.make(tmp_path)


@pytest.fixture
def cells(gonk: Gonk) -> Iterator[Dataset]:
    with open_dataset("cells", gonk.home) as opened:
        yield opened


def test_a_frame_has_a_row_for_each_sample(cells: Dataset) -> None:
    pytest.importorskip("pandas", reason="extra pandas")
    frame = cells.to_pandas()
    assert list(frame.columns) == ["uuid", "version", "name", "media_type", "size", "sha256", "annotations"]
    assert list(frame.uuid) == [str(sample.uuid) for sample in cells]
    for row, sample in zip(frame.itertuples(), cells, strict=True):
        assert (row.name, row.media_type, row.size, row.version) == (sample.name, "image/png", sample.object.size, 0)
        assert row.sha256 == hashlib.sha256(sample.bytes()).hexdigest()
        assert tuple(row.annotations) == sample.annotations


def test_a_frame_has_a_row_for_each_annotation(cells: Dataset) -> None:
    pytest.importorskip("pandas", reason="extra pandas")
    frame = cells.to_pandas("annotations")
    expected = [(str(s.uuid), s.name, str(a.uuid), a.schema, a.body) for s in cells for a in s.annotations]
    assert len(expected) == IMAGES - 1
    columns = ["object_uuid", "object_name", "uuid", "schema", "body"]
    assert list(frame[columns].itertuples(index=False, name=None)) == expected
    assert len(cells[:0].to_pandas("annotations").columns) == 7
    with pytest.raises(UsageError, match="no rows of 'pixels'"):
        cells.to_pandas("pixels")


def test_a_parquet_file_has_everything(cells: Dataset, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="extra parquet")
    cells.to_parquet(tmp_path / "cells.parquet")
    rows = parquet.read_table(tmp_path / "cells.parquet").to_pylist()
    assert [row["uuid"] for row in rows] == [str(sample.uuid) for sample in cells]
    for row, sample in zip(rows, cells, strict=True):
        assert row["content"] == sample.bytes()
        assert [json.loads(each["body"]) for each in row["annotations"]] == [each.body for each in sample.annotations]
        assert [each["schema"] for each in row["annotations"]] == [each.schema for each in sample.annotations]
    assert list(tmp_path.glob(".*")) == []


def test_a_parquet_file_is_the_same_each_time_and_in_bounded_groups(
    cells: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="extra parquet")
    sizes = [sample.object.size + sum(len(each.data) for each in sample.annotations) for sample in cells]
    expected = [2, 2, 1] if sum(sizes[2:]) > 2 * max(sizes) else [2, 3]
    monkeypatch.setattr(export_parquet, "PARQUET_GROUP_BYTES", 2 * max(sizes))
    for name in ("one", "two"):
        cells.to_parquet(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    file = parquet.ParquetFile(tmp_path / "one")
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == expected
    monkeypatch.setattr(export_parquet, "PARQUET_GROUP_ROWS", 3)
    cells.to_parquet(tmp_path / "one", content=False)
    file = parquet.ParquetFile(tmp_path / "one")
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [3, 2]
    assert "content" not in file.schema_arrow.names


def test_a_parquet_file_is_there_whole_or_as_before(
    cells: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow.parquet", reason="extra parquet")
    target = tmp_path / "cells.parquet"
    target.write_bytes(b"before")
    monkeypatch.setattr(export_parquet, "PARQUET_CONTENT_BYTES_MAX", 10)
    with pytest.raises(UsageError, match="do not fit a cell"):
        cells.to_parquet(target)
    assert target.read_bytes() == b"before"
    with pytest.raises(InputFileError, match="cannot be written"):
        cells.to_parquet(tmp_path / "missing" / "cells.parquet")
    assert [path.name for path in tmp_path.iterdir() if "parquet" in path.name] == ["cells.parquet"]


def test_export_writes_the_same_table_and_shards(gonk: Gonk, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow.parquet", reason="extra parquet")
    gonk.ok("schema", "add", "cells", "caption")
    gonk.accept_all()
    for name in ("parquet", "webdataset"):
        gonk.ok("export", "cells", name, tmp_path / name)
    with open_dataset("cells", gonk.home) as opened:
        opened.to_parquet(tmp_path / "cells.parquet")
        loss = opened.to_webdataset(tmp_path / "shards")
        opened[1:3].to_webdataset(tmp_path / "part")
        with pytest.raises(ExistsError) as refused:
            opened.to_webdataset(tmp_path / "part")
        assert refused.value.hint == "give another folder"
        wanted = {sample.uuid.hex for sample in opened[1:3]}
    assert (tmp_path / "cells.parquet").read_bytes() == (tmp_path / "parquet/data-00000.parquet").read_bytes()
    assert formats.files(tmp_path / "shards") == formats.files(tmp_path / "webdataset")
    assert not loss
    assert (repr(loss), str(loss)) == ("Loss(0 left out, 0 not carried)", "nothing was lost")
    loss.left_out("a\x1b[31m.png", "is no image")
    assert repr(loss) == "Loss(1 left out, 0 not carried)", "as a notebook shows it"
    keys = {name.partition(".")[0] for name, _ in tars.items(tmp_path / "part/shard-000000.tar")}
    assert keys == wanted


def test_a_full_disk_is_told_as_one(cells: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow.parquet", reason="extra parquet")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # bytes of a file; what goes beyond fails as on a full disk
    try:
        with pytest.raises(DiskFullError, match=r"cells.parquet: cannot be written"):
            cells.to_parquet(tmp_path / "cells.parquet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not [path.name for path in tmp_path.iterdir() if "parquet" in path.name]


def test_a_cell_never_holds_more_than_arrow_counts() -> None:
    assert limits.PARQUET_GROUP_BYTES < limits.PARQUET_CONTENT_BYTES_MAX < 2**31


@needs_datasets
@pytest.mark.slow
def test_every_shard_becomes_a_dataset_of_hugging_face_with_the_same_columns(cells: Dataset, tmp_path: Path) -> None:
    shards = [cells.shard(rank, IMAGES + 2).to_hf(cache_dir=tmp_path / "cache") for rank in range(IMAGES + 2)]
    assert [len(shard) for shard in shards] == [1] * IMAGES + [0, 0]
    assert all(shard.features == shards[0].features for shard in shards)
    assert "image" in shards[0].features
    assert shards[-1].map(lambda row: {"n": len(row["annotations"])}).num_rows == 0


@needs_datasets
@pytest.mark.slow
@pytest.mark.parametrize(("name", "data"), [("a.svg", "<svg/>"), ("empty.png", ""), ("a.pdf", "%PDF-1.4")])
def test_what_pillow_does_not_decode_makes_all_rows_bytes(gonk: Gonk, tmp_path: Path, name: str, data: str) -> None:
    gonk.add(name, data)
    gonk.accept_all()
    with open_dataset("cells", gonk.home) as cells:
        made = [part.to_hf(cache_dir=tmp_path / "cache") for part in (cells, cells[:1], cells.shard(1, 2))]
        assert [row["content"] for row in made[0]] == [sample.bytes() for sample in cells]
    assert all(each.features == made[0].features for each in made)


@needs_datasets
@pytest.mark.slow
def test_what_keeps_a_sample_from_being_read_is_told_by_hugging_face_too(gonk: Gonk, tmp_path: Path) -> None:
    other = Gonk(tmp_path, "other")
    other.ok("init", "--name", "Bob")
    exchange(gonk, other)  # entries alone
    with open_dataset("cells", other.home) as cells:
        with pytest.raises(PeerUnavailableError, match="no peer is known"):
            cells.to_hf(cache_dir=tmp_path / "cache")
        assert len(cells.to_hf(content=False, cache_dir=tmp_path / "cache")) == IMAGES
        gonk.file("file", "")
        with pytest.raises(InputFileError, match="cannot be written"):
            cells.to_hf(content=False, cache_dir=gonk.files / "file" / "cache")


@needs_datasets
@pytest.mark.slow
def test_a_dataset_of_hugging_face_has_everything(
    cells: Dataset, gonk: Gonk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    made = cells.to_hf(cache_dir=tmp_path / "cache")
    assert made["name"] == [sample.name for sample in cells]
    for row, sample in zip(made, cells, strict=True):
        assert row["image"].size == sample.image().size
        assert [json.loads(each["body"]) for each in row["annotations"]] == [each.body for each in sample.annotations]
    cells.close()
    gonk.add("notes.txt", "text")
    gonk.annotate("4.png")
    gonk.accept_all()
    with open_dataset("cells", gonk.home) as changed:
        made = changed.to_hf(cache_dir=tmp_path / "cache")
        assert sum(map(len, made["annotations"])) == IMAGES
        assert "image" not in made.column_names  # not all are images
        assert io.BytesIO(made["content"][0]).getvalue() == changed[0].bytes()
        bare = changed.to_hf(content=False, cache_dir=tmp_path / "cache")
        assert len(bare) == IMAGES + 1
        assert not {"image", "content"} & set(bare.column_names)
