"""Parquet files that are written: the layout, where groups and files end, and what does not fit a cell."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gonk_node.errors import MissingExtraError, RefusedError, StorageError
from gonk_node.formats import extras
from gonk_node.formats.export import EXPORTERS
from gonk_node.formats.export.job import Job, SchemaDocument
from gonk_node.formats.export.shards import parquet
from gonk_node.formats.folder import ExportFile, FolderWriter
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import Loss
from kit import formats

reader = pytest.importorskip("pyarrow.parquet", reason="extra parquet")

MINE = ("mine", {"any": ["thing", 1.5, "ä"]})


def groups(file: Path) -> list[int]:
    """The number of rows of each row group."""
    metadata = reader.read_metadata(file)
    return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


def test_a_row_is_an_object_with_all_that_is_on_it(tmp_path: Path) -> None:
    one = formats.sample("x/ü.txt", [MINE, ("caption", {"text": "x"})], data=b"text", media_type="text/plain")
    assert not formats.export([one], "parquet", tmp_path / "out")
    assert list(formats.files(tmp_path / "out")) == ["data-00000.parquet"]
    [row] = reader.read_table(tmp_path / "out").to_pylist()
    annotations = row.pop("annotations")
    assert row == {
        "uuid": str(UUID(bytes=one.uuid)),
        "version": 0,
        "name": "x/ü.txt",
        "media_type": "text/plain",
        "size": 4,
        "sha256": hashlib.sha256(b"text").hexdigest(),
        "content": b"text",
    }
    assert annotations[0] == {
        "uuid": str(UUID(bytes=one.annotations[0].uuid)),
        "version": 0,
        "schema": "schema-mine",
        "schema_version": 0,
        "body": '{"any":["thing",1.5,"ä"]}',
    }
    assert [each["schema"] for each in annotations] == ["schema-mine", "schema-caption"]


def test_pandas_reads_the_folder_as_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas", reason="extra pandas")
    monkeypatch.setattr(parquet, "PARQUET_FILE_BYTES", 1)
    formats.export([formats.sample(f"{n}.png", [MINE]) for n in range(3)], "parquet", tmp_path / "out")
    assert sorted(formats.files(tmp_path / "out")) == [f"data-{n:05d}.parquet" for n in range(3)]
    frame = pandas.read_parquet(tmp_path / "out")
    assert sorted(frame.name) == ["0.png", "1.png", "2.png"]
    assert [json.loads(each[0]["body"]) for each in frame.annotations] == [MINE[1]] * 3


def test_schemas_and_label_sets_are_in_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "PARQUET_FILE_BYTES", 1)
    samples = [formats.sample(f"{n}.png", []) for n in range(2)]
    with FolderWriter(tmp_path / "out") as folder:
        sets = {"mine": {"a": Label("a", "A")}}
        EXPORTERS["parquet"](
            Job(lambda: iter(samples), folder, Loss(), True, sets, [SchemaDocument("mine", 0, b"true")])
        )
    for number in range(2):
        found = reader.read_metadata(tmp_path / f"out/data-{number:05d}.parquet").metadata
        assert found[b"gonk.schemas"] == b'{"document":"true","name":"mine","version":0}\n'
        assert found[b"gonk.labels"] == b'{"labels":[{"id":"a","name":"A"}],"schema":"schema-mine"}\n'
    monkeypatch.setattr(parquet, "PARQUET_METADATA_BYTES_MAX", 10)
    with FolderWriter(tmp_path / "none") as folder, pytest.raises(RefusedError, match="which no Parquet file takes"):
        EXPORTERS["parquet"](
            Job(lambda: iter(samples), folder, Loss(), True, sets, [SchemaDocument("mine", 0, b"true")])
        )


def test_groups_end_by_rows_and_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [formats.sample(f"{n}.png", [], data=bytes([n]) * 1000) for n in range(7)]
    monkeypatch.setattr(parquet, "PARQUET_GROUP_ROWS", 3)
    formats.export(samples, "parquet", tmp_path / "one")
    assert groups(tmp_path / "one/data-00000.parquet") == [3, 3, 1]
    monkeypatch.setattr(parquet, "PARQUET_GROUP_BYTES", 2000)
    formats.export(samples, "parquet", tmp_path / "two")
    assert groups(tmp_path / "two/data-00000.parquet") == [2, 2, 2, 1]
    monkeypatch.setattr(parquet, "PARQUET_FILE_BYTES", 3000)
    formats.export(samples, "parquet", tmp_path / "three")
    assert [groups(path) for path in sorted((tmp_path / "three").iterdir())] == [[2, 1], [2, 1], [1]]


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    samples = [formats.sample(f"{n}.png", [MINE] * n) for n in range(4)]
    formats.export(samples, "parquet", tmp_path / "one")
    formats.export(reversed(samples), "parquet", tmp_path / "two")
    assert formats.files(tmp_path / "one") == formats.files(tmp_path / "two")


def test_nothing_is_a_file_without_rows(tmp_path: Path) -> None:
    formats.export([], "parquet", tmp_path / "out")
    assert reader.read_table(tmp_path / "out/data-00000.parquet").num_rows == 0


def test_without_images_there_is_no_column_of_bytes(tmp_path: Path) -> None:
    formats.export([formats.sample("a.png", [MINE])], "parquet", tmp_path / "out", images=False)
    assert "content" not in reader.read_table(tmp_path / "out").column_names


@pytest.mark.parametrize("limit", ["PARQUET_CONTENT_BYTES_MAX", "PARQUET_ANNOTATIONS_BYTES_MAX"])
def test_what_fits_no_cell_is_left_out_and_told(tmp_path: Path, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, limit, 100)
    large = formats.sample("a", [("mine", {"a": "x" * 100})], data=bytes(101))
    loss = formats.export([replace(large, size=1), formats.sample("b", [])], "parquet", tmp_path / "out")
    assert reader.read_table(tmp_path / "out").column("name").to_pylist() == ["b"]
    assert [("do not fit a cell" in each.what, each.place) for each in loss.problems] == [(True, "object 'a'")]


def test_bytes_of_another_sha256_are_written_and_told(tmp_path: Path) -> None:
    one = replace(formats.sample("a.png", [], data=b"abc"), sha256=bytes(32))
    loss = formats.export([one], "parquet", tmp_path / "out")
    assert reader.read_table(tmp_path / "out").column("content").to_pylist() == [b"abc"]
    assert ["another SHA-256" in each.what for each in loss.problems] == [True]


def test_a_full_disk_is_told_as_such_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: ExportFile, data: bytes) -> None:
        raise StorageError(f"no room for {len(data)} bytes")

    monkeypatch.setattr(ExportFile, "write", full)
    with pytest.raises(StorageError, match="no room for"):
        formats.export([formats.sample("a.png", [MINE])], "parquet", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_it_is_told_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(MissingExtraError) as raised:
        formats.export([], "parquet", tmp_path / "out")
    assert raised.value.hint == 'pip install "gonk-node[parquet]"'
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises(MissingExtraError):
        formats.read("parquet", tmp_path)
