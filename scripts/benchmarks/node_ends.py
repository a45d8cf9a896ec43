"""The two nodes of a sync as child processes: sessions over TLS on loopback, replicas on their own threads.

It puts together what a serving and a cloning node put together, without content, peer book and reconnecting.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from gonk_node.config import Home
from gonk_node.net.address import PeerAddress, ShareLink, parse_link
from gonk_node.net.dial import DialEvent, dial
from gonk_node.net.replica_port import ReplicaPort
from gonk_node.net.server import PeerServer
from gonk_node.net.session_server import SessionServer
from gonk_node.net.tls import certificate_hash, ensure_certificate, server_context
from gonk_node.node.genesis import GenesisLink
from gonk_node.node.link import ReplicaLink
from gonk_node.node.node import Node
from gonk_node.sync.handshake import PeerIdentity
from gonk_node.sync.outputs import Synced

from .material import DATASET_NAME, open_node
from .processes import ChildError, Facts, run_role

_HOST = "127.0.0.1"


@asynccontextmanager
async def serve(home: str, dataset: str) -> AsyncIterator[Facts]:
    """Serve one dataset of a node; tells the link to it."""
    with open_node(Home(Path(home))) as node:
        replica = node.replica(dataset)
        link = ReplicaLink(replica, node.store_instance, node.signer())

        async def lookup(peer: PeerIdentity) -> ReplicaPort | None:
            return link if peer.dataset == link.dataset else None

        tls = node.home.tls_certificate
        sessions = SessionServer(
            signer=node.node_signer(), certificate_hash=certificate_hash(ensure_certificate(tls)), lookup=lookup
        )
        app = web.Application()
        app.add_routes(sessions.routes())
        server = PeerServer(app, server_context(tls))
        port = await server.start(_HOST, 0)
        try:
            yield {"link": str(ShareLink(PeerAddress(_HOST, port, node.node_key), link.dataset))}
        finally:
            sessions.stop()
            await server.stop()
            await link.close()


async def clone(home: str, link: str) -> Facts:
    """Clone a dataset into a node that lacks it; tells the seconds from dialling to a State that both agree on."""
    source = parse_link(link)
    with open_node(Home(Path(home))) as node:
        began = time.perf_counter()
        first = GenesisLink(source.dataset)
        await _sync(node, source, first)
        if first.record is None:
            raise ChildError("the peer did not send the genesis")
        info = node.known.make(DATASET_NAME, first.record, source.dataset)
        await _sync_replica(node, source, info.dataset)
        return {"seconds": time.perf_counter() - began}


async def sync(home: str, link: str) -> Facts:
    """Sync a dataset that a node has, opened already; tells the seconds from dialling to a State that both agree on."""
    source = parse_link(link)
    with open_node(Home(Path(home))) as node:
        node.replica(source.dataset.hex())
        began = time.perf_counter()
        await _sync_replica(node, source, source.dataset)
        return {"seconds": time.perf_counter() - began}


async def rebuild(home: str, dataset: str) -> Facts:
    """Delete the State of a dataset and fold its log anew; tells the seconds of that."""
    with open_node(Home(Path(home))) as node:
        replica = node.replica(dataset)
        before = replica.state_digest()
        began = time.perf_counter()
        replica.rebuild()
        seconds = time.perf_counter() - began
        if replica.state_digest() != before:
            raise ChildError("the State came out differently")
        return {"seconds": seconds}


async def _sync_replica(node: Node, source: ShareLink, dataset: bytes) -> None:
    link = ReplicaLink(node.replica(dataset.hex()), node.store_instance, node.signer())
    synced = await _sync(node, source, link)
    await link.close()
    if synced != Synced(True, True):
        raise ChildError(f"the two nodes do not agree: {synced}")


async def _sync(node: Node, source: ShareLink, port: ReplicaPort) -> Synced | None:
    """Run a session until the first sync is over."""
    stop = asyncio.Event()
    reached: list[Synced] = []

    def on_event(event: DialEvent) -> None:
        if isinstance(event, Synced):
            reached.append(event)
            stop.set()

    await dial(source.address, port, signer=node.node_signer(), on_event=on_event, stop=stop)
    return reached[0] if reached else None


if __name__ == "__main__":
    run_role({"serve": serve}, {"clone": clone, "sync": sync, "rebuild": rebuild})
