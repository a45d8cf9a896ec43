"""Keeps a live session with one peer about one dataset: dials, and dials again with growing pauses.

Which peers and datasets these are is decided by `serving`; what is said in a session, by `sync.session`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from gonk_node.core.keys import Signer
from gonk_node.core.limits import SHUTDOWN_SECONDS
from gonk_node.errors import GonkError, StorageError
from gonk_node.net.address import PeerAddress
from gonk_node.net.backoff import Backoff
from gonk_node.net.content_http import Source
from gonk_node.net.dial import DialEvent, dial
from gonk_node.net.peers import PeerBook
from gonk_node.node.node import Node
from gonk_node.node.session_notes import SessionNotes
from gonk_node.node.shared import SharedDataset, author_signer
from gonk_node.replica.replica import clock_ms
from gonk_node.sync.outputs import Synced

_log = logging.getLogger("gonk_node.node.serving")


class Route(NamedTuple):
    """A peer to be called about a dataset (id, 32 bytes)."""

    address: PeerAddress
    dataset: bytes


class Dialler:
    """One route, kept open until `stop`.

    Args:
        on_source: told how the peer's content is had, and None once the session is over.
    """

    def __init__(
        self,
        node: Node,
        shared: SharedDataset,
        address: PeerAddress,
        *,
        rng: Random,
        on_source: Callable[[PeerAddress, Source | None], None],
    ) -> None:
        self._signer: Signer = node.node_signer()
        self._author = author_signer(node) if shared.is_private else None
        self._book = PeerBook(node.home.root)
        self._shared = shared
        self._address = address
        self._backoff = Backoff(rng)
        self._on_source = on_source
        self._stop = asyncio.Event()
        self._last_problem = ""
        self._chores: set[asyncio.Task[None]] = set()
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the session in order."""
        self._stop.set()
        try:
            async with asyncio.timeout(SHUTDOWN_SECONDS):  # it may be connecting, or the peer may not listen
                await self._task
        except TimeoutError:
            pass
        await asyncio.gather(*self._chores, return_exceptions=True)

    async def _keep(self) -> None:
        while not self._stop.is_set():
            error = await self._call()
            self._on_source(self._address, None)
            if self._stop.is_set():
                break
            await self._note_problem(error)
            try:
                async with asyncio.timeout(self._backoff.next_delay()):
                    await self._stop.wait()
            except TimeoutError:
                pass

    async def _call(self) -> GonkError | None:
        """One session; returns what ended it."""
        notes = SessionNotes(self._shared.name, self._address.node_key)

        def on_event(event: DialEvent) -> None:
            if isinstance(event, Source):
                self._on_source(self._address, event)
                return
            notes.note(event)
            if isinstance(event, Synced):
                self._synced()

        try:
            await dial(
                self._address,
                self._shared.link,
                signer=self._signer,
                author=self._author,
                on_event=on_event,
                stop=self._stop,
            )
        except GonkError as error:
            return error
        return None

    def _synced(self) -> None:
        self._backoff.reset()
        self._last_problem = ""
        chore = asyncio.create_task(self._note_synced())
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    async def _note_synced(self) -> None:
        try:
            await self._shared.note_synced()
            await asyncio.to_thread(self._book.record_seen, self._address.node_key, clock_ms())
        except GonkError as error:
            _log.warning("the peer book could not be written: %s", error)

    async def _note_problem(self, error: GonkError | None) -> None:
        """Tell of a problem once, not at each attempt; the peer book has the latest."""
        what = "the peer closed the session" if error is None else str(error)
        if what != self._last_problem:
            self._last_problem = what
            level = logging.ERROR if isinstance(error, StorageError) else logging.WARNING
            _log.log(level, "%s, node %s: %s", self._shared.name, self._address.node_key.hex()[:8], what)
        try:
            await asyncio.to_thread(self._book.record_error, self._address.node_key, what)
        except GonkError as problem:
            _log.warning("the peer book could not be written: %s", problem)
