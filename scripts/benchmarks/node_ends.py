"""The two nodes of a transfer as child processes, on loopback: what `gonk serve`, `gonk clone` and `gonk sync` run.

Left out of the times are the start of Python and the printing, not the connection, its handshakes and the State.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gonk_node.home import Home
from gonk_node.net.address import PeerAddress, ShareLink, parse_link
from gonk_node.node.cloning import clone as clone_dataset
from gonk_node.node.serving import Server
from gonk_node.node.shared import SharedDataset
from gonk_node.node.syncing import SyncReport, sync_once
from gonk_node.replica.content.contents import NONE

from .material import open_node
from .processes import ChildError, Facts, run_role

_HOST = "127.0.0.1"


@asynccontextmanager
async def serve(home: str, dataset: str) -> AsyncIterator[Facts]:
    """Serve a node; tells the link to one of its datasets."""
    with open_node(Home(Path(home))) as node:
        server = Server(node)
        await server.start(_HOST, 0)
        try:
            address = PeerAddress(_HOST, server.port, node.node_key)
            yield {"link": str(ShareLink(address, bytes.fromhex(dataset)))}
        finally:
            await server.stop()


async def clone(home: str, link: str) -> Facts:
    """Clone a dataset without its content; tells the seconds until both sides agree on the State."""
    with open_node(Home(Path(home))) as node:
        began = time.perf_counter()
        report = await clone_dataset(node, parse_link(link), None, policy=NONE)
        seconds = time.perf_counter() - began
    _check(report.sync)
    return {"seconds": seconds}


async def sync(home: str, link: str, policy: str = NONE) -> Facts:
    """Sync a dataset with its peer, opened before; tells the seconds until both agree and the content is here too."""
    source = parse_link(link)
    with open_node(Home(Path(home))) as node:
        shared = SharedDataset.open(node, node.known.by_id(source.dataset), policy=policy)
        began = time.perf_counter()
        report = await sync_once(source.address, shared.link, signer=node.node_signer(), content=shared.content)
        seconds = time.perf_counter() - began
        await shared.close()
    _check(report)
    return {"seconds": seconds, "files": report.content.files if report.content else 0}


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


def _check(report: SyncReport) -> None:
    if not (report.equal_heads and report.equal_states) or report.broken is not None:
        raise ChildError(f"the two nodes do not agree: {report}")


if __name__ == "__main__":
    run_role({"serve": serve}, {"clone": clone, "sync": sync, "rebuild": rebuild})
