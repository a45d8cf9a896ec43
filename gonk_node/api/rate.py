"""How many requests one API key may make: a bucket of tokens for each user, which fills as time goes by. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from gonk_node.core.limits import API_BURST_SECONDS
from gonk_node.errors import RequestError


class RateLimit:
    """Buckets of `per_second` tokens a second, each holding those of a few seconds. `clock` is in seconds."""

    def __init__(self, per_second: int, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._size = per_second * API_BURST_SECONDS
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # by user: tokens left, and when that was

    def take(self, user: str) -> None:
        """Take a token; RequestError 429 where none is left. There are as many buckets as users."""
        now = self._clock()
        left, then = self._buckets.get(user, (self._size, now))
        left = min(self._size, left + (now - then) * self._per_second)
        if left < 1:
            raise RequestError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"more than {self._per_second} requests a second with one API key",
                name="TooManyRequests",
                hint="wait a second; the setting http_requests_per_second raises the limit",
            )
        self._buckets[user] = (left - 1, now)
