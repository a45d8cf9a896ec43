"""Label Studio out: tasks and their config of what comes from elsewhere, and what is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gonk_node.core.ids import uuid_text
from gonk_node.formats.export.job import Sample
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import Loss
from kit import formats, label_studio

RING = [[0, 0], [8, 0], [8, 8]]
OUTLINE = {"label": "a", "parts": [{"outer": RING, "holes": []}]}


def export(tmp_path: Path, bodies: formats.Bodies, **more: Any) -> tuple[dict[str, Any], Loss]:
    """The one task of an image with those bodies."""
    loss = formats.export([formats.sample("a.png", bodies, **more)], "label-studio", tmp_path / "out")
    [task] = label_studio.tasks_of(tmp_path / "out")
    return task, loss


def config(folder: Path, name: str = "label_config.xml") -> ElementTree.Element:
    return ElementTree.fromstring((folder / name).read_text(encoding="utf-8"))


def kinds(loss: Loss) -> list[str]:
    return [kind.what for kind in loss.kinds()]


def test_what_comes_from_elsewhere_is_one_annotation_that_says_it_is_not_the_truth(tmp_path: Path) -> None:
    task, _ = export(tmp_path, [("polygon", OUTLINE), ("classification", {"label": "a"})])
    [annotation] = task["annotations"]
    assert (annotation["id"], annotation["ground_truth"], annotation["was_cancelled"]) == (1, False, False)
    assert [each["type"] for each in annotation["result"]] == ["polygonlabels", "choices"]
    assert len({each["id"] for each in annotation["result"]}) == 2


def test_what_is_lost_on_the_way_out_is_told(tmp_path: Path) -> None:
    two = {"label": "a", "parts": [{"outer": RING, "holes": [RING]}, {"outer": RING, "holes": []}]}
    points = [{"name": "nose", "v": 0}, {"name": "ear", "x": 1, "y": 1, "v": 2}]
    _, loss = export(
        tmp_path,
        [
            ("polygon", two),
            ("classification", {"labels": ["a"], "scores": [1]}),
            ("rotated-box", {"label": "a", "cx": 9, "cy": 9, "w": 2, "h": 2, "angle": 0}),
            ("bounding-box", {"label": "a", "x": 1, "y": 1, "w": 2, "h": 2, "occluded": True, "attributes": {"x": 1}}),
            ("keypoints", {"label": "person", "points": points}),
            ("caption", {"text": "a", "lang": "en"}),
            ("rating", {"value": 1, "min": 0, "max": 1, "comment": "no"}),
            ("cuboid-3d", {}),
            ("text-span", {"label": "a", "start": 0, "end": 1}),
            ("reviewed-empty", {}),
        ],
    )
    assert kinds(loss) == [
        "annotations of cuboid-3d",
        "annotations of text-span about image",
        "comment of rating",
        "holes of polygons, which are filled",
        "keypoints that are not labelled (v 0)",
        "lang of caption",
        "occluded of bounding-box",
        "of which thing keypoints without a box are",
        "reviewed-empty beside annotations of the same person",
        "scores of classification",
        "that a list of labels is a classification: it is a multi-label",
        "that boxes of angle 0 are rotated boxes",
        "that several parts are one thing: each is a region",
        "the attribute 'x' of annotations",
    ]
    assert not loss.problems


def test_what_cannot_be_written_is_left_out_and_told(tmp_path: Path) -> None:
    image = formats.sample(
        "a.png",
        [
            ("mask", {"label": "a", "size": [1, 1], "counts": [1]}),
            ("mask", {"label": "a", "size": [48, 64], "counts": [1]}),
            ("keypoints", {"label": "a", "points": [{"name": "a", "v": 0}]}),
            ("polygon", {"label": "a"}),
        ],
    )
    unreadable = formats.sample("b.png", [("polygon", OUTLINE)], data=b"no image")
    text = formats.sample(
        "a.txt", [("text-span", {"label": "a", "start": 0, "end": 9})], data=b"short", media_type="text/plain"
    )
    binary = formats.sample("b.txt", [], data=b"\xff", media_type="text/plain")
    other = formats.sample("a.pdf", [], data=b"%PDF", media_type="application/pdf")
    loss = formats.export([image, unreadable, text, binary, other], "label-studio", tmp_path / "out")
    assert sorted(each.what for each in loss.problems) == [
        "does not fit the polygon that ships with gonk; left out",
        "is application/pdf, no image, text, sound or film; left out",
        "is of an image of 1 x 1, and this one has 64 x 48 pixels; left out",
        "its offsets are no place in a text of 5 characters; left out",
        "needs the image's size, which cannot be read from the image file; left out",
        "none of its points is labelled (v 0); left out",
        "the mask covers 1 pixels, the image of 64 x 48 has 3072; left out",
        "the text is no UTF-8; left out",
    ]
    assert [each["annotations"] for each in label_studio.tasks_of(tmp_path / "out", "tasks-image.json")] == [[], []]


def test_relations_need_both_ends_in_one_annotation(tmp_path: Path) -> None:
    kept = {"attributes": {"label-studio": {"annotation": {"id": 5, "index": 0}}}}
    ends: formats.Bodies = [("polygon", OUTLINE), ("polygon", OUTLINE), ("polygon", {**OUTLINE, **kept})]
    uuids = [uuid_text(each.uuid) for each in formats.sample("a.png", ends).annotations]
    nowhere = "01234567-89ab-8def-8123-456789abcdef"
    relations = [
        ("relation", {"label": "on", "head": uuids[head], "tail": tail})
        for head, tail in ((0, uuids[1]), (0, uuids[2]), (0, nowhere))
    ]
    task, loss = export(tmp_path, [*ends, *relations])
    kept_one, own = task["annotations"]
    assert [each["type"] for each in kept_one["result"]] == ["polygonlabels"]
    [relation] = [each for each in own["result"] if each["type"] == "relation"]
    assert (relation["labels"], relation["direction"]) == (["on"], "right")
    assert [relation["from_id"], relation["to_id"]] == [each["id"] for each in own["result"][:2]]
    assert [each.what for each in loss.problems] == [
        "joins annotations of different people; left out",
        "joins annotations that are not written with this object; left out",
    ]


def test_the_config_has_the_labels_of_label_sets_with_colours_keys_and_numbers(tmp_path: Path) -> None:
    labels = {
        "bounding-box": {
            "b": Label("b", "Bus & <car>", colour="#ff0000", hotkey="b", index=4),
            "c": Label("c", "c", hotkey="c"),
        },
        "keypoints": {"person": Label("person", "person", keypoints=("nose", "ear"))},
        "classification": {"b": Label("b", "Bus & <car>", hotkey="b")},
        "relation": {"on": Label("on", "on")},
        "audio-segment": {"A": Label("A", "A")},
        "cuboid-3d": {"x": Label("x", "x")},
    }
    sample = formats.sample("a.png", [("bounding-box", {"label": "d", "x": 1, "y": 1, "w": 1, "h": 1})])
    assert not formats.export([sample], "label-studio", tmp_path / "out", labels=labels)
    found = config(tmp_path / "out")
    shown = {each.get("name", each.tag): [dict(label.attrib) for label in each] for each in found}
    assert shown == {
        "image": [],
        "box": [
            {"value": "Bus & <car>", "background": "#ff0000", "hotkey": "b", "category": "4"},
            {"value": "c", "hotkey": "c"},
            {"value": "d"},
        ],
        "choice": [{"value": "Bus & <car>"}],
        "points": [{"value": "nose", "model_index": "0"}, {"value": "ear", "model_index": "1"}],
        "thing": [{"value": "person"}],
        "Relations": [{"value": "on"}],
    }


def test_labels_that_a_config_cannot_have_are_told(tmp_path: Path) -> None:
    _, loss = export(tmp_path, [("multi-label", {"labels": ["$x", "a\0b", "fine\n"]})])
    assert [(each.what, each.count) for each in loss.kinds()] == [
        ("labels in the config that begin with $ or have control characters", 2)
    ]
    assert [each.get("value") for each in config(tmp_path / "out").iter("Choice")] == ["fine\n"]


def of_tag(name: object, body: dict[str, Any], **task: Any) -> dict[str, Any]:
    kept = {"result": {"from_name": name, "to_name": "photo"}, "annotation": {"id": 1}, "task": {"id": 1, **task}}
    return {**body, "attributes": {"label-studio": kept}}


def test_tags_keep_their_names_where_one_name_is_one_tag(tmp_path: Path) -> None:
    task, _ = export(
        tmp_path,
        [
            ("polygon", of_tag("mine", OUTLINE, key="url")),
            ("classification", of_tag("mine", {"label": "a"})),
            ("classification", of_tag("one", {"label": "a"})),
            ("multi-label", of_tag("one", {"labels": ["a", "b"]})),
            ("caption", of_tag("1 bad,name", {"text": "x"})),
            ("caption", of_tag(7, {"text": "y"})),
        ],
    )
    names = [each["from_name"] for each in task["annotations"][0]["result"]]
    assert names == ["mine", "choice", "one", "one", "caption", "caption"]
    assert task["data"] == {"url": "/data/local-files/?d=images/a.png"}
    found = config(tmp_path / "out")
    assert [(each.tag, each.get("name"), each.get("choice")) for each in found] == [
        ("Image", "photo", None),
        ("TextArea", "caption", None),
        ("Choices", "choice", "single"),
        ("PolygonLabels", "mine", None),
        ("Choices", "one", "multiple"),
    ]


def test_scales_have_tags_of_their_own_and_there_are_not_too_many(tmp_path: Path) -> None:
    scales = [("rating", {"value": 1, "min": 1, "max": most, "step": 1}) for most in (5, 10, 10, 100)]
    task, loss = export(tmp_path, scales)
    assert [(each.what, each.count) for each in loss.kinds()] == [
        ("what is rated, where that makes no name, or is rated on several scales", 2)
    ]
    assert [(each["type"], each["from_name"]) for each in task["annotations"][0]["result"]] == [
        ("rating", "rating"),
        ("rating", "rating-2"),
        ("rating", "rating-2"),
        ("number", "number"),
    ]
    many: formats.Bodies = [("rating", {"value": 1, "min": 0, "max": most}) for most in range(1, 300)]
    many += [("caption", of_tag(f"tag{number}", {"text": "x"})) for number in range(300)]
    loss = formats.export([formats.sample("a.png", many)], "label-studio", tmp_path / "many")
    assert {each.what for each in loss.problems} == {"needs one more tag than 256 in the labelling config; left out"}
    assert loss.problem_count == 299 - 256
    assert [each.get("name") for each in config(tmp_path / "many").iter("TextArea")] == ["caption"]


@pytest.mark.parametrize(
    "kept",
    [
        7,
        {"task": 7, "annotation": [], "result": "x"},
        {"annotation": {"id": "x", "index": -1}, "result": {"id": 7, "index": True, "labels": 7, "of_region": [7, {}]}},
        {"result": {"points": [7], "transcription": 7, "rotation": "x", "part": 3, "width": [], "type": []}},
        {
            "task": {"id": 1 << 60, "data": 7, "key": ["x"], "annotations": 7},
            "annotation": {"result": 7, "completed_by": "Ada"},
        },
    ],
)
def test_attributes_that_anybody_made_up_do_no_harm(tmp_path: Path, kept: object) -> None:
    attributes = {"attributes": {"label-studio": kept}}
    points = [{"name": "nose", "x": 1, "y": 1, "v": 2}]
    task, loss = export(
        tmp_path,
        [
            ("polygon", {**OUTLINE, **attributes}),
            ("keypoints", {"label": "a", "points": points, "box": {"x": 1, "y": 1, "w": 1, "h": 1}, **attributes}),
            ("ocr-line", {"outline": RING, "text": "x", **attributes}),
            ("caption", {"text": "x", **attributes}),
        ],
    )
    assert not loss.problems
    assert (task["id"], task["data"]) == (1, {"image": "/data/local-files/?d=images/a.png"})
    results = [each for annotation in task["annotations"] for each in annotation["result"]]
    assert len(results) == 6
    assert all(isinstance(each["id"], str) for each in results)


def test_objects_of_several_kinds_have_files_of_their_own_and_are_read_together(tmp_path: Path) -> None:
    samples: list[Sample] = [
        formats.sample("a.png", [("classification", {"label": "a"})]),
        formats.sample("b/ä.txt", [("classification", {"label": "b"})], data="Ää".encode(), media_type="text/plain"),
        formats.sample("c.wav", [("classification", {"label": "c"})], data=b"RIFF", media_type="audio/wav"),
        formats.sample("d.mp4", [("classification", {"label": "d"})], data=b"mp4", media_type="video/mp4"),
    ]
    assert not formats.export(samples, "label-studio", tmp_path / "out")
    assert sorted(formats.files(tmp_path / "out")) == [
        "images/a.png",
        "images/c.wav",
        "images/d.mp4",
        "tasks-audio.json",
        "tasks-audio.label_config.xml",
        "tasks-image.json",
        "tasks-image.label_config.xml",
        "tasks-text.json",
        "tasks-text.label_config.xml",
        "tasks-video.json",
        "tasks-video.label_config.xml",
    ]
    assert label_studio.tasks_of(tmp_path / "out", "tasks-text.json")[0]["data"] == {
        "text": "Ää",
        "file_name": "b/ä.txt",
    }
    again = formats.read_samples("label-studio", tmp_path / "out", tmp_path / "out/images")
    assert sorted((each.name, each.media_type) for each in again) == [
        ("a.png", "image/png"),
        ("b/ä.txt", "text/plain"),
        ("c.wav", "audio/x-wav"),
        ("d.mp4", "video/mp4"),
    ]


def test_a_dataset_without_anything_makes_no_file(tmp_path: Path) -> None:
    assert not formats.export([], "label-studio", tmp_path / "out")
    assert formats.files(tmp_path / "out") == {}
