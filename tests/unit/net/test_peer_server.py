"""The peer port itself: connections that do not get on are closed, too many are refused, and it stops in order."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from gonk_node.errors import UsageError
from gonk_node.net import server as server_module
from gonk_node.net.server import PEERS, Bounds, Listener
from gonk_node.net.tls import client_context, server_context
from kit.loopback import LOOPBACK, until

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def talk(folder: Path, test: Callable[[int], Awaitable[None]], bounds: Bounds = PEERS) -> None:
    """Serve one route that answers, and run `test` with the port."""

    async def run() -> None:
        async with serving(folder, bounds) as port, asyncio.timeout(30):
            await test(port)

    asyncio.run(run())


@asynccontextmanager
async def serving(folder: Path, bounds: Bounds = PEERS) -> AsyncIterator[int]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/", answer)
    server = Listener(app, server_context(folder / "tls.pem"), bounds)
    port = await server.start(LOOPBACK, 0)
    try:
        yield port
    finally:
        await server.stop()


async def connect(port: int) -> Connection:
    return await asyncio.open_connection(LOOPBACK, port, ssl=client_context())


async def is_closed(connection: Connection) -> bool:
    """Read until the server hangs up; False where it answered."""
    try:
        return await connection[0].read(1) == b""
    except (ConnectionError, ssl.SSLError):
        return True


def test_a_client_that_trickles_its_headers_is_cut_off(tmp_path: Path) -> None:
    async def test(port: int) -> None:
        connection = await connect(port)
        closed = asyncio.create_task(is_closed(connection))
        connection[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n")
        while not closed.done():
            connection[1].write(b"X: y\r\n")
            await asyncio.wait({closed}, timeout=0.05)
        assert closed.result()

    talk(tmp_path, test, PEERS._replace(idle_seconds=0.5))


def test_a_client_that_says_nothing_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "TLS_HANDSHAKE_SECONDS", 0.3)

    async def test(port: int) -> None:
        silent = await asyncio.open_connection(LOOPBACK, port)  # not even TLS
        assert await is_closed(silent)
        assert await is_closed(await connect(port))

    talk(tmp_path, test, PEERS._replace(idle_seconds=0.3))


def test_connections_are_bounded_and_there_is_room_again_once_one_ends(tmp_path: Path) -> None:
    async def is_served(port: int) -> bool:
        try:
            reader, writer = await connect(port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
        except (ConnectionError, ssl.SSLError):
            return False
        writer.close()
        return b"here" in answer

    async def test(port: int) -> None:
        held = [await connect(port) for _ in range(2)]
        assert not await is_served(port)
        held[0][1].close()
        while not await is_served(port):  # noqa: ASYNC110 - asks anew each time
            await asyncio.sleep(0.01)
        held[1][1].close()

    talk(tmp_path, test, PEERS._replace(connections=2))


@pytest.mark.parametrize(
    "request_",
    [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"y" * 10_000 + b"\r\n\r\n", b"GET / HTTP/1.1\r\n" * 200],
)
def test_what_strangers_send_is_refused_and_stays_out_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, request_: bytes
) -> None:
    caplog.set_level(logging.INFO)

    async def test(port: int) -> None:
        reader, writer = await connect(port)
        writer.write(request_)
        assert b" 400 " in await reader.readline()
        writer.close()

    talk(tmp_path, test)
    assert caplog.text == ""


def test_an_address_that_cannot_be_listened_on_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        server = Listener(web.Application(), server_context(tmp_path / "tls.pem"))
        with socket.create_server((LOOPBACK, 0)) as taken, pytest.raises(UsageError, match="cannot listen"):
            await server.start(LOOPBACK, taken.getsockname()[1])

    asyncio.run(run())


def test_stopping_ends_idle_connections(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as port:
            connection = await connect(port)
            connection[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await connection[0].readuntil(b"here")
        await until(lambda: connection[0].at_eof() or connection[0].exception() is not None)

    asyncio.run(run())
