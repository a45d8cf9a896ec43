"""Streams of new entries: the pauses, and readers that are too slow or lost their key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from gonk_node.api import live
from gonk_node.api.app import add_routes
from gonk_node.api.backend import Caller
from gonk_node.api.desk import Desk
from gonk_node.api.rate import RateLimit
from gonk_node.core.events import AnnotationCreate
from gonk_node.core.limits import MIB
from gonk_node.replica.replica import Replica
from gonk_node.store.content import ContentStore
from gonk_node.store.state_db import StateDb
from kit.history import some_uuid
from kit.local_replica import author, furnish, make, thing

KEYS = {"x-api-key": "key"}


class OneDataset:
    """As much of a backend as a stream needs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.key = "key"

    def caller(self, api_key: str) -> Caller | None:
        return Caller("ada") if api_key == self.key else None

    def user_of(self, _: bytes) -> str | None:
        return None

    async def desk(self, _: str) -> Desk:
        return self._desk


class Served:
    """A served application with the route of streams only."""

    def __init__(self, replica: Replica, backend: OneDataset, port: int) -> None:
        self.replica = replica
        self.backend = backend
        self.port = port
        self.url = f"http://127.0.0.1:{port}/datasets/x/events/live"


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Served]:
    replica = make(folder)
    furnish(replica)
    state = StateDb(folder / "state.db", replica.dataset)
    content = ContentStore.create(folder / "content", map_bytes=MIB)
    desk = Desk("x", replica, [state], content, lambda _: author(replica, "owner"))
    backend: Any = OneDataset(desk)
    app = web.Application()
    app[live.STREAMS] = streams = live.Streams()
    app.on_shutdown.append(streams.end)
    add_routes(app, live.ROUTES, backend, RateLimit(100, lambda: 0.0))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Served(replica, backend, runner.addresses[0][1])
    finally:
        await runner.cleanup()
        desk.close()
        replica.close()


def test_a_silent_stream_is_kept_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "API_STREAM_KEEPALIVE_SECONDS", 0.05)

    async def follow() -> None:
        async with served(tmp_path) as node, ClientSession() as client, client.get(node.url, headers=KEYS) as response:
            assert await response.content.readuntil(b"\n\n") == b": welcome\n\n"
            for _ in range(3):
                assert await response.content.readuntil(b"\n\n") == b": still here\n\n"

    asyncio.run(follow())


def test_a_key_that_is_taken_away_ends_its_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "API_STREAM_KEEPALIVE_SECONDS", 0.05)

    async def follow() -> None:
        async with served(tmp_path) as node, ClientSession() as client, client.get(node.url, headers=KEYS) as response:
            node.backend.key = "another"
            async with asyncio.timeout(60):
                await response.content.read()  # to its end

    asyncio.run(follow())


def test_a_reader_that_takes_nothing_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "API_STREAM_WRITE_SECONDS", 0.2)

    async def follow() -> None:
        async with served(tmp_path) as node:
            reader, writer = await asyncio.open_connection("127.0.0.1", node.port, limit=1)
            writer.write(b"GET /datasets/x/events/live HTTP/1.1\r\nHost: x\r\nx-api-key: key\r\n\r\n")
            await reader.readexactly(1)
            await asyncio.to_thread(write_much, node.replica)
            async with asyncio.timeout(60):
                while node.replica._listeners:  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.05)
            writer.close()

    asyncio.run(follow())


def write_much(replica: Replica) -> None:
    """Entries that take far more room than a connection has, in JSON."""
    objects = thing(replica)
    schema = author(replica, "owner").queries.schema("schema-box")[0]
    for number in range(8):
        owner = author(replica, "owner")
        owner.sign(
            [
                AnnotationCreate(some_uuid(10_000 * (number + 1) + at), schema.ref, (objects[0].ref,), b"{}")
                for at in range(4000)
            ]
        )
