"""Label Studio: what tasks become and are made of, and long arrays of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.formats.json_stream import read_array
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, Record
from gonk_node.state.strict_json import Problem
from kit import formats

SIZE = {"original_width": 200, "original_height": 100}
BOX = {"x": 10, "y": 20, "width": 50, "height": 30, "rotation": 0, "rectanglelabels": ["car"]}


def tasks(folder: Path, *results: Any, image: object = "images/a.png", **more: Any) -> list[Record]:
    """What is read of one task with those results."""
    (folder / "images").mkdir(exist_ok=True)
    (folder / "images/a.png").write_bytes(formats.png(200, 100))
    task = {"id": 7, "data": {"image": image}, "annotations": [{"id": 1, "result": list(results)}], **more}
    (folder / "tasks.json").write_text(json.dumps([task]))
    return formats.read("label-studio", folder, folder / "images")


def result(kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"id": "r1", "type": kind, "value": value, **SIZE, **more}


def read_one(folder: Path, kind: str, value: Any, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    return formats.bodies(tasks(folder, result(kind, value, **more)))["a.png"]


def test_percentages_become_pixels(tmp_path: Path) -> None:
    box = {"label": "car", "x": 20, "y": 20, "w": 100, "h": 30, "score": 0.5}
    assert read_one(tmp_path, "rectanglelabels", BOX, score=0.5) == [("bounding-box", box)]
    outline = {"points": [[0, 0], [100, 0], [50, 33.3]], "polygonlabels": ["tree"]}
    parts = [{"outer": [[0, 0], [200, 0], [100, 33.3]], "holes": []}]
    assert read_one(tmp_path, "polygonlabels", outline) == [("polygon", {"label": "tree", "parts": parts})]


def test_a_box_is_turned_clockwise_around_its_top_left_corner(tmp_path: Path) -> None:
    [(schema, body)] = read_one(tmp_path, "rectanglelabels", {**BOX, "rotation": 90})
    assert schema == "rotated-box"
    assert body == {"label": "car", "cx": 5, "cy": 70, "w": 100, "h": 30, "angle": 90}


def test_choices_and_texts(tmp_path: Path) -> None:
    assert read_one(tmp_path, "choices", {"choices": ["a"]}) == [("classification", {"label": "a"})]
    assert read_one(tmp_path, "choices", {"choices": ["a", "b"]}) == [("classification", {"labels": ["a", "b"]})]
    texts = [("caption", {"text": "x"}), ("caption", {"text": "y"})]
    assert read_one(tmp_path, "textarea", {"text": ["x", "y"]}) == texts
    assert read_one(tmp_path, "textarea", {"text": "x"}) == texts[:1]


@pytest.mark.parametrize(
    "image",
    ["a.png", "images/a.png", "/data/upload/3/a.png", "https://x.org/y/a.png?z=1", "/data/local-files/?d=images/a.png"],
)
def test_where_the_image_is(tmp_path: Path, image: str) -> None:
    assert [each.name for each in tasks(tmp_path, image=image) if isinstance(each, ImportedImage)] == ["a.png"]


@pytest.mark.parametrize("image", [None, 7, "", "none.png", "../tasks.json", "/data/local-files/?d=../tasks.json"])
def test_a_task_without_its_image_is_a_problem(tmp_path: Path, image: object) -> None:
    [problem] = tasks(tmp_path, image=image)
    assert isinstance(problem, Problem)
    assert problem.place.endswith("tasks.json: /0/data")


@pytest.mark.parametrize(
    "bad",
    [
        7,
        {},
        result("brushlabels", {"rle": []}),
        result("rectanglelabels", {**BOX, "rectanglelabels": []}),
        result("rectanglelabels", {**BOX, "original_width": 0}) | {"original_width": 0},
        result("rectanglelabels", {**BOX, "x": "wide"}),
        result("rectanglelabels", {**BOX, "width": 0}),
        result("rectanglelabels", {**BOX, "rotation": float("inf")}),
        result("polygonlabels", {"points": [[1, 2, 3]], "polygonlabels": ["x"]}),
        result("polygonlabels", {"points": [[1, 2]], "polygonlabels": ["x"]}),
        result("choices", {"choices": []}),
        result("textarea", {"text": [7]}),
    ],
)
def test_a_bad_result_is_a_problem_at_its_place_and_the_rest_is_read(tmp_path: Path, bad: Any) -> None:
    records = tasks(tmp_path, result("choices", {"choices": ["a"]}), bad)
    assert len([each for each in records if isinstance(each, ImportedAnnotation)]) == 1
    [problem] = [each for each in records if isinstance(each, Problem)]
    assert problem.place.endswith("/0/annotations/0/result/1")


def test_what_has_no_place_here_is_told(tmp_path: Path) -> None:
    two = {**BOX, "rectanglelabels": ["car", "red"]}
    records = tasks(tmp_path, result("rectanglelabels", two, image_rotation=90), predictions=[{}], meta={})
    assert [each.what.split(":")[0] for each in records if isinstance(each, NotCarried)] == [
        "'predictions' of tasks",
        "the rotation of images",
        "further labels of a region",
    ]


def test_what_is_lost_on_the_way_out_is_told_and_region_ids_come_back(tmp_path: Path) -> None:
    ring = [[0, 0], [8, 0], [8, 8]]
    bodies: formats.Bodies = [
        ("polygon", {"label": "a", "parts": [{"outer": ring, "holes": [ring]}, {"outer": ring, "holes": []}]}),
        ("classification", {"labels": ["a"], "scores": [1], "attributes": {"label-studio": {"id": "mine"}}}),
        ("rotated-box", {"label": "a", "cx": 9, "cy": 9, "w": 2, "h": 2, "angle": 0}),
        ("mask", {"label": "a", "size": [1, 1], "counts": [1]}),
    ]
    loss = formats.export([formats.sample("a.png", bodies)], "label-studio", tmp_path / "out")
    assert [kind.what.split(":")[0] for kind in loss.kinds()] == [
        "annotations of mask",
        "holes of polygons, which are filled",
        "scores of classification",
        "that boxes of angle 0 are rotated boxes",
        "that one label is a list of labels",
        "that several parts are one thing",
    ]
    [task] = read_array(tmp_path / "out/tasks.json")
    ids = [each["id"] for each in task["annotations"][0]["result"]]
    assert len(set(ids)) == 4 and ids[2] == "mine"
    other = formats.sample("b.png", [bodies[2]], data=b"no image")
    assert formats.export([other], "label-studio", tmp_path / "other").problem_count == 1
