"""Bodies of annotations in a few words, also those that strangers wrote."""

from __future__ import annotations

import json

from gonk_node.cli.bodies_text import brief, changes


def packed(value: object) -> bytes:
    return json.dumps(value).encode()


def test_what_is_plain_comes_first() -> None:
    assert brief(packed({"attributes": {"id": 1}, "label": "RBC", "x": 1}), 100) == (
        '{"label":"RBC","x":1,"attributes":{"id":1}}'
    )
    assert brief(packed({"label": "RBC" * 50}), 20) == '{"label":"RBCRBCRBC…'


def test_a_body_that_is_no_object_is_shown_as_it_is() -> None:
    assert brief(b"[1, 2]", 100) == "[1, 2]"
    assert brief(b"\xff{", 100) == "\ufffd{"


def test_changes_name_what_was_added_altered_and_removed() -> None:
    before, after = packed({"label": "RBC", "x": 1, "y": 2}), packed({"x": 3, "label": "RBC", "cut": True})
    assert changes(before, after) == ["x: 1 → 3", "y: 2 → none", "cut: none → true"]
    assert changes(before, before) == []


def test_values_that_python_takes_for_equal_are_told_apart() -> None:
    assert changes(packed({"x": 1}), packed({"x": True})) == ["x: 1 → true"]
    assert changes(packed({"x": 1}), packed({"x": 1.0})) == ["x: 1 → 1.0"]
    assert changes(packed({}), packed({"x": None})) == ["x: none → null"]


def test_no_body_makes_it_long_or_steers_the_terminal() -> None:
    after = packed({f"\x1b[2J{number}": "a" * 1000 for number in range(1000)})
    told = changes(b"{}", after)
    assert told[-1] == "and 988 more"
    assert len("".join(told)) < 2000
    assert "\x1b" not in "".join(told)


def test_there_is_no_telling_between_bodies_that_are_no_objects() -> None:
    assert changes(b"[1]", b"[2]") == []
    assert changes(b"not json", b"{}") == []
