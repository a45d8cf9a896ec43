"""One sync with one peer: entries in both directions, then content in both, then done.

The peer book is kept by the callers, and so is the decision whom to call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from gonk_node.core.keys import Signer
from gonk_node.core.limits import CONTENT_SOURCE_SECONDS, SYNCED_SECONDS
from gonk_node.errors import GonkError, PeerError, PeerUnavailableError
from gonk_node.net.address import PeerAddress
from gonk_node.net.content_http import Source
from gonk_node.net.content_upload import OfferReport
from gonk_node.net.dial import DialEvent, dial
from gonk_node.net.replica_port import ReplicaPort
from gonk_node.node.content_sync import ContentReport, ContentSync
from gonk_node.sync.outputs import NotDelivered, Progress, Synced, Totals

T = TypeVar("T")
_NOTHING = Progress(Totals(), Totals(), Totals(), Totals())


class Watch(NamedTuple):
    """Who wants to see how a sync gets on: `entries` is told of progress, `content` of (bytes here, bytes wanted)."""

    entries: Callable[[Progress], None] = lambda _progress: None
    content: Callable[[int, int], None] = lambda _done, _total: None


class SyncReport(NamedTuple):
    """What one sync did.

    Attributes:
        taken, given: entries, events and bytes of records that came and went.
        equal_heads: both hold the same entries now; False is no fault (quotas, or entries written meanwhile).
        equal_states: whether both make the same State of them; None where it cannot be told.
        not_delivered: entries that the peer told of or was asked for, and does not have.
        content: what came; None where it was not asked for.
        offered: what was handed over; None likewise.
        broken: what ended the connection before content was through; None: all went well.
    """

    taken: Totals
    given: Totals
    equal_heads: bool
    equal_states: bool | None
    not_delivered: int = 0
    content: ContentReport | None = None
    offered: OfferReport | None = None
    broken: GonkError | None = None


class Meeting:
    """One session that this node dials and ends: what happened in it so far.

    Attributes:
        progress: of entries.
    """

    def __init__(
        self,
        address: PeerAddress,
        port: ReplicaPort,
        *,
        signer: Signer,
        author: Signer | None = None,
        watch: Watch = Watch(),  # noqa: B008 - immutable
    ) -> None:
        self.progress = _NOTHING
        self.not_delivered = 0
        self._watch = watch
        self._stop = asyncio.Event()
        self._synced: asyncio.Future[Synced] = asyncio.get_running_loop().create_future()
        self._source: asyncio.Future[Source] = asyncio.get_running_loop().create_future()
        self._session = asyncio.create_task(
            dial(address, port, signer=signer, author=author, on_event=self._on_event, stop=self._stop)
        )

    async def synced(self) -> Synced:
        """Wait until both have what the other held; raises what `net.dial.dial` raises where it does not come to that."""
        return await self._wait_for(self._synced, SYNCED_SECONDS)

    async def source(self) -> Source:
        """How the peer's content is had; PeerUnavailableError where it does not say so."""
        return await self._wait_for(self._source, CONTENT_SOURCE_SECONDS)

    async def end(self) -> GonkError | None:
        """End the session in order; returns the error that had ended it before, if one had."""
        self._stop.set()
        try:
            await self._session
        except GonkError as error:
            return error
        return None

    async def _wait_for(self, event: asyncio.Future[T], seconds: float) -> T:
        """The event's result, unless the session ends before, or nothing gets on for so long."""
        while not event.done():
            before = self.progress
            waits: set[asyncio.Future[Any]] = {event, self._session}
            done, _ = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if self._session in done and not event.done():
                self._session.result()
                raise PeerUnavailableError("the peer closed before all was exchanged", hint="run the command again")
            if not done and self.progress == before:
                raise PeerUnavailableError("the peer is there, but does not go on", hint="run the command again")
        return event.result()

    def _on_event(self, event: DialEvent) -> None:
        match event:
            case Progress():
                self.progress = event
                self._watch.entries(event)
            case Synced() if not self._synced.done():
                self._synced.set_result(event)
            case Source() if not self._source.done():
                self._source.set_result(event)
            case NotDelivered(entry_ids):
                self.not_delivered += len(entry_ids)
            case _:
                pass


async def sync_once(
    address: PeerAddress,
    port: ReplicaPort,
    *,
    signer: Signer,
    author: Signer | None = None,
    content: ContentSync | None = None,
    watch: Watch = Watch(),  # noqa: B008 - immutable
) -> SyncReport:
    """Exchange with a peer what either side lacks.

    Args:
        address: of the peer.
        port: the replica.
        signer: this node's key.
        author: an author key to prove as well, for a private dataset.
        content: fetch and offer content too, after the entries.
        watch: sees how it gets on.

    Raises:
        Whatever `net.dial.dial` raises before both sides are through with the entries; what was taken is kept.
        StorageError, DiskFullError: this node's disk.
    """
    meeting = Meeting(address, port, signer=signer, author=author, watch=watch)
    try:
        synced = await meeting.synced()
        came: ContentReport | None = None
        went: OfferReport | None = None
        broken: GonkError | None = None
        if content is not None:
            came, went, broken = await _exchange_content(meeting, address.node_key, content, watch)
    finally:
        ended_by = await meeting.end()
    if broken is None and came is not None and came.missing:
        broken = ended_by
    done = meeting.progress
    return SyncReport(done.taken, done.given, *synced, meeting.not_delivered, came, went, broken)


async def _exchange_content(
    meeting: Meeting, node_key: bytes, content: ContentSync, watch: Watch
) -> tuple[ContentReport | None, OfferReport | None, GonkError | None]:
    """Fetch, then offer; a peer that goes away meanwhile ends it without an error, since all entries are here."""
    came: ContentReport | None = None
    try:
        source = await meeting.source()
        _, total = await content.totals()
        bytes_here = 0

        def advance(_files: int, bytes_: int) -> None:
            nonlocal bytes_here
            bytes_here += bytes_
            watch.content(bytes_here, total)

        came = await content.fetch([source], advance)
        went = await content.offer(source, node_key)
    except PeerError as error:
        return came, None, error
    return came, went, went.lost
