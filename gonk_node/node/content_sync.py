"""The content of one dataset and its peers: fetches what the policy wants, offers what is held.

How bytes travel and are verified is in `net.content_client` and `net.content_upload`; which files, in
`replica.content.contents`. Nothing is removed here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gonk_node.net.content_client import Failure, fetch
from gonk_node.net.content_http import Source
from gonk_node.net.content_upload import OfferReport
from gonk_node.net.content_wire import Wanted
from gonk_node.node.offering import Offering
from gonk_node.replica.content.contents import ALL, FIRST, NONE, PAGE, Contents, NamedContent
from gonk_node.replica.content.released_content import ReleasedContent
from gonk_node.store.content import ContentStore

_GROUP_FILES = 4096  # missing files that are gathered for one download: bounds memory, and keeps every lane busy
_FAILURES_KEPT = 100  # of one run; people read the first few

Advance = Callable[[int, int], None]
"""(files, bytes) that are held now and were not counted before."""


class ContentReport(NamedTuple):
    """What became of the content that was wanted.

    Attributes:
        files: fetched in this run.
        bytes: of them that came.
        missing: files that are wanted and still not here.
        failures: why, for the first of these.
    """

    files: int = 0
    bytes: int = 0
    missing: int = 0
    failures: tuple[Failure, ...] = ()


class _Held:
    """Counts files that were here already."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0


class ContentSync:
    """The content of one dataset on this node.

    Args:
        contents: asked on worker threads; of a database connection of its own, so that it does not wait for the fold.
        released: what releases need besides.
        store: the node's content.
        policy: "all", "accepted" or "none".
        offering: what peers are offered.
    """

    def __init__(
        self, contents: Contents, released: ReleasedContent, store: ContentStore, policy: str, offering: Offering
    ) -> None:
        self._contents = contents
        self._released = released
        self.policy = policy
        self._store = store
        self._offering = offering

    async def totals(self) -> tuple[int, int]:
        """How many files are wanted, held or not, and their bytes."""
        files, size = await asyncio.to_thread(self._contents.totals, self.policy)
        further = await asyncio.to_thread(self._further)
        return files + len(further), size + sum(each.size for each in further)

    async def fetch(self, sources: Sequence[Source], advance: Advance = lambda _files, _bytes: None) -> ContentReport:
        """Fetch what is wanted and not here.

        Args:
            sources: peers that may have it; with none, the report only says what is missing.
            advance: told of files as they come, those that were here first; adds up to `totals`.

        Raises:
            StorageError, DiskFullError: this node's disk; what came before is kept.
        """
        report = ContentReport()
        after: NamedContent | None = FIRST
        while after is not None:
            held = _Held()
            missing, after = await asyncio.to_thread(self._missing, after, held)
            advance(held.files, held.bytes)
            report = await self._fetch_group(report, missing, sources, advance)
        held = _Held()
        missing = await asyncio.to_thread(lambda: self._not_held(self._further(), held))
        advance(held.files, held.bytes)
        report = await self._fetch_group(report, missing, sources, advance)
        if self.policy == ALL:
            proposed = await asyncio.to_thread(self._missing_of_strangers)
            report = await self._fetch_group(report, proposed, sources, lambda _files, _bytes: None)
        return report

    async def offer(self, target: Source, node_key: bytes) -> OfferReport:
        """Hand over what a peer lacks and takes; see `Offering.to`."""
        return await self._offering.to(target, node_key)

    def takes(self, files: Sequence[Wanted]) -> list[bool]:
        """Which files are taken from peers that bring them; see `ContentNeeds.takes`. Called on worker threads."""
        return self._offering.needs.takes(files)

    async def _fetch_group(
        self, so_far: ContentReport, missing: Sequence[Wanted], sources: Sequence[Source], advance: Advance
    ) -> ContentReport:
        if not missing:
            return so_far
        if not sources:
            return so_far._replace(missing=so_far.missing + len(missing))
        found = await fetch(missing, sources, self._store, progress=advance)
        return ContentReport(
            so_far.files + found.fetched,
            so_far.bytes + found.bytes,
            so_far.missing + len(found.failed),
            (*so_far.failures, *found.failed)[:_FAILURES_KEPT],
        )

    # --- on worker threads ----------------------------------------------------------------------------------

    def _missing(self, after: NamedContent, held: _Held) -> tuple[list[Wanted], NamedContent | None]:
        """The next files that are not here, and where to go on (None: there are no more)."""
        missing: list[Wanted] = []
        while len(missing) < _GROUP_FILES:
            page = self._contents.wanted(self.policy, after)
            missing += self._not_held(page, held)
            if len(page) < PAGE:
                return missing, None
            after = page[-1]
        return missing, after

    def _further(self) -> list[NamedContent]:
        """What is wanted beside the policy's pages: what releases need; of a policy that wants nothing the label sets."""
        return self._contents.label_sets() if self.policy == NONE else sorted(self._released.files())

    def _missing_of_strangers(self) -> list[Wanted]:
        strangers = self._offering.needs.strangers.files()
        return self._not_held((NamedContent(*each) for each in sorted(strangers)), _Held())

    def _not_held(self, named: Iterable[NamedContent], held: _Held) -> list[Wanted]:
        missing: list[Wanted] = []
        for content_id, size in named:
            if self._store.has(content_id):
                held.files += 1
                held.bytes += size
            else:
                missing.append(Wanted(content_id, size))
        return missing
