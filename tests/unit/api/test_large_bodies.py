"""Large JSON bodies take up bounded memory and time, however many come at one time and whatever is in them."""

from __future__ import annotations

import asyncio
import time

import pytest

from gonk_node.api import body, room
from gonk_node.api.room import Room
from gonk_node.core.limits import API_BODIES_BYTES_MAX, API_JSON_BYTES_MAX, API_JSON_ITEMS_MAX, MIB
from gonk_node.errors import BusyError, RequestError


@pytest.mark.parametrize("item", [b"{}", b"[]", b"0", b'""', b'{"a":0}'])
def test_a_body_of_very_many_values_is_refused_before_it_is_parsed(item: bytes) -> None:
    """To parse those takes seconds, in which nobody else is served, and a gigabyte."""
    count = API_JSON_BYTES_MAX // (len(item) + 1) - 2
    data = b"[" + b",".join([item] * count) + b"]"
    began = time.thread_time()
    with pytest.raises(RequestError) as refused:
        body._parse(data)
    assert refused.value.http_status == 413
    assert time.thread_time() - began < 2  # counting takes 0.05 s; parsing them takes several seconds


def test_a_body_of_as_many_values_as_there_may_be_is_read() -> None:
    assert body._parse(b"[" + b",".join([b"0"] * API_JSON_ITEMS_MAX) + b"]") == [0] * API_JSON_ITEMS_MAX


def test_a_body_of_one_long_text_is_read() -> None:
    assert len(body._parse(b'{"object":"' + b"A" * 24 * MIB + b'"}')["object"]) == 24 * MIB


def test_never_more_than_a_bound_is_taken_up() -> None:
    taken: dict[str, int] = {"ada": 0, "bob": 0, "cid": 0}
    most = 0

    async def one(place: Room, user: str, size: int) -> None:
        nonlocal most
        async with place.of(user, size):
            taken[user] += size
            most = max(most, sum(taken.values()))
            assert sum(taken.values()) <= API_BODIES_BYTES_MAX
            assert taken[user] <= API_JSON_BYTES_MAX
            await asyncio.sleep(0)
            taken[user] -= size

    async def run() -> None:
        place = Room()
        sizes = [API_JSON_BYTES_MAX, MIB, 10 * MIB, 100_000] * 16
        async with asyncio.timeout(60):
            await asyncio.gather(*(one(place, user, size) for size in sizes for user in taken))

    asyncio.run(run())
    assert most == API_BODIES_BYTES_MAX


def test_a_user_whose_bodies_are_slow_keeps_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "API_BODY_TURN_SECONDS", 0.2)

    async def run() -> None:
        place = Room()
        async with place.of("slow", API_JSON_BYTES_MAX):
            with pytest.raises(BusyError):
                async with place.of("slow", 1):
                    pass
            waiting = [asyncio.create_task(place.of("slow", API_JSON_BYTES_MAX).__aenter__()) for _ in range(8)]
            await asyncio.sleep(0)
            async with place.of("quick", API_JSON_BYTES_MAX):
                pass
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        async with place.of("slow", API_JSON_BYTES_MAX):  # those who gave up left no trace
            pass

    asyncio.run(run())


def test_what_fails_within_is_passed_on_and_leaves_the_room() -> None:
    async def run() -> None:
        place = Room()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with place.of("ada", API_JSON_BYTES_MAX):
                    raise TimeoutError

    asyncio.run(run())
