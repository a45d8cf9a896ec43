"""Schemas that attack who reads them: each is refused before it costs anything, or is harmless.

No test here looks at a clock: without the limits these inputs would run for hours, and the time limit of
the test run would end them.
"""

import builtins
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from gonk_node.core.limits import JSON_DEPTH_MAX, SCHEMA_BYTES_MAX, SUBSCHEMAS_MAX
from gonk_node.errors import NonconformingError
from gonk_node.state.conformance import Conformance, check_schema, compile_schema

VALID, INVALID, UNKNOWN = Conformance.VALID, Conformance.INVALID, Conformance.UNKNOWN


def document(schema: Any) -> bytes:
    return json.dumps(schema).encode()


def refused(schema: Any) -> NonconformingError:
    """The refusal; by both ways in, for the same reason."""
    text = schema if isinstance(schema, bytes) else document(schema)
    with pytest.raises(NonconformingError) as compiling:
        compile_schema(text)
    with pytest.raises(NonconformingError) as checking:
        check_schema(text)
    assert checking.value.where is not None
    assert checking.value.where.startswith("schema")
    assert compiling.value.where is not None
    return checking.value


def doubling(levels: int, applicator: str, *, leaf: Any) -> dict[str, Any]:
    """A small document that applies its leaf 2 ** levels times to one value."""
    definitions: dict[str, Any] = {
        f"d{n}": {applicator: [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(levels)
    }
    definitions[f"d{levels}"] = leaf
    return {"$ref": "#/$defs/d0", "$defs": definitions}


# --- what is no schema --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "where", "what"),
    [
        ({"type": 5}, "schema /type", "5 is not one of"),
        ({"type": "hello"}, "schema /type", "'hello' is not one of"),
        ({"properties": {"a/b": {"minLength": -1}}}, "schema /properties/a~1b/minLength", "less than the min"),
        ({"required": "label"}, "schema /required", "not of type 'array'"),
        ({"$defs": {"a": {"items": 7}}}, "schema /$defs/a/items", "7 is not of type"),
        (b'"hello"', "schema", "must be an object, true or false"),
        (b"5", "schema", "must be an object, true or false"),
        (b"[]", "schema", "must be an object, true or false"),
        (b"", "schema", "not JSON"),
        (b"{", "schema", "not JSON"),
        (b"\xff", "schema", "not UTF-8"),
        (b'{"type":"integer","type":"string"}', "schema", "twice"),
        (b'{"minimum":NaN}', "schema", "NaN"),
        (b'{"minimum":1e999}', "schema", "double"),
        ({"$schema": "http://example.org/mine"}, "schema /$schema", "no draft"),
        ({"$schema": "http://json-schema.org/draft-03/schema#"}, "schema /$schema", "no draft"),
        ({"$schema": 4}, "schema /$schema", "no draft"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(schema: Any, where: str, what: str) -> None:
    error = refused(schema)
    assert error.where == where
    assert what in error.what


def test_an_old_draft_is_checked_against_its_own_metaschema() -> None:
    draft_4 = {"$schema": "http://json-schema.org/draft-04/schema#"}
    check_schema(document({**draft_4, "minimum": 1, "exclusiveMinimum": True}))
    assert refused({**draft_4, "exclusiveMinimum": 1}).where is not None
    assert "twice" not in refused({**draft_4, "required": []}).what
    with pytest.raises(NonconformingError, match="has an item twice"):
        check_schema(document({**draft_4, "enum": [{"a": 1}, {"a": 1}]}))


def test_a_large_enum_is_checked_in_linear_time() -> None:
    check_schema(document({"$schema": "http://json-schema.org/draft-04/schema#", "enum": [[n] for n in range(8000)]}))


# --- reading what is not theirs ------------------------------------------------------------------------------


@pytest.fixture
def tripwires(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Yields an http:// and a file:// address that would answer; nobody may have come to the first."""
    bait = tmp_path / "bait.json"
    bait.write_text('{"type": "integer"}')
    check_schema(b"{}")  # so that all modules are imported before opening files becomes an error
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]

        def trip(*arguments: object, **_: object) -> None:
            raise AssertionError(f"a schema made us open {arguments}")

        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "connect", trip)
            patch.setattr(builtins, "open", trip)
            yield f"http://127.0.0.1:{port}/bait.json", bait.as_uri()
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$recursiveRef"])
def test_references_outside_of_the_document_are_refused_and_nothing_is_fetched(
    tripwires: tuple[str, str], keyword: str
) -> None:
    for address in (*tripwires, "other.json", "//127.0.0.1/x", ""):
        for draft in ("https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-04/schema#"):
            refused({"$schema": draft, "items": {keyword: address}})


def test_addresses_elsewhere_in_a_document_are_never_followed(tripwires: tuple[str, str]) -> None:
    for address in tripwires:
        for schema in (
            {"unknown": {"$ref": address}},
            {"default": {"$ref": address}},
            {"const": {"$ref": address}},
            {"$id": address, "$ref": "#/$defs/a", "$defs": {"a": {}}},
            {"id": address},
            {"$comment": address, "examples": [{"$schema": address}]},
        ):
            check_schema(document(schema))
            compile_schema(document(schema)).explain(b'{"$ref": "' + address.encode() + b'"}')
        refused({"$schema": address})
        refused({"items": {"$id": address}})
        refused({"items": {"$schema": address}})
        refused({"$vocabulary": {address: True}})


def test_the_validator_itself_is_told_not_to_fetch(tripwires: tuple[str, str]) -> None:
    for address in tripwires:
        with pytest.raises(jsonschema_rs.ValidationError, match="Retrieval is disabled"):
            jsonschema_rs.Draft202012Validator({"$ref": address}, offline=True)


@pytest.mark.parametrize("target", ["#/$defs/none", "#/default", "#/$defs/a/enum/0", "#name", "#/unknown/x"])
def test_a_reference_to_what_is_no_subschema_is_refused(target: str) -> None:
    definition = {"enum": [{}], "$anchor": "name"}
    error = refused({"$ref": target, "default": {}, "unknown": {"x": {}}, "$defs": {"a": definition}})
    assert error.where == "schema /$ref"
    assert "no subschema" in error.what


def test_references_by_escaped_pointers_are_followed() -> None:
    schema = {"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"type": "integer"}}}
    check_schema(document(schema))
    assert compile_schema(document(schema)).verdict(b'"x"') is INVALID


# --- burning time and memory --------------------------------------------------------------------------------


@pytest.mark.parametrize("applicator", ["allOf", "anyOf", "oneOf"])
def test_doubling_is_refused(applicator: str) -> None:
    for levels in (15, 20, 25, 200):
        refused(doubling(levels, applicator, leaf={"type": "integer"}))


def test_doubling_by_small_steps_is_judged() -> None:
    schema = doubling(10, "allOf", leaf={"type": "integer"})
    check_schema(document(schema))
    assert compile_schema(document(schema)).verdict(b"1") is VALID


def test_nested_unevaluated_properties_are_refused() -> None:
    schema: dict[str, Any] = {"unevaluatedProperties": False}
    for _ in range(14):
        schema = {"allOf": [schema], "unevaluatedProperties": False}
    assert "evaluations" in refused(schema).what


def test_doubling_from_level_to_level_is_refused() -> None:
    definitions: dict[str, Any] = {
        f"d{n}": {"allOf": [{"items": {"$ref": f"#/$defs/d{n + 1}"}} for _ in range(8)]} for n in range(10)
    }
    refused({"$ref": "#/$defs/d0", "$defs": {**definitions, "d10": {}}})


def test_a_wide_document_without_multiplication_is_fine() -> None:
    definitions: dict[str, Any] = {
        f"d{n}": {"properties": {name: {"$ref": f"#/$defs/d{n + 1}"} for name in "abcd"}} for n in range(25)
    }
    schema = {"$ref": "#/$defs/d0", "$defs": {**definitions, "d25": {"type": "integer"}}}
    check_schema(document(schema))
    assert compile_schema(document(schema)).verdict(b'{"a":{"b":{}}}') is VALID


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {"if": {"anyOf": [{"$ref": "#/if"}]}},
        {"dependentSchemas": {"a": {"$ref": "#"}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"oneOf": [{"$ref": "#/$defs/a"}]}}},
    ],
)
def test_circles_without_progress_are_refused(schema: dict[str, Any]) -> None:
    assert "leads back to itself" in refused(schema).what


def test_circles_with_progress_are_fine() -> None:
    branch = {"$ref": "#"}
    tree = {"type": "object", "properties": {"left": branch, "right": branch, "n": {"type": "integer"}}}
    check_schema(document(tree))
    validator = compile_schema(document(tree))
    assert validator.verdict(b'{"left":{"right":{"n":1}}}') is VALID
    assert validator.verdict(b'{"left":{"right":{"n":"1"}}}') is INVALID
    deep = b'{"left":' * (JSON_DEPTH_MAX - 1) + b"{}" + b"}" * (JSON_DEPTH_MAX - 1)
    assert validator.verdict(deep) is VALID


def test_long_chains_are_refused_so_that_no_stack_overflows() -> None:
    definitions: dict[str, Any] = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(1000)}
    refused({"$ref": "#/$defs/d0", "$defs": {**definitions, "d1000": {}}})


