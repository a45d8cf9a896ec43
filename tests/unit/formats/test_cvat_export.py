"""CVAT files that are written: the layout, what comes back of an import, labels and tasks, and what is told as lost."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from gonk_node.formats.export import EXPORTERS
from gonk_node.formats.export.job import Job, Sample
from gonk_node.formats.folder import FolderWriter
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import Loss
from gonk_node.formats.strict_xml import parse
from kit import cvat, formats

BOX = {"label": "a", "x": 1, "y": 2, "w": 3.5, "h": 4}
RING = [[0, 0], [10, 0], [10, 10]]
TASK = {"id": 4, "name": "cells", "owner": "ada", "created": "then", "updated": "now"}


def of_cvat(body: dict[str, Any], **said: Any) -> dict[str, Any]:
    return {**body, "attributes": {"cvat": said}}


def written(tmp_path: Path, bodies: formats.Bodies, **options: Any) -> tuple[Element, Loss]:
    """What is written of one image."""
    loss = formats.export([formats.sample("a.png", bodies)], "cvat", tmp_path / "out", **options)
    return parse((tmp_path / "out/annotations.xml").read_bytes()), loss


def shapes(root: Element) -> list[Element]:
    return [shape for image in root.iterfind("image") for shape in image]


def kinds(loss: Loss) -> list[str]:
    return [kind.what for kind in loss.kinds()]


def track(*keyframes: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    return "video-track", {"label": "car", "interpolation": "linear", "keyframes": list(keyframes), **more}


def at(frame: int, x: float = 0, **more: Any) -> dict[str, Any]:
    return {"frame": frame, "shape": {"box": {"x": x, "y": 2, "w": 3, "h": 4}}, **more}


def video(tmp_path: Path, bodies: formats.Bodies, name: str = "clip.mp4", **options: Any) -> tuple[Element, Loss]:
    """What is written of one video."""
    sample = formats.sample(name, bodies, data=b"video", media_type="video/mp4")
    loss = formats.export([sample], "cvat", tmp_path / "out", **options)
    return parse((tmp_path / f"out/tracks/{name.replace('/', '_')}.xml").read_bytes()), loss


# --- layout -------------------------------------------------------------------------------------------------


def test_images_and_videos_lie_in_images_and_each_video_has_a_file(tmp_path: Path) -> None:
    samples = [
        formats.sample("b/a.png", [("bounding-box", BOX)]),
        formats.sample("b/clip.mp4", [track(at(0))], data=b"video", media_type="video/mp4"),
        formats.sample("odd.mkv", [track(at(0))], data=b"other", media_type="application/octet-stream"),
        formats.sample("empty.avi", [], data=b"more", media_type="video/x-msvideo"),
        formats.sample("notes.txt", [("classification", {"label": "x"})], data=b"text", media_type="text/plain"),
    ]
    loss = formats.export(samples, "cvat", tmp_path / "out")
    assert sorted(formats.files(tmp_path / "out")) == [
        "annotations.xml",
        "images/b/a.png",
        "images/b/clip.mp4",
        "images/empty.avi",
        "images/odd.mkv",
        "tracks/b_clip.mp4.xml",
        "tracks/empty.avi.xml",
        "tracks/odd.mkv.xml",
    ]
    assert [problem.what for problem in loss.problems] == [
        "is text/plain, neither an image nor a video; left out, with its annotation"
    ]
    assert {
        name for name, _ in formats.bodies(formats.read("cvat", tmp_path / "out", tmp_path / "out/images")).items()
    } == {
        "b/a.png",
        "b/clip.mp4",
        "odd.mkv",
        "empty.avi",
    }


def test_files_of_videos_whose_names_differ_in_folders_only_stay_apart(tmp_path: Path) -> None:
    names = ["a/b.mp4", "a_b.mp4", "c.mp4", "c.mp4.xml/d.mp4"]
    samples = [formats.sample(name, [], data=name.encode(), media_type="video/mp4") for name in names]
    formats.export(samples, "cvat", tmp_path / "out")
    assert len(list((tmp_path / "out/tracks").iterdir())) == len(names)


def test_without_images_there_are_only_the_files_of_cvat(tmp_path: Path) -> None:
    written(tmp_path, [("bounding-box", BOX)], images=False)
    assert list(formats.files(tmp_path / "out")) == ["annotations.xml"]


@pytest.mark.parametrize(
    "name",
    ["../../a.png", "/etc/passwd", "C:\\a.png", "a\nb.png", "NUL", "x" * 300 + ".png", '<&">.png', "/".join("x" * 20)],
)
def test_names_never_leave_the_folder_and_are_those_of_the_files(tmp_path: Path, name: str) -> None:
    formats.export([formats.sample(name, [])], "cvat", tmp_path / "out")
    [image] = parse((tmp_path / "out/annotations.xml").read_bytes()).iterfind("image")
    assert (tmp_path / "out/images" / image.get("name", "")).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


# --- what came from CVAT ------------------------------------------------------------------------------------


def test_what_an_import_kept_comes_back(tmp_path: Path) -> None:
    said = {
        "source": "auto",
        "z_order": -2,
        "group_id": 9,
        "image_id": 7,
        "attributes": {"q": "good\n<one>"},
        "task": TASK,
    }
    root, loss = written(tmp_path, [("bounding-box", of_cvat(BOX, **said))])
    [box] = shapes(root)
    assert {name: box.get(name) for name in ("source", "z_order", "group_id")} == {
        "source": "auto",
        "z_order": "-2",
        "group_id": "9",
    }
    assert [(each.get("name"), each.text) for each in box] == [("q", "good\n<one>")]
    assert root.find("image").get("id") == "7"  # type: ignore[union-attr]
    task = root.find("meta/task")
    assert task is not None
    assert {name: task.findtext(name) for name in ("id", "name", "created", "owner/username", "owner/email")} == {
        "id": "4",
        "name": "cells",
        "created": "then",
        "owner/username": "ada",
        "owner/email": "",
    }
    assert not loss


def test_what_nobody_says_is_not_made_up(tmp_path: Path) -> None:
    root, loss = written(tmp_path, [("bounding-box", BOX)])
    assert [(each.tag, each.text) for each in root.iterfind("meta/task/*") if each.tag != "labels"] == [
        ("size", "1"),
        ("mode", "annotation"),
    ]
    assert root.find("meta/dumped") is None
    assert shapes(root)[0].attrib == {
        "label": "a",
        "occluded": "0",
        "xtl": "1",
        "ytl": "2",
        "xbr": "4.5",
        "ybr": "6",
        "z_order": "0",
    }
    assert not loss


def test_of_several_tasks_none_is_named_and_it_is_told(tmp_path: Path) -> None:
    samples = [
        formats.sample(f"{number}.png", [("bounding-box", of_cvat(BOX, task={"id": number}, subset="train"))])
        for number in range(2)
    ]
    loss = formats.export(samples, "cvat", tmp_path / "out")
    assert b"<id>" not in (tmp_path / "out/annotations.xml").read_bytes()
    assert kinds(loss) == ["which task of CVAT an image is of, where there are several"]


@pytest.mark.parametrize(
    "said",
    [
        {"z_order": "1", "group_id": 1.5, "source": 3, "image_id": "x", "attributes": [1], "task": 4, "elements": {}},
        {"z_order": 2**40, "group_id": True, "attributes": {"a": {}, "b": None}, "task": {"id": True, "name": 5}},
        {"job": {"id": 4}, "subset": [], "elements": [1], "visibility": "x"},
    ],
)
def test_odd_attributes_are_none(tmp_path: Path, said: dict[str, Any]) -> None:
    root, _ = written(tmp_path, [("bounding-box", of_cvat(BOX, **said))])
    [box] = shapes(root)
    assert (box.get("z_order"), box.get("group_id"), box.get("source"), len(box)) == ("0", None, None, 0)
    assert root.find("meta/task/id") is None


def test_what_people_added_become_attributes_and_are_declared(tmp_path: Path) -> None:
    attributes = {
        "dashed": True,
        "score": 0.5,
        "note": "x",
        "coco": {"id": 1},
        "none": None,
        "cvat": {"attributes": {"note": "y"}},
    }
    root, loss = written(tmp_path, [("polyline", {"label": "a", "points": RING, "attributes": attributes})])
    assert [(each.get("name"), each.text) for each in shapes(root)[0]] == [
        ("dashed", "true"),
        ("note", "y"),
        ("score", "0.5"),
    ]
    declared = [each.findtext("name") for each in root.iterfind("meta/task/labels/label/attributes/attribute")]
    assert declared == ["dashed", "note", "score"]
    assert kinds(loss) == ["the attribute 'coco' of annotations", "the attribute 'none' of annotations"]


# --- shapes -------------------------------------------------------------------------------------------------


def test_a_rotated_box_has_its_corners_before_it_is_turned(tmp_path: Path) -> None:
    body = {"label": "a", "cx": 10, "cy": 20, "w": 5, "h": 3, "angle": -45.5}
    root, _ = written(tmp_path, [("rotated-box", body), ("rotated-box", {**body, "angle": 0})])
    one, other = shapes(root)
    assert [one.get(name) for name in ("xtl", "ytl", "xbr", "ybr", "rotation")] == [
        "7.5",
        "18.5",
        "12.5",
        "21.5",
        "314.5",
    ]
    assert other.get("rotation") == "0"  # so that it comes back as one that can be turned


def test_parts_and_holes_are_told(tmp_path: Path) -> None:
    parts = [{"outer": RING, "holes": [RING]}, {"outer": RING}]
    root, loss = written(tmp_path, [("polygon", {"label": "a", "parts": parts})])
    assert [shape.get("points") for shape in shapes(root)] == ["0,0;10,0;10,10"] * 2
    assert kinds(loss) == [
        "holes of polygons, which are filled",
        "that several parts are one thing: each is a polygon",
    ]


def test_a_mask_is_written_by_rows_within_its_box(tmp_path: Path) -> None:
    counts = [11 * 48 + 20, 2, 46, 2, 64 * 48 - (12 * 48 + 22)]  # columns 11 and 12, rows 20 and 21
    root, loss = written(tmp_path, [("mask", {"label": "a", "size": [48, 64], "counts": counts})])
    [mask] = shapes(root)
    assert {name: mask.get(name) for name in ("rle", "left", "top", "width", "height")} == {
        "rle": "0, 4",
        "left": "11",
        "top": "20",
        "width": "2",
        "height": "2",
    }
    assert not loss


@pytest.mark.parametrize(
    ("size", "counts", "what"),
    [
        ([48, 64], [48 * 64], "the mask covers no pixel, and CVAT has no such masks; left out"),
        ([48, 64], [1, 2], "the mask covers 3 pixels, the image of 64 x 48 has 3072; left out"),
        ([48, 64], "oo", "the mask breaks off in the middle of a run; left out"),
        ([480, 640], [0, 480 * 640], "the mask reaches beyond its image; left out"),
    ],
)
def test_a_mask_that_is_none_is_left_out(tmp_path: Path, size: list[int], counts: Any, what: str) -> None:
    root, loss = written(tmp_path, [("mask", {"label": "a", "size": size, "counts": counts})])
    assert shapes(root) == []
    assert [problem.what for problem in loss.problems] == [what]


def test_a_mask_of_another_size_than_its_image_is_told(tmp_path: Path) -> None:
    _, loss = written(tmp_path, [("mask", {"label": "a", "size": [2, 2], "counts": [0, 4]})])
    assert kinds(loss) == ["sizes of masks that are not those of their images"]


def test_named_points_are_a_skeleton_and_the_label_says_so(tmp_path: Path) -> None:
    points = [{"name": "tail", "v": 0}, {"name": "nose", "x": 1, "y": 2, "v": 1}]
    body = {"label": "a", "points": points, "box": {"x": 0, "y": 0, "w": 9, "h": 9}}
    sets = {"keypoints": {"a": Label("a", "cat", keypoints=("nose", "ear", "tail"), skeleton=(("nose", "tail"),))}}
    root, loss = written(tmp_path, [("keypoints", body), ("bounding-box", BOX)], labels=sets)
    skeleton = next(shape for shape in shapes(root) if shape.tag == "skeleton")
    assert [tuple(point.attrib.values()) for point in skeleton] == [
        ("nose", "0", "1", "1,2"),
        ("ear", "1", "0", "0,0"),
        ("tail", "1", "0", "0,0"),
    ]
    labels = [(each.findtext("name"), each.findtext("type"), each.findtext("parent")) for each in root.iter("label")]
    assert labels == [("cat", "skeleton", None), *((name, "points", "cat") for name in ("nose", "ear", "tail"))]
    assert kinds(loss) == [
        "box of keypoints",
        "that a label of skeletons is one of other shapes, too: CVAT has two labels for that",
    ]


def test_a_list_of_labels_becomes_tags(tmp_path: Path) -> None:
    root, loss = written(tmp_path, [("classification", {"labels": ["a", "b"], "scores": [1, 0.5]})])
    assert [(tag.tag, tag.get("label")) for tag in shapes(root)] == [("tag", "a"), ("tag", "b")]
    assert kinds(loss) == ["scores of classification", "that labels are a list: each is a tag"]


def test_what_has_no_place_is_told(tmp_path: Path) -> None:
    more = {
        "score": 0.5,
        "truncated": True,
        "difficult": False,
        "iscrowd": True,
        "pose": "Left",
        "source": {"format": "x"},
    }
    control = {"label": "a\x01", "x": 1, "y": 2, "w": 3, "h": 4, "attributes": {"k": "\x00"}}
    bodies = [("bounding-box", BOX | more), ("caption", {"text": "x"}), ("bounding-box", control), track(at(0))]
    _, loss = written(tmp_path, bodies)
    assert kinds(loss) == [
        "annotations of caption on images",
        "annotations of video-track on images",
        "characters that no XML can hold, in attributes",
        "characters that no XML can hold, in labels",
        *(f"{name} of bounding-box" for name in ("difficult", "iscrowd", "pose", "score", "source", "truncated")),
    ]


def test_what_does_not_fit_the_schema_that_ships_is_left_out_and_told_once(tmp_path: Path) -> None:
    root, loss = written(tmp_path, [("bounding-box", {"label": 7}), ("bounding-box", BOX)])
    assert len(shapes(root)) == 1
    assert loss.problem_count == 1


# --- labels -------------------------------------------------------------------------------------------------


def test_labels_of_sets_come_first_with_names_colours_and_types(tmp_path: Path) -> None:
    attributes = [
        {"name": "q", "mutable": False, "input_type": "radio", "values": ["x", 5], "default_value": 7},
        "odd",
        {},
    ]
    sets = {
        "bounding-box": {
            "z": Label(
                "z", "Zebra", colour="#00ff00", attributes={"cvat": {"type": "rectangle", "attributes": attributes}}
            ),
            "a": Label("a", "Ant"),
        },
        "classification": {"day": Label("day", "Day"), "a": Label("a", "Ant")},
    }
    root, _ = written(
        tmp_path, [("bounding-box", BOX), ("polygon", {"label": "b", "parts": [{"outer": RING}]})], labels=sets
    )
    labels = list(root.iterfind("meta/task/labels/label"))
    assert [(each.findtext("name"), each.findtext("color"), each.findtext("type")) for each in labels] == [
        ("Zebra", "#00ff00", "rectangle"),
        ("Ant", None, "any"),
        ("Day", None, "tag"),
        ("b", None, "polygon"),
    ]
    [attribute] = labels[0].iterfind("attributes/attribute")
    assert [(each.tag, each.text or "") for each in attribute] == [
        ("name", "q"),
        ("mutable", "False"),
        ("input_type", "radio"),
        ("default_value", ""),
        ("values", "x"),
    ]
    assert [shape.get("label") for shape in shapes(root)] == ["Ant", "b"]


# --- videos -------------------------------------------------------------------------------------------------


def test_a_keyframe_without_shape_stays_where_the_thing_was(tmp_path: Path) -> None:
    root, _ = video(tmp_path, [track({"frame": 0, "outside": True}, at(2, 1), {"frame": 5, "outside": True})])
    said = [[box.get(name) for name in ("frame", "keyframe", "outside", "xtl")] for box in root.iter("box")]
    assert said == [["0", "1", "1", "1"], ["2", "1", "0", "1"], ["5", "1", "1", "1"]]


def test_things_that_stand_still_get_keyframes_where_cvat_would_move_them(tmp_path: Path) -> None:
    root, loss = video(tmp_path, [track(at(0, 1), at(5, 2), at(9, 2), interpolation="none")])
    assert [(box.get("frame"), box.get("xtl")) for box in root.iter("box")] == [
        ("0", "1"),
        ("4", "1"),
        ("5", "2"),
        ("9", "2"),
    ]
    assert "that tracks stand still between keyframes: keyframes were added for it" in kinds(loss)


def test_parts_of_a_track_are_one_again(tmp_path: Path) -> None:
    bodies = [
        track(at(5), at(9), track="t"),
        track(at(0), at(5), track="t"),
        track(at(12), track="t"),
        track(at(3), track="t"),  # overlaps: it is none of these
        track(at(7)),
    ]
    root, _ = video(tmp_path, bodies)
    frames = [[box.get("frame") for box in each] for each in root.iter("track")]
    assert sorted(frames) == [["0", "5", "9", "12"], ["3"], ["7"]]


def test_tracks_keep_their_ids_where_no_other_claims_them(tmp_path: Path) -> None:
    ids = [{"track_id": 4}, {"track_id": 0}, {"track_id": 4}, {"track_id": "x"}, {}]
    root, _ = video(tmp_path, [track(at(0), attributes={"cvat": each}) for each in ids])
    assert [each.get("id") for each in root.iter("track")] == ["5", "0", "6", "7", "8"]


def test_what_cvat_has_no_tracks_for_is_left_out(tmp_path: Path) -> None:
    points = {"frame": 3, "shape": {"points": [[1, 2]]}}
    _, loss = video(tmp_path, [track(at(0), points), track(at(3), at(2)), track({"frame": 0, "outside": True})])
    assert sorted(problem.what for problem in loss.problems) == [
        "has shapes of several kinds, and no track of CVAT has; left out",
        "is never in the picture, and CVAT has no such tracks; left out",
        "its keyframes are not in the order of their frames; left out",
    ]


def test_what_a_video_loses_is_told(tmp_path: Path) -> None:
    turned = [
        {"frame": at, "shape": {"box": {"x": 0, "y": 0, "w": 1, "h": 1, "angle": angle}}}
        for at, angle in ((0, 0), (9, 270))
    ]
    bodies = [track(at(0, time_s=0.5), score=1, track="t"), track(*turned), ("classification", {"label": "day"})]
    _, loss = video(tmp_path, bodies)
    assert kinds(loss) == [
        "annotations of classification on videos",
        "score of video-track",
        "that turned boxes go the longer way round between keyframes",
        "times of keyframes",
        "width and height of videos, which gonk does not read",
    ]


def test_a_video_names_itself_its_size_and_the_labels_that_it_has(tmp_path: Path) -> None:
    said = {"task": TASK, "original_size": {"width": 640, "height": 480}}
    sets = {"video-track": {"car": Label("car", "Car", colour="#ff0000"), "bus": Label("bus", "Bus")}}
    root, loss = video(tmp_path, [track(at(0), attributes={"cvat": said})], "b/clip.mp4", labels=sets)
    task = root.find("meta/task")
    assert task is not None
    assert [task.findtext(name) for name in ("source", "mode", "id", "original_size/width")] == [
        "b/clip.mp4",
        "interpolation",
        "4",
        "640",
    ]
    assert [each.findtext("name") for each in task.iterfind("labels/label")] == ["Car"]
    assert [each.get("label") for each in root.iter("track")] == ["Car"]
    assert not loss


# --- memory -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_memory_does_not_grow_with_the_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gonk_node.formats.repeats._RUN", 64)  # what is sorted at a time, so that there are many
    held = [_held(100, tmp_path / "small"), _held(1000, tmp_path / "large")]
    each = (held[1] - held[0]) / (900 * 4)
    assert each < 60, f"{each:.0f} bytes more for each annotation: {held}"  # a parsed body alone takes a thousand


def _held(count: int, target: Path) -> int:
    """The most bytes that are held at the end of one of the passes over the samples, by gonk or as parsed JSON."""
    held = [0]

    def samples() -> Iterator[Sample]:
        for index in range(count):
            boxes = [("bounding-box", of_cvat(BOX, image_id=index, attributes={"q": "x"}, task=TASK)) for _ in range(4)]
            yield formats.sample(f"{index}.png", boxes, uuid=index.to_bytes(16, "big"))
        traces = tracemalloc.take_snapshot().filter_traces(
            [tracemalloc.Filter(True, f"*{part}*") for part in ("gonk_node", "json")]
        )
        held.append(sum(each.size for each in traces.statistics("filename")))

    tracemalloc.start()
    try:
        with FolderWriter(target) as folder:
            EXPORTERS["cvat"](Job(samples, folder, Loss(), images=False))
    finally:
        tracemalloc.stop()
    return max(held)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    root, _ = written(tmp_path, [("bounding-box", BOX)])
    assert root.findtext("version") == "1.1"
    assert cvat.problems(formats.read("cvat", tmp_path / "out", tmp_path / "out/images")) == []
