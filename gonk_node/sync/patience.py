"""How long a session waits for its peer, and how much idle talk it bears. Times are passed in: there is no clock here."""

from __future__ import annotations

from gonk_node.core import limits
from gonk_node.errors import PeerUnavailableError, ProtocolError

_HINT = "run the command again: it goes on from here"


class Patience:
    """Remembers when something was last heard, got forward or was sent; all times in milliseconds of one clock."""

    def __init__(self, now_ms: int) -> None:
        self._now = self._heard = self._progressed = self._sent = now_ms
        self._idle_messages = 0

    def heard(self, *, idle: bool) -> None:
        """A message came; an idle one carries nothing. ProtocolError where there are too many of those."""
        self._heard = self._now
        if not idle:
            self._progressed = self._now
            return
        self._idle_messages += 1
        if self._idle_messages > limits.IDLE_MESSAGES_MAX:
            raise ProtocolError("the peer floods us with messages that carry nothing")

    def progressed(self) -> None:
        """This side got forward: the peer has its full time again."""
        self._progressed = self._now

    def sent(self) -> None:
        """Something went out: no ping is needed for a while."""
        self._sent = self._now

    def tick(self, now_ms: int, *, owed: bool, comparing: bool) -> bool:
        """Time goes on; returns whether a ping is due.

        Args:
            now_ms: the time.
            owed: the peer has to send something before this side can go on.
            comparing: the peer has only to say what it holds now; its State may take a while.

        Raises:
            PeerUnavailableError: it is silent for too long, or there but not going on.
        """
        self._now = now_ms
        self._idle_messages = 0
        if now_ms - self._heard > limits.SILENCE_MS:
            raise PeerUnavailableError("the peer fell silent", hint=_HINT)
        patience = limits.STALL_MS if owed else limits.COMPARE_MS if comparing else None
        if patience is not None and now_ms - self._progressed > patience:
            raise PeerUnavailableError("the peer is there, but does not go on", hint=_HINT)
        return now_ms - self._sent > limits.KEEPALIVE_MS
