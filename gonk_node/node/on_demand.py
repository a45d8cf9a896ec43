"""Fetches a file when somebody reads it and it is not here: from peers that are connected, then from those in the peer book.

With a peer that has to be called, a session lasts only until it has said how its content is had: no entries are exchanged.
How the bytes travel and are verified is in `net.content_client`; what a policy fetches by itself, in `content_sync`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from gonk_node.core.keys import Signer
from gonk_node.core.limits import (
    CONNECT_SECONDS,
    CONTENT_SOURCE_SECONDS,
    CONTENT_TOKEN_SECONDS,
    FETCH_CALLS,
    HANDSHAKE_SECONDS,
)
from gonk_node.errors import GonkError, NotFoundError, PeerUnavailableError, ReadOnlyError
from gonk_node.net.address import PeerAddress
from gonk_node.net.content_client import fetch
from gonk_node.net.content_http import Source
from gonk_node.net.content_wire import Wanted
from gonk_node.net.dial import DialEvent, dial
from gonk_node.net.peers import PeerBook
from gonk_node.node.link import ReplicaLink
from gonk_node.node.node import Node
from gonk_node.node.shared import author_signer
from gonk_node.replica.content.contents import Contents
from gonk_node.replica.replica import Replica
from gonk_node.store.content import ContentStore

_CALL_SECONDS = CONNECT_SECONDS + HANDSHAKE_SECONDS + CONTENT_SOURCE_SECONDS
_KEEP_SECONDS = CONTENT_TOKEN_SECONDS / 2  # a token is used again for so long, without another session
_PEERS_TOLD = 5  # in an error

Advance = Callable[[int, int], None]
"""(bytes that are here, bytes of the file)."""


class OnDemand:
    """Files of one node that are fetched when they are read. Used on one event loop, and closed there.

    Args:
        node: stays open as long as this is used.
        connected: of a dataset (id, 32 bytes), the peers that can be asked without a call.
    """

    def __init__(
        self, node: Node, connected: Callable[[bytes], Mapping[PeerAddress, Source]] = lambda _dataset: {}
    ) -> None:
        self._node = node
        self._connected = connected
        self._called: dict[tuple[bytes, PeerAddress], tuple[Source, float]] = {}  # with the time until it is used
        self._fetching: dict[tuple[bytes, bytes], asyncio.Task[None]] = {}

    async def fetch(self, dataset: bytes, content_id: bytes, advance: Advance = lambda _done, _size: None) -> None:
        """See that a file is held; those who want the same one at a time share the download.

        Args:
            dataset: id of a dataset of this node, whose peers are asked.
            content_id: of the file; some object of that dataset must name it.
            advance: sees how it gets on, unless somebody else began the download.

        Raises:
            PeerUnavailableError: no peer gave it; it says who was asked, and what came of it. What came is kept.
            NotFoundError: there is no such dataset here, or no object of it names the file.
            ReadOnlyError: it is not here, and nothing can be kept here. StorageError, DiskFullError, DamagedStoreError: this
                node's stores.
        """
        if await asyncio.to_thread(self._node.content.has, content_id):
            return
        if self._node.content.is_read_only:
            raise ReadOnlyError(
                "it is not on this node, whose folder is read-only here, so it cannot be fetched either",
                where=f"content {content_id.hex()[:12]}",
                hint=f"fetch it where the folder can be written to: gonk sync {self._node.known.by_id(dataset).name}",
            )
        key = (dataset, content_id)
        if key not in self._fetching:
            task = self._fetching[key] = asyncio.create_task(self._fetch(dataset, content_id, advance))
            task.add_done_callback(lambda done: self._over(key, done))
        await asyncio.shield(self._fetching[key])  # one reader who gives up must not take it from the others

    async def close(self) -> None:
        """Give up what is under way; what came is kept."""
        tasks = list(self._fetching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _over(self, key: tuple[bytes, bytes], done: asyncio.Task[None]) -> None:
        del self._fetching[key]
        if not done.cancelled():
            done.exception()  # whoever waits gets it; where nobody does any more, nothing is to be logged

    async def _fetch(self, dataset: bytes, content_id: bytes, advance: Advance) -> None:
        info = await asyncio.to_thread(self._node.known.by_id, dataset)
        replica = await asyncio.to_thread(self._node.replica_of, info)
        sizes = await asyncio.to_thread(Contents(replica.db).sizes, content_id)
        if not sizes:
            raise NotFoundError("no object of the dataset names this content", where=content_id.hex()[:12])
        errand = _Errand(self._node.content, [Wanted(content_id, size) for size in sizes], advance)
        connected = self._connected(dataset)
        for address, source in {**self._still_open(dataset), **connected}.items():
            if await errand.ask(address, source):
                return
            self._called.pop((dataset, address), None)  # it may have forgotten its tokens: call it anew
        if not await self._call_peers(replica, errand, connected):
            raise errand.error()

    def _still_open(self, dataset: bytes) -> dict[PeerAddress, Source]:
        """Peers that were called a short while ago."""
        now = asyncio.get_running_loop().time()
        self._called = {key: called for key, called in self._called.items() if called[1] > now}
        return {address: source for (of, address), (source, _) in self._called.items() if of == dataset}

    async def _call_peers(self, replica: Replica, errand: _Errand, but: Mapping[PeerAddress, Source]) -> bool:
        """Call the peers of a dataset, several at a time, and ask each that answers; whether one gave the file."""
        is_private = replica.is_private()
        peers = await asyncio.to_thread(PeerBook(self._node.home.root).peers)
        meant = (peer for peer in peers if peer.is_for(replica.dataset, is_private))
        addresses = {PeerAddress(peer.host, peer.port, peer.node_key) for peer in meant} - but.keys()
        author = await asyncio.to_thread(author_signer, self._node) if is_private and addresses else None
        link = ReplicaLink(replica, self._node.store_instance, None)
        lanes = asyncio.Semaphore(FETCH_CALLS)
        calls = [asyncio.create_task(self._call(link, address, author, lanes)) for address in addresses]
        try:
            for call in asyncio.as_completed(calls):
                address, found = await call
                if isinstance(found, GonkError):
                    errand.failed(address, found)
                elif await errand.ask(address, found):
                    return True
            return False
        finally:
            for task in calls:
                task.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            await link.close()

    async def _call(
        self, link: ReplicaLink, address: PeerAddress, author: Signer | None, lanes: asyncio.Semaphore
    ) -> tuple[PeerAddress, Source | GonkError]:
        """How a peer's content is had, or why not; what is wrong with this node's disk is raised."""
        found: list[Source] = []
        stop = asyncio.Event()

        def on_event(event: DialEvent) -> None:
            if isinstance(event, Source):
                found.append(event)
                stop.set()

        problem: GonkError = PeerUnavailableError("it does not say how its content is had")
        signer = self._node.node_signer()
        try:
            async with lanes, asyncio.timeout(_CALL_SECONDS):
                await dial(address, link, signer=signer, author=author, on_event=on_event, stop=stop)
        except TimeoutError:
            pass
        except GonkError as error:
            if error.fault == "disk":
                raise
            problem = error
        if not found:
            return address, problem
        until = asyncio.get_running_loop().time() + _KEEP_SECONDS
        self._called[link.dataset, address] = found[-1], until
        return address, found[-1]


class _Errand:
    """One file that is looked for: who was asked for it, and what came of that."""

    def __init__(self, store: ContentStore, wanted: Sequence[Wanted], advance: Advance) -> None:
        self._store = store
        self._wanted = wanted  # several where objects declare different sizes for one content: at most one is right
        self._advance = advance
        self._failures: dict[PeerAddress, GonkError] = {}

    async def ask(self, address: PeerAddress, source: Source) -> bool:
        """Fetch it from a peer; whether it is here now."""
        done, size = 0, self._wanted[0].size

        def progress(_files: int, count: int) -> None:
            nonlocal done
            done = min(done + count, size)
            self._advance(done, size)

        report = await fetch(self._wanted, [source], self._store, progress=progress)
        if report.failed:
            self.failed(address, report.failed[0].error)
        return await asyncio.to_thread(self._store.has, self._wanted[0].content_id)

    def failed(self, address: PeerAddress, error: GonkError) -> None:
        """A peer that was asked, or called, in vain."""
        self._failures[address] = error

    def error(self) -> PeerUnavailableError:
        """What is told when nobody gave it."""
        where = f"content {self._wanted[0].content_id.hex()[:12]}"
        hint = "gonk peer add LINK, of one that has it; or start `gonk serve` there"
        if not self._failures:
            return PeerUnavailableError("it is not on this node, and no peer is known to ask", where=where, hint=hint)
        told = [f"{address}: {error.what}" for address, error in self._failures.items()]
        more = [f"and {len(told) - _PEERS_TOLD} more"] if len(told) > _PEERS_TOLD else []
        asked = "; ".join(told[:_PEERS_TOLD] + more)
        return PeerUnavailableError(f"it is not on this node, and no peer gave it: {asked}", where=where, hint=hint)


class BlockingOnDemand:
    """The same for programs without an event loop: one runs on a thread, from the first fetch to `close`. Thread-safe."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._running: tuple[threading.Thread, asyncio.AbstractEventLoop, OnDemand, asyncio.Event] | None = None

    def fetch(self, dataset: bytes, content_id: bytes) -> None:
        """See that a file is held; as `OnDemand.fetch`."""
        with self._lock:
            if self._running is None:
                started: Future[tuple[asyncio.AbstractEventLoop, OnDemand, asyncio.Event]] = Future()
                thread = threading.Thread(
                    target=lambda: asyncio.run(self._serve(started)), name="content on demand", daemon=True
                )
                thread.start()
                self._running = (thread, *started.result())
            _, loop, on_demand, _ = self._running
        asyncio.run_coroutine_threadsafe(on_demand.fetch(dataset, content_id), loop).result()

    def close(self) -> None:
        """End the thread, if there is one."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            thread, loop, _, stop = running
            loop.call_soon_threadsafe(stop.set)
            thread.join()

    async def _serve(self, started: Future[tuple[asyncio.AbstractEventLoop, OnDemand, asyncio.Event]]) -> None:
        on_demand, stop = OnDemand(self._node), asyncio.Event()
        started.set_result((asyncio.get_running_loop(), on_demand, stop))
        try:
            await stop.wait()
        finally:
            await on_demand.close()
