"""What differs between two JSON values is told at its place, and applying it to the old one gives the new one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.state.json_diff import ABSENT, Absent, Difference, differences
from gonk_node.state.strict_json import canonical

leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text("ab/~", max_size=2)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=4)
)


def told(old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    return [tuple(each) for each in differences(old, new)]


def test_members_are_added_removed_and_replaced() -> None:
    assert told({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "d": 4}) == [
        ("/b", 2, 5),
        ("/c", 3, ABSENT),
        ("/d", ABSENT, 4),
    ]


def test_the_order_of_members_makes_no_difference() -> None:
    assert told({"a": 1, "b": 2}, {"b": 2, "a": 1}) == []


def test_null_is_a_value() -> None:
    assert told({"a": None}, {}) == [("/a", None, ABSENT)]
    assert told({}, {"a": None}) == [("/a", ABSENT, None)]


@pytest.mark.parametrize(("old", "new"), [(1, True), (0, False), (1, 1.0), ("1", 1), ([], {}), ({}, None)])
def test_what_only_python_takes_for_equal_differs(old: Any, new: Any) -> None:
    (whole,) = differences(old, new)
    assert whole.path == "" and whole.old is old and whole.new is new
    assert [each.path for each in differences({"x": [old]}, {"x": [new]})] == ["/x/0"]


def test_places_are_json_pointers() -> None:
    assert told({"a/b": {"~": [0, 1]}}, {"a/b": {"~": [0, 2]}}) == [("/a~1b/~0/1", 1, 2)]


def test_an_item_put_in_or_taken_out_is_told_as_that() -> None:
    assert told([1, 2, 4], [1, 2, 3, 4]) == [("/2", ABSENT, 3)]
    assert told([1, 2, 3, 4], [1, 3, 4]) == [("/1", 2, ABSENT)]
    assert told([1, 1], [1, 1, 1]) == [("/2", ABSENT, 1)]
    assert told([], [1]) == [("/0", ABSENT, 1)]


def test_items_of_arrays_of_one_length_are_compared_by_position() -> None:
    assert told([[1, 2], [3, 4]], [[1, 2], [3, 5]]) == [("/1/1", 4, 5)]


def test_a_large_array_is_compared_quickly() -> None:
    points = [[number, number] for number in range(50_000)]
    assert told(points, [*points[:100], [7, 7], *points[100:]]) == [("/100", ABSENT, [7, 7])]


@given(values)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert differences(value, copy.deepcopy(value)) == []


@given(values, values)
def test_the_old_value_with_the_differences_put_in_is_the_new_one(old: Any, new: Any) -> None:
    found = differences(old, new)
    assert bool(found) == (canonical(old) != canonical(new))
    assert canonical(patched(copy.deepcopy(old), found)) == canonical(new)


def patched(value: Any, found: list[Difference]) -> Any:
    """The value with the differences put in; removed items of arrays from the last to the first, added ones in order."""
    removed = [each for each in found if isinstance(each.new, Absent)]
    for each in [*reversed(removed), *(each for each in found if not isinstance(each.new, Absent))]:
        if not each.path:
            return each.new
        *way, last = [step.replace("~1", "/").replace("~0", "~") for step in each.path.split("/")[1:]]
        at = value
        for step in way:
            at = at[int(step)] if isinstance(at, list) else at[step]
        key: Any = int(last) if isinstance(at, list) else last
        if isinstance(each.new, Absent):
            del at[key]
        elif isinstance(at, list) and isinstance(each.old, Absent):
            at.insert(key, each.new)
        else:
            at[key] = each.new
    return value
