"""The waits between attempts to reach a peer grow, spread and stay bounded."""

from __future__ import annotations

from random import Random

import pytest

from gonk_node.net.backoff import Backoff


def test_each_wait_lies_in_the_upper_half_of_a_bound_that_doubles() -> None:
    for seed in range(20):
        backoff = Backoff(Random(seed), first_seconds=1, max_seconds=60)
        for bound in (1, 2, 4, 8, 16, 32, 60, 60, 60):
            assert bound / 2 <= backoff.next_delay() <= bound, f"seed {seed}"


def test_the_same_random_numbers_give_the_same_waits() -> None:
    one, other = Backoff(Random(7)), Backoff(Random(7))
    assert [one.next_delay() for _ in range(5)] == [other.next_delay() for _ in range(5)]


def test_a_success_starts_the_schedule_anew() -> None:
    backoff = Backoff(Random(1), first_seconds=1, max_seconds=60)
    for _ in range(10):
        backoff.next_delay()
    assert backoff.failures == 10
    backoff.reset()
    assert backoff.next_delay() <= 1


def test_a_peer_that_is_away_for_years_still_gives_a_bounded_wait() -> None:
    backoff = Backoff(Random(1), first_seconds=1, max_seconds=60)
    backoff.failures = 10**6
    assert backoff.next_delay() <= 60


@pytest.mark.parametrize(("first", "longest"), [(0, 60), (-1, 60), (2, 1)])
def test_a_schedule_without_waiting_is_refused(first: float, longest: float) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        Backoff(Random(1), first_seconds=first, max_seconds=longest)
