"""Progress counts events without decoding, and never fails on anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.core.events import Profile
from gonk_node.sync.counting import count, event_count, minus, plus
from gonk_node.sync.outputs import Totals
from kit.authors import TestAuthor


@pytest.mark.parametrize("number", [1, 2, 23, 24, 255, 256, 4096])
def test_the_events_of_a_record_are_counted(number: int) -> None:
    entry = TestAuthor("a", b"d" * 32).append(*[Profile("x")] * number)
    assert event_count(entry.record) == number
    assert count([entry.record, entry.record]) == Totals(2, 2 * number, 2 * len(entry.record))


@given(st.binary(max_size=300))
def test_any_bytes_can_be_counted(data: bytes) -> None:
    assert 0 <= event_count(data) < 2**16


def test_totals_add_and_subtract() -> None:
    assert minus(plus(Totals(1, 2, 3), Totals(4, 5, 6)), Totals(1, 2, 3)) == Totals(4, 5, 6)
