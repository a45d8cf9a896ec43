"""COCO files that are written: what is one annotation again, what is computed anew, and what does not break an export."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gonk_node.formats.export import EXPORTERS
from gonk_node.formats.export.job import Job, Sample
from gonk_node.formats.folder import FolderWriter
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import Loss
from kit import formats

BOX = {"label": "a", "x": 1, "y": 2, "w": 3, "h": 4}
SQUARE = {"outer": [[0, 0], [10, 0], [10, 10], [0, 10]]}
HOLE = [[2, 2], [4, 2], [4, 4], [2, 4]]


def of_coco(number: int, **more: Any) -> dict[str, Any]:
    return {"attributes": {"coco": {"id": number, "image_id": 1, "category_id": 1, **more}}}


def written(
    tmp_path: Path, bodies: formats.Bodies, name: str = "instances", **options: Any
) -> tuple[dict[str, Any], Loss]:
    loss = formats.export([formats.sample("a.png", bodies)], "coco", tmp_path / "out", **options)
    return json.loads((tmp_path / "out/annotations" / f"{name}_default.json").read_bytes()), loss


def test_a_box_and_an_outline_of_one_annotation_are_one_again(tmp_path: Path) -> None:
    outline = {"label": "a", "parts": [SQUARE]}
    document, _ = written(tmp_path, [("bounding-box", BOX | of_coco(5)), ("polygon", outline | of_coco(5))])
    [found] = document["annotations"]
    assert (found["id"], found["bbox"], len(found["segmentation"])) == (5, [1, 2, 3, 4], 1)


def test_they_stay_apart_once_their_labels_differ(tmp_path: Path) -> None:
    outline = {"label": "b", "parts": [SQUARE]}
    document, _ = written(tmp_path, [("bounding-box", BOX | of_coco(5)), ("polygon", outline | of_coco(5))])
    assert sorted(each["id"] for each in document["annotations"]) == [6, 7]


def test_an_area_is_believed_until_somebody_changes_the_annotation(tmp_path: Path) -> None:
    one = formats.sample("a.png", [("bounding-box", BOX | of_coco(5, area=99.5))])
    changed = formats.sample("b.png", [("bounding-box", BOX | of_coco(6, area=99.5))])
    newer = tuple(each._replace(version=1) for each in changed.annotations)
    again = Sample(changed.uuid, 0, "b.png", "image/png", changed.size, changed.sha256, changed.open, newer)
    formats.export([one, again], "coco", tmp_path / "out")
    document = json.loads((tmp_path / "out/annotations/instances_default.json").read_bytes())
    assert {each["id"]: each["area"] for each in document["annotations"]} == {5: 99.5, 6: 12}


def test_holes_are_told_and_taken_from_the_area(tmp_path: Path) -> None:
    shapes = [
        ("polygon", {"label": "a", "parts": [SQUARE | {"holes": [HOLE]}]} | of_coco(1)),
        ("bounding-box", BOX | of_coco(1)),
    ]
    document, loss = written(tmp_path, shapes)
    assert document["annotations"][0]["area"] == 96
    assert [kind.what for kind in loss.kinds()] == ["holes of polygons, which are filled"]


@pytest.mark.parametrize("format_name", ["coco", "cvat", "label-studio", "voc", "yolo-detect"])
def test_a_number_that_cannot_be_reckoned_with_leaves_out_its_annotation_only(tmp_path: Path, format_name: str) -> None:
    far = {"label": "far", "x": 1e308, "y": -1e308, "w": 1e308, "h": 1e308, "attributes": {"x": 1e308}}
    near = BOX | {"attributes": {format_name.partition("-")[0]: {"note": 1e308}}}
    one = formats.sample("a.png", [("bounding-box", far), ("bounding-box", near)])
    loss = formats.export([one], format_name, tmp_path / "out")
    assert [each.what for each in loss.problems] == ["has a number beyond 1e+100; left out"]


def test_an_outline_that_would_not_be_read_back_is_told(tmp_path: Path) -> None:
    line = {"outer": [[1, 1], [2, 2], [3, 3]], "holes": []}
    outline = ("polygon", {"label": "a", "parts": [line]} | of_coco(1))
    _, loss = written(tmp_path, [outline, ("bounding-box", BOX | of_coco(1))])
    assert [kind.what for kind in loss.kinds()] == [
        "outlines without an area: readers take them for degenerate, gonk too"
    ]


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("polygon", {"label": "a", "parts": [SQUARE]}),
        ("mask", {"label": "a", "size": [2, 2], "counts": [0, 4]}),
        ("keypoints", {"label": "a", "points": [{"name": "x", "x": 1, "y": 1, "v": 2}]}),
    ],
)
def test_a_box_that_nobody_made_is_told(tmp_path: Path, schema: str, body: dict[str, Any]) -> None:
    _, loss = written(tmp_path, [(schema, body)])
    assert [kind.what for kind in loss.kinds()] == ["that there is no box: COCO wants one, which is made of the shape"]


def test_what_does_not_fit_the_schema_that_ships_is_left_out_and_told_once(tmp_path: Path) -> None:
    bad: list[dict[str, Any]] = [{}, {"label": 7}, BOX | {"x": "1"}, BOX | {"attributes": {"coco": [1]}, "w": 0}]
    document, loss = written(tmp_path, [("bounding-box", each) for each in [*bad, BOX]])
    assert len(document["annotations"]) == 1
    assert loss.problem_count == len(bad)


@pytest.mark.parametrize(
    "attributes", [{"coco": 7}, {"coco": {"id": "x", "image_id": [], "category_id": -1, "area": True}}, {}]
)
def test_odd_attributes_are_no_ids(tmp_path: Path, attributes: dict[str, Any]) -> None:
    document, _ = written(tmp_path, [("bounding-box", BOX | {"attributes": attributes})])
    [found] = document["annotations"]
    assert (found["id"], found["image_id"], found["category_id"], found["area"]) == (1, 1, 1, 12)


def test_a_label_set_brings_points_and_skeleton(tmp_path: Path) -> None:
    sets = {"keypoints": {"a": Label("a", "Person", index=4, keypoints=("head", "foot"), skeleton=(("foot", "head"),))}}
    body = {"label": "a", "points": [{"name": "foot", "x": 1, "y": 2, "v": 2}]}
    document, _ = written(tmp_path, [("keypoints", body)], "person_keypoints", labels=sets)
    [category] = document["categories"]
    assert (category["id"], category["name"]) == (4, "Person")
    assert (category["keypoints"], category["skeleton"]) == (["head", "foot"], [[2, 1]])
    assert document["annotations"][0]["keypoints"] == [0, 0, 0, 1, 2, 2]


def test_points_and_skeleton_come_from_the_label_set_that_has_them(tmp_path: Path) -> None:
    pointed = Label("a", "a", keypoints=("head", "foot"), skeleton=(("foot", "head"),))
    sets = {"bounding-box": {"a": Label("a", "a")}, "keypoints": {"a": pointed}}
    body = {"label": "a", "points": [{"name": "foot", "x": 1, "y": 2, "v": 2}], "box": {"x": 1, "y": 1, "w": 2, "h": 2}}
    document, loss = written(tmp_path, [("keypoints", body), ("bounding-box", BOX)], "person_keypoints", labels=sets)
    [category] = document["categories"]
    assert (category["keypoints"], category["skeleton"]) == (["head", "foot"], [[2, 1]])
    assert not loss


@pytest.mark.parametrize("format_name", ["coco", "cvat", "label-studio"])
def test_names_of_labels_that_label_sets_do_not_agree_about_are_told(tmp_path: Path, format_name: str) -> None:
    sets = {
        "bounding-box": {"a": Label("a", "Cat"), "b": Label("b", "dog"), "c": Label("c", "fox")},
        "polygon": {"a": Label("a", "cat"), "d": Label("d", "dog"), "c": Label("c", "fox")},
    }
    loss = formats.export([formats.sample("a.png", [])], format_name, tmp_path / "out", labels=sets)
    assert {kind.what: kind.places for kind in loss.kinds()} == {
        "names of labels that another schema's label set calls otherwise": ["label 'a' of polygon"],
        "names that are those of two labels, in files that have one list: they get ids": ["label 'd' of polygon"],
    }


@pytest.mark.slow
@pytest.mark.parametrize("format_name", ["coco", "label-studio", "voc", "yolo-detect"])
def test_memory_does_not_grow_with_the_dataset(
    tmp_path: Path, format_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gonk_node.formats.repeats._RUN", 64)  # what is sorted at a time, so that there are many
    held = [_held(100, format_name, tmp_path / "small"), _held(1000, format_name, tmp_path / "large")]
    each = (held[1] - held[0]) / (900 * 4)
    assert each < 60, f"{each:.0f} bytes more for each annotation: {held}"  # a parsed body alone takes a thousand


def _held(count: int, format_name: str, target: Path) -> int:
    """The most bytes that are held at the end of one of the passes over the samples, by gonk or as parsed JSON."""
    held = [0]

    def samples(*, annotations: bool = True) -> Iterator[Sample]:
        for index in range(count):
            boxes = [("bounding-box", BOX | of_coco(4 * index + each)) for each in range(4)]
            yield formats.sample(f"{index}.png", boxes, uuid=index.to_bytes(16, "big"))
        traces = tracemalloc.take_snapshot().filter_traces(
            [tracemalloc.Filter(True, f"*{part}*") for part in ("gonk_node", "json")]
        )
        held.append(sum(each.size for each in traces.statistics("filename")))

    tracemalloc.start()
    try:
        with FolderWriter(target) as folder:
            EXPORTERS[format_name](Job(samples, folder, Loss(), images=False))
    finally:
        tracemalloc.stop()
    return max(held)
