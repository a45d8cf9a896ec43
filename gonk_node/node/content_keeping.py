"""Keeps the content of one served dataset as its policy wants it, for as long as peers are connected.

When something was appended, or a peer came, it looks what is missing, fetches it, and offers what is held. A large dataset
is not looked through more often than a tenth of the time allows.
"""

from __future__ import annotations

import asyncio
import logging
from random import Random

from gonk_node.core.limits import CONTENT_PAUSE_RATIO, LOG_POLL_SECONDS
from gonk_node.errors import GonkError
from gonk_node.net.address import PeerAddress
from gonk_node.net.backoff import Backoff
from gonk_node.net.content_http import Source
from gonk_node.node.content_sync import ContentReport, ContentSync

_log = logging.getLogger("gonk_node.node.serving")


class ContentKeeper:
    """One dataset's content; give it sources and call `look` when something changed."""

    def __init__(self, name: str, content: ContentSync, rng: Random) -> None:
        self._name = name
        self._content = content
        self._sources: dict[PeerAddress, Source] = {}
        self._changed = asyncio.Event()
        self._again = Backoff(rng)
        self._task = asyncio.create_task(self._keep())

    def source(self, address: PeerAddress, source: Source | None) -> None:
        """A peer can be asked now, or (None) cannot any more."""
        if source is None:
            self._sources.pop(address, None)
        else:
            self._sources[address] = source
            self.look()

    def sources(self) -> dict[PeerAddress, Source]:
        """The peers that can be asked now."""
        return dict(self._sources)

    def look(self) -> None:
        """Something was appended, or accepted: see what is missing."""
        self._again.reset()
        self._changed.set()

    async def stop(self) -> None:
        """Give up what is under way; what came is kept."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not self._sources:
                continue  # a peer that comes sets it again
            began = loop.time()
            missing = await self._exchange(dict(self._sources))
            if missing:  # somebody may get it meanwhile
                loop.call_later(self._again.next_delay(), self._changed.set)
            await asyncio.sleep(max(LOG_POLL_SECONDS, (loop.time() - began) * CONTENT_PAUSE_RATIO))

    async def _exchange(self, sources: dict[PeerAddress, Source]) -> bool:
        """Fetch from all, offer to all; returns whether something is still missing, here or there."""
        try:
            report = await self._content.fetch(list(sources.values()))
            self._note(report)
            missing = report.missing > 0
            for address, target in sources.items():
                offered = await self._content.offer(target, address.node_key)
                missing = missing or not offered.complete  # it may not have taken our latest entries yet
                if offered.sent:
                    _log.info("%s: handed over %d files, %d bytes", self._name, offered.sent, offered.bytes)
        except GonkError as error:
            _log.error("%s: content: %s", self._name, error)
            return True
        return missing

    def _note(self, report: ContentReport) -> None:
        if report.files:
            _log.info("%s: fetched %d files, %d bytes", self._name, report.files, report.bytes)
        for wanted, error in report.failures[:1]:
            _log.info(
                "%s: %d files are missing still; %s: %s",
                self._name,
                report.missing,
                wanted.content_id.hex()[:12],
                error.what,
            )
