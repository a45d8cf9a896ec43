"""datumaro reads what gonk exports, and gonk reads what datumaro writes: COCO, CVAT, Pascal VOC and YOLO."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.formats import rle
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


CVAT: formats.Bodies = [
    ("bounding-box", BOX),
    ("rotated-box", {"label": "cat", "cx": 20, "cy": 15, "w": 10, "h": 6, "angle": 30}),
    ("polygon", TRIANGLE),
    ("polyline", {"label": "cat", "points": [[1, 1], [11, 1], [11, 21]]}),
    (
        "keypoints",
        {"label": "cat", "points": [{"name": "0", "x": 1, "y": 2, "v": 2}, {"name": "1", "x": 3, "y": 4, "v": 2}]},
    ),
    ("mask", {"label": "dog", "size": [40, 60], "counts": [400, 10, 1990]}),
    ("classification", {"label": "dog"}),
]


def test_it_reads_our_cvat(tmp_path: Path) -> None:
    out = exported(tmp_path, "cvat", CVAT)
    read = other_tools.run("datumaro_read", "cvat", out)
    assert read["items"].keys() == {"a", "b"}
    assert sorted(read["labels"]) == ["cat", "dog"]
    assert found(read) == [
        ("bbox", "dog", [10, 5, 30, 15]),
        ("label", "dog", None),
        ("mask", "dog", 10),
        ("points", "cat", [1, 2, 3, 4]),
        ("polygon", "cat", [1, 1, 11, 1, 11, 21]),
        ("polyline", "cat", [1, 1, 11, 1, 11, 21]),
        ("rotated_bbox", "cat", [20, 15, 10, 6, 30]),
    ]


def test_it_reads_our_tracks_of_cvat(tmp_path: Path) -> None:
    keyframes = [
        {"frame": 3, "shape": {"box": {"x": 10, "y": 5, "w": 20, "h": 10}}, "occluded": True},
        {"frame": 9, "outside": True},
    ]
    said = {"cvat": {"track_id": 4, "original_size": {"width": 60, "height": 40}}}
    body = {"label": "dog", "interpolation": "linear", "keyframes": keyframes, "attributes": said}
    sample = formats.sample("clip.mp4", [("video-track", body)], data=b"video", media_type="video/mp4")
    assert not formats.export([sample], "cvat", tmp_path / "out")
    read = other_tools.run("datumaro_read", "cvat", tmp_path / "out/tracks")
    flags = [
        [box["attributes"][name] for name in ("track_id", "keyframe", "outside", "occluded")]
        for item in ("frame_000003", "frame_000009")
        for box in read["items"][item]
    ]
    assert flags == [[4, True, False, True], [4, True, True, False]]
    assert found(read, "frame_000003") == [("bbox", "dog", [10, 5, 30, 15])]


def test_we_read_its_cvat_value_by_value(tmp_path: Path) -> None:
    other_tools.run("datumaro_write", "cvat", tmp_path / "in")
    records = formats.read("cvat", tmp_path / "in", tmp_path / "in/images")
    cat = ("bounding-box", {"label": "cat", "x": 0, "y": 0, "w": 7, "h": 9})
    wanted = [(schema, {**body, "occluded": False}) for schema, body in [cat, *CVAT[:5]]]
    mask = {"label": "dog", "size": [40, 60], "counts": rle.encode([405, 10, *[30, 10] * 19, 1225]), "occluded": False}
    wanted += [("mask", mask), CVAT[-1]]
    read = formats.bodies(records)
    assert sorted(json.dumps(each, sort_keys=True) for each in read["a.png"]) == sorted(
        json.dumps(each, sort_keys=True) for each in wanted
    )
    assert read["b.png"] == []


def test_we_read_its_tracks_of_cvat(tmp_path: Path) -> None:
    other_tools.run("datumaro_write", "cvat_video", tmp_path / "in")
    (tmp_path / "in/train.mp4").write_bytes(b"video")  # it names none: the one of the file's name is meant
    [(name, [(schema, body)])] = formats.bodies(formats.read("cvat", tmp_path / "in")).items()
    assert (name, schema, body["label"]) == ("train.mp4", "video-track", "dog")
    assert body["keyframes"] == [
        {"frame": 1, "occluded": True, "shape": {"box": {"x": 10, "y": 5, "w": 20, "h": 10}}},
        {"frame": 2, "occluded": True, "shape": {"box": {"x": 11, "y": 5, "w": 20, "h": 10}}},
    ]


@pytest.mark.parametrize(
    ("theirs", "ours", "schemas"),
    [
        ("coco_instances", "coco", ["bounding-box", "mask", "polygon"]),
        ("cvat", "cvat", ["bounding-box", *sorted({schema for schema, _ in CVAT} - {"bounding-box"})]),
        ("voc_detection", "voc", ["bounding-box"]),
        ("yolo", "yolo-detect", ["bounding-box", "reviewed-empty"]),
        ("yolo_ultralytics", "yolo-detect", ["bounding-box", "reviewed-empty"]),
    ],
)
def test_we_read_what_it_writes(tmp_path: Path, theirs: str, ours: str, schemas: list[str]) -> None:
    other_tools.run("datumaro_write", theirs, tmp_path / "in")
    folders = {"coco": "in/images/train", "cvat": "in/images", "voc": "in/JPEGImages"}
    images = tmp_path / folders[ours] if ours in folders else None
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
