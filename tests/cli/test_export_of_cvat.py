"""gonk export and import of CVAT's XML, through datasets."""

from __future__ import annotations

import pytest

from kit import formats
from kit.command_line import Gonk
from kit.cvat import VIDEO_TASK, box, document, image, label, track

RECTANGLE = "<type>rectangle</type>"


@pytest.fixture
def source(gonk: Gonk) -> Gonk:
    """A folder `in` with an image and a video of CVAT."""
    for name, data in {
        "images/a.png": formats.png(),
        "images/clip.mp4": b"video",
        "annotations.xml": document(
            image(
                box(
                    'label="car" occluded="0" source="auto" z_order="2" group_id="5"',
                    content='<attribute name="q">bad</attribute>',
                )
                + '<mask label="road" occluded="0" rle="1, 2, 1, 2" left="10" top="20" width="3" height="2"/>'
                + '<tag label="day"/><ellipse label="car" cx="1" cy="2" rx="3" ry="4"/>'
            ),
            labels=label("car", f"<color>#ff0000</color>{RECTANGLE}")
            + label("road")
            + label("day", "<type>tag</type>"),
        ).encode(),
        "tracks/clip.mp4.xml": document(
            track(box('frame="0" keyframe="1"') + box('frame="5" keyframe="1" outside="1"')),
            labels=label("car", RECTANGLE),
            task=VIDEO_TASK,
        ).encode(),
    }.items():
        path = gonk.files / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return gonk


def test_cvat_comes_back_and_importing_it_again_adds_nothing(source: Gonk) -> None:
    gonk = source
    first, again = (gonk.json("import", "cells", "cvat", gonk.files / "in") for _ in range(2))
    assert (first["objects"], first["annotations"]) == (2, 4)
    assert [each["what"] for each in first["problems"]] == ["ellipses have no schema in gonk; left out"]
    assert (again["objects"], again["annotations"], again["label_sets"]) == (0, 0, [])
    assert (again["objects_known"], again["annotations_known"]) == (2, 4)
    gonk.accept_all()
    reports = [gonk.json("export", "cells", "cvat", gonk.files / name) for name in ("out", "same")]
    assert (reports[0]["problems"], reports[0]["not_carried"]) == ([], [])
    assert formats.files(gonk.files / "out") == formats.files(gonk.files / "same")
    back = gonk.json("import", "cells", "cvat", gonk.files / "out")
    assert (back["objects"], back["annotations"], back["label_sets"]) == (0, 0, [])

    gonk.ok("dataset", "create", "other")
    taken, twice = (gonk.json("import", "other", "cvat", gonk.files / "out") for _ in range(2))
    assert (taken["objects"], taken["annotations"], taken["problems"]) == (2, 4, [])
    assert (twice["objects"], twice["annotations"]) == (0, 0)
    gonk.accept_all("other")
    gonk.ok("export", "other", "cvat", gonk.files / "again")
    before, after = (formats.data(gonk.files / name) for name in ("out", "again"))
    lines = [sorted(files.pop("annotations.xml").splitlines()) for files in (before, after)]
    assert lines[0] == lines[1]  # annotations come by uuid
    assert before == after


def test_a_later_export_of_the_same_task_adds_what_is_new_in_it(source: Gonk) -> None:
    gonk = source
    gonk.ok("import", "cells", "cvat", gonk.files / "in")
    file = gonk.files / "in/annotations.xml"
    later = file.read_text().replace("2024-01-03", "2025-01-03").replace("<tag ", box('label="car"') + "<tag ")
    file.write_text(later)
    report = gonk.json("import", "cells", "cvat", gonk.files / "in")
    assert (report["annotations"], report["annotations_known"]) == (1, 4)


def test_labels_bodies_and_what_cvat_says_are_in_the_dataset(source: Gonk) -> None:
    gonk = source
    report = gonk.json("import", "cells", "cvat", gonk.files / "in")
    assert report["label_sets"] == [
        f"schema-{name}" for name in ("bounding-box", "classification", "mask", "video-track")
    ]
    gonk.accept_all()
    sets = {each["schema"]: each["labels"] for each in gonk.json("labels", "cells", "list")}
    assert [(each["id"], each.get("colour")) for each in sets["schema-bounding-box"]] == [
        ("car", "#ff0000"),
        ("road", None),
    ]
    bodies = [each["body"] for each in gonk.json("show", "cells", "a.png")["annotations"]]
    [found] = (body for body in bodies if "x" in body)
    assert found["attributes"]["cvat"]["attributes"] == {"q": "bad"}
    [body] = (each["body"] for each in gonk.json("show", "cells", "clip.mp4")["annotations"])
    assert [each["frame"] for each in body["keyframes"]] == [0, 5]
    text = repr(bodies) + repr(body)
    assert "ada" in text
    assert "example.org" not in text


def test_a_renamed_label_is_called_so_in_the_files_and_known_by_that_name_again(source: Gonk) -> None:
    gonk = source
    gonk.ok("import", "cells", "cvat", gonk.files / "in")
    gonk.accept_all()
    gonk.ok("labels", "cells", "rename", "bounding-box", "car", "Auto")
    gonk.accept_all()
    gonk.ok("export", "cells", "cvat", gonk.files / "out")
    assert 'label="Auto"' in (gonk.files / "out/annotations.xml").read_text()
    report = gonk.json("import", "cells", "cvat", gonk.files / "out/annotations.xml")
    assert (report["objects"], report["label_sets"]) == (0, [])
    bodies = [each["body"] for each in gonk.json("show", "cells", "a.png")["annotations"]]
    assert {body["label"] for body in bodies} == {"car", "road", "day"}


def test_what_is_no_cvat_file_is_refused(gonk: Gonk) -> None:
    gonk.refused("import", "cells", "cvat", gonk.file("a.xml", "<annotation/>"))
    gonk.refused("import", "cells", "cvat", gonk.file("b.xml", document(image())[:-3]))
