"""Which numbers come more than once, in eight bytes of memory for each number that is added."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left

_RUN = 1 << 16


class Repeats:
    """Add numbers of 0 to 2^63-1; then ask which were added more than once."""

    def __init__(self) -> None:
        self._runs: list[array[int]] = []
        self._now: array[int] = array("q")
        self._repeated: array[int] | None = None
        self.greatest = -1  # of those added; -1 without any

    def add(self, number: int) -> None:
        """Take note of a number; only before the first question."""
        self._now.append(number)
        self.greatest = max(self.greatest, number)
        if len(self._now) >= _RUN:
            self._close_run()

    def repeated(self, number: int) -> bool:
        """Whether it was added more than once."""
        if self._repeated is None:
            self._repeated = self._merge()
        return _holds(self._repeated, number)

    def _close_run(self) -> None:
        self._runs.append(array("q", sorted(self._now)))
        self._now = array("q")

    def _merge(self) -> array[int]:
        if self._now:
            self._close_run()
        found: array[int] = array("q")
        before = last = -1
        for number in heapq.merge(*self._runs):
            if number == before and number != last:
                found.append(number)
                last = number
            before = number
        self._runs.clear()
        return found


def _holds(numbers: array[int], number: int) -> bool:
    at = bisect_left(numbers, number)
    return at < len(numbers) and numbers[at] == number
