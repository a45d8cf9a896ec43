"""What validating against an untrusted schema may cost, found from the document alone, without validating.

It does not ask whether the document is a valid JSON Schema (`conformance` does), and evaluates nothing.

The model: a document is a graph of subschemas. A subschema applies others to the same value (`allOf`,
`$ref`, …) or to the values within it (`properties`, `items`, …). Hence follows, for each depth of a body,
how many evaluations one value at that depth can need at most: the cost table. A body with n values costs
no more than n times the largest entry down to its depth, whatever it says; so nothing is measured, and no
clock decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import jsonschema_rs

from gonk_node.core.limits import (
    BRANCHING_DEPTH,
    BRANCHING_MAX,
    JSON_DEPTH_MAX,
    PATTERN_PROGRAM_BYTES_MAX,
    SCHEMA_CHAIN_MAX,
    SCHEMA_PATTERNS_MAX,
    SUBSCHEMAS_MAX,
)
from gonk_node.errors import NonconformingError
from gonk_node.state.strict_json import Json, pointer

# Where subschemas are, in any draft; one too many only makes the bound larger. (keyword, shape, relation):
# "here" is applied to the same value, "each" to every value within, "one" to some value within to which
# no other of its group is applied, "kept" is applied only by reference. Shape `object` is a map by name.
_APPLICATORS: tuple[tuple[str, type, str], ...] = (
    ("not", dict, "here"),
    ("if", dict, "here"),
    ("then", dict, "here"),
    ("else", dict, "here"),
    ("allOf", list, "here"),
    ("anyOf", list, "here"),
    ("oneOf", list, "here"),
    ("dependentSchemas", object, "here"),
    ("dependencies", object, "here"),
    ("additionalProperties", dict, "each"),
    ("additionalItems", dict, "each"),
    ("unevaluatedProperties", dict, "each"),
    ("unevaluatedItems", dict, "each"),
    ("contains", dict, "each"),
    ("propertyNames", dict, "each"),
    ("patternProperties", object, "each"),
    ("items", dict, "each"),
    ("items", list, "one"),
    ("prefixItems", list, "one"),
    ("properties", object, "one"),
    ("contentSchema", dict, "kept"),
    ("$defs", object, "kept"),
    ("definitions", object, "kept"),
)
_REFUSED = {
    "$dynamicRef": "what it refers to depends on the way there; use $ref",
    "$recursiveRef": "what it refers to depends on the way there; use $ref",
    "$vocabulary": "only metaschemas may have it",
}
_COMPARED = ("enum", "const", "required", "dependentRequired", "dependencies", "type")
_UNEVALUATED_FACTOR = 3  # to find what is not evaluated, the subschemas here run anew (measured: 2.8 times)
_UNIQUE_WEIGHT = JSON_DEPTH_MAX  # uniqueItems hashes all that is within, and so may each level around it
_PROGRAM_SIZES = tuple(size for size in (2**10, 2**12, 2**14, 2**16) if size < PATTERN_PROGRAM_BYTES_MAX)
_STATE_BYTES = 128  # of a compiled expression, for one state of it; each costs 10 ns a byte of text at worst
_CEILING = 10**15  # far beyond every limit; keeps the numbers of a hostile document small


@dataclass(slots=True)
class Subschema:
    """One subschema of a document: what it costs by itself and which others it applies."""

    path: tuple[str | int, ...]
    document: dict[str, Json] | bool
    weight: int = 1  # steps for one value
    states: int = 0  # steps for one byte of text, from its regular expressions
    factor: int = 1  # how often what it applies here is run
    here: list[int] = field(default_factory=list)
    each: list[int] = field(default_factory=list)
    one: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cost:
    """The most that one place of a body can cost: steps for the value, and for each byte of its text."""

    per_value: int
    per_byte: int


@dataclass(frozen=True, slots=True)
class Plan:
    """An admitted document: its subschemas, and the running maximum of `Cost` for depth 0, 1, … of a body."""

    subschemas: list[Subschema]
    costs: tuple[Cost, ...]

    def cost(self, depth: int, values: int, size: int) -> int:
        """An upper bound in steps for a body of this depth, number of values, and size in bytes."""
        worst = self.costs[min(depth, len(self.costs) - 1)]
        return worst.per_value * values + worst.per_byte * size


def plan(document: Json) -> Plan:
    """Check a parsed schema document against the fixed limits, and find what it may cost.

    Raises:
        NonconformingError: it is too large, branches too much, refers outside of itself or in circles, or
            has a pattern that no automaton of acceptable size matches in linear time; `where` is a JSON
            pointer.
    """
    subschemas = _collect(document)
    _link(subschemas)
    _weigh_patterns(subschemas)
    order = _order(subschemas)
    _check_chains(subschemas, order)
    costs = _costs(subschemas, order)
    at = costs[min(BRANCHING_DEPTH, len(costs) - 1)]
    if at.per_value > BRANCHING_MAX:
        raise NonconformingError(
            f"one value of a body could need {at.per_value:,} evaluations; the limit is {BRANCHING_MAX:,}",
            where="schema",
            hint="let fewer subschemas apply to one value (allOf, anyOf, oneOf, $ref)",
        )
    return Plan(subschemas, costs)


def _collect(document: Json) -> list[Subschema]:
    """Every subschema, the root first. Relations by containment are set; references are not."""
    found = [_subschema((), document)]
    for index, parent in enumerate(found):  # grows while it is walked
        if not isinstance(parent.document, dict):
            continue
        for relation, path, part in _parts(parent.document):
            if relation != "kept":
                getattr(parent, relation).append(len(found))
            found.append(_subschema(parent.path + path, part))
            if len(found) > SUBSCHEMAS_MAX:
                raise NonconformingError(f"has more than {SUBSCHEMAS_MAX} subschemas", where="schema")
        _check_keywords(parent, is_root=index == 0)
    return found


def _parts(document: dict[str, Json]) -> Iterator[tuple[str, tuple[str | int, ...], Json]]:
    """(relation, path from the parent, subschema) of each subschema directly within."""
    for keyword, shape, relation in _APPLICATORS:
        value = document.get(keyword)
        if shape is dict and isinstance(value, dict | bool):
            yield relation, (keyword,), value
        elif shape is list and isinstance(value, list):
            for index, part in enumerate(value):
                if isinstance(part, dict | bool):
                    yield relation, (keyword, index), part
        elif shape is object and isinstance(value, dict):
            for name, part in value.items():
                if isinstance(part, dict | bool):
                    yield relation, (keyword, name), part


def _subschema(path: tuple[str | int, ...], document: Json) -> Subschema:
    made = Subschema(path, document)
    if isinstance(document, dict):
        made.weight += sum(_values(document[name]) for name in _COMPARED if name in document)
        if document.get("uniqueItems") is True:
            made.weight += _UNIQUE_WEIGHT
        if "unevaluatedProperties" in document or "unevaluatedItems" in document:
            made.factor = _UNEVALUATED_FACTOR
    return made


def _values(value: Json) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_values, value.values()))
    if isinstance(value, list):
        return 1 + sum(map(_values, value))
    return 1


def _check_keywords(subschema: Subschema, *, is_root: bool) -> None:
    document = subschema.document
    assert isinstance(document, dict)  # noqa: S101 - for the type checker
    for keyword, why in _REFUSED.items():
        if keyword in document:
            raise _refusal(subschema, keyword, f"{keyword} is not supported: {why}")
    for keyword in ("$schema", "$id", "id"):
        if not is_root and isinstance(document.get(keyword), str):
            raise _refusal(subschema, keyword, f"{keyword} may only stand at the top of the document")


def _refusal(subschema: Subschema, keyword: str | None, what: str) -> NonconformingError:
    path = subschema.path if keyword is None else (*subschema.path, keyword)
    return NonconformingError(what, where=f"schema {pointer(path)}".rstrip())


def _link(subschemas: list[Subschema]) -> None:
    """Resolve each `$ref` to a subschema of the same document, and add it to `here` of who refers."""
    index_at = {pointer(subschema.path): index for index, subschema in enumerate(subschemas)}
    for subschema in subschemas:
        if not isinstance(subschema.document, dict) or "$ref" not in subschema.document:
            continue
        target = subschema.document["$ref"]
        if not isinstance(target, str) or not target.startswith("#"):
            raise _refusal(subschema, "$ref", "refers outside of this document; only #/… is followed")
        index = index_at.get(unquote(target[1:]))
        if index is None:
            raise _refusal(subschema, "$ref", f"{target[:80]} is no subschema of this document")
        subschema.here.append(index)


def _weigh_patterns(subschemas: list[Subschema]) -> None:
    """Set `states`; refuse what needs backtracking (look-around, back references) or is too large."""
    sizes: dict[str, int] = {}
    for subschema in subschemas:
        for path, pattern in _patterns(subschema.document):
            if pattern not in sizes:
                sizes[pattern] = _program_bytes(pattern, pointer(subschema.path + path))
            subschema.states += sizes[pattern] // _STATE_BYTES
            if len(sizes) > SCHEMA_PATTERNS_MAX:
                raise NonconformingError(f"has more than {SCHEMA_PATTERNS_MAX} patterns", where="schema")


def _patterns(document: dict[str, Json] | bool) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(document, dict):
        if isinstance(document.get("pattern"), str):
            yield ("pattern",), document["pattern"]
        if isinstance(document.get("patternProperties"), dict):
            for pattern in document["patternProperties"]:
                yield ("patternProperties", pattern), pattern


def _program_bytes(pattern: str, place: str) -> int:
    """The least size limit, of a few, under which the linear-time engine takes the expression."""
    for size in (*_PROGRAM_SIZES, PATTERN_PROGRAM_BYTES_MAX):
        options = jsonschema_rs.RegexOptions(size_limit=size)
        try:
            jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options, offline=True)
        except jsonschema_rs.ValidationError:
            continue
        return size
    raise NonconformingError(
        f"the pattern {pattern[:80]!r} is no regular expression that runs in linear time within "
        f"{PATTERN_PROGRAM_BYTES_MAX // 1024} KiB",
        where=f"schema {place}",
        hint="look-around, back references and very large repetitions are refused",
    )


def _order(subschemas: list[Subschema]) -> list[int]:
    """All indices, each after what it applies here (postorder); refuse circles without progress."""
    order: list[int] = []
    done = [False] * len(subschemas)
    open_ = [False] * len(subschemas)
    for start in range(len(subschemas)):
        stack = [(start, iter(subschemas[start].here))] if not done[start] else []
        while stack:
            index, rest = stack[-1]
            open_[index] = True
            following = next(rest, None)
            if following is None:
                stack.pop()
                open_[index], done[index] = False, True
                order.append(index)
            elif open_[following]:
                raise _refusal(subschemas[index], None, "leads back to itself without going into the value")
            elif not done[following]:
                stack.append((following, iter(subschemas[following].here)))
    return order


def _check_chains(subschemas: list[Subschema], order: list[int]) -> None:
    length = [0] * len(subschemas)
    for index in order:
        length[index] = 1 + max((length[other] for other in subschemas[index].here), default=0)
        if length[index] > SCHEMA_CHAIN_MAX:
            raise NonconformingError(
                f"applies more than {SCHEMA_CHAIN_MAX} subschemas in one another to the same value",
                where=f"schema {pointer(subschemas[index].path)}".rstrip(),
            )


def _costs(subschemas: list[Subschema], order: list[int]) -> tuple[Cost, ...]:
    """`Plan.costs`: by dynamic programming over depth; ends where no subschema reaches deeper."""
    above = [(0, 0)] * len(subschemas)
    running: list[Cost] = []
    for depth in range(JSON_DEPTH_MAX + 1):
        level = [(0, 0)] * len(subschemas)
        for index in order:
            subschema = subschemas[index]
            values, text = (subschema.weight, subschema.states) if depth == 0 else (0, 0)
            for other in subschema.here:
                values += subschema.factor * level[other][0]
                text += subschema.factor * level[other][1]
            for other in subschema.each:
                values += above[other][0]
                text += above[other][1]
            values += max((above[other][0] for other in subschema.one), default=0)
            text += max((above[other][1] for other in subschema.one), default=0)
            level[index] = (min(values, _CEILING), min(text, _CEILING))
        if depth and not any(values for values, _ in level):
            break
        values, text = level[0]
        last = running[-1] if running else Cost(0, 0)
        running.append(Cost(max(values, last.per_value), max(text, last.per_byte)))
        above = level
    return tuple(running)
