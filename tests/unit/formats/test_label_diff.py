"""What a new label set changes, label by label."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from gonk_node.formats.label_diff import Changed, label_set_diff
from gonk_node.formats.label_set import Label, LabelSet

A, B, C = (Label(name, name.upper()) for name in "abc")


def labels(*found: Label, schema: str = "schema-box") -> LabelSet:
    return LabelSet(schema, found)


def test_equal_sets_differ_in_nothing() -> None:
    one = labels(replace(A, index=3, keypoints=("x", "y")), B)
    diff = label_set_diff(one, labels(*one.labels))
    assert not diff
    assert tuple(diff) == (None, [], [], [], [], [])


def test_labels_are_compared_by_their_ids() -> None:
    diff = label_set_diff(labels(A, B), labels(replace(A, name="Alpha"), C))
    assert (diff.added, diff.removed) == ([C], [B])
    assert diff.renamed == [Changed("a", "name", "A", "Alpha")]


def test_a_number_that_is_given_and_one_that_follows_from_the_order_are_told_alike() -> None:
    given = label_set_diff(labels(replace(A, index=0)), labels(replace(A, index=5)))
    assert given.renumbered == [Changed("a", "index", 0, 5)] and not given.changed
    moved = label_set_diff(labels(A, B), labels(B, A))
    assert moved.renumbered == [Changed("b", "index", 1, 0), Changed("a", "index", 0, 1)]
    shifted = label_set_diff(labels(A, B), labels(B))
    assert shifted.renumbered == [Changed("b", "index", 1, 0)]


def test_an_index_that_changes_no_number_is_no_new_number() -> None:
    diff = label_set_diff(labels(A), labels(replace(A, index=0)))
    assert (diff.renumbered, diff.changed) == ([], [Changed("a", "index", None, 0)])


def test_another_schema_is_told() -> None:
    assert label_set_diff(labels(A), labels(A, schema="schema-mask")).schema == ("schema-box", "schema-mask")


@pytest.mark.parametrize("name", [each.name for each in fields(Label) if each.name not in ("id", "name", "index")])
def test_no_field_changes_unseen(name: str) -> None:
    value = {"keypoints": ("x", "y"), "skeleton": (("x", "y"),), "attributes": {"k": 1}}.get(name, "b")
    diff = label_set_diff(labels(A), labels(replace(A, **{name: value})))
    assert diff.changed == [Changed("a", name, getattr(A, name), value)]
