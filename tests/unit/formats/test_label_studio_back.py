"""Label Studio's tasks, through a dataset, and back: the tasks, who said what and when, and each value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kit import formats, label_studio
from kit.label_studio import said, whole


def back(folder: Path) -> tuple[list[dict[str, Any]], Any]:
    """The tasks that come of a folder with tasks, and what was lost on the way out."""
    loss = formats.export(
        formats.read_samples("label-studio", folder, folder / "images"), "label-studio", folder / "out"
    )
    return label_studio.tasks_of(folder / "out"), loss


def test_all_that_people_said_of_an_image_comes_back(tmp_path: Path) -> None:
    task = {
        "id": 7,
        "inner_id": 2,
        "project": 5,
        "created_at": "2024-05-01T09:00:00Z",
        "meta": {"batch": 4},
        "data": {"img": "/data/upload/5/a.png", "camera": "left", "tags": ["x", {"y": 1}]},
        "annotations": [
            said(11, *label_studio.IMAGE_RESULTS, unique_id="u-1", parent_prediction=9),
            said(12, label_studio.IMAGE_RESULTS[0], completed_by=4, ground_truth=True),
            said(13, completed_by=5),
        ],
    }
    [found], loss = back(label_studio.write(tmp_path, task))
    assert not loss
    found["data"]["img"] = task["data"]["img"]
    assert _near(found) == _near(task)


def test_all_that_people_said_of_a_text_and_a_sound_comes_back(tmp_path: Path) -> None:
    text = {
        "id": 1,
        "data": {"text": "Ada 👩‍🚀 wrote to Bob.\nBob slept.", "author": "C. B."},
        "annotations": [
            said(
                1,
                whole("labels", {"start": 0, "end": 3, "text": "Ada", "labels": ["person"]}, "a"),
                whole("labels", {"start": 17, "end": 20, "text": "Bob", "labels": ["person", "man"]}, "b"),
                whole("choices", {"choices": ["calm"]}, "c"),
                {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
            )
        ],
    }
    assert back(label_studio.write(tmp_path / "text", text))[0] == [text]
    sound = {
        "id": 2,
        "data": {"audio": "/data/local-files/?d=images/a.wav"},
        "annotations": [
            said(
                2,
                whole("labels", {"start": 0.5, "end": 2.25, "channel": 0, "labels": ["A"]}, "a", original_length=9.5),
                whole(
                    "textarea",
                    {"start": 0.5, "end": 2.25, "channel": 0, "text": ["Hi."]},
                    "a",
                    from_name="transcription",
                ),
                whole("labels", {"start": 3, "end": 4, "channel": 1, "labels": ["B"]}, "b"),
                whole("textarea", {"text": ["a talk"]}, "c"),
            )
        ],
    }
    folder = label_studio.write(tmp_path / "sound", sound, files={"a.wav": b"RIFF"})
    assert back(folder)[0] == [sound]


def _near(value: Any) -> Any:
    """Numbers but for the rounding."""
    if isinstance(value, dict):
        return {name: _near(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_near(each) for each in value]
    return pytest.approx(value, abs=1e-5) if isinstance(value, float) else value


def test_several_tasks_that_show_one_thing_are_one_object_and_one_task(tmp_path: Path) -> None:
    tasks = [
        {"id": number, "data": {"image": "a.png"}, "annotations": [said(number, label_studio.IMAGE_RESULTS[0])]}
        for number in (4, 2)
    ]
    [found], _ = back(label_studio.write(tmp_path, *tasks))
    assert found["id"] == 2
    assert sorted(each["id"] for each in found["annotations"]) == [2, 4]
