"""What a schema says of a body: verdicts, explanations, drafts, and agreement with another validator."""

import json
from typing import Any

import jsonschema
import pytest
import referencing
from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.core.limits import EVENT_BYTES_MAX, JSON_DEPTH_MAX, PROBLEMS_EXPLAINED_MAX
from gonk_node.errors import NonconformingError
from gonk_node.state.conformance import Conformance, check_schema, compile_schema
from gonk_node.state.strict_json import Problem, canonical, depth, parse, pointer

VALID, INVALID, UNKNOWN = Conformance.VALID, Conformance.INVALID, Conformance.UNKNOWN


def verdict(schema: Any, body: bytes) -> Conformance:
    return compile_schema(json.dumps(schema).encode()).verdict(body)


def problems(schema: Any, body: bytes) -> list[Problem]:
    return compile_schema(json.dumps(schema).encode()).explain(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}x",
        b"\xff",
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":1,"a":1}',
        b'{"b":[{"a":1,"\\u0061":2}]}',
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"1e400",
        b"1" * 400,
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b"[" * (JSON_DEPTH_MAX + 1) + b"]" * (JSON_DEPTH_MAX + 1),
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'"' + b'\\"' * 200_000,
    ],
)
def test_a_body_that_is_no_strict_json_is_invalid_and_explained(body: bytes) -> None:
    validator = compile_schema(b"true")
    assert validator.verdict(body) is INVALID
    assert len(validator.explain(body)) == 1


@pytest.mark.parametrize(
    ("text", "expected"), [(b"1", 0), (b'"[[["', 0), (b"[]", 1), (b'["[{",{"\\"[":[]}]', 3), (b"[],[[]]", 2)]
)
def test_depth_counts_brackets_outside_of_strings(text: bytes, expected: int) -> None:
    assert depth(text) == expected


def test_a_body_as_deep_as_allowed_is_judged() -> None:
    body = b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX
    assert verdict({"items": {"$ref": "#"}, "type": "array"}, body) is VALID


def test_a_valid_surrogate_pair_is_a_character() -> None:
    assert verdict({"const": "😀"}, b'"\\ud83d\\ude00"') is VALID


def test_whole_numbers_are_integers_however_they_are_written() -> None:
    assert [verdict({"type": "integer"}, body) for body in (b"1", b"1.0", b"1e2", b"1.5")] == [
        VALID,
        VALID,
        VALID,
        INVALID,
    ]


@pytest.mark.parametrize("keyword", [{"format": "ipv4"}, {"format": "regex"}, {"format": "nonsense"}])
def test_a_format_asserts_nothing(keyword: dict[str, str]) -> None:
    for draft in ("https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"):
        assert verdict({"$schema": draft, **keyword}, b'"(not any"') is VALID


def test_content_keywords_assert_nothing_in_any_draft() -> None:
    schema = {"contentEncoding": "base64", "contentMediaType": "application/json"}
    for draft in ("https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"):
        assert verdict({"$schema": draft, "items": schema, **schema}, b'"{"') is VALID
        assert verdict({"$schema": draft, "items": schema, **schema}, b'["{"]') is VALID


@pytest.mark.parametrize(
    ("draft", "schema", "valid", "invalid"),
    [
        ("http://json-schema.org/draft-04/schema#", {"minimum": 3, "exclusiveMinimum": True}, b"4", b"3"),
        ("http://json-schema.org/draft-06/schema#", {"exclusiveMinimum": 3}, b"4", b"3"),
        ("http://json-schema.org/draft-07/schema#", {"if": {"const": 1}, "then": False}, b"2", b"1"),
        (
            "http://json-schema.org/draft-07/schema",
            {"items": [{"type": "integer"}], "additionalItems": False},
            b"[1]",
            b"[1,2]",
        ),
        (
            "https://json-schema.org/draft/2019-09/schema",
            {"properties": {"a": True}, "unevaluatedProperties": False},
            b'{"a":1}',
            b'{"b":1}',
        ),
        (
            "https://json-schema.org/draft/2020-12/schema",
            {"prefixItems": [{"type": "integer"}], "items": False},
            b"[1]",
            b"[1,2]",
        ),
    ],
)
def test_the_draft_that_a_schema_names_is_the_draft_it_gets(
    draft: str, schema: dict[str, Any], valid: bytes, invalid: bytes
) -> None:
    document = {"$schema": draft, **schema}
    check_schema(json.dumps(document).encode())
    assert (verdict(document, valid), verdict(document, invalid)) == (VALID, INVALID)


def test_without_a_draft_it_is_2020_12() -> None:
    assert verdict({"prefixItems": [{"type": "integer"}]}, b'["a"]') is INVALID


