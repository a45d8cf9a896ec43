"""Content transfer in tests: a store in memory, a server on loopback with TLS, files of a seed, and a client's call."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from aiohttp import web

from gonk_node.core.chunks import ContentHasher, chunk_id, decode_chunk_list, encode_chunk_list
from gonk_node.core.limits import CHUNK_BYTES
from gonk_node.net.content_client import FetchReport, Source, Wanted, fetch
from gonk_node.net.content_receive import ContentReceiver, Takes
from gonk_node.net.content_server import ContentServer
from gonk_node.net.content_wire import PATH_PREFIX, ContentPort
from gonk_node.net.tls import certificate_hash, ensure_certificate, server_context
from gonk_node.net.tokens import TokenTable

DATASET = b"d" * 32
NODE = b"n" * 32


def file_bytes(seed: int, size: int) -> bytes:
    """Bytes that depend on the seed alone."""
    return Random(seed).randbytes(size)


class MemoryContent:
    """A ContentPort over dictionaries; counts what is asked of it."""

    def __init__(self) -> None:
        self.chunks: dict[bytes, bytes] = {}
        self.lists: dict[bytes, bytes] = {}
        self.groups: list[int] = []  # bytes of each call of put_chunks
        self.fault: Exception | None = None
        self._lock = threading.Lock()

    def keep(self, data: bytes) -> Wanted:
        """Take a whole file."""
        hasher = ContentHasher()
        for start in range(0, max(1, len(data)), CHUNK_BYTES):
            chunk = data[start : start + CHUNK_BYTES]
            self.chunks[hasher.add(chunk)] = chunk
        info = hasher.finish()
        if len(hasher.chunk_ids) > 1:
            self.lists[info.content_id] = encode_chunk_list(info.size, hasher.chunk_ids)
        return Wanted(info.content_id, info.size)

    def whole(self, wanted: Wanted) -> bytes:
        """The file's bytes; KeyError where a part is missing."""
        if wanted.size <= CHUNK_BYTES:
            return self.chunks[wanted.content_id]
        return b"".join(self.chunks[part] for part in self._chunk_ids(wanted.content_id, wanted.size))

    def _chunk_ids(self, content_id: bytes, size: int) -> list[bytes]:
        return decode_chunk_list(self.lists[content_id], content_id, size)

    def has(self, content_id: bytes) -> bool:
        if content_id in self.lists:
            size = int.from_bytes(self.lists[content_id][:8], "big")
            return all(part in self.chunks for part in self._chunk_ids(content_id, size))
        return content_id in self.chunks

    def chunk_list(self, content_id: bytes) -> bytes | None:
        return self.lists.get(content_id)

    def chunk(self, chunk_id_: bytes) -> bytes | None:
        return self.chunks.get(chunk_id_)

    def missing_chunks(self, content_id: bytes, size: int) -> list[tuple[int, bytes]]:
        parts = self._chunk_ids(content_id, size)
        return [(index, part) for index, part in enumerate(parts) if part not in self.chunks]

    def put_list(self, content_id: bytes, size: int, data: bytes) -> None:
        decode_chunk_list(data, content_id, size)
        self.lists[content_id] = data

    def put_chunks(self, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        if self.fault is not None:
            raise self.fault
        assert self._lock.acquire(blocking=False), "one group at a time"
        try:
            for name, data in chunks:
                assert chunk_id(data) == name
                assert name not in self.chunks, "fetched twice"
                self.chunks[name] = data
            self.groups.append(sum(len(data) for _, data in chunks))
        finally:
            self._lock.release()


class Served:
    """One running server: its address, its token table, and what was asked of it."""

    def __init__(self, url: str, fingerprint: bytes, tokens: TokenTable) -> None:
        self.url = url
        self.fingerprint = fingerprint
        self.tokens = tokens
        self.paths: list[str] = []
        self.requests: list[str] = []  # "GET /batch"
        self.token = tokens.issue(DATASET, NODE, 0.0)
        self.now = 0.0

    def source(self, **fields: object) -> Source:
        return Source(self.url, self.token, self.fingerprint)._replace(**fields)


@asynccontextmanager
async def serving(
    folder: Path,
    store: ContentPort,
    *,
    instead: Sequence[web.RouteDef] = (),
    allowed: Callable[[bytes, bytes], bool] = lambda dataset, _content_id: dataset == DATASET,
    takes: Takes = lambda dataset, files: [dataset == DATASET] * len(files),
    write_seconds: float = 60.0,
    send_buffer_bytes: int | None = None,
) -> AsyncIterator[Served]:
    """Serve a store on loopback with a certificate of its own; `instead` replaces true routes of the same path."""
    path = folder.with_suffix(".pem")
    tokens = TokenTable()
    served: Served

    @web.middleware
    async def note(request: web.Request, handler: Callable[..., object]) -> object:
        served.paths.append(request.path)
        served.requests.append(f"{request.method} {request.path.removeprefix(PATH_PREFIX)}")
        return await handler(request)

    app = web.Application(middlewares=[note])
    app.add_routes(instead)
    server = ContentServer(store, tokens, allowed, clock=lambda: served.now, write_seconds=write_seconds)
    receiver = ContentReceiver(store, tokens, takes, clock=lambda: served.now, read_seconds=write_seconds)
    replaced = {route.path for route in instead}
    app.add_routes(route for route in (*server.routes(), *receiver.routes()) if route.path not in replaced)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    if send_buffer_bytes is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)  # accepted sockets inherit it
    await web.SockSite(runner, listener, ssl_context=server_context(path)).start()
    port = runner.addresses[0][1]
    fingerprint = certificate_hash(ensure_certificate(path))
    served = Served(f"https://127.0.0.1:{port}", fingerprint, tokens)
    try:
        yield served
    finally:
        await runner.cleanup()


def fetch_now(
    wanted: Sequence[Wanted], servers: Sequence[Callable[[], object]], store: MemoryContent, **options: object
) -> FetchReport:
    """Start servers (context managers that yield Served), fetch from all of them, stop them."""

    async def run() -> FetchReport:
        contexts = [make() for make in servers]
        served = [await context.__aenter__() for context in contexts]  # type: ignore[attr-defined]
        try:
            return await fetch(wanted, [one.source() for one in served], store, **options)  # type: ignore[arg-type]
        finally:
            for context in contexts:
                await context.__aexit__(None, None, None)  # type: ignore[attr-defined]

    return asyncio.run(run())
