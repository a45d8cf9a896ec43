"""Heads: one digest for a set of them, and locators that get exponentially sparser."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gonk_node.core.heads import Head, heads_digest, locator_seqs
from gonk_node.core.limits import INT_MAX
from kit.strategies import hashes, integers

heads = st.builds(Head, hashes(), hashes(8), integers(), hashes())


@given(st.sets(heads, max_size=8), st.randoms(use_true_random=False))
def test_the_digest_depends_on_the_set_and_not_on_its_order(found: set[Head], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert heads_digest(shuffled) == heads_digest(found)
    for head in found:
        assert heads_digest(found - {head}) != heads_digest(found)


@given(heads, heads)
def test_other_heads_have_another_digest(one: Head, other: Head) -> None:
    assert (heads_digest([one]) == heads_digest([other])) == (one == other)


@given(integers())
def test_a_locator_falls_from_the_head_to_the_first_entry_in_few_steps(seq: int) -> None:
    seqs = locator_seqs(seq)
    assert seqs[0] == seq
    assert seqs[-1] == 0
    assert all(later < earlier for earlier, later in pairwise(seqs))
    assert len(seqs) <= seq.bit_length() + 2


@given(integers(1), st.data())
def test_the_first_entry_known_to_both_is_near_where_logs_part(seq: int, data: st.DataObject) -> None:
    """What has to be sent twice is at most as much as is new."""
    parted = data.draw(st.integers(0, seq))
    found = next(known for known in locator_seqs(seq) if known <= parted)
    assert parted - found <= seq - parted


def test_locators_of_small_and_of_the_largest_logs() -> None:
    assert locator_seqs(0) == [0]
    assert locator_seqs(1) == [1, 0]
    assert locator_seqs(10) == [10, 9, 7, 3, 0]
    assert len(locator_seqs(INT_MAX)) == 54
