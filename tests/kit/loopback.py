"""Peers on loopback: a memory log behind a real TLS port, and ways to meddle with what passes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path

import aiohttp
from aiohttp import web

from gonk_node.core.keys import Signer
from gonk_node.core.outcome import Ingested
from gonk_node.errors import GonkError
from gonk_node.net.address import PeerAddress
from gonk_node.net.session_server import SessionServer
from gonk_node.net.tls import certificate_hash, client_context, ensure_certificate, server_context
from gonk_node.net.tokens import TokenTable
from gonk_node.sync.handshake import PeerIdentity
from gonk_node.sync.outputs import Cursor, Standing
from kit.memory_log import MemoryLog

LOOPBACK = "127.0.0.1"


class MemoryPort:
    """A replica in memory, as sessions see it."""

    def __init__(self, log: MemoryLog, name: str) -> None:
        self.view = log
        self.dataset = log.dataset
        self.instance = sha256(name.encode()).digest()[:16]
        self.signer = Signer.from_seed(sha256(f"node {name}".encode()).digest())
        self.cursors: dict[bytes, Cursor] = {}
        self.outcomes: list[Ingested] = []
        self.listeners: list[Callable[[int], None]] = []

    def check_ahead(self, records: Sequence[bytes]) -> None:
        return None

    async def ingest(self, records: Sequence[bytes], cited: bool, ahead: None = None) -> list[Ingested]:
        await asyncio.sleep(0)
        results = self.view.ingest(records, cited)
        self.outcomes += results
        self.announce()
        return results

    async def standing(self, whole: bool) -> Standing:
        await asyncio.sleep(0)
        return self.view.standing(whole)

    async def cursor(self, node_key: bytes) -> Cursor | None:
        return self.cursors.get(node_key)

    async def save_cursor(self, node_key: bytes, cursor: Cursor) -> None:
        self.cursors[node_key] = cursor

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def announce(self) -> None:
        for listener in list(self.listeners):
            listener(self.view.last_lsn())


class Served:
    """A node that answers, and what it reported."""

    def __init__(self, port: MemoryPort, address: PeerAddress, server: SessionServer, tokens: TokenTable) -> None:
        self.port = port
        self.address = address
        self.server = server
        self.tokens = tokens
        self.identities: list[PeerIdentity] = []
        self.events: list[object] = []


@asynccontextmanager
async def listening(app: web.Application, context: ssl.SSLContext) -> AsyncIterator[int]:
    """Serve an application over TLS on a free port; gives the port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0, ssl_context=context)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(
    port: MemoryPort, folder: Path, *, may_read: Callable[[PeerIdentity], bool] = lambda peer: True
) -> AsyncIterator[Served]:
    """Serve one replica."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240
    pem = folder / "tls.pem"
    tokens = TokenTable()
    served: Served

    async def lookup(peer: PeerIdentity) -> MemoryPort | None:
        served.identities.append(peer)
        return port if peer.dataset == port.dataset and may_read(peer) else None

    server = SessionServer(
        signer=port.signer,
        certificate_hash=certificate_hash(ensure_certificate(pem)),
        lookup=lookup,
        tokens=tokens,
        on_event=lambda peer, event: served.events.append(event),
    )
    app = web.Application()
    app.add_routes(server.routes())
    async with listening(app, server_context(pem)) as number:
        served = Served(port, PeerAddress(LOOPBACK, number, port.signer.author), server, tokens)
        try:
            yield served
        finally:
            server.stop()


@asynccontextmanager
async def answering(
    handler: Callable[[web.Request], object], folder: Path, node_key: bytes
) -> AsyncIterator[PeerAddress]:
    """Serve any behaviour at the path of sessions, under an address that names `node_key`."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    async with listening(app, server_context(folder / "tls.pem")) as number:
        yield PeerAddress(LOOPBACK, number, node_key)


@asynccontextmanager
async def relaying(
    target: PeerAddress, folder: Path, meddle: Callable[[list[bytes], bool], list[bytes]]
) -> AsyncIterator[PeerAddress]:
    """A man in the middle with a certificate of his own: `meddle(messages so far, to server)` gives what to pass on."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=2**20)
        await socket.prepare(request)
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(target.base_url + request.path, ssl=client_context(), max_msg_size=2**20) as other,
        ):
            await asyncio.gather(_pass_on(socket, other, meddle, True), _pass_on(other, socket, meddle, False))
        return socket

    async with answering(handle, folder, target.node_key) as address:
        yield address


async def _pass_on(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    meddle: Callable[[list[bytes], bool], list[bytes]],
    to_server: bool,
) -> None:
    seen: list[bytes] = []
    with suppress(ConnectionError, aiohttp.ClientError):
        async for message in source:
            if message.type is aiohttp.WSMsgType.BINARY:
                seen.append(message.data)
                for data in meddle(seen, to_server):
                    await sink.send_bytes(data)
        await sink.close()


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is so; a test fails where it does not come to be."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def error_of(call: object) -> GonkError | None:
    """The typed error that a call ends with, None where it ends well."""
    try:
        async with asyncio.timeout(30):
            await call
    except GonkError as error:
        return error
    return None
