"""datumaro reads what gonk exports, and gonk reads what datumaro writes: COCO, Pascal VOC and YOLO."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.formats.sample import ImportedAnnotation, ImportedLabels
from gonk_node.state.strict_json import Problem
from kit import formats, other_tools
from kit.release_facts import facts
from kit.sample_dataset import png

BOX = {"label": "dog", "x": 10, "y": 5, "w": 20, "h": 10}
TRIANGLE = {"label": "cat", "parts": [{"outer": [[1, 1], [11, 1], [11, 21]], "holes": []}]}


def exported(tmp_path: Path, format_name: str, bodies: formats.Bodies) -> Path:
    """Two images, the first of which has all of the bodies; and what stands beside the export of a release."""
    samples = [formats.sample("a.png", bodies, data=png(60, 40)), formats.sample("b.png", [], data=png(60, 41))]
    assert formats.export(samples, format_name, tmp_path / "out", release=facts()).problem_count == 0
    return tmp_path / "out"


def found(read: Any, item: str = "a") -> list[tuple[str, str, Any]]:
    return sorted((each["kind"], each["label"], each.get("points", each.get("area"))) for each in read["items"][item])


def test_it_reads_our_coco(tmp_path: Path) -> None:
    mask = ("mask", {"label": "dog", "size": [40, 60], "counts": [400, 10, 1990]})
    out = exported(tmp_path, "coco", [("bounding-box", BOX), ("polygon", TRIANGLE), mask])
    read = other_tools.run("datumaro_read", "coco_instances", out / "annotations/instances_default.json")
    assert read["items"].keys() == {"a", "b"}
    assert sorted(read["labels"]) == ["cat", "dog"]
    assert found(read) == [  # and a box around each, as COCO has it
        ("bbox", "cat", [1, 1, 11, 21]),
        ("bbox", "dog", [10, 0, 11, 10]),
        ("bbox", "dog", [10, 5, 30, 15]),
        ("mask", "dog", 10),
        ("polygon", "cat", [1, 1, 11, 1, 11, 21]),
    ]


def test_it_reads_our_voc(tmp_path: Path) -> None:
    out = exported(tmp_path, "voc", [("bounding-box", {**BOX, "truncated": True, "difficult": False})])
    read = other_tools.run("datumaro_read", "voc_detection", out)
    assert read["items"].keys() == {"a", "b"}
    (box,) = read["items"]["a"]
    assert (box["label"], box["points"]) == ("dog", [11, 6, 30, 15])  # it takes the pixels' numbers for coordinates
    assert box["attributes"]["truncated"] is True


def test_it_reads_our_yolo(tmp_path: Path) -> None:
    out = exported(tmp_path, "yolo-detect", [("bounding-box", BOX), ("bounding-box", {**BOX, "label": "cat"})])
    read = other_tools.run("datumaro_read", "yolo", out)
    assert read["items"].keys() == {"a"}  # b has no label file: nobody looked
    assert read["labels"] == ["cat", "dog"]
    assert found(read) == [("bbox", label, [10, 5, 30, 15]) for label in ("cat", "dog")]


@pytest.mark.parametrize(
    ("theirs", "ours", "schemas"),
    [
        ("coco_instances", "coco", ["bounding-box", "mask", "polygon"]),
        ("voc_detection", "voc", ["bounding-box"]),
        ("yolo", "yolo-detect", ["bounding-box", "reviewed-empty"]),
        ("yolo_ultralytics", "yolo-detect", ["bounding-box", "reviewed-empty"]),
    ],
)
def test_we_read_what_it_writes(tmp_path: Path, theirs: str, ours: str, schemas: list[str]) -> None:
    other_tools.run("datumaro_write", theirs, tmp_path / "in")
    images = {"coco": tmp_path / "in/images/train", "voc": tmp_path / "in/JPEGImages"}.get(ours)
    records = formats.read(ours, tmp_path / "in", images)
    assert [each for each in records if isinstance(each, Problem)] == []
    annotations = [each for each in records if isinstance(each, ImportedAnnotation)]
    assert {each.schema for each in annotations} == set(schemas)
    assert {each.image_name.rpartition("/")[2] for each in annotations if each.schema in schemas[:1]} == {"a.png"}
    boxes = [json.loads(each.body) for each in annotations if each.schema == "bounding-box"]
    dog = next(each for each in boxes if each["label"] == "dog")
    shift = 1 if ours == "voc" else 0  # VOC counts pixels, from 1; it writes coordinates
    assert [dog[side] for side in "xywh"] == pytest.approx([10 - shift, 5 - shift, 20 + shift, 10 + shift], abs=1e-4)
    if ours != "voc":
        declared = next(each for each in records if isinstance(each, ImportedLabels))
        assert [label.id for label in declared.labels] == ["cat", "dog"]
