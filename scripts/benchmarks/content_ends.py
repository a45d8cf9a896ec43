"""Both ends of a content transfer as child processes: the node's own server, client and stores, without a session."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from gonk_node.net.content_client import fetch
from gonk_node.net.content_server import ContentServer
from gonk_node.net.content_source import Source, Wanted
from gonk_node.net.server import PeerServer
from gonk_node.net.tls import certificate_hash, ensure_certificate, server_context
from gonk_node.net.tokens import TokenTable
from gonk_node.store.content import ContentStore

from .processes import ChildError, Facts, run_role

_HOST = "127.0.0.1"
_DATASET = bytes(32)  # what the token opens; here all that the store holds


@asynccontextmanager
async def serve(folder: str, tls: str) -> AsyncIterator[Facts]:
    """Serve the content store in `folder` to whoever has the token."""
    store = ContentStore.open(Path(folder))
    tokens = TokenTable()
    content = ContentServer(store, tokens, lambda _dataset, content_id: store.has(content_id))
    app = web.Application()
    app.add_routes(content.routes())
    server = PeerServer(app, server_context(Path(tls)))
    port = await server.start(_HOST, 0)
    try:
        yield {
            "url": f"https://{_HOST}:{port}",
            "token": tokens.issue(_DATASET, bytes(32), time.monotonic()),
            "fingerprint": certificate_hash(ensure_certificate(Path(tls))).hex(),
        }
    finally:
        await server.stop()
        store.close()


async def receive(folder: str, wanted: str, url: str, token: str, fingerprint: str) -> Facts:
    """Fetch files into a new store in `folder`: connect, verify, flush; tells the seconds of that.

    Args:
        folder: of the store.
        wanted: a file with a line for each content: its id in hexadecimal, its size.
        url, token, fingerprint: of the server.
    """
    files = _read_wanted(Path(wanted))
    store = ContentStore.create(Path(folder))
    began = time.perf_counter()
    report = await fetch(files, [Source(url, token, bytes.fromhex(fingerprint))], store)
    seconds = time.perf_counter() - began
    store.close()
    if report.fetched != len(files):
        raise ChildError(f"{report.fetched} of {len(files)} files came: {report.failed[:1]}")
    return {"seconds": seconds}


def _read_wanted(path: Path) -> list[Wanted]:
    lines = [line.split() for line in path.read_text().splitlines()]
    return [Wanted(bytes.fromhex(content_id), int(size)) for content_id, size in lines]


if __name__ == "__main__":
    run_role({"serve": serve}, {"receive": receive})
