"""The node on the network, until stopped: answers peers, calls those in the peer book, pushes what is appended.

Datasets and peers that other processes add are taken up while it runs. What one session does is in `sync` and `net`; this
only brings the parts together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from functools import partial
from random import Random
from typing import Any

from aiohttp import web

from gonk_node.core.limits import FOLDER_POLL_SECONDS, LOG_POLL_SECONDS
from gonk_node.errors import GonkError, NotFoundError
from gonk_node.net.address import PeerAddress
from gonk_node.net.content_http import Source
from gonk_node.net.content_receive import ContentReceiver
from gonk_node.net.content_server import ContentServer
from gonk_node.net.content_wire import Wanted
from gonk_node.net.peers import Peer, PeerBook
from gonk_node.net.replica_port import ReplicaPort
from gonk_node.net.server import Listener
from gonk_node.net.session_server import SessionServer
from gonk_node.net.tls import certificate_hash, ensure_certificate, server_context
from gonk_node.net.tokens import TokenTable
from gonk_node.net.transport import SessionEvent
from gonk_node.node.content_keeping import ContentKeeper
from gonk_node.node.dialling import Dialler, Route
from gonk_node.node.node import Node
from gonk_node.node.on_demand import OnDemand
from gonk_node.node.session_notes import SessionNotes
from gonk_node.node.shared import SharedDataset
from gonk_node.sync.handshake import PeerIdentity
from gonk_node.sync.outputs import Failed

_log = logging.getLogger(__name__)


class _Served:
    """One dataset while it is served."""

    def __init__(self, shared: SharedDataset, rng: Random) -> None:
        self.shared = shared
        self.keeper = ContentKeeper(shared.name, shared.content, rng)
        self.lsn = shared.link.view.last_lsn()


class Server:
    """A node that serves; `start`, wait as long as you like, `stop`.

    Attributes:
        port: the peer port that is listened on, once started.
    """

    def __init__(self, node: Node) -> None:
        self.port = 0
        self._on_demand = OnDemand(node, self._sources)
        self._node = node
        self._rng = Random()  # noqa: S311 - jitter of pauses
        self._book = PeerBook(node.home.root)
        self._served: dict[bytes, _Served] = {}
        self._broken: set[bytes] = set()  # datasets that could not be opened
        self._diallers: dict[Route, Dialler] = {}
        self._notes: dict[tuple[bytes, bytes], SessionNotes] = {}
        self._watching: list[asyncio.Task[None]] = []
        self._taking_up = asyncio.Lock()
        tokens = TokenTable()
        pem = node.home.tls_certificate
        self._sessions = SessionServer(
            signer=node.node_signer(),
            certificate_hash=certificate_hash(ensure_certificate(pem)),
            lookup=self._lookup,
            tokens=tokens,
            on_event=self._on_event,
        )
        loop = asyncio.get_running_loop()
        app = web.Application()
        app.add_routes(self._sessions.routes())
        app.add_routes(ContentServer(node.content, tokens, self._names, clock=loop.time).routes())
        app.add_routes(ContentReceiver(node.content, tokens, self._takes, clock=loop.time).routes())
        self._listener = Listener(app, server_context(pem))

    async def start(self, host: str, port: int) -> None:
        """Open the datasets, listen, and begin to call peers.

        Raises:
            UsageError: the address cannot be listened on. ReadOnlyError: the node's folder cannot be written to.
        """
        self._node.refuse_read_only()
        await self._take_up_datasets()
        self.port = await self._listener.start(host, port)
        await self._take_up_peers()
        self._watching = [
            asyncio.create_task(self._every(LOG_POLL_SECONDS, self._look_at_logs)),
            asyncio.create_task(self._every(FOLDER_POLL_SECONDS, self.look_at_folder)),
        ]

    async def stop(self) -> None:
        """End every session in order, and close what was opened but the node itself."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._sessions.stop()
        await self._on_demand.close()
        await _all(dialler.stop() for dialler in self._diallers.values())
        await _all(served.keeper.stop() for served in self._served.values())
        await self._listener.stop()
        await _all(served.shared.close() for served in self._served.values())

    def datasets(self) -> list[SharedDataset]:
        """The datasets that are served, by name."""
        return sorted((served.shared for served in self._served.values()), key=lambda shared: shared.name)

    async def fetch(self, dataset: bytes, content_id: bytes) -> None:
        """See that a file is held here, whatever the policy; see `OnDemand.fetch`."""
        await self._on_demand.fetch(dataset, content_id)

    def _sources(self, dataset: bytes) -> dict[PeerAddress, Source]:
        """The peers of a dataset that can be asked for content without a call."""
        served = self._served.get(dataset)
        return {} if served is None else served.keeper.sources()

    def connected(self, dataset: bytes) -> set[bytes]:
        """The node keys of the peers with whom a dataset is being exchanged, whoever called."""
        called = {address.node_key for address in self.sources(dataset)}
        return called | {peer.node_key for peer in self._sessions.peers() if peer.dataset == dataset}

    def sources(self, dataset: bytes) -> dict[PeerAddress, Source]:
        """The peers of a dataset that can be asked for content without a call."""
        served = self._served.get(dataset)
        return {} if served is None else served.keeper.sources()

    # --- what peers ask -----------------------------------------------------------------------------------------

    async def _lookup(self, peer: PeerIdentity) -> ReplicaPort | None:
        served = self._served.get(peer.dataset)
        if served is None:
            return None
        if not served.shared.may_read(peer.author):
            _log.info("%s, node %s: refused: no role was proved", served.shared.name, peer.node_key.hex()[:8])
            return None
        self._notes[peer.node_key, peer.dataset] = SessionNotes(served.shared.name, peer.node_key)
        return served.shared.link

    def _on_event(self, peer: PeerIdentity, event: SessionEvent | Failed) -> None:
        notes = self._notes.get((peer.node_key, peer.dataset))
        if notes is None:
            return
        if isinstance(event, Failed):
            notes.ended(event.error)
        else:
            notes.note(event)

    def _names(self, dataset: bytes, content_id: bytes) -> bool:
        served = self._served.get(dataset)
        return served is not None and served.shared.names(content_id)

    def _takes(self, dataset: bytes, files: Sequence[Wanted]) -> Sequence[bool]:
        served = self._served.get(dataset)
        return [False] * len(files) if served is None else served.shared.content.takes(files)

    # --- what changes underneath --------------------------------------------------------------------------------

    async def _every(self, seconds: float, look: Any) -> None:
        """Look again and again; one failure must not end that."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await look()
            except GonkError as error:
                _log.error("%s", error)

    async def _look_at_logs(self) -> None:
        """Fold and push what other processes appended."""
        for served in list(self._served.values()):
            lsn = served.shared.link.view.last_lsn()
            if lsn != served.lsn:
                await served.shared.link.catch_up()
                self._appended(served, lsn)

    async def look_at_folder(self) -> None:
        """Take up datasets and peers that were added, at once instead of with the next look."""
        await self._take_up_datasets()
        await self._take_up_peers()

    async def _take_up_datasets(self) -> None:
        async with self._taking_up:
            await self._take_up_new_datasets()

    async def _take_up_new_datasets(self) -> None:
        for dataset in await asyncio.to_thread(self._node.home.dataset_ids):
            if dataset in self._served or dataset in self._broken:
                continue
            try:
                info = await asyncio.to_thread(self._node.known.by_id, dataset)
                shared = await asyncio.to_thread(SharedDataset.open, self._node, info)
            except NotFoundError:
                continue  # removed meanwhile
            except GonkError as error:
                self._broken.add(dataset)
                _log.error("dataset %s is not served: %s", dataset.hex()[:12], error)
                continue
            served = self._served[dataset] = _Served(shared, self._rng)
            shared.link.subscribe(partial(self._appended, served))

    def _appended(self, served: _Served, lsn: int) -> None:
        served.lsn = lsn
        served.keeper.look()
        if served.shared.is_private:
            dataset = served.shared.link.dataset
            self._sessions.end(lambda peer: peer.dataset == dataset and not served.shared.may_read(peer.author))

    async def _take_up_peers(self) -> None:
        """Call peers that were added to the peer book, and no more those that were removed."""
        peers = await asyncio.to_thread(self._book.peers)
        routes = {route for peer in peers for route in self._routes(peer)}
        for route in routes - self._diallers.keys():
            served = self._served[route.dataset]
            self._diallers[route] = Dialler(
                self._node, served.shared, route.address, rng=self._rng, on_source=served.keeper.source
            )
        for route in self._diallers.keys() - routes:
            await self._diallers.pop(route).stop()

    def _routes(self, peer: Peer) -> list[Route]:
        """About which datasets to call a peer: those named in the peer book, else all but private ones."""
        if peer.node_key == self._node.node_key:
            return []
        address = PeerAddress(peer.host, peer.port, peer.node_key)
        named = peer.datasets or [dataset for dataset, each in self._served.items() if not each.shared.is_private]
        return [Route(address, dataset) for dataset in named if dataset in self._served]


async def _all(steps: Any) -> None:
    """Take several steps at a time, all of them also where one fails."""
    coroutines: list[Coroutine[Any, Any, None]] = list(steps)
    for result in await asyncio.gather(*coroutines, return_exceptions=True):
        if isinstance(result, Exception):
            _log.error("while stopping: %s", result)
