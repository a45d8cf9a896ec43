"""Label Studio's own library reads what gonk exports, and gonk reads what its converters write."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from gonk_node.core.ids import uuid_text
from gonk_node.formats import rle
from gonk_node.formats.label_set import Label
from gonk_node.formats.label_studio import brush as label_studio_brush
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels
from gonk_node.state.strict_json import Problem
from kit import formats, label_studio, other_tools
from kit.sample_dataset import png

WIDTH, HEIGHT = 60, 40
MASK = [2 * HEIGHT + 5, 10, WIDTH * HEIGHT - 2 * HEIGHT - 15]  # ten pixels of the third column
OUTLINE = [[1, 1], [11, 1], [11, 21]]
BODIES: formats.Bodies = [
    ("bounding-box", {"label": "dog", "x": 10, "y": 5, "w": 20, "h": 10, "score": 0.5}),
    ("rotated-box", {"label": "cat", "cx": 30, "cy": 20, "w": 10, "h": 4, "angle": 30}),
    ("polygon", {"label": "cat", "parts": [{"outer": OUTLINE, "holes": []}]}),
    ("mask", {"label": "dog", "size": [HEIGHT, WIDTH], "counts": MASK}),
    ("classification", {"label": "outside"}),
    ("multi-label", {"labels": ["wet", "cold"]}),
    ("caption", {"text": "=a dog, and a cat"}),
    ("rating", {"value": 4, "min": 1, "max": 5, "step": 1}),
    ("rating", {"value": 0.5, "min": 0, "max": 1}),
    ("ocr-line", {"label": "sign", "outline": [[1, 1], [9, 1], [9, 4], [1, 4]], "text": "STOP"}),
    ("polyline", {"label": "lane", "points": [[0, 0], [9, 9]]}),
]
POSE = {
    "label": "person",
    "points": [{"name": "nose", "x": 12, "y": 8, "v": 2}, {"name": "ear", "x": 14, "y": 9, "v": 2}],
    "box": {"x": 5, "y": 5, "w": 20, "h": 30},
}
LABELS = {
    "bounding-box": {
        "dog": Label("dog", "dog", colour="#ff0000", hotkey="d", index=7),
        "bird": Label("bird", "bird", hotkey="b", index=3),
    }
}


def exported(folder: Path, bodies: formats.Bodies) -> Path:
    """An image with all of the bodies, and one without any."""
    samples = [
        formats.sample("a.png", bodies, data=png(WIDTH, HEIGHT)),
        formats.sample("b c.png", [], data=png(WIDTH, HEIGHT + 1)),
    ]
    assert formats.export(samples, "label-studio", folder / "out", labels=LABELS).problem_count == 0
    return folder / "out"


def converted(out: Path, format_name: str) -> dict[str, Any]:
    found: dict[str, Any] = other_tools.run(
        "label_studio_convert", format_name, out / "label_config.xml", out / "tasks.json", out.parent / format_name
    )
    return found


def checked(out: Path, kind: str = "") -> dict[str, Any]:
    name = (f"tasks-{kind}.label_config.xml", f"tasks-{kind}.json") if kind else ("label_config.xml", "tasks.json")
    found: dict[str, Any] = other_tools.run("label_studio_check", *(out / each for each in name))
    return found


def test_it_finds_nothing_wrong_in_our_tasks_and_config(tmp_path: Path) -> None:
    sample = formats.sample("a.png", [*BODIES, ("keypoints", POSE)], data=png(WIDTH, HEIGHT))
    ends = {"head": uuid_text(sample.annotations[0].uuid), "tail": uuid_text(sample.annotations[2].uuid)}
    relation = ("relation", {"label": "near", **ends})
    found = checked(exported(tmp_path, [*BODIES, ("keypoints", POSE), relation]))
    assert found["wrong"] == []
    assert found["controls"]["box"] == ["RectangleLabels", ["dog", "bird"]]


def test_it_finds_nothing_wrong_in_texts_and_sounds(tmp_path: Path) -> None:
    text = formats.sample(
        "a.txt",
        [("text-span", {"label": "person", "start": 4, "end": 7}), ("classification", {"label": "calm"})],
        data="Hi 👋Ada".encode(),
        media_type="text/plain",
    )
    sound = formats.sample(
        "a.wav",
        [("audio-segment", {"label": "A", "start_s": 0.5, "end_s": 2, "channel": 1, "text": "Hi."})],
        data=b"RIFF",
        media_type="audio/wav",
    )
    assert formats.export([text, sound], "label-studio", tmp_path / "out").problem_count == 0
    assert [checked(tmp_path / "out", kind)["wrong"] for kind in ("text", "audio")] == [[], []]
    conll = other_tools.run(
        "label_studio_convert",
        "CONLL2003",
        tmp_path / "out/tasks-text.label_config.xml",
        tmp_path / "out/tasks-text.json",
        tmp_path / "conll",
    )
    assert "👋Ada -X- _ B-person" in conll["result.conll"]


def test_it_makes_coco_with_our_boxes_and_outlines(tmp_path: Path) -> None:
    coco = json.loads(converted(exported(tmp_path, BODIES[:3]), "COCO")["result.json"])
    assert sorted(each["height"] for each in coco["images"]) == [HEIGHT, HEIGHT + 1]
    names = {each["id"]: each["name"] for each in coco["categories"]}
    assert names[7] == "dog"
    assert names[3] == "bird"  # the numbers of the label set
    box, _, outline = coco["annotations"]
    assert (names[box["category_id"]], box["bbox"]) == ("dog", pytest.approx([10, 5, 20, 10], abs=1e-6))
    points = [side for point in OUTLINE for side in point]
    assert names[outline["category_id"]] == "cat"
    assert outline["segmentation"] == [pytest.approx(points, abs=1e-6)]


def test_it_makes_yolo_obb_with_our_turned_boxes(tmp_path: Path) -> None:
    out = exported(tmp_path, BODIES[:2])
    ours = formats.export([formats.sample("a.png", BODIES[1:2], data=png(WIDTH, HEIGHT))], "yolo-obb", tmp_path / "obb")
    assert not ours
    theirs = converted(out, "YOLO_OBB")["labels/a.txt"].splitlines()[1]
    wanted = (tmp_path / "obb/labels/a.txt").read_text()
    assert list(map(float, theirs.split()[1:])) == pytest.approx(list(map(float, wanted.split()[1:])), abs=1e-6)


def test_it_makes_voc_and_csv_of_our_tasks(tmp_path: Path) -> None:
    out = exported(tmp_path, BODIES)
    boxes = ElementTree.fromstring(converted(out, "VOC")["Annotations/a.xml"].encode()).findall("object")
    assert [each.findtext("name") for each in boxes] == ["dog", "cat", "sign"]
    rows = list(csv.DictReader(io.StringIO(converted(out, "CSV")["result.csv"])))
    [row] = [row for row in rows if row["image"].endswith("a.png")]
    assert (row["choice"], row["caption"]) == ("outside", "=a dog, and a cat")
    assert json.loads(row["choices"])["choices"] == ["wet", "cold"]
    assert json.loads(row["rating"])[0]["rating"] == 4


def test_it_makes_poses_of_our_keypoints(tmp_path: Path) -> None:
    line = converted(exported(tmp_path, [("keypoints", POSE)]), "YOLO")["labels/a.txt"].split()
    wanted = [15 / 60, 20 / 40, 20 / 60, 30 / 40, 14 / 60, 9 / 40, 2, 12 / 60, 8 / 40, 2]  # ear, nose
    assert list(map(float, line[1:])) == pytest.approx(wanted, abs=1e-9)


def test_it_makes_the_pixels_of_our_masks(tmp_path: Path) -> None:
    [found] = converted(exported(tmp_path, [BODIES[3]]), "BRUSH_TO_NUMPY").values()
    assert found == [10, 5 * WIDTH + 2, 14 * WIDTH + 2]


def test_brush_regions_are_the_same_both_ways(tmp_path: Path) -> None:
    masks = [MASK, [0, WIDTH * HEIGHT], [WIDTH * HEIGHT], [0, 1, WIDTH * HEIGHT - 2, 1]]
    given = []
    for runs in masks:
        columns = [255 * (index % 2) for index, run in enumerate(runs) for _ in range(run)]
        rows = [[columns[x * HEIGHT + y] for x in range(WIDTH)] for y in range(HEIGHT)]
        given.append([rows, label_studio_brush.encode(runs, WIDTH, HEIGHT)])
    (tmp_path / "masks.json").write_text(json.dumps(given))
    found = other_tools.run("label_studio_brush", tmp_path / "masks.json")
    for runs, (rows, ours), (theirs, pixels) in zip(masks, given, found, strict=True):
        assert ours == theirs  # byte for byte
        assert pixels == rows
        assert label_studio_brush.decode(theirs, WIDTH, HEIGHT) == rle.decode(rle.encode(runs))


def test_we_read_what_it_makes_of_coco(tmp_path: Path) -> None:
    sample = formats.sample("a.png", BODIES[:1] + BODIES[2:3], data=png(WIDTH, HEIGHT))
    formats.export([sample], "coco", tmp_path / "coco")
    coco = tmp_path / "coco/annotations/instances_default.json"
    other_tools.run("label_studio_write", "coco", coco, tmp_path / "coco/tasks.json")
    records = formats.read("label-studio", tmp_path / "coco", tmp_path / "coco/images")
    assert [each for each in records if isinstance(each, Problem | NotCarried)] == []
    bodies = formats.bodies(records)["a.png"]
    assert ("bounding-box", {"label": "dog", "x": 10, "y": 5, "w": 20, "h": 10}) in bodies
    assert ("polygon", BODIES[2][1]) in bodies
    declared = {each.schema: each for each in records if isinstance(each, ImportedLabels)}
    assert [label.id for label in declared["bounding-box"].labels] == ["cat", "dog"]
    assert all(label.colour is not None for label in declared["polygon"].labels)


def test_we_read_what_it_makes_of_yolo(tmp_path: Path) -> None:
    samples = [
        formats.sample("a.png", BODIES[:1], data=png(WIDTH, HEIGHT)),
        formats.sample("b.png", [], data=png(9, 9)),
    ]
    formats.export(samples, "yolo-detect", tmp_path / "yolo")
    (tmp_path / "yolo/classes.txt").write_text("dog\n")
    other_tools.run("label_studio_write", "yolo", tmp_path / "yolo", tmp_path / "yolo/tasks.json")
    records = formats.read("label-studio", tmp_path / "yolo", tmp_path / "yolo/images")
    assert [each for each in records if isinstance(each, Problem | NotCarried)] == []
    assert formats.bodies(records) == {
        "a.png": [("bounding-box", {"label": "dog", "x": 10, "y": 5, "w": 20, "h": 10})],
        "b.png": [],
    }


def test_we_refuse_its_json_min(tmp_path: Path) -> None:
    (tmp_path / "min").mkdir()
    (tmp_path / "min/tasks.json").write_text(converted(exported(tmp_path, BODIES[:1]), "JSON_MIN")["result.json"])
    with pytest.raises(Exception, match="JSON-MIN") as error:
        formats.read("label-studio", tmp_path / "min")
    assert "export the project as JSON" in str(error.value)


def test_what_its_tasks_say_of_people_is_read_by_its_converter(tmp_path: Path) -> None:
    task = {"id": 7, "data": {"image": "a.png"}, "annotations": [label_studio.said(11, *label_studio.IMAGE_RESULTS)]}
    folder = label_studio.write(tmp_path, task)
    samples = formats.read_samples("label-studio", folder, folder / "images")
    formats.export(samples, "label-studio", tmp_path / "out")
    assert checked(tmp_path / "out")["wrong"] == []
    [row] = csv.DictReader(io.StringIO(converted(tmp_path / "out", "CSV")["result.csv"]))
    assert [row[name] for name in ("id", "annotation_id", "annotator", "created_at", "lead_time")] == [
        "7",
        "11",
        "3",
        label_studio.PERSON["created_at"],
        "12.5",
    ]
    assert any(isinstance(each, ImportedAnnotation) for each in formats.read("label-studio", tmp_path / "out"))
    assert any(isinstance(each, ImportedImage) for each in formats.read("label-studio", tmp_path / "out"))
