"""What differs between two JSON values, path by path: what was added, removed and replaced.

Pure, and bounded: a value is written out once for each array that it is in, JSON_DEPTH_MAX at most. It finds what stands
where, not the shortest edit: items moved about in an array show as replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from gonk_node.state.strict_json import Json, canonical, pointer


class Absent:
    """The type of `ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()  # there is no value here; not the same as null


class Difference(NamedTuple):
    """One place at which two values differ.

    Attributes:
        path: a JSON pointer (RFC 6901) into the new value; into the old one, where the new one has no such place.
        old: what stood there; ABSENT: nothing, it was added.
        new: what stands there; ABSENT: nothing, it was removed.
    """

    path: str
    old: Json | Absent
    new: Json | Absent


def differences(old: Json, new: Json) -> list[Difference]:
    """All places at which two parsed JSON values differ, as deep as objects and arrays go along with one another.

    Members are compared by name. Items of arrays are compared by position, after what both begin and end with alike
    is set aside, so that an item put in or taken out is told as that. Equal is what canonical JSON writes equally:
    1 differs from 1.0 and from true; the order of members makes no difference.

    Args:
        old: as `strict_json.parse` gives it: its depth is bounded, and names are unique.
        new: likewise.
    """
    return list(_differences(old, new, []))


def _differences(old: Json, new: Json, path: list[str | int]) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _pair(old.get(name, ABSENT), new.get(name, ABSENT), [*path, name])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(old, new, path)
    elif canonical(old) != canonical(new):
        yield Difference(pointer(path), old, new)


def _pair(old: Json | Absent, new: Json | Absent, path: list[str | int]) -> Iterator[Difference]:
    if isinstance(old, Absent) or isinstance(new, Absent):
        yield Difference(pointer(path), old, new)
    else:
        yield from _differences(old, new, path)


def _items(old: list[Json], new: list[Json], path: list[str | int]) -> Iterator[Difference]:
    before, after = [canonical(item) for item in old], [canonical(item) for item in new]
    shorter = min(len(before), len(after))
    head = 0
    while head < shorter and before[head] == after[head]:
        head += 1
    tail = 0
    if len(before) != len(after):
        while tail < shorter - head and before[-1 - tail] == after[-1 - tail]:
            tail += 1
    old_end, new_end = len(old) - tail, len(new) - tail
    both = min(old_end, new_end)
    for index in range(head, both):
        yield from _differences(old[index], new[index], [*path, index])
    for index in range(both, old_end):
        yield Difference(pointer([*path, index]), old[index], ABSENT)
    for index in range(both, new_end):
        yield Difference(pointer([*path, index]), ABSENT, new[index])
