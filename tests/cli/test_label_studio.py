"""gonk import and export of Label Studio's tasks, through datasets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kit import formats, label_studio
from kit.command_line import Gonk
from kit.label_studio import BOX, result, said, whole

CONFIG = """<View><Image name="img" value="$image"/>
  <RectangleLabels name="rectanglelabels-tag" toName="img">
    <Label value="car" background="#ff0000" hotkey="c"/><Label value="bus"/></RectangleLabels></View>"""
STRICT = '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["mood"]}'


@pytest.fixture
def project(gonk: Gonk) -> Path:
    """What two people said of a picture, one of them twice."""
    results = label_studio.IMAGE_RESULTS
    tasks = {
        "id": 7,
        "data": {"image": "/data/upload/3/a.png"},
        "annotations": [said(1, *results), said(2, results[0], completed_by=9), said(4)],
    }
    return label_studio.write(gonk.files / "in", tasks, config=CONFIG)


def shown(gonk: Gonk, name: str = "a.png", dataset: str = "cells") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gonk.json("show", dataset, name)["annotations"]
    return found


def test_a_project_comes_back_and_importing_it_again_adds_nothing(gonk: Gonk, project: Path) -> None:
    first, again = (gonk.json("import", "cells", "label-studio", project) for _ in range(2))
    assert (first["objects"], first["annotations"], first["problems"]) == (1, 18, [])
    assert (again["objects"], again["annotations"], again["annotations_known"]) == (0, 0, 18)
    gonk.accept_all()
    assert gonk.json("import", "cells", "label-studio", project)["annotations"] == 0
    report = gonk.json("export", "cells", "label-studio", gonk.files / "out")
    assert (report["problems"], report["not_carried"]) == ([], [])
    [before], [after] = (label_studio.tasks_of(folder) for folder in (project, gonk.files / "out"))
    assert [each["id"] for each in after["annotations"]] == [each["id"] for each in before["annotations"]]
    assert after["annotations"][1:] == before["annotations"][1:]
    assert [(each.get("id"), each["type"]) for each in after["annotations"][0]["result"]] == [
        (each.get("id"), each["type"]) for each in before["annotations"][0]["result"]
    ]
    back = gonk.json("import", "cells", "label-studio", gonk.files / "out")
    assert (back["objects"], back["annotations"], back["problems"]) == (0, 0, [])
    gonk.ok("export", "cells", "label-studio", gonk.files / "twice")
    assert formats.files(gonk.files / "twice") == formats.files(gonk.files / "out")


def test_relations_name_the_annotations_of_the_dataset(gonk: Gonk, project: Path) -> None:
    gonk.ok("import", "cells", "label-studio", project)
    gonk.accept_all()
    by_uuid = {each["uuid"]: each for each in shown(gonk)}
    regions = {}
    for each in by_uuid.values():
        if each["schema"]["name"] == "schema-relation":
            ends = (by_uuid[each["body"][end]]["body"]["attributes"]["label-studio"] for end in ("head", "tail"))
            regions[each["body"]["label"]] = [(end["annotation"]["id"], end["result"]["id"]) for end in ends]
    assert regions == {
        "under": [(1, "box"), (1, "outline")],
        "on": [(1, "line"), (1, "turned")],
        "relation": [(1, "thing"), (1, "alone")],
    }


def test_relations_find_what_they_join_in_whichever_part_of_the_import(
    gonk: Gonk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gonk_node.replica.exchange.importing._WAITING_MAX", 3)
    report = gonk.json("import", "cells", "label-studio", project)
    assert (report["annotations"], report["problems"]) == (18, [])


def test_a_relation_is_left_out_where_an_end_does_not_fit_the_schema_of_the_dataset(gonk: Gonk, project: Path) -> None:
    gonk.ok("schema", "add", "cells", gonk.file("mine.json", STRICT), "--name", "polygon")
    report = gonk.json("import", "cells", "label-studio", project)
    assert report["annotations"] == 16
    assert [each["what"] for each in report["problems"]][-1] == "its tail was left out; left out"


def test_what_is_exported_and_not_changed_is_known_when_it_comes_back(gonk: Gonk) -> None:
    gonk.add("a.png", formats.png(200, 100))
    gonk.add("notes.txt", "Ada and Bob")
    box = gonk.annotate("a.png")
    gonk.ok("schema", "add", "cells", "relation")
    other = gonk.annotate("a.png", {"label": "WBC", "x": 5, "y": 6, "w": 7, "h": 8.5, "attributes": {"seen": True}})
    ends = {"head": box["uuid"], "tail": other["uuid"]}
    gonk.ok("annotate", "cells", "a.png", "relation", gonk.file("relation.json", {"label": "near", **ends}))
    gonk.accept_all()
    gonk.ok("export", "cells", "label-studio", gonk.files / "out")
    back = gonk.json("import", "cells", "label-studio", gonk.files / "out")
    assert (back["objects"], back["annotations"], back["problems"]) == (0, 0, [])
    assert (back["objects_known"], back["annotations_known"]) == (2, 3)
    path = gonk.files / "out/tasks-image.json"
    [task] = label_studio.tasks_of(path.parent, path.name)
    task["annotations"][0]["result"][0]["value"]["x"] += 1
    task["annotations"][0]["result"].append(
        result("rectanglelabels", {**BOX, "rectanglelabels": ["RBC"]}, to_name="image")
    )
    path.write_text(json.dumps([task]))
    changed = gonk.json("import", "cells", "label-studio", gonk.files / "out")
    assert (changed["annotations"], changed["problems"]) == (3, [])  # the changed one, its relation, and the new one
    assert gonk.json("import", "cells", "label-studio", gonk.files / "out")["annotations"] == 0


def test_what_label_studio_numbered_anew_is_known_when_it_comes_back(gonk: Gonk, project: Path) -> None:
    gonk.ok("import", "cells", "label-studio", project)
    gonk.accept_all()
    gonk.ok("export", "cells", "label-studio", gonk.files / "out")
    [task] = label_studio.tasks_of(gonk.files / "out")
    task |= {"id": 1, "inner_id": 1, "meta": {}, "project": 1, "updated_at": "2026"}
    for number, annotation in enumerate(task["annotations"], 100):
        annotation |= {"import_id": annotation["id"], "id": number, "completed_by": 1, "updated_at": "2026"}
    (gonk.files / "out/tasks.json").write_text(json.dumps([task]))
    back = gonk.json("import", "cells", "label-studio", gonk.files / "out")
    assert (back["objects"], back["annotations"], back["problems"]) == (0, 0, [])


def test_what_two_people_say_alike_is_not_lost_where_one_is_known(gonk: Gonk) -> None:
    gonk.add("a.png", formats.png(200, 100))
    gonk.annotate("a.png")
    gonk.accept_all()
    gonk.ok("export", "cells", "label-studio", gonk.files / "out")
    [task] = label_studio.tasks_of(gonk.files / "out")
    copied = json.loads(json.dumps(task["annotations"][0]))
    copied["result"][0]["value"]["x"] += 1
    other = json.loads(json.dumps(task["annotations"][0]))
    task["annotations"] = [copied, task["annotations"][0], other]
    (gonk.files / "out/tasks.json").write_text(json.dumps([task]))
    first, again = (gonk.json("import", "cells", "label-studio", gonk.files / "out") for _ in range(2))
    assert (first["annotations"], first["annotations_known"]) == (2, 1)
    assert (again["annotations"], again["annotations_known"]) == (0, 3)


def test_the_labels_of_the_config_are_proposed_and_known_by_their_new_names(gonk: Gonk, project: Path) -> None:
    report = gonk.json("import", "cells", "label-studio", project)
    assert "schema-bounding-box" in report["label_sets"]
    gonk.accept_all()
    gonk.ok("labels", "cells", "rename", "bounding-box", "car", "Motor car")
    gonk.accept_all()
    gonk.ok("export", "cells", "label-studio", gonk.files / "out")
    config = (gonk.files / "out/label_config.xml").read_text()
    assert '<Label value="Motor car" background="#ff0000" hotkey="c"/>' in config
    assert '<Label value="bus"/>' in config
    back = gonk.json("import", "cells", "label-studio", gonk.files / "out")
    assert back["problems"] == []
    assert {each["body"]["label"] for each in shown(gonk) if each["schema"]["name"] == "schema-bounding-box"} == {"car"}
    assert gonk.json("import", "cells", "label-studio", project)["annotations"] == 0


def test_texts_are_added_without_a_folder_of_files_and_come_back(gonk: Gonk) -> None:
    text = "Grüße 👋 an Ada"
    span = whole("labels", {"start": 11, "end": 14, "text": "Ada", "labels": ["person"]}, "a")
    tasks = [{"id": 5, "data": {"text": text}, "annotations": [said(1, span)]}, {"id": 6, "data": {"text": "Nobody"}}]
    path = gonk.files / "texts.json"
    path.write_text(json.dumps(tasks))
    first, again = (gonk.json("import", "cells", "label-studio", path) for _ in range(2))
    assert (first["objects"], first["annotations"]) == (2, 1)
    assert (again["objects"], again["annotations"], again["objects_known"]) == (0, 0, 2)
    gonk.accept_all()
    gonk.ok("export", "cells", "label-studio", gonk.files / "out")
    found = {each["data"]["text"]: each for each in label_studio.tasks_of(gonk.files / "out")}
    assert found[text] == tasks[0]
    assert found["Nobody"]["data"] == {"text": "Nobody"}


def test_json_min_is_refused_with_what_to_do(gonk: Gonk) -> None:
    path = gonk.file("min.json", '[{"image": "a.png", "id": 1, "annotator": 1, "annotation_id": 1}]')
    assert "export the project as JSON" in gonk.refused("import", "cells", "label-studio", path).err
