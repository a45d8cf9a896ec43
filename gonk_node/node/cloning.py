"""Fetches a dataset that is not here: the genesis first, then all the rest as an ordinary sync, resumable at any point.

A clone that was interrupted is a dataset like any other with fewer entries, and a mark in its log that there are more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from gonk_node.core.events import DatasetCreate
from gonk_node.core.keys import Signer
from gonk_node.core.plural import plural
from gonk_node.core.verify import verify_entry
from gonk_node.errors import (
    ExistsError,
    InvalidEntryError,
    NotFoundError,
    PartialError,
    PeerError,
    PeerUnavailableError,
    VerificationError,
)
from gonk_node.net.address import ShareLink
from gonk_node.net.peers import Peer, PeerBook
from gonk_node.node.clone_mark import is_incomplete, mark_incomplete
from gonk_node.node.datasets import DatasetInfo
from gonk_node.node.genesis import GenesisLink
from gonk_node.node.node import Node
from gonk_node.node.shared import SharedDataset, author_signer
from gonk_node.node.syncing import Meeting, SyncReport, Watch, sync_once
from gonk_node.replica.replica import clock_ms
from gonk_node.sync.counting import count, plus
from gonk_node.sync.outputs import Totals


class CloneReport(NamedTuple):
    """What a clone did; `resumed` where an earlier run had begun it, `was_complete` where nothing was left of it."""

    info: DatasetInfo
    sync: SyncReport
    resumed: bool
    was_complete: bool


async def clone(
    node: Node,
    link: ShareLink,
    name: str | None,
    *,
    policy: str | None = None,
    watch: Watch = Watch(),  # noqa: B008 - immutable
    on_found: Callable[[DatasetInfo], None] = lambda _info: None,
) -> CloneReport:
    """Fetch a dataset from a peer, or go on where an earlier call was interrupted; the peer goes into the peer book.

    Args:
        node: where to.
        link: which dataset, at whom.
        name: what it is to be called here; None: as its founder called it.
        policy: which content is fetched, if not what is set for the node; kept for the dataset.
        watch: sees how it gets on.
        on_found: told once the dataset is here, with its first entry.

    Raises:
        WrongPeerError: who answers has another key than the link says.
        NotFoundError: the peer does not have the dataset, or does not show it to this node.
        PeerUnavailableError: it cannot be reached. ProtocolError, VerificationError: it misbehaved.
        PartialError: it went away, or misbehaved, after a part was taken.
        ExistsError: the name is taken, or the dataset is here under another one. UsageError: no name.
        StorageError, DiskFullError.
    """
    info = _known(node, link.dataset)
    if info is not None and name is not None and info.name != name:
        raise ExistsError(
            f"this dataset is on this node already, as {info.name!r}",
            hint=f"gonk clone LINK {info.name} goes on with it",
        )
    resumed = info is not None
    came_before = Totals()
    if info is None:
        record = await _fetch_genesis(node, link)
        came_before = count([record])
        info = await asyncio.to_thread(_found, node, link, record, name, policy)
    on_found(info)
    address = link.address
    book = PeerBook(node.home.root)
    await asyncio.to_thread(book.add, Peer(address.node_key, address.host, address.port, (link.dataset,)))
    shared = await asyncio.to_thread(SharedDataset.open, node, info, policy=policy)
    try:
        was_complete = resumed and not is_incomplete(shared.link.replica)
        report = await _take_all(node, link, shared, watch)
    finally:
        await shared.close()
    await asyncio.to_thread(book.record_seen, address.node_key, clock_ms())
    report = report._replace(taken=plus(came_before, report.taken))
    return CloneReport(info, report, resumed, was_complete)


def _known(node: Node, dataset: bytes) -> DatasetInfo | None:
    try:
        return node.known.by_id(dataset)
    except NotFoundError:
        return None


async def _take_all(node: Node, link: ShareLink, shared: SharedDataset, watch: Watch) -> SyncReport:
    """Sync, and take the mark away; what ends it early is told as partial."""
    replica = shared.link.replica
    before = replica.log.last_lsn()
    try:
        report = await sync_once(
            link.address,
            shared.link,
            signer=node.node_signer(),
            author=author_signer(node) if shared.is_private else None,
            content=shared.content,
            watch=watch,
        )
    except (PeerError, VerificationError) as error:
        if error.exit_code == PeerUnavailableError.exit_code and (before > 1 or replica.log.last_lsn() > before):
            raise PartialError(
                f"{plural(replica.log.last_lsn(), 'entry is', 'entries are')} here, verified; then: {error.what}",
                where=error.where,
                hint="run the same command again: it goes on from there",
            ) from error
        raise
    await shared.note_synced()
    if report.broken is not None:
        raise PartialError(
            f"all entries are here, verified; content is missing: {report.broken.what}",
            where=str(link.address),
            hint="run the same command again: it goes on from there",
        ) from report.broken
    return report


def _found(node: Node, link: ShareLink, record: bytes, name: str | None, policy: str | None) -> DatasetInfo:
    """Make the dataset here, of its genesis, and mark it as incomplete."""
    info = node.known.make(name or _given_name(record), record, link.dataset, content_policy=policy)
    mark_incomplete(node.replica_of(info), link.address.node_key)
    return info


def _given_name(record: bytes) -> str:
    """What the founder called the dataset."""
    event = verify_entry(record, None).stored_events()[0]
    if not isinstance(event, DatasetCreate):
        raise InvalidEntryError("V6", "the first entry of a dataset must be its genesis", where="a clone")
    return event.name


async def _fetch_genesis(node: Node, link: ShareLink) -> bytes:
    """The genesis as the peer sent it, verified. The author key is shown only to one who says no without it."""
    try:
        return await _ask_for_genesis(node, link, None)
    except NotFoundError:
        author = author_signer(node)
        if author is None:
            raise
        return await _ask_for_genesis(node, link, author)


async def _ask_for_genesis(node: Node, link: ShareLink, author: Signer | None) -> bytes:
    port = GenesisLink(link.dataset)
    meeting = Meeting(link.address, port, signer=node.node_signer(), author=author)
    try:
        await meeting.synced()
    finally:
        await meeting.end()
    if port.record is None:
        raise NotFoundError("the peer does not have the first entry of this dataset", where=str(link))
    return port.record
