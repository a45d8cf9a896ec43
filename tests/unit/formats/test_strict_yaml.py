"""YAML of strangers: read as plain values or refused with its place, and written so that all readers agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.errors import InputFileError
from gonk_node.formats import strict_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("--- # one\na: 1\n...\n", {"a": 1}),
        ("a: {b: [1, {c: x}]}\nd:\n  - e:\n      f: g\n", {"a": {"b": [1, {"c": "x"}]}, "d": [{"e": {"f": "g"}}]}),
        ("a: |\n  two\n  lines\nb: >-\n  one\n  line\n", {"a": "two\nlines\n", "b": "one line"}),
        ("c: plain\n  goes on\n", {"c": "plain goes on"}),
        ("[no, on, true, 1.5, 0x10, 1_0, 2001-01-01]", ["no", "on", "true", "1.5", "0x10", "1_0", "2001-01-01"]),
        ("['7', 7, -7, \"~\", ~, null, '']", ["7", 7, -7, "~", None, None, ""]),
        ("a: 1\na: 2\n", {"a": 2}),
        ("? a\n: b\n1: c\n<<: d\n", {"a": "b", 1: "c", "<<": "d"}),
        ("a:\n", {"a": None}),
        ("{a, b: }", {"a": None, "b": None}),
    ],
)
def test_plain_values_are_read_however_they_are_written(text: str, value: Any) -> None:
    assert strict_yaml.parse(text) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: &x [1]\n", "line 2, column 4 has an anchor"),
        ("a: [1]\nb: *x\n", "line 2, column 4 has an anchor or alias"),
        ("&x a: 1\n", "line 1, column 1 has an anchor"),
        ("a: !!python/object/apply:os.system ['true']\n", "line 1, column 4 has a tag"),
        ("a: !!int '3'\n", "line 1, column 4 has a tag"),
        ("a: ! b\n", "line 1, column 4 has a tag"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1 begins a second document"),
        ("[a]: b\n", "line 1, column 1 has a list or mapping for a name"),
        ("{{a: b}: c}\n", "line 1, column 2 has a list or mapping for a name"),
        ("a: [1\nb: 2\n", "line 2, column 2 is no YAML"),
        ("a: 'x\n", "line 2, column 1 is no YAML"),
        ("\ta: 1\n", "line 1, column 1 is no YAML"),
        ("a: b: c\n", "line 1, column 5 is no YAML"),
        ("a: %x\n", "line 1, column 4 is no YAML"),
        ("a: 1\nb: \x00\n", "line 2 is no YAML"),
        ('a: "\\ud83d"\n', "line 1, column 4 has an escape that is no character"),
        ('a: "\\UFFFFFFFF"\n', "line 1, column 1 is no YAML, or something after it"),
        (f"%YAML 1.{'9' * 5000}\n--- a\n", "is no YAML, or something after it"),
        ("[" * 17, "line 1, column 17 is nested deeper than 16"),
        ("- " * 2000, "is nested deeper than 16"),
        ("[" * 100_000, "is nested deeper than 16"),
        ("{a: " * 100_000, "is nested deeper than 16"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_refused_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(InputFileError) as caught:
        strict_yaml.parse(text)
    assert told in caught.value.what


def test_numbers_of_values_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_yaml, "EXPORT_LABELS_MAX", 10)
    assert len(strict_yaml.parse("[" + "a," * 10 + "]")) == 10
    with pytest.raises(InputFileError, match="one of more than 10 entries"):
        strict_yaml.parse("[" + "a," * 11 + "]")
    monkeypatch.setattr(strict_yaml, "YAML_VALUES_MAX", 30)
    with pytest.raises(InputFileError, match="one of more than 30 values"):
        strict_yaml.parse("[" + "[a,b,c,d]," * 7 + "]")


def test_a_file_is_bounded_and_told_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    for data, told in [(b"a: " + b"x" * 100, "larger than 50"), (b"a: \xff", "not UTF-8"), (b"a: [", "is no YAML")]:
        path.write_bytes(data)
        with pytest.raises(InputFileError, match=told) as caught:
            strict_yaml.load(path, 50)
        assert caught.value.where == str(path)
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r")
    assert strict_yaml.load(path, 50) == {"a": 1, "b": 2}
    with pytest.raises(InputFileError, match="cannot be read"):
        strict_yaml.load(tmp_path / "none", 50)


texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    [
        "no",
        "0o17",
        "1e3",
        "null",
        "~",
        "",
        " ",
        "- a",
        "a: b",
        "#",
        "'",
        '"',
        "\\",
        "\n",
        "\x85\u2028",
        "é😀",
        "%",
        "?",
        "<<",
    ]
)
values = st.recursive(
    texts | st.integers(-(10**15) + 1, 10**15 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(texts, values, max_size=4))
def test_what_is_written_is_read_back_here_and_by_others(value: dict[str, Any]) -> None:
    text = strict_yaml.dump(value)
    assert strict_yaml.parse(text) == value
    assert yaml.safe_load(text) == value
    assert strict_yaml.dump(value) == text


def test_texts_are_in_quotes_and_one_thing_twice_is_written_twice() -> None:
    same = ["no", 1]
    text = strict_yaml.dump({"names": {0: "no", 1: "1.5"}, "a": same, "b": same, "people": [{"name": "x"}]})
    assert text == ('names:\n  0: "no"\n  1: "1.5"\na: ["no", 1]\nb: ["no", 1]\npeople:\n- name: "x"\n')
