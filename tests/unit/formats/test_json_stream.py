"""Long JSON files are read in pieces: the same values wherever a piece ends, and what is no JSON is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.errors import InputFileError
from gonk_node.formats import json_stream
from gonk_node.formats.json_stream import Member, read_array, read_members

FILES = Path()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_long_arrays_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(json_stream, "_PIECE_CHARS", piece)
    values: list[Any] = [{"a": ["]", {"b": '"}'}]}, {}, {"c": "x" * 50}]
    for indent in (None, 2):
        (tmp_path / "a.json").write_text(json.dumps(values, indent=indent))
        assert list(read_array(tmp_path / "a.json")) == values
    (tmp_path / "a.json").write_text(" [ ] ")
    assert list(read_array(tmp_path / "a.json")) == []


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), st.integers(1, 9), st.sampled_from([None, 1]))
@settings(max_examples=200)
def test_members_are_the_same_wherever_a_piece_ends(value: dict[str, Any], piece: int, indent: int | None) -> None:
    wanted = []
    for name, member in value.items():
        if isinstance(member, list):
            wanted += [Member(name, index, each) for index, each in enumerate(member)]
        else:
            wanted.append(Member(name, None, member))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_PIECE_CHARS", piece)
        file = FILES / "any.json"
        file.write_text(json.dumps(value, indent=indent))
        assert list(read_members(file, value.keys())) == wanted
        whole = [Member(name, None, member) for name, member in value.items()]
        assert list(read_members(file, ())) == whole


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    global FILES  # hypothesis calls a test many times, and a fixture of it once
    FILES = tmp_path_factory.mktemp("json")


@pytest.mark.parametrize(
    "text", ["", "{}", "[", "[1]", "[{}", "[{},", "[{},]", "[{} {}]", "[,{}]", '[{"a":}]', "[{}] 1", "[" * 9999]
)
def test_what_is_no_array_of_objects_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputFileError):
        list(read_array(tmp_path / "a.json"))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"a"', '{"a":', '{"a":[1', '{"a":[1,', '{"a":[1,]}', '{"a":[],}', "{1:2}", '{"a":1}{', '{"a" 1}']
    + ['{"a":' + deep * 200_000 for deep in ("[", '{"b":')],
)
def test_what_is_no_object_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputFileError) as caught:
        list(read_members(tmp_path / "a.json", ["a"]))
    assert "a.json" in str(caught.value.where)


def test_a_value_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "JSONL_LINE_BYTES_MAX", 1000)
    monkeypatch.setattr(json_stream, "_PIECE_CHARS", 100)
    (tmp_path / "a.json").write_text('{"a":["' + "x" * 100_000)
    with pytest.raises(InputFileError):
        list(read_members(tmp_path / "a.json", ["a"]))
