"""gonk import: everything that can be taken is, once; the rest is listed with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gonk_node.formats import IMPORTERS, csv_labels
from gonk_node.formats.sample import ImportedLabels, Record
from gonk_node.replica.exchange import importing
from kit import formats
from kit.command_line import Gonk

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def coco(gonk: Gonk) -> Path:
    """Three images with four boxes."""
    return write_coco(gonk, images=3, boxes=[(1, 1), (2, 1), (3, 2), (4, 3)])


def write_coco(gonk: Gonk, images: int, boxes: list[tuple[int, int]], **changes: Any) -> Path:
    folder = gonk.files / "images"
    folder.mkdir(exist_ok=True)
    for number in range(1, images + 1):
        (folder / f"{number}.png").write_bytes(PNG + bytes([number]))
    document = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in range(1, images + 1)],
        "categories": [{"id": 7, "name": "WBC"}],
        "annotations": [
            {"id": box, "image_id": image, "category_id": 7, "bbox": [box, 0, 10, 10]} for box, image in boxes
        ],
    }
    return gonk.file("instances.json", json.dumps(document | changes))


def test_objects_annotations_and_missing_schemas_are_proposed(gonk: Gonk, coco: Path) -> None:
    report = gonk.json("import", "cells", "coco", coco)
    assert (report["objects"], report["annotations"], report["problems"]) == (3, 4, [])
    assert report["schemas"] == report["label_sets"] == ["schema-bounding-box"]
    gonk.accept_all()
    counts = gonk.json("status", "cells")["counts"]
    assert (counts["objects"]["current"], counts["annotations"]["current"]) == (3 + 1, 4)  # one is the label set
    shown = gonk.json("show", "cells", "1.png")
    assert sorted(each["body"]["x"] for each in shown["annotations"]) == [1, 2]


def test_importing_twice_adds_nothing(gonk: Gonk, coco: Path) -> None:
    gonk.ok("import", "cells", "coco", coco)
    before = gonk.state()
    report = gonk.json("import", "cells", "coco", coco)
    assert gonk.state() == before
    assert (report["objects"], report["objects_known"]) == (0, 3)
    assert (report["annotations"], report["annotations_known"]) == (0, 4)


def test_what_was_interrupted_is_finished(gonk: Gonk, coco: Path) -> None:
    gonk.ok("add", "cells", gonk.files / "images" / "2.png")
    report = gonk.json("import", "cells", "coco", coco)
    assert (report["objects"], report["objects_known"], report["annotations"]) == (2, 1, 4)


def test_an_import_that_is_stopped_says_that_what_was_proposed_stays(
    gonk: Gonk, coco: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = IMPORTERS["coco"]

    def stopped(source: Path, images: Path | None) -> Iterator[Record]:
        yield from (each for each in read(source, images) if not isinstance(each, ImportedLabels))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setitem(IMPORTERS, "coco", stopped)
        early = gonk.run("import", "cells", "coco", coco)
        assert (early.code, "stays" in early.err) == (130, False)
        patched.setattr(importing, "EVENTS_PER_ENTRY", 2)
        result = gonk.run("import", "cells", "coco", coco)
        assert result.code == 130
        assert "what was proposed so far stays; the same command goes on from there" in result.err
    assert gonk.json("import", "cells", "coco", coco)["objects_known"] == 2


def test_each_problem_is_told_with_its_place_and_the_rest_is_imported(gonk: Gonk) -> None:
    path = write_coco(gonk, images=3, boxes=[(1, 1), (2, 2), (3, 3), (3, 3), (4, 9)])
    document = json.loads(path.read_text())
    document["annotations"][0]["bbox"] = [0, 0, 0, 5]
    document["annotations"][1]["category_id"] = 8
    path.write_text(json.dumps(document))
    (gonk.files / "images" / "1.png").unlink()
    document["images"].append({"id": 2, "file_name": "again.png"})
    path.write_text(json.dumps(document))
    result = gonk.ok("import", "cells", "coco", path)
    for place in ("/images/0/file_name", "/images/3/id", "/annotations/1/category_id", "/annotations/3/id"):
        assert place in result.err, place
    assert "/annotations/4/image_id" in result.err
    assert "left out: 5 problems" in result.err
    assert "objects      2" in result.out
    assert "annotations  1" in result.out


def test_a_degenerate_box_is_listed(gonk: Gonk) -> None:
    path = write_coco(gonk, images=1, boxes=[(1, 1), (2, 1)])
    document = json.loads(path.read_text())
    document["annotations"][0]["bbox"] = [0, 0, 0, 5]
    path.write_text(json.dumps(document))
    report = gonk.json("import", "cells", "coco", path)
    assert report["annotations"] == 1
    assert "degenerate" in report["problems"][0]["what"]


def test_two_images_of_one_content_become_one_object_with_the_annotations_of_both(gonk: Gonk, coco: Path) -> None:
    (gonk.files / "images" / "2.png").write_bytes(PNG + bytes([1]))
    report = gonk.json("import", "cells", "coco", coco)
    assert (report["objects"], report["annotations"]) == (2, 4)
    assert "same content as '1.png'" in report["problems"][0]["what"]
    assert len(gonk.json("show", "cells", "1.png")["annotations"]) == 3


def test_a_size_that_is_not_that_of_the_image_file_is_told(gonk: Gonk, coco: Path) -> None:
    document = json.loads(coco.read_text())
    for image, size in zip(document["images"], [(64, 48), (48, 64), (None, None)], strict=True):
        image["width"], image["height"] = size
        (gonk.files / "images" / image["file_name"]).write_bytes(formats.png(64, 48, bytes([image["id"]])))
    coco.write_text(json.dumps(document))
    [told] = [each for each in gonk.json("import", "cells", "coco", coco)["not_carried"] if "sizes" in each["what"]]
    assert (told["count"], told["places"]) == (1, ["2.png"])


def test_an_object_counts_once_however_often_the_files_name_it(gonk: Gonk, coco: Path) -> None:
    folder = gonk.files / "annotations"
    folder.mkdir()
    document = json.loads(coco.read_text())
    (folder / "a.json").write_text(json.dumps(document))
    (folder / "b.json").write_text(json.dumps(document | {"annotations": []}))
    (gonk.files / "images/2.png").write_bytes((gonk.files / "images/1.png").read_bytes())
    first, again = (gonk.json("import", "cells", "coco", folder) for _ in range(2))
    assert (first["objects"], first["objects_known"]) == (2, 0)
    assert (again["objects"], again["objects_known"]) == (0, 2)


def test_without_image_files_annotations_go_to_objects_of_the_same_name(gonk: Gonk, coco: Path) -> None:
    gonk.ok("add", "cells", gonk.files / "images" / "1.png")
    moved = gonk.files / "elsewhere" / "deep"
    moved.mkdir(parents=True)
    report = gonk.json("import", "cells", "coco", coco.rename(moved / "instances.json"))
    assert (report["objects_known"], report["annotations"], report["left_out"]) == (1, 2, 2)
    assert {problem["place"] for problem in report["problems"]} == {"2.png", "3.png"}


def test_annotations_are_put_on_the_version_of_an_object_that_they_were_made_on(gonk: Gonk, coco: Path) -> None:
    gonk.ok("import", "cells", "coco", coco)
    gonk.accept_all()
    gonk.ok("update", "cells", "1.png", gonk.file("new.png", PNG + b"new"))
    gonk.accept_all()
    document = json.loads(coco.read_text())
    document["annotations"].append({"id": 9, "image_id": 1, "category_id": 7, "bbox": [5, 5, 5, 5]})
    coco.write_text(json.dumps(document))
    report = gonk.json("import", "cells", "coco", coco)
    assert (report["annotations"], report["annotations_known"], report["objects_known"]) == (1, 4, 3)
    [problem] = report["problems"]
    assert problem["place"] == "1.png" and "what the object was before an update" in problem["what"]
    listed = gonk.json("list", "cells", "annotations")["annotations"]
    [new] = [each for each in listed if each["status"] == ["pending"]]
    assert [each["version"] for each in new["objects"]] == [0]


def test_annotations_of_an_object_that_was_rejected_are_left_out(gonk: Gonk, coco: Path) -> None:
    gonk.ok("add", "cells", gonk.files / "images" / "1.png")
    gonk.ok("review", "cells", "reject", "--all")
    report = gonk.json("import", "cells", "coco", coco)
    assert (report["objects"], report["annotations"], report["left_out"]) == (2, 2, 2)
    assert "rejected or deleted in the dataset; left out, with its 2 annotations" in report["problems"][0]["what"]


def test_a_rejected_schema_costs_its_annotations_and_is_told_once(gonk: Gonk, coco: Path) -> None:
    gonk.ok("schema", "add", "cells", "bounding-box")
    gonk.ok("review", "cells", "reject", "--all")
    report = gonk.json("import", "cells", "coco", coco)
    assert (report["objects"], report["annotations"], report["left_out"]) == (3, 0, 4)
    assert len(report["problems"]) == 1


def test_a_schema_of_that_name_with_other_rules_judges_the_bodies(gonk: Gonk, coco: Path) -> None:
    strict = gonk.file("bounding-box.json", '{"properties": {"x": {"maximum": 2}}}')
    gonk.ok("schema", "add", "cells", strict)
    report = gonk.json("import", "cells", "coco", coco)
    assert report["annotations"] == 2
    assert "/annotations/2" in report["problems"][0]["place"]
    assert "does not fit schema-bounding-box" in report["problems"][0]["what"]


def test_a_file_of_another_format_is_refused(gonk: Gonk) -> None:
    assert "is no COCO file" in gonk.refused("import", "cells", "coco", gonk.file("x.json", "{}")).err
    refused = gonk.refused("import", "cells", "label-studio", gonk.file("x.json", "{}")).err
    assert "next: label-studio takes a JSON file, or the folder with tasks.json" in refused
    assert "is not JSON" in gonk.refused("import", "cells", "coco", gonk.file("x.json", "{")).err
    gonk.refused("import", "cells", "yolo", gonk.files, code=2)


@pytest.mark.parametrize("format_name", sorted(IMPORTERS))
def test_where_no_file_is_it_is_said_what_is_wanted_and_nothing_else(gonk: Gonk, format_name: str) -> None:
    lines = gonk.refused("import", "cells", format_name, gonk.files / "missing").err.splitlines()
    assert lines[:2] == ["gonk: there is no such file or folder", f"  where: {gonk.files / 'missing'}"]
    assert lines[2].startswith(f"  next: {format_name} takes ")
    assert len(lines) == 3


def test_a_folder_whose_annotations_are_of_another_format_is_searched_for_coco_itself(gonk: Gonk, coco: Path) -> None:
    (coco.parent / "annotations").mkdir()
    (coco.parent / "annotations" / "1.xml").write_text("<annotation/>")
    assert gonk.json("import", "cells", "coco", coco.parent)["annotations"] == 4


def test_a_file_that_breaks_off_is_told_with_what_was_taken_before(gonk: Gonk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "EVENTS_PER_ENTRY", 1)
    monkeypatch.setattr(csv_labels, "CSV_LINE_CHARS_MAX", 100)
    (gonk.files / "images").mkdir()
    for name in ("a.png", "b.png"):
        (gonk.files / "images" / name).write_bytes(PNG + name.encode())
    good = "file_name,label\na.png,cat\nmissing.png,cat\nb.png,dog\n"
    path = gonk.files / "annotations.csv"
    path.write_text(good + "c.png," + "x" * 200 + "\n")
    for _ in range(2):
        refused = gonk.run("import", "cells", "csv", path)
        assert refused.code == 1
        assert "has a line of more than" in refused.err and "what came before this is proposed" in refused.err
        assert "missing.png" in refused.err, "the report comes first"
    counts = gonk.run("import", "cells", "csv", path, "--json")
    found = json.loads(counts.out)
    assert (found["objects_known"], found["annotations_known"], found["broken"]["place"]) == (1, 1, str(path)), (
        "the last whole row waits for what follows it"
    )
    path.write_text(good)
    again = gonk.json("import", "cells", "csv", path)
    assert (again["annotations"], again["annotations_known"], again["broken"]) == (1, 1, None)


def test_an_images_folder_that_is_none_is_refused(gonk: Gonk, coco: Path) -> None:
    gonk.refused("import", "cells", "coco", coco, "--images", gonk.files / "missing")


def test_where_nothing_at_all_can_be_taken_it_fails(gonk: Gonk) -> None:
    path = write_coco(gonk, images=1, boxes=[(1, 1)])
    (gonk.files / "images" / "1.png").unlink()
    before = gonk.state()
    result = gonk.run("import", "cells", "coco", path)
    assert result.code == 1
    assert "nothing could be imported" in result.err
    assert "next: if the image files are elsewhere: --images FOLDER" in result.err
    result = gonk.run("import", "cells", "coco", path, "--json")
    assert result.code == 1
    assert len(result.json()["problems"]) == 1
    assert result.error()["code"] == "input-file"
    assert gonk.state() == before


def test_where_images_are_not_found_it_says_how_to_name_their_folder(gonk: Gonk, coco: Path) -> None:
    beside = (gonk.files / "images").rename(gonk.files / "train")  # where Roboflow and labelImg have both
    before = gonk.state()
    result = gonk.run("import", "cells", "coco", coco.rename(beside / "_annotations.coco.json"))
    assert result.code == 1
    assert "--images FOLDER" in result.err
    assert gonk.state() == before, "no schema is proposed for annotations that are left out"
    assert gonk.json("import", "cells", "coco", beside, "--images", beside)["annotations"] == 4


def test_more_than_one_entry_s_worth_is_signed_in_entries_of_a_thousand(gonk: Gonk) -> None:
    path = write_coco(gonk, images=2, boxes=[(box, 1 + box % 2) for box in range(1, 2101)])
    report = gonk.json("import", "cells", "coco", path)
    assert report["annotations"] == 2100
    counts = [len(entry["events"]) for entry in gonk.json("log", "cells", "--kind", "annotation.create")]
    assert counts == [100, 1000, 1000]


def test_voc_files_are_imported(gonk: Gonk) -> None:
    folder = gonk.files / "annotations"
    folder.mkdir()
    (gonk.files / "JPEGImages").mkdir()
    (gonk.files / "JPEGImages" / "cell.jpg").write_bytes(b"\xff\xd8\xff jpeg")
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>{}</xmax><ymax>9</ymax></bndbox>"
    things = "".join(f"<object><name>RBC</name>{box.format(right)}</object>" for right in (9, 1))
    (folder / "cell.xml").write_text(f"<annotation><filename>cell.jpg</filename>{things}</annotation>")
    report = gonk.json("import", "cells", "voc", folder)
    assert (report["objects"], report["annotations"]) == (1, 1)
    assert "object[2]" in report["problems"][0]["place"]
