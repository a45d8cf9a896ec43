"""Counts what is in records without decoding them, for progress bars. Not a check: `core.verify` makes those."""

from __future__ import annotations

from collections.abc import Iterable

from gonk_node.sync.outputs import Totals

_ARRAY_OF_3 = 0x83
_BYTES_WITH_LENGTH = 0x58  # a byte string of 24 to 255 bytes; the next byte is its length
_LENGTH_MASK = 0x1F
_ONE_BYTE, _TWO_BYTES = 24, 25


def event_count(record: bytes) -> int:
    """How many events a record says that it has: the length of its third element; 0 where it is no record."""
    try:
        if record[0] != _ARRAY_OF_3 or record[1] != _BYTES_WITH_LENGTH:
            return 0
        signature = 3 + record[2]
        if record[signature] != _BYTES_WITH_LENGTH:
            return 0
        events = signature + 2 + record[signature + 1]
        short = record[events] & _LENGTH_MASK
        if short < _ONE_BYTE:
            return short
        if short == _ONE_BYTE:
            return record[events + 1]
        return int.from_bytes(record[events + 1 : events + 3], "big") if short == _TWO_BYTES else 0
    except IndexError:
        return 0


def count(records: Iterable[bytes]) -> Totals:
    """Entries, events and bytes of some records."""
    entries = events = size = 0
    for record in records:
        entries += 1
        events += event_count(record)
        size += len(record)
    return Totals(entries, events, size)


def plus(one: Totals, other: Totals) -> Totals:
    """The sum of two totals."""
    return Totals(one.entries + other.entries, one.events + other.events, one.bytes + other.bytes)


def minus(one: Totals, other: Totals) -> Totals:
    """The difference of two totals."""
    return Totals(one.entries - other.entries, one.events - other.events, one.bytes - other.bytes)


def largest(one: Totals, other: Totals) -> Totals:
    """The larger of each number."""
    return Totals(*map(max, one, other))
