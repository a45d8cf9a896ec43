"""Does an annotation's body fit its schema: yes, no, or unknown; and what is wrong with it, in words.

Schemas come from strangers. A document is admitted only within the fixed limits of `schema_guard`; then
jsonschema-rs validates, offline and with linear-time patterns. A verdict is a function of the two byte
strings alone: nothing is fetched, no clock is read, nothing is remembered. Which annotations count is not
decided here (see `reviews`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import jsonschema_rs

from gonk_node.core.limits import (
    EXPLANATION_COST_MAX,
    JSON_DEPTH_MAX,
    PATTERN_PROGRAM_BYTES_MAX,
    PROBLEMS_EXPLAINED_MAX,
    SCHEMA_BYTES_MAX,
    VALIDATION_COST_MAX,
)
from gonk_node.errors import NonconformingError
from gonk_node.state import schema_guard, strict_json
from gonk_node.state.strict_json import Json, Problem

DEFAULT_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DIALECTS: dict[str, tuple[type[jsonschema_rs.Validator], str]] = {
    DEFAULT_DIALECT: (jsonschema_rs.Draft202012Validator, "Draft202012Validator"),
    "https://json-schema.org/draft/2019-09/schema": (
        jsonschema_rs.Draft201909Validator,
        "Draft201909Validator",
    ),
    "http://json-schema.org/draft-07/schema": (jsonschema_rs.Draft7Validator, "Draft7Validator"),
    "http://json-schema.org/draft-06/schema": (jsonschema_rs.Draft6Validator, "Draft6Validator"),
    "http://json-schema.org/draft-04/schema": (jsonschema_rs.Draft4Validator, "Draft4Validator"),
}
_NAMES = ("$schema", "$id", "id")  # at the top; references are local, so they have no part in validating
_ANNOTATIONS = ("contentEncoding", "contentMediaType")  # drafts 6 and 7 leave open whether they assert
_MESSAGE_CHARS_MAX = 300


class Conformance(enum.Enum):
    """Whether a body fits its schema.

    UNKNOWN: validating would cost more than VALIDATION_COST_MAX, so that no node does it.
    """

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


class Validator:
    """An admitted schema, ready to judge bodies; made by `compile_schema`. Immutable."""

    __slots__ = ("_cheap_bytes_max", "_compiled", "_plan")

    def __init__(self, compiled: jsonschema_rs.Validator, plan: schema_guard.Plan) -> None:
        self._compiled = compiled
        self._plan = plan
        dearest = max(1, plan.cost(JSON_DEPTH_MAX, 1, 1))  # of bodies of one byte: there are no more values than bytes
        self._cheap_bytes_max = VALIDATION_COST_MAX // dearest - 1

    def verdict(self, body: bytes) -> Conformance:
        """Judge a body (UTF-8 JSON bytes as given by its author).

        The cost is bounded before anything is parsed: (evaluations that one value may need at most, down
        to the depth of this body) x (number of values) + (states of the patterns) x (bytes). Beyond
        VALIDATION_COST_MAX the verdict is UNKNOWN. A body that is no strict JSON (see
        `strict_json.parse`) is INVALID.
        """
        return self.judge(body)[0]

    def judge(self, body: bytes) -> tuple[Conformance, Json]:
        """The same, and the value of the body where it is VALID, so that it need not be parsed again; otherwise None."""
        if self._costs_too_much(body):
            return Conformance.UNKNOWN, None
        try:
            value = strict_json.parse(body)
        except NonconformingError:
            return Conformance.INVALID, None
        return (Conformance.VALID, value) if self._compiled.is_valid(value) else (Conformance.INVALID, None)

    def verdict_of(self, value: Json, body: bytes) -> Conformance:
        """The same for a body that is `strict_json.canonical(value)`, without parsing it where that is sure to succeed."""
        if not strict_json.is_sure_to_parse(body):
            return self.verdict(body)
        if self._costs_too_much(body):
            return Conformance.UNKNOWN
        return Conformance.VALID if self._compiled.is_valid(value) else Conformance.INVALID

    def explain(self, body: bytes) -> list[Problem]:
        """What is wrong with a body (JSON pointers and reasons, PROBLEMS_EXPLAINED_MAX at most); [] if valid.

        A body whose verdict is UNKNOWN, or in which finding the places would cost too much, has one problem
        that says so.
        """
        verdict = self.verdict(body)
        if verdict is Conformance.VALID:
            return []
        if verdict is Conformance.UNKNOWN:
            return [Problem("", "is too large to be checked against this schema")]
        try:
            value = strict_json.parse(body)
        except NonconformingError as error:
            return [Problem("", error.what)]
        if self._plan.cost(strict_json.depth(body), 1, 0) * len(body) > EXPLANATION_COST_MAX:
            return [Problem("", "does not fit its schema; it is too large to say where")]
        errors = self._compiled.iter_errors(value)
        return [_problem(error) for error in islice(errors, PROBLEMS_EXPLAINED_MAX)]

    def _costs_too_much(self, body: bytes) -> bool:
        if len(body) <= self._cheap_bytes_max:
            return False
        values = strict_json.values_max(body)
        return (  # the cost grows with depth, so the quick bound of the depth settles most bodies
            self._plan.cost(strict_json.depth_max(body), values, len(body)) > VALIDATION_COST_MAX
            and self._plan.cost(strict_json.depth(body), values, len(body)) > VALIDATION_COST_MAX
        )


def check_schema(document: bytes) -> None:
    """Refuse what is no acceptable schema document; for those who write one.

    Stricter than `compile_schema` and slower (a second at worst): `jsonschema` checks the document
    against the metaschema of its draft to the letter, and puts into words what is wrong.

    Raises:
        NonconformingError: it is larger than SCHEMA_BYTES_MAX, no strict JSON, no JSON Schema of the draft
            that its `$schema` names (2020-12 without one), or beyond the limits of `schema_guard`; says where
            and why.
    """
    schema, uri = _parse(document)
    schema_guard.plan(schema)
    import jsonschema  # lazy: takes 170 ms, and only those who write a schema need it
    import referencing  # lazy: as jsonschema, which brings it

    metaschema_class = getattr(jsonschema, _DIALECTS[uri][1])
    linear = jsonschema.validators.extend(metaschema_class, {"uniqueItems": _unique_items})
    checker = linear(metaschema_class.META_SCHEMA, registry=referencing.Registry())
    try:
        best = jsonschema.exceptions.best_match(checker.iter_errors(schema))
    except RecursionError as error:
        raise NonconformingError("is nested too deep to be checked", where="schema") from error
    while best is not None and best.context:
        best = best.context[0]  # "none of the alternatives" helps nobody; the first is the usual one
    if best is not None:
        raise _no_schema(best.absolute_path, best.message)
    compile_schema(document)


def compile_schema(document: bytes) -> Validator:
    """The validator of a schema document (UTF-8 JSON bytes). Takes milliseconds: keep it.

    `format`, `contentEncoding` and `contentMediaType` assert nothing.

    Raises:
        NonconformingError: as `check_schema`, but for details of the metaschema that change no verdict.
    """
    schema, uri = _parse(document)
    plan = schema_guard.plan(schema)
    for subschema in plan.subschemas:
        if isinstance(subschema.document, dict):
            for keyword in _NAMES if subschema is plan.subschemas[0] else ():
                subschema.document.pop(keyword, None)
            for keyword in _ANNOTATIONS:
                subschema.document.pop(keyword, None)
    validator_class, _ = _DIALECTS[uri]
    options = jsonschema_rs.RegexOptions(size_limit=PATTERN_PROGRAM_BYTES_MAX)
    try:
        compiled = validator_class(schema, pattern_options=options, offline=True, validate_formats=False)
    except jsonschema_rs.ValidationError as error:
        raise _no_schema(error.instance_path, error.message) from error
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise _no_schema((), str(error)) from error
    return Validator(compiled, plan)


def _parse(document: bytes) -> tuple[Json, str]:
    """The parsed document, and the URI of its draft."""
    if len(document) > SCHEMA_BYTES_MAX:
        raise NonconformingError(f"is {len(document)} bytes; the limit is {SCHEMA_BYTES_MAX}", where="schema")
    try:
        schema = strict_json.parse(document)
    except NonconformingError as error:
        raise NonconformingError(error.what, where="schema") from error
    if not isinstance(schema, dict | bool):
        raise NonconformingError("is no JSON Schema: it must be an object, true or false", where="schema")
    uri = schema.get("$schema", DEFAULT_DIALECT) if isinstance(schema, dict) else DEFAULT_DIALECT
    known = uri.removesuffix("#") if isinstance(uri, str) else None
    if known not in _DIALECTS:
        raise NonconformingError(
            f"{str(uri)[:80]!r} is no draft that gonk knows",
            where="schema /$schema",
            hint="one of " + ", ".join(_DIALECTS),
        )
    return schema, known


def _no_schema(path: Iterable[str | int], reason: str) -> NonconformingError:
    where = f"schema {strict_json.pointer(path)}".rstrip()
    return NonconformingError(f"is no JSON Schema: {_short(reason)}", where=where)


def _unique_items(_validator: Any, unique: bool, instance: Json, _schema: Json) -> Iterator[Exception]:
    """`uniqueItems` in linear time; `jsonschema` compares each pair: 41 s for an enum of 5,000 objects."""
    import jsonschema  # lazy: as in check_schema, its only user

    if unique and isinstance(instance, list):
        distinct = {strict_json.canonical(item) for item in instance}
        if len(distinct) < len(instance):
            yield jsonschema.ValidationError("has an item twice")


def _problem(error: jsonschema_rs.ValidationError) -> Problem:
    """One error in words; of alternatives (anyOf, oneOf) the one that comes closest is told."""
    reason = error.message
    context = getattr(error.kind, "context", None)
    if context:
        closest = min((branch for branch in context if branch), key=_distance, default=None)
        if closest is not None:
            inner = closest[0]
            place = strict_json.pointer(inner.instance_path) or "it"
            reason = f"fits none of {len(context)} alternatives; in the closest, {place}: {inner.message}"
    return Problem(strict_json.pointer(error.instance_path), _short(reason))


def _distance(branch: list[jsonschema_rs.ValidationError]) -> tuple[int, int]:
    """Smaller is closer: problems deep in the value before one at its top, then few before many."""
    return -min(len(error.instance_path) for error in branch), len(branch)


def _short(text: str) -> str:
    return text if len(text) <= _MESSAGE_CHARS_MAX else text[: _MESSAGE_CHARS_MAX - 1] + "…"
