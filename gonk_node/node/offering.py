"""Hands content of one dataset over to peers, and remembers how far each was offered it, so that little is asked anew.

Which content that is, is decided in `replica.content.needs`; how it travels, in `net.content_upload`.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gonk_node.core.limits import CONTENT_OFFERS_PER_ROUND
from gonk_node.net.content_http import Source
from gonk_node.net.content_upload import OfferReport, offer
from gonk_node.net.content_wire import Wanted
from gonk_node.replica.content.needs import ContentNeeds
from gonk_node.store.content import ContentStore
from gonk_node.store.log import LogStore

_PREFIX = b"offered/"  # then the peer's node key: rows of the log's meta table
_ROW = struct.Struct(">QQQ")


class _Mark(NamedTuple):
    """How far a peer has what this node holds: up to which arrival number, and how many offers it took."""

    mine: int = 0
    others: int = 0
    offers: int = 0


class Offering:
    """What peers are offered of one dataset.

    Args:
        needs: tells what; asked on worker threads.
        store: the node's content.
        log: of the dataset; its meta table keeps the marks.
    """

    def __init__(self, needs: ContentNeeds, store: ContentStore, log: LogStore) -> None:
        self.needs = needs
        self._store = store
        self._log = log

    async def to(self, target: Source, node_key: bytes) -> OfferReport:
        """Offer a peer what it may lack: what this node's keys added, then what others did, then undecided proposals.

        Args:
            target: the peer, with the token of a session that has got through with the entries.
            node_key: of the peer.

        Raises:
            StorageError, DamagedStoreError: this node's store failed.
        """
        lsn = await asyncio.to_thread(self.needs.lsn)
        before = await asyncio.to_thread(self._mark, node_key)
        report = await self._offer(self.needs.news(before.mine, mine=True), target)
        mine, others = _reached(report, before.mine, lsn), before.others
        if report.lost is None:
            of_others = await self._offer(self.needs.news(before.others, mine=False), target)
            others = _reached(of_others, before.others, lsn)
            report = report.and_then(of_others)
        if report.lost is None:
            report = report.and_then(await self._offer(self.needs.own_proposals(), target))
        if (mine, others) != before[:2]:
            row = _ROW.pack(mine, others, before.offers + 1)
            await asyncio.to_thread(self._log.meta_put, _PREFIX + node_key, row)
        return report

    async def _offer(self, contents: Iterator[tuple[bytes, int]], target: Source) -> OfferReport:
        return await offer(_wanted(contents), target, self._store)

    def _mark(self, node_key: bytes) -> _Mark:
        stored = self._log.meta_get(_PREFIX + node_key)
        mark = _Mark() if stored is None else _Mark(*_ROW.unpack(stored))
        return mark if mark.offers < CONTENT_OFFERS_PER_ROUND else _Mark()


def _reached(report: OfferReport, before: int, lsn: int) -> int:
    """What is still to come, or was not taken, is offered again next time."""
    return lsn if report.complete and not report.absent else before


def _wanted(contents: Iterable[tuple[bytes, int]]) -> Iterator[Wanted]:
    return (Wanted(*each) for each in contents)
