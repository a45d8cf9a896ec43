"""Strict JSON: one meaning for each text, and the quick way through it comes to the same as the careful one."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.errors import NonconformingError
from gonk_node.state import strict_json

NUMBERS = [
    "0",
    "-1",
    "1.5",
    "1e3",
    "1E400",
    "-0.0",
    "9" * 299,
    "9" * 300,
    "9" * 309,
    "9" * 310,
    "9" * 309 + ".5",
    "NaN",
]
PARTS = st.sampled_from(
    [
        *NUMBERS,
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        '"a"',
        '"b"',
        '"e5"',
        '"5e"',
        '"\\ud800"',
        '"\\ud83d\\ude00"',
        " ",
        "\n",
        "true",
        "x",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def carefully(text: bytes) -> Any:
    """What the decoder says that looks at every number."""
    value = strict_json._DECODER.decode(text.decode())
    if strict_json._SURROGATE.search(text):
        strict_json._refuse_lone_surrogates(value)
    return value


def told(parse: Any, text: bytes) -> str:
    """The value with the types of its numbers, or that it is refused."""
    try:
        return repr(parse(text))
    except (NonconformingError, ValueError):
        return "refused"


@settings(max_examples=1000)
@given(st.lists(PARTS, max_size=12).map("".join))
def test_the_quick_way_comes_to_the_same_for_any_text(text: str) -> None:
    assert told(strict_json.parse, text.encode()) == told(carefully, text.encode())


@settings(max_examples=500)
@given(VALUES, st.sampled_from([None, 1]))
def test_values_come_back(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        return
    assert repr(strict_json.parse(encoded)) == repr(value)
    assert strict_json.parse(strict_json.canonical(value)) == value


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_beyond_a_double_are_refused_wherever_they_are(number: str) -> None:
    value = float(number) if number != "NaN" else math.nan
    whole = number.lstrip("-").isdigit() and len(number) <= 309
    for text in (number, f"[{number}]", f'{{"a":{number}}}', f'["{"x" * 400}",{number}]'):
        if math.isfinite(value) or whole:
            strict_json.parse(text.encode())
        else:
            with pytest.raises(NonconformingError):
                strict_json.parse(text.encode())


@settings(max_examples=300)
@given(VALUES)
def test_what_is_sure_to_parse_parses(value: Any) -> None:
    try:
        text = strict_json.canonical([value] * 3)
    except ValueError:
        return
    if strict_json.is_sure_to_parse(text):
        strict_json.parse(text)
