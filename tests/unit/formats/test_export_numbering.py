"""Ids and numbers of classes in exported files: kept where they are unique, made anew otherwise, and never by chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.errors import RefusedError
from gonk_node.formats.export import numbering
from gonk_node.formats.export.numbering import Ids, Labels, kept_id
from gonk_node.formats.label_set import Label, LabelSet
from gonk_node.formats.repeats import Repeats
from kit import formats

BOX = {"x": 1, "y": 2, "w": 3, "h": 4}


def test_kept_ids_stay_and_new_ones_come_after_the_greatest() -> None:
    ids = Ids()
    for kept in (7, None, 3, 3):
        ids.add(kept)
    assert [ids.next(kept) for kept in (7, None, 3, 3)] == [7, 8, 9, 10]


@pytest.mark.parametrize("value", [None, True, -1, 2**53, "1", 1.5])
def test_what_is_no_id_is_not_kept(value: Any) -> None:
    assert kept_id(value) is None


def test_repeats_are_found_over_many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gonk_node.formats.repeats._RUN", 10)
    repeats = Repeats()
    for number in [*range(100), 5, 55, 55, 99]:
        repeats.add(number)
    assert [number for number in range(120) if repeats.repeated(number)] == [5, 55, 99]
    assert repeats.greatest == 99


def test_a_number_goes_to_the_label_that_has_it_most_often() -> None:
    labels = Labels()
    for label, kept, count in (("b", 1, 3), ("a", 1, 2), ("a", 4, 1), ("c", None, 5)):
        for _ in range(count):
            labels.add(label, kept)
    assert labels.numbers(0, dense=False) == {"b": 1, "a": 4, "c": 5}
    assert labels.numbers(0, dense=True) == {"c": 0, "b": 1, "a": 4}


def test_a_label_set_goes_before_what_files_said() -> None:
    labels = Labels({"rbc": Label("rbc", "Red blood cell", index=2), "none": Label("none", "Nothing", index=0)})
    for _ in range(9):
        labels.add("wbc", 2)
    labels.add("rbc", 7)
    assert labels.numbers(0, dense=True) == {"none": 0, "wbc": 1, "rbc": 2}
    assert labels.names() == {"rbc": "Red blood cell", "none": "Nothing", "wbc": "wbc"}


def test_loaders_and_exports_number_the_labels_of_a_set_alike() -> None:
    """Where no file said otherwise."""
    own = (Label("zebra", "zebra", index=7), Label("ant", "ant"), Label("cow", "cow", index=0), Label("bee", "bee"))
    exported = Labels({label.id: label for label in own})
    for label in ("ant", "new"):
        exported.add(label, None)
    wanted = {"cow": 0, "ant": 1, "bee": 2, "new": 3, "zebra": 7}
    assert exported.numbers(0, dense=True) == LabelSet("schema-bounding-box", own).indices(["new", "ant"]) == wanted


def test_an_index_goes_before_the_numbers_of_a_file_and_those_are_for_exports_alone() -> None:
    own = (Label("zebra", "zebra", index=2, attributes={"n": 0}), Label("ant", "ant", attributes={"n": 2}))
    exported = Labels({label.id: label for label in own}, lambda label: (label.attributes or {})["n"])
    assert exported.numbers(0, dense=True) == {"ant": 0, "zebra": 2}
    own = (Label("zebra", "zebra", attributes={"n": 1}), Label("ant", "ant", attributes={"n": 3}))
    exported = Labels({label.id: label for label in own}, lambda label: (label.attributes or {})["n"])
    assert exported.numbers(0, dense=True) == {"zebra": 1, "ant": 3}
    assert LabelSet("schema-bounding-box", own).indices() == {"zebra": 0, "ant": 1}


def test_two_labels_of_one_name_are_called_by_their_ids() -> None:
    labels = Labels({"a": Label("a", "same"), "b": Label("b", "same"), "c": Label("c", "other")})
    assert labels.names() == {"a": "a", "b": "b", "c": "other"}


def test_too_many_labels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "EXPORT_LABELS_MAX", 2)
    labels = Labels()
    labels.add("a", None)
    labels.add("b", None)
    with pytest.raises(RefusedError, match="labels"):
        labels.add("c", None)


def test_label_sets_name_and_number_classes_in_every_format(tmp_path: Path) -> None:
    sets = {"bounding-box": {"rbc": Label("rbc", "Red cell", index=3), "wbc": Label("wbc", "White cell", index=1)}}
    one = formats.sample("a.png", [("bounding-box", {"label": "rbc", **BOX})])
    for format_name in ("coco", "voc", "yolo-detect"):
        formats.export([one], format_name, tmp_path / format_name, labels=sets)
    categories = json.loads((tmp_path / "coco/annotations/instances_default.json").read_bytes())["categories"]
    assert [(each["id"], each["name"]) for each in categories] == [(1, "White cell"), (3, "Red cell")]
    assert "<name>Red cell</name>" in (tmp_path / "voc/Annotations/a.xml").read_text()
    assert '1: "White cell"' in (tmp_path / "yolo-detect/data.yaml").read_text()
    assert (tmp_path / "yolo-detect/labels/a.txt").read_text().startswith("3 ")


def test_two_files_with_the_same_ids_in_one_dataset_are_numbered_anew(tmp_path: Path) -> None:
    kept = {"coco": {"id": 5, "image_id": 1, "category_id": 9}}
    bodies = [("bounding-box", {"label": "a", **BOX, "attributes": kept})]
    formats.export([formats.sample(name, bodies) for name in ("a.png", "b.png")], "coco", tmp_path / "out")
    document = json.loads((tmp_path / "out/annotations/instances_default.json").read_bytes())
    assert sorted(each["id"] for each in document["annotations"]) == [6, 7]
    assert sorted(each["id"] for each in document["images"]) == [2, 3]
    assert document["categories"][0]["id"] == 9


def test_one_author_cannot_make_others_numbers_grow_without_bound() -> None:
    labels = Labels()
    for kept in range(10):
        labels.add("a", kept)
    labels.add("b", 2**52)
    assert labels.numbers(0, dense=True)["b"] == 1