def test_too_large_too_deep_and_too_many_are_refused() -> None:
    refused(document({"description": "x" * SCHEMA_BYTES_MAX}))
    refused({"properties": {f"p{n}": {} for n in range(SUBSCHEMAS_MAX)}})
    refused(b'{"not":' * (JSON_DEPTH_MAX + 1) + b"{}" + b"}" * (JSON_DEPTH_MAX + 1))
    refused(b"[" * 60_000)
    refused({"properties": {f"p{n}": {"pattern": f"^{n}$"} for n in range(65)}})


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)b", "(?!a)b", "(?<=a)b", "(a)\\1", "(a{1000}){1000}", "[01]*1[01]{100000}", "(", "a{2,1}", "\\p{Nonsense}"],
)
def test_patterns_that_are_not_linear_small_and_regular_are_refused(pattern: str) -> None:
    assert refused({"properties": {"a": {"pattern": pattern}}}).where == "schema /properties/a/pattern"
    assert refused({"patternProperties": {pattern: {}}}).where is not None


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_patterns_that_explode_elsewhere_are_harmless_here(pattern: str) -> None:
    for schema in (
        {"pattern": pattern},
        {"patternProperties": {pattern: False}, "additionalProperties": True},
        {"patternProperties": {pattern: True}, "unevaluatedProperties": True},
        {"propertyNames": {"pattern": pattern}},
    ):
        check_schema(document(schema))
        validator = compile_schema(document(schema))
        for body in ("a" * 50_000 + "!", {"a" * 50_000 + "!": 1}):
            text = document(body)
            assert validator.verdict(text) is not UNKNOWN
            validator.explain(text)


