"""The tables of docs/spec/04-events.md as data, and what their types mean: values that fit a type and values that do not.

Written from the text of that page; it knows nothing of `gonk_node.core.event_codec`, against which tests hold it.
"""

from __future__ import annotations

import functools
import re
from itertools import pairwise
from typing import Any, NamedTuple

from kit.source_tree import ROOT, text

PAGE = ROOT / "docs" / "spec" / "04-events.md"
INT_MAX = 2**53 - 1
_HEADING = re.compile(r"^### (\d+) (\S+)$")
_ROW = re.compile(r"^\| (\w+) \| `([^`]+)` \|")
_PIN = ("bytes 8", "integer", "bytes 32")
_HEAD = ("bytes 32", "bytes 8", "integer", "bytes 32")


class KindTable(NamedTuple):
    """One kind of event as the page says it: number, name, and (name, type) of each field."""

    number: int
    name: str
    fields: list[tuple[str, str]]


@functools.cache
def kinds() -> list[KindTable]:
    """The kinds in the order of the page."""
    found: list[KindTable] = []
    for line in text(PAGE).splitlines():
        if heading := _HEADING.match(line):
            found.append(KindTable(int(heading[1]), heading[2], []))
        elif line.startswith("## "):  # tables of another matter follow
            found.append(KindTable(-1, "", []))
        elif found and (row := _ROW.match(line)):
            found[-1].fields.append((row[1], row[2]))
    return [kind for kind in found if kind.number >= 0]


def _bounds(type_: str, default: tuple[int, int] = (0, INT_MAX)) -> tuple[int, int]:
    if found := re.search(r"(\d+)\.\.(\d+)", type_):
        return int(found[1]), int(found[2])
    if found := re.search(r" (\d+)$", type_):
        return int(found[1]), int(found[1])
    return default


def fits(type_: str, value: Any) -> bool:
    """Whether a decoded value is of a type of the page."""
    word, (low, high) = type_.split(" ")[0], _bounds(type_)
    if word == "integer":
        return type(value) is int and low <= value <= high
    if word == "bytes":
        return type(value) is bytes and low <= len(value) <= high
    if word in ("text", "name"):
        plain = word == "text" or (type(value) is str and not re.search("[\x00-\x1f\x7f]", value))
        return type(value) is str and low <= len(value.encode()) <= high and plain
    if type_ == "schema name":
        return fits("name 8..1024", value) and value.startswith("schema-") and "/" not in value
    if type(value) is not list:
        return False
    if type_ == "ref":
        return len(value) == 2 and value[0] != "" and (value[0] == b"" or fits("bytes 32", value[0])) and _index(value)
    if type_ == "pins":
        return len(value) <= 8192 and all(_tuple(_PIN, pin) for pin in value) and _ascend([pin[0] for pin in value])
    if type_ == "heads":
        return 1 <= len(value) <= 8192 and all(_tuple(_HEAD, head) for head in value) and _ascend(value)
    if word in ("list", "ascending"):
        item = type_.partition(" of ")[2]
        right = low <= len(value) <= high and all(fits(item, each) for each in value)
        return right and (word == "list" or _ascend(value))
    raise ValueError(f"the page has an unknown type: {type_}")


def _index(ref: list[Any]) -> bool:
    return fits("integer 0..4095", ref[1])


def _tuple(types: tuple[str, ...], value: Any) -> bool:
    return type(value) is list and len(value) == len(types) and all(map(fits, types, value))


def _ascend(values: list[Any]) -> bool:
    return all(first < second for first, second in pairwise(values))


def good(type_: str) -> list[Any]:
    """Values at the bounds of a type; the first is a small one."""
    word, (low, high) = type_.split(" ")[0], _bounds(type_)
    if word == "integer":
        return [low, high]
    if word == "bytes":
        return [bytes(length) for length in sorted({low, min(high, 900_000)})]
    if word in ("text", "name"):
        return ["x" * low, "x" * high, "é" * (high // 2)] + (["\n\x7f" * low] if word == "text" else [])
    if type_ == "schema name":
        return ["schema-a", "schema-" + "x" * 1017, "schema-é b"]
    if type_ == "ref":
        return [[bytes(32), 0], [b"", 4095]]
    if type_ == "pins":
        return [[], [[bytes(8), 0, bytes(32)], [b"\x01" * 8, INT_MAX, bytes(32)]], _many_pins(8192)]
    if type_ == "heads":
        one = [bytes(32), bytes(8), 0, bytes(32)]
        return [[one], [one, [bytes(32), bytes(8), 1, bytes(32)], [b"\x01" * 32, bytes(8), 0, bytes(32)]]]
    values = _distinct(type_, high) if word == "ascending" else [good(type_.partition(" of ")[2])[-1]] * high
    return [values[:low], values]


def bad(type_: str) -> list[Any]:
    """Values just beyond the bounds of a type, and values of other types."""
    word, (low, high) = type_.split(" ")[0], _bounds(type_)
    wrong: list[Any] = [None, True, 1.5, {}, [None], [[]]]
    if word == "integer":
        return [*wrong, low - 1, high + 1, b"", "", float(low)]
    if word == "bytes":
        return [*wrong, 0, "", *([bytes(low - 1)] if low else []), bytes(high + 1)]
    if word in ("text", "name"):
        beyond = ["x" * (high + 1), "é" * (high // 2) + "e"] + ([""] if low else [])
        return [*wrong, 0, b"x", *beyond, *(["a\nb", "\x7f"] if word == "name" else [])]
    if type_ == "schema name":
        return [*wrong, "schema-", "boxes", "schema-" + "x" * 1018, "schema-a/b", "schema-\n", b"schema-a"]
    if type_ == "ref":
        return [*wrong, 0, [bytes(31), 0], [bytes(33), 0], [bytes(32), 4096], [bytes(32), -1], [bytes(32)], [None, 0]]
    if type_ == "pins":
        pins = _many_pins(3)
        return [*wrong, b"", pins[::-1], [pins[0], pins[0]], [pins[0][:2]], [[*pins[0], 0]], _many_pins(8193)]
    if type_ == "heads":
        one, two = good("heads")[1][:2]
        return [*wrong, [], [two, one], [one, one], [one[:3]]]
    values = _distinct(type_, high + 1)
    beyond = [values[: low - 1]] if low else []
    return [*wrong, 0, *beyond, values, *([values[1::-1], values[:1] * 2] if word == "ascending" else [])]


def _distinct(type_: str, count: int) -> list[Any]:
    if type_.endswith(" of integer"):
        return list(range(count))
    if type_.endswith(" of ref"):
        return [[number.to_bytes(32, "big"), 0] for number in range(count)]
    return [number.to_bytes(32, "big") for number in range(count)]


def _many_pins(count: int) -> list[Any]:
    return [[number.to_bytes(8, "big"), number, bytes(32)] for number in range(count)]
