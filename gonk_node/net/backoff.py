"""How long to wait before the next attempt to reach a peer: exponential, with jitter, bounded.

Pure: the random numbers are passed in, and nobody sleeps here.
"""

from __future__ import annotations

from random import Random

from gonk_node.core.limits import BACKOFF_FIRST_SECONDS, BACKOFF_MAX_SECONDS

_DOUBLINGS_MAX = 30  # 2**30 seconds is far above any bound; keeps the power small


class Backoff:
    """A schedule of growing delays for one peer.

    The bound doubles with each failure, from `first_seconds` to `max_seconds`. The delay lies between half of
    the bound and the whole ("equal jitter"), so that the peers of a node that comes back do not call at once.

    Args:
        rng: source of the jitter.
        first_seconds: bound of the first delay.
        max_seconds: bound of every later delay.
    """

    def __init__(
        self,
        rng: Random,
        *,
        first_seconds: float = BACKOFF_FIRST_SECONDS,
        max_seconds: float = BACKOFF_MAX_SECONDS,
    ) -> None:
        if not 0 < first_seconds <= max_seconds:
            raise ValueError(f"0 < first ({first_seconds}) <= max ({max_seconds}) does not hold")
        self._rng = rng
        self._first_seconds = first_seconds
        self._max_seconds = max_seconds
        self.failures = 0

    def next_delay(self) -> float:
        """Count one failure and return the seconds to wait before the next attempt."""
        doublings = min(self.failures, _DOUBLINGS_MAX)
        self.failures += 1
        bound = min(self._max_seconds, self._first_seconds * 2.0**doublings)
        return self._rng.uniform(bound / 2, bound)

    def reset(self) -> None:
        """Start anew: call it once a session with the peer has been of use, not when the connection opens."""
        self.failures = 0