def test_a_pattern_with_many_states_is_not_run_over_long_texts() -> None:
    validator = compile_schema(document({"pattern": "[01]*1[01]{1000}2"}))
    assert validator.verdict(document("01" * 600)) is INVALID
    assert validator.verdict(document("01" * 400_000)) is UNKNOWN


def test_unique_items_of_many_objects_are_judged() -> None:
    validator = compile_schema(b'{"uniqueItems":true}')
    items = [{"a": n, "b": [n]} for n in range(5000)]
    assert validator.verdict(document(items)) is VALID
    assert validator.verdict(document([*items, items[0]])) is INVALID


def test_unevaluated_properties_of_a_wide_object_are_judged() -> None:
    schema = {"anyOf": [{"properties": {f"p{n}": {}}} for n in range(100)], "unevaluatedProperties": False}
    body = {f"p{n}": n for n in range(5000)}
    assert compile_schema(document(schema)).verdict(document(body)) is INVALID
    assert len(compile_schema(document(schema)).explain(document(body))) >= 1


def test_explaining_does_not_copy_a_large_body_for_each_problem() -> None:
    schema = {"allOf": [{"required": [f"x{n}"]} for n in range(500)]}
    body = document({f"k{n}": n for n in range(20_000)})
    [problem] = compile_schema(document(schema)).explain(body)
    assert "too large to say where" in problem.what
