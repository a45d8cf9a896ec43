"""The tables of docs/spec/04-events.md are what the code does: each kind, each field, each bound is tried."""

from __future__ import annotations

from typing import Any

import pytest

from gonk_node.core import codec
from gonk_node.core.codec import CodecError
from gonk_node.core.event_codec import KINDS, decode_event
from kit.spec_tables import KindTable, bad, fits, good, kinds

FIELDS = [(kind, place) for kind in kinds() for place in range(len(kind.fields))]


def event(kind: KindTable, place: int, value: Any) -> bytes:
    """An event of that kind with that value at one place, and small correct ones at the others."""
    values = [good(type_)[0] for _, type_ in kind.fields]
    values[place] = value
    return codec.encode([kind.number, *values])


def shown(parameter: Any) -> str:
    return parameter.name if isinstance(parameter, KindTable) else str(parameter)


def test_the_page_names_every_kind_and_field_as_the_code_does() -> None:
    from_code = [(kind.number, kind.name, list(kind.make._fields)) for kind in KINDS]  # type: ignore[attr-defined]
    from_page = [(kind.number, kind.name, [name for name, _ in kind.fields]) for kind in kinds()]
    assert from_page == from_code


@pytest.mark.parametrize(("kind", "place"), FIELDS, ids=shown)
def test_values_within_the_bounds_of_the_page_are_accepted(kind: KindTable, place: int) -> None:
    for value in good(kind.fields[place][1]):
        assert fits(kind.fields[place][1], value)
        assert decode_event(event(kind, place, value))


@pytest.mark.parametrize(("kind", "place"), FIELDS, ids=shown)
def test_values_beyond_the_bounds_of_the_page_are_refused(kind: KindTable, place: int) -> None:
    for value in bad(kind.fields[place][1]):
        assert not fits(kind.fields[place][1], value)
        with pytest.raises(CodecError):
            decode_event(event(kind, place, value))