def test_an_id_at_the_top_changes_nothing() -> None:
    for name in ("$id", "id"):
        schema = {name: "http://127.0.0.1:9/x", "$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}}
        assert (verdict(schema, b"1"), verdict(schema, b'"1"')) == (VALID, INVALID)


def test_problems_have_a_json_pointer_and_a_reason() -> None:
    schema = {"properties": {"a/b": {"items": {"type": "integer"}}}, "required": ["label"]}
    assert {(p.place, p.what) for p in problems(schema, b'{"a/b":[1,"x"]}')} == {
        ("/a~1b/1", '"x" is not of type "integer"'),
        ("", '"label" is a required property'),
    }


def test_of_alternatives_the_closest_is_told() -> None:
    schema = {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"w": {"type": "number"}}}]}
    [problem] = problems(schema, b'{"w":"wide"}')
    assert "2 alternatives" in problem.what and '/w: "wide" is not of type "number"' in problem.what


def test_no_more_problems_are_told_than_a_person_reads_and_none_is_long() -> None:
    told = problems({"items": {"type": "integer"}}, json.dumps(["x" * 5000] * 1000).encode())
    assert len(told) == 1 and "too large to say where" in told[0].what
    told = problems({"items": {"type": "integer"}}, json.dumps(["x" * 500] * 100).encode())
    assert len(told) == PROBLEMS_EXPLAINED_MAX
    assert all(len(problem.what) <= 300 for problem in told)


def test_a_valid_body_has_no_problems() -> None:
    assert problems({"type": "integer"}, b"1") == []


def test_a_body_too_costly_for_its_schema_is_unknown_and_never_guessed() -> None:
    schema = {"items": {"anyOf": [{"const": n} for n in range(900)]}}
    validator = compile_schema(json.dumps(schema).encode())
    assert validator.verdict(json.dumps([5] * 10_000).encode()) is VALID
    body = b"[" + b",".join([b"5"] * 100_000) + b"]"
    assert len(body) < EVENT_BYTES_MAX
    assert validator.verdict(body) is UNKNOWN
    assert "too large" in validator.explain(body)[0].what


def test_a_recursive_schema_judges_shallow_bodies_and_gives_up_on_deep_ones() -> None:
    twice = {"anyOf": [{"items": {"$ref": "#"}}, {"type": "array", "items": {"$ref": "#"}}]}
    validator = compile_schema(json.dumps(twice).encode())
    assert validator.verdict(b"[" * 12 + b"]" * 12) is VALID
    assert validator.verdict(b"[" * 60 + b"]" * 60) is UNKNOWN


def test_canonical_json_is_one_text_per_value() -> None:
    assert canonical({"b": 1.0, "a": ["é", None]}) == '{"a":["é",null],"b":1.0}'.encode()
    with pytest.raises(ValueError):
        canonical(float("nan"))


def test_pointers_escape() -> None:
    assert (pointer([]), pointer(["a/b", 0, "~"])) == ("", "/a~1b/0/~0")


def test_refusals_of_text_say_where() -> None:
    with pytest.raises(NonconformingError, match="line 2, column 3"):
        parse(b"{\n  1}")


# --- agreement with `jsonschema`, an independent implementation ---------------------------------------------

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from([0.5, 2.0, -1.25]), st.text("ab1", max_size=3)
)
keys = st.sampled_from(["a", "b", "ab", "1"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)
types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
assertions = st.fixed_dictionaries(
    {},
    optional={
        "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
        "enum": st.lists(scalars, min_size=1, max_size=4, unique_by=repr),
        "const": values,
        "minimum": st.integers(-3, 3),
        "exclusiveMaximum": st.integers(-3, 3),
        "minLength": st.integers(0, 3),
        "pattern": st.sampled_from(["^a", "b$", "^[ab]+$", "1"]),
        "minItems": st.integers(0, 2),
        "uniqueItems": st.booleans(),
        "required": st.lists(keys, max_size=2, unique=True),
        "maxProperties": st.integers(0, 3),
    },
)


def _applicators(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=2)
    return st.builds(
        lambda own, more: {**own, **more},
        assertions,
        st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(keys, inner, max_size=2),
                "patternProperties": st.dictionaries(st.sampled_from(["^a", "1"]), inner, max_size=2),
                "additionalProperties": inner,
                "propertyNames": inner,
                "items": inner,
                "prefixItems": some,
                "contains": inner,
                "allOf": some,
                "anyOf": some,
                "oneOf": some,
                "not": inner,
                "if": inner,
                "then": inner,
                "unevaluatedProperties": inner,
                "unevaluatedItems": inner,
            },
        ),
    )


benign = st.recursive(st.booleans() | assertions, _applicators, max_leaves=6)


@settings(max_examples=150, deadline=None)
@given(schema=benign, bodies=st.lists(values, min_size=1, max_size=4))
def test_verdicts_agree_with_an_independent_validator(schema: Any, bodies: list[Any]) -> None:
    document = json.dumps(schema).encode()
    check_schema(document)
    validator = compile_schema(document)
    other = jsonschema.Draft202012Validator(schema, registry=referencing.Registry())
    for body in bodies:
        text = json.dumps(body).encode()
        expected = VALID if other.is_valid(body) else INVALID
        assert validator.verdict(text) is expected
        assert (validator.explain(text) == []) == (expected is VALID)
