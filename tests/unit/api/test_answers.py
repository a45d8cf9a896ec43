"""Answers of a group commit on an event loop: all of a group with one wake-up, each to the one who waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from gonk_node.api.answers import Answers
from gonk_node.errors import ExistsError


def _given(future: Future[int]) -> Future[int]:
    return future


def from_a_thread(task: Callable[[], None]) -> None:
    thread = threading.Thread(target=task)
    thread.start()
    thread.join()


def test_each_gets_his_own_answer_and_a_group_wakes_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        answers, futures = Answers(), [Future[int]() for _ in range(5)]
        waiting = [asyncio.create_task(answers.of(partial(_given, future))) for future in futures]
        await asyncio.sleep(0)
        loop, woken = asyncio.get_running_loop(), []
        wake = loop.call_soon_threadsafe

        def counted(*arguments: Any) -> asyncio.Handle:
            woken.append(1)
            return wake(*arguments)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        group = [partial(future.set_result, number) for number, future in enumerate(futures[:4])]
        refused = partial(futures[4].set_exception, ExistsError("it is here already"))
        from_a_thread(lambda: answers.hand_over([*group, refused]))
        assert await asyncio.gather(*waiting[:4]) == [0, 1, 2, 3]
        with pytest.raises(ExistsError):
            await waiting[4]
        assert woken == [1]

    asyncio.run(run())


def test_one_that_is_settled_before_anybody_waits_is_answered_too() -> None:
    async def run() -> None:
        answers, future = Answers(), Future[str]()

        def submit() -> Future[str]:
            from_a_thread(lambda: future.set_result("done"))
            return future

        assert await answers.of(submit) == "done"

    asyncio.run(run())


def test_who_goes_away_cancels_what_has_not_begun() -> None:
    async def run() -> None:
        answers, future = Answers(), Future[str]()
        waiting = asyncio.create_task(answers.of(lambda: future))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert future.cancelled()

    asyncio.run(run())


def test_an_answer_for_one_who_went_away_disturbs_nobody() -> None:
    async def run() -> None:
        answers, gone, here = Answers(), Future[str](), Future[str]()
        first = asyncio.create_task(answers.of(lambda: gone))
        second = asyncio.create_task(answers.of(lambda: here))
        await asyncio.sleep(0)
        assert gone.set_running_or_notify_cancel()  # too late to cancel it
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        from_a_thread(lambda: answers.hand_over([partial(gone.set_result, "gone"), partial(here.set_result, "here")]))
        assert await second == "here"

    asyncio.run(run())


def test_without_a_loop_whoever_hands_over_resolves_them() -> None:
    future = Future[int]()
    Answers().hand_over([partial(future.set_result, 1)])
    assert future.result() == 1
