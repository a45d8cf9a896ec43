"""Hugging Face's datasets reads the tables and shards that gonk exports, and gonk reads the tables that it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels
from gonk_node.state.strict_json import Problem
from kit import formats, other_tools
from kit.sample_dataset import png

pytest.importorskip("pyarrow", reason="extra parquet")

BOX = {"label": "dog", "x": 10, "y": 5, "w": 20, "h": 10}


def exported(tmp_path: Path, format_name: str) -> Path:
    """Two images with a box and a class each."""
    samples = [
        formats.sample(
            f"{n}.png", [("bounding-box", BOX), ("classification", {"label": "ab"[n]})], data=png(60, 40 + n)
        )
        for n in range(2)
    ]
    assert formats.export(samples, format_name, tmp_path / "out").problem_count == 0
    return tmp_path / "out"


def test_it_reads_our_tables(tmp_path: Path) -> None:
    out = exported(tmp_path, "parquet")
    read = other_tools.run("hugging_face_read", "parquet", out / "data-00000.parquet", tmp_path / "cache")
    assert read["columns"] == sorted(
        ("uuid", "version", "name", "media_type", "size", "sha256", "annotations", "content")
    )
    assert sorted(row["name"] for row in read["rows"]) == ["0.png", "1.png"]
    for row in read["rows"]:
        assert [each["schema"] for each in row["annotations"]] == ["schema-bounding-box", "schema-classification"]
        assert json.loads(row["annotations"][0]["body"]) == BOX
        assert row["bytes"] == len(png(60, 40 + int(row["name"][0])))


def test_it_reads_our_shards(tmp_path: Path) -> None:
    out = exported(tmp_path, "webdataset")
    read = other_tools.run("hugging_face_read", "webdataset", out / "shard-000000.tar", tmp_path / "cache")
    rows = sorted(read["rows"], key=lambda row: row["name"])
    assert rows == [{"name": f"{n}.png", "size": [60, 40 + n], "cls": n} for n in range(2)]


def test_we_read_what_it_writes(tmp_path: Path) -> None:
    other_tools.run("hugging_face_write", tmp_path / "in")
    records = formats.read("parquet", tmp_path / "in")
    objects = [each for each in records if isinstance(each, ImportedImage)]
    assert [(each.name, each.media_type) for each in objects] == [
        (f"train-00000{n}.png", "image/png") for n in (1, 2, 3)
    ]
    said = [
        (each.image_name[11], each.schema, json.loads(each.body))
        for each in records
        if isinstance(each, ImportedAnnotation)
    ]
    for _, _, body in said:
        body.pop("attributes")
    assert said == [
        ("1", "classification", {"label": "dog"}),
        ("1", "classification", {"labels": ["indoors", "night"]}),
        ("1", "caption", {"text": "A dog."}),
        ("2", "classification", {"label": "cat"}),
        ("2", "caption", {"text": "A cat."}),
        ("3", "classification", {"labels": ["night"]}),
    ]
    [declared] = [each for each in records if isinstance(each, ImportedLabels)]
    assert [label.id for label in declared.labels] == ["cat", "dog", "indoors", "night"]
    assert [each.what for each in records if isinstance(each, Problem | NotCarried)] == ["the column 'boxes'"]
