"""Label sets: what a document may say, and what exporters and importers ask of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node import schemas
from gonk_node.core.limits import LABEL_SET_BYTES_MAX
from gonk_node.errors import ExistsError, NonconformingError, NotFoundError
from gonk_node.formats.label_set import Label, LabelSet

CELLS = [
    {"id": "cell", "name": "Blood cell"},
    {"id": "RBC", "name": "Red blood cell", "parent": "cell", "colour": "#d62728", "hotkey": "r", "index": 4},
    {"id": "WBC", "name": "White blood cell", "parent": "cell", "hotkey": "w", "index": 1},
    {"id": "PLT", "name": "Platelet"},
]


def document(labels: list[dict[str, Any]], schema: str = "schema-bounding-box") -> bytes:
    return json.dumps({"schema": schema, "labels": labels}).encode()


def cells() -> LabelSet:
    return LabelSet.decode(document(CELLS))


def test_a_document_is_read_and_written_without_loss() -> None:
    example = schemas.document(schemas.LABEL_SET)["examples"][0]
    example["labels"].append(
        {"id": "p", "name": "P", "keypoints": ["a", "b"], "skeleton": [["a", "b"]], "attributes": {"x": 1}}
    )
    made = LabelSet.decode(json.dumps(example).encode())
    assert json.loads(made.encode()) == example
    assert LabelSet.decode(made.encode()) == made
    assert made.get("p") == Label("p", "P", keypoints=("a", "b"), skeleton=(("a", "b"),), attributes={"x": 1})


def test_labels_that_are_added_take_no_key_from_those_that_are_there() -> None:
    more = cells().with_more([Label("RBC", "other"), Label("x", "X", hotkey="r"), Label("y", "Y", hotkey="y")])
    assert [(label.id, label.hotkey) for label in more.labels[4:]] == [("x", None), ("y", "y")]


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), unique=True, max_size=8))
def test_any_names_are_read_and_written_without_loss(names: list[str]) -> None:
    made = LabelSet("schema-a", tuple(Label(str(at), name) for at, name in enumerate(names)))
    assert LabelSet.decode(made.encode()) == made


def test_names_and_ids_lead_to_each_other_and_unknown_ones_stand_for_themselves() -> None:
    assert cells().name_of("WBC") == "White blood cell"
    assert (cells().name_of("new"), cells().get("new")) == ("new", None)
    assert LabelSet("schema-caption").name_of("any") == "any"


def test_every_label_of_the_set_is_numbered_by_its_index_or_the_smallest_free_number() -> None:
    assert cells().indices() == {"cell": 0, "WBC": 1, "PLT": 2, "RBC": 4}
    assert list(cells().indices()) == ["cell", "WBC", "PLT", "RBC"]
    assert LabelSet("schema-caption").indices() == {}


def test_labels_that_the_set_lacks_follow_by_code_point() -> None:
    assert cells().indices(["z", "PLT", "ä"]) == {"cell": 0, "WBC": 1, "PLT": 2, "z": 3, "RBC": 4, "ä": 5}
    assert LabelSet("schema-caption").indices(["b", "a", "b"]) == {"a": 0, "b": 1}


@given(st.sets(st.sampled_from(["cell", "RBC", "WBC", "PLT", "z", "ä"])))
def test_what_is_asked_for_changes_no_number_of_a_label_of_the_set(used: set[str]) -> None:
    numbers = cells().indices(used)
    assert {label: numbers[label] for label in cells().indices()} == cells().indices()
    assert numbers.keys() == cells().indices().keys() | used


@given(st.permutations(["z", "PLT", "WBC", "ä", "cell"]))
def test_class_numbers_do_not_depend_on_what_was_met_first(used: list[str]) -> None:
    assert cells().indices(used) == cells().indices(sorted(used))


@pytest.mark.parametrize(
    ("labels", "place", "what"),
    [
        ([{"id": "a", "name": "A"}, {"id": "a", "name": "B"}], "/labels/1/id", "twice"),
        ([{"id": "a", "name": "A"}, {"id": "b", "name": "A"}], "/labels/1/name", "twice"),
        (
            [{"id": "a", "name": "A", "hotkey": "1"}, {"id": "b", "name": "B", "hotkey": "1"}],
            "/labels/1/hotkey",
            "twice",
        ),
        ([{"id": "a", "name": "A", "index": 0}, {"id": "b", "name": "B", "index": 0}], "/labels/1/index", "twice"),
        ([{"id": "a", "name": "A", "parent": "b"}], "/labels/0/parent", "no label 'b'"),
        ([{"id": "a", "name": "A", "parent": "a"}], "/labels/0/parent", "own ancestor"),
        (
            [
                {"id": "x", "name": "X"},
                {"id": "a", "name": "A", "parent": "c"},
                {"id": "b", "name": "B", "parent": "a"},
                {"id": "c", "name": "C", "parent": "b"},
            ],
            "/labels/1/parent",
            "own ancestor",
        ),
        ([{"id": "a", "name": "A", "colour": "blue"}], "/labels/0/colour", "does not match"),
        ([{"id": "a", "name": "A", "hotkey": "F1"}], "/labels/0/hotkey", "does not match"),
        (
            [{"id": "a", "name": "A", "keypoints": ["x"], "skeleton": [["x", "y"]]}],
            "/labels/0/skeleton/0",
            "not among the keypoints",
        ),
    ],
)
def test_what_does_not_hold_together_is_refused_with_its_place(labels: list[Any], place: str, what: str) -> None:
    with pytest.raises(NonconformingError, match=what) as refused:
        LabelSet.decode(document(labels))
    assert refused.value.where == f"label set {place}"


def test_the_same_colour_twice_is_fine() -> None:
    LabelSet.decode(
        document([{"id": "a", "name": "A", "colour": "#000000"}, {"id": "b", "name": "B", "colour": "#000000"}])
    )


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"\xff", b'{"labels": []}', b'{"schema":"schema-a","labels":[],"schema":"schema-b"}']
)
def test_what_is_no_label_set_is_refused(data: bytes) -> None:
    with pytest.raises(NonconformingError):
        LabelSet.decode(data)


def test_a_large_one_is_read_and_a_larger_one_refused() -> None:
    chain = [{"id": str(at), "name": f"n{at}", **({"parent": str(at - 1)} if at else {})} for at in range(9_000)]
    assert LabelSet.decode(document(chain)).name_of("8999") == "n8999"
    with pytest.raises(NonconformingError, match="the limit is"):
        LabelSet.decode(document(CELLS) + b" " * LABEL_SET_BYTES_MAX)


def test_renaming_changes_one_name_and_nothing_else() -> None:
    renamed = cells().renamed("WBC", "Leucocyte")
    assert renamed.name_of("WBC") == "Leucocyte"
    assert json.loads(renamed.encode())["labels"] == [*CELLS[:2], CELLS[2] | {"name": "Leucocyte"}, CELLS[3]]
    assert cells().name_of("WBC") == "White blood cell"


def test_a_rename_to_nothing_to_the_same_or_to_another_ones_name_is_refused() -> None:
    with pytest.raises(NotFoundError, match="no label 'wbc'"):
        cells().renamed("wbc", "x")
    with pytest.raises(ExistsError):
        cells().renamed("WBC", "White blood cell")
    with pytest.raises(NonconformingError, match="twice"):
        cells().renamed("WBC", "Platelet")
    with pytest.raises(NonconformingError):
        cells().renamed("WBC", "")
