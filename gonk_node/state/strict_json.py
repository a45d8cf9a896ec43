"""JSON text as gonk reads and writes it: one meaning per text, a bounded depth, and JSON pointers for places.

It does not know schemas; what fits a schema is decided in `conformance`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeAlias

from gonk_node.core.limits import JSON_DEPTH_MAX
from gonk_node.errors import NonconformingError

Json: TypeAlias = Any  # None, bool, int, float, str, list[Json] or dict[str, Json]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with what was given.

    Attributes:
        place: where: a JSON pointer (RFC 6901; "" is the whole), with the file before it where there is one.
        what: one sentence for people.
    """

    place: str
    what: str


_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # possessive: linear, also when left open
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = [0] * 256
for _byte, _step in ((b"[", 1), (b"{", 1), (b"]", -1), (b"}", -1)):
    _STEP[_byte[0]] = _step
_SURROGATE = re.compile(rb"\\u[dD][89abABcdefCDEF]")
_EXPONENT = re.compile(rb"[0-9][eE]")
_ALL_DIGITS_ALIKE = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_MANY_DIGITS = b"0" * 300  # with fewer, and no exponent, a number is a double
_DIGITS_MAX = 309  # the largest double, 1.8e308, has 309 digits before the point


def depth_max(text: bytes) -> int:
    """An upper bound of `depth`, ten times as fast."""
    return text.count(b"[") + text.count(b"{")


def depth(text: bytes) -> int:
    """How deep arrays and objects are nested in a JSON text; 0 for a plain value. Linear, no recursion."""
    brackets = _STRING.sub(b"", text).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def values_max(text: bytes) -> int:
    """An upper bound of the number of values in a JSON text, without parsing it."""
    return 1 + text.count(b",") + text.count(b"[") + text.count(b"{")


def parse(text: bytes, levels_max: int = JSON_DEPTH_MAX) -> Json:
    """The value of a JSON text (RFC 8259) in which every reader sees the same (I-JSON, RFC 7493).

    Args:
        text: UTF-8.
        levels_max: how deep arrays and objects may be nested.

    Raises:
        NonconformingError: it is not UTF-8 or not JSON; or has duplicate names in an object, NaN or Infinity,
            a number beyond a double, a lone surrogate, or is nested deeper than that.
    """
    if depth_max(text) > levels_max and (deep := depth(text)) > levels_max:
        raise NonconformingError(f"is nested {deep} levels deep; the limit is {levels_max}")
    try:
        value = _value(text)
    except UnicodeDecodeError as error:
        raise NonconformingError(f"is not UTF-8 (at byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise NonconformingError(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(value)
    return value


def canonical(value: Json) -> bytes:
    """The value as UTF-8 JSON: names sorted, no spaces, shortest float forms; ValueError for NaN."""
    return _encode(value).encode("utf-8")


def is_sure_to_parse(text: bytes) -> bool:
    """Whether `parse` takes what `canonical` made, as its length and brackets tell; False: perhaps not."""
    return len(text) <= _DIGITS_MAX and depth_max(text) <= JSON_DEPTH_MAX


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path: ["a/b", 0] -> "/a~1b/0"; [] -> ""."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _value(text: bytes) -> Json:
    """What a JSON text says; without looking at each number where none can be beyond a double."""
    decoded = text.decode("utf-8")
    if _EXPONENT.search(text) is None and (
        len(text) < len(_MANY_DIGITS) or _MANY_DIGITS not in text.translate(_ALL_DIGITS_ALIKE)
    ):
        try:
            value, end = _QUICK_DECODER.raw_decode(decoded)
        except json.JSONDecodeError:  # also where blanks are before it
            end = -1
        if end == len(decoded):
            return value
    return _DECODER.decode(decoded)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise NonconformingError(f"has the name {name[:80]!r} twice in one object")
            seen.add(name)
    return members


def _integer(literal: str) -> int:
    if len(literal) > _DIGITS_MAX:
        raise NonconformingError(f"has a number of {len(literal)} digits, beyond what a double holds")
    return int(literal)


def _real(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise NonconformingError(f"has a number beyond what a double holds: {literal[:40]}")
    return number


def _constant(literal: str) -> float:
    raise NonconformingError(f"has {literal}, which JSON does not know")


_QUICK_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)  # takes numbers of any size
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant)


def _refuse_lone_surrogates(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise NonconformingError("has half of a surrogate pair, which is no character") from error
