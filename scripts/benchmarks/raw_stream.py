"""The baseline of content transfer: bytes from memory over an aiohttp TLS stream, put into bare LMDB, nothing verified.

Both ends run as child processes. The same TLS settings, piece sizes and bytes between two flushes as the node's own.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession, web

from gonk_node.core.limits import CHUNK_BYTES, CONTENT_WRITE_BYTES
from gonk_node.net.tls import client_context, server_context

from .baselines import BareLmdb
from .processes import Facts, run_role

_HOST = "127.0.0.1"
_WRITE_BYTES = CHUNK_BYTES // 4  # the node writes as much at a time


@asynccontextmanager
async def serve(folder: str) -> AsyncIterator[Facts]:
    """Serve /<count>/<size>: count pieces of size random bytes (each 1 MiB at most), in a row."""
    data = os.urandom(CHUNK_BYTES)

    async def stream(request: web.Request) -> web.StreamResponse:
        count, size = int(request.match_info["count"]), int(request.match_info["size"])
        response = web.StreamResponse()
        response.content_length = count * size
        await response.prepare(request)
        view = memoryview(data)[:size]
        for _ in range(count):
            for start in range(0, size, _WRITE_BYTES):
                await response.write(view[start : start + _WRITE_BYTES])
        await response.write_eof()
        return response

    app = web.Application()
    app.add_routes([web.get("/{count}/{size}", stream)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, _HOST, 0, ssl_context=server_context(Path(folder) / "tls.pem"))
    await site.start()
    try:
        yield {"port": runner.addresses[0][1]}
    finally:
        await runner.cleanup()


async def fetch(port: int, count: int, size: int, folder: str) -> Facts:
    """Connect, read all pieces and put each into LMDB, flushed every 4 MiB and at the end; tells the seconds of that."""
    store = BareLmdb(Path(folder))
    began = time.perf_counter()
    async with (
        ClientSession(read_bufsize=CHUNK_BYTES // 2) as http,
        http.get(f"https://{_HOST}:{port}/{count}/{size}", ssl=client_context()) as answer,
    ):
        group: list[bytes] = []
        for _ in range(count):
            group.append(await answer.content.readexactly(size))
            if len(group) * size >= CONTENT_WRITE_BYTES:
                store.put(group)
                group = []
        store.put(group)
    seconds = time.perf_counter() - began
    store.close()
    return {"seconds": seconds}


if __name__ == "__main__":
    run_role({"serve": serve}, {"fetch": fetch})
