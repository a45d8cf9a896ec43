"""Hands what the thread of a group commit settled to the event loop, a group at a time.

To wake the loop takes a system call, and each lets the two threads wait for each other; so one does for all of a group.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from gonk_node.replica.signing.group_commit import Answer

T = TypeVar("T")


class Answers:
    """The answers that handlers of one event loop wait for."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def hand_over(self, answers: Sequence[Answer]) -> None:
        """Resolve futures, on the event loop; called from the thread of the commit."""
        if self._loop is None or self._loop.is_closed():
            _resolve(answers)  # nobody waits on a loop
        else:
            self._loop.call_soon_threadsafe(_resolve, answers)

    async def of(self, submit: Callable[[], Future[T]]) -> T:
        """Submit a write, and wait for its future, which `hand_over` resolves; whoever is cancelled cancels it."""
        self._loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = self._loop.create_future()

        def pass_on(done: Future[T]) -> None:
            if answer.done():
                return
            error = done.exception()
            if error is None:
                answer.set_result(done.result())
            else:
                answer.set_exception(error)

        future = submit()
        future.add_done_callback(pass_on)
        try:
            return await answer
        except asyncio.CancelledError:
            future.cancel()
            raise


def _resolve(answers: Sequence[Answer]) -> None:
    for answer in answers:
        answer()
