"""Room for large JSON bodies: how many bytes of them are in memory at a time, in all and of one user. No I/O.

Who finds no room waits for a turn; so one user's bodies, slow ones too, never take all of it. Bodies that are streamed to the
disk take none.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from gonk_node.core.limits import API_BODIES_BYTES_MAX, API_BODY_TURN_SECONDS, API_JSON_BYTES_MAX
from gonk_node.errors import BusyError


class _Waiting(NamedTuple):
    user: str
    size: int
    turn: asyncio.Future[None]


class Room:
    """The room of one application: some of the largest bodies, of one user only one of them at a time."""

    def __init__(self) -> None:
        self._free = API_BODIES_BYTES_MAX
        self._taken: Counter[str] = Counter()  # bytes, by user
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def of(self, user: str, size: int) -> AsyncIterator[None]:
        """Have room for `size` bytes (up to `API_JSON_BYTES_MAX`) of a user; BusyError where it takes too long."""
        waiting = _Waiting(user, size, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._admit()
        try:
            try:
                async with asyncio.timeout(API_BODY_TURN_SECONDS):
                    await waiting.turn
            except TimeoutError:
                raise BusyError("too many large bodies are on their way at one time", hint="try again soon") from None
            yield
        finally:
            self._leave(waiting)

    def _leave(self, waiting: _Waiting) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
        else:
            self._free += waiting.size
            self._taken[waiting.user] -= waiting.size
            if not self._taken[waiting.user]:
                del self._taken[waiting.user]
        self._admit()

    def _admit(self) -> None:
        """Let in who may, in order: behind one that lacks room in all nobody passes, behind one of a full user others do."""
        full: set[str] = set()
        for waiting in tuple(self._waiting):
            if waiting.user in full or self._taken[waiting.user] + waiting.size > API_JSON_BYTES_MAX:
                full.add(waiting.user)
            elif waiting.size > self._free:
                return
            else:
                self._waiting.remove(waiting)
                self._free -= waiting.size
                self._taken[waiting.user] += waiting.size
                if not waiting.turn.done():
                    waiting.turn.set_result(None)
