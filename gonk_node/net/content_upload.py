"""Hands files over to one peer, who takes those that it lacks and wants: resumable, several requests at a time.

Small files go in batches, large ones chunk by chunk, and only the chunks that the peer lacks. How one request is made is
in `content_target`; which files to offer, the caller says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from gonk_node.core.chunks import chunk_length
from gonk_node.core.ids import HASH_BYTES
from gonk_node.core.limits import (
    CHUNK_BYTES,
    CONTENT_BATCH_FILES_MAX,
    CONTENT_PUT_BYTES_MAX,
    CONTENT_REQUEST_SECONDS,
    CONTENT_STALL_SECONDS,
    CONTENT_UPLOAD_LANES,
)
from gonk_node.errors import ContentMismatchError, GonkError, NotFoundError, PeerError
from gonk_node.net.content_client import Failure
from gonk_node.net.content_http import Source, client_session
from gonk_node.net.content_target import ContentTarget
from gonk_node.net.content_wire import LIST_START_BYTES, OfferedContent, Verdict, Wanted
from gonk_node.net.content_writer import Progress


class OfferReport(NamedTuple):
    """What became of the files that were offered.

    Attributes:
        sent: files that the peer has now, and had not (or not whole).
        held_there: files that it had already.
        declined: files that it does not take. No error: its policy or its quota says so, or it does not know yet that
            the dataset names them.
        bytes: that were sent and taken.
        failed: files that it wants, and that did not get there.
        absent: files that are not held here, not whole at least; the peer was not asked about them.
        lost: why the peer could not be talked to to the end, if so; what was not asked about yet is not counted.
    """

    sent: int = 0
    held_there: int = 0
    declined: int = 0
    bytes: int = 0
    failed: tuple[Failure, ...] = ()
    absent: int = 0
    lost: PeerError | None = None

    @property
    def complete(self) -> bool:
        """Whether the peer has everything that was offered to it."""
        return not (self.declined or self.failed or self.lost)

    def and_then(self, later: OfferReport) -> OfferReport:
        """Both together; `lost` is what came first."""
        return OfferReport(
            self.sent + later.sent,
            self.held_there + later.held_there,
            self.declined + later.declined,
            self.bytes + later.bytes,
            self.failed + later.failed,
            self.absent + later.absent,
            self.lost or later.lost,
        )


async def offer(
    contents: Iterable[Wanted],
    target: Source,
    store: OfferedContent,
    *,
    progress: Progress = lambda _files, _bytes: None,
    concurrency: int = CONTENT_UPLOAD_LANES,
    stall_seconds: float = CONTENT_STALL_SECONDS,
    request_seconds: float = CONTENT_REQUEST_SECONDS,
) -> OfferReport:
    """Offer files to a peer and send those that it wants.

    Ends early, without an error, after 1024 files in a row of which the peer neither has nor wants any: it takes nothing
    now.

    Args:
        contents: the files, read on a worker thread as needed; those that the store does not hold are passed over.
        target: the peer, with the token of a session about their dataset.
        store: where the files are.
        progress: called with files and bytes that the peer has now and were not counted before.
        concurrency: requests in flight at a time; each takes about 2 MiB of memory.
        stall_seconds: without one byte from the peer while it owes some.
        request_seconds: for one request with its whole answer.

    Returns:
        The report: what the peer does, or fails to do, is told there and not raised.

    Raises:
        StorageError, DamagedStoreError: this node's store failed.
        UsageError: the address of the peer is not https.
    """
    async with client_session(stall_seconds=stall_seconds, request_seconds=request_seconds) as http:
        job = _Offer(ContentTarget(target, http), store, progress, concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                await job.run(contents, group)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
    return job.report()


class _Large:
    """A file of several chunks on its way."""

    def __init__(self, file: Wanted, left: int) -> None:
        self.file = file
        self.left = left  # chunks that have not come to an end, good or bad
        self.ended = False  # declined or failed: the rest of its chunks is not sent


class _Offer:
    """One call of `offer`."""

    def __init__(self, target: ContentTarget, store: OfferedContent, progress: Progress, concurrency: int) -> None:
        self._target = target
        self._store = store
        self._progress = progress
        self._lanes = asyncio.Semaphore(concurrency)
        self._sent = self._held_there = self._declined = self._bytes = 0
        self._failed: list[Failure] = []
        self._absent = 0
        self._lost: PeerError | None = None

    def report(self) -> OfferReport:
        failed = tuple(self._failed)
        return OfferReport(self._sent, self._held_there, self._declined, self._bytes, failed, self._absent, self._lost)

    async def run(self, contents: Iterable[Wanted], group: asyncio.TaskGroup) -> None:
        """Ask about one page after the other, and start sending what is wanted, as many at a time as may be."""
        files = iter(contents)
        while self._lost is None:
            page = await asyncio.to_thread(self._next_page, files)
            wanted = await self._ask(page)
            if wanted is None:
                return
            for unit in _units(wanted):
                if unit[0].size > CHUNK_BYTES:
                    await self._begin_large(unit[0], group)
                else:
                    await self._start(group, partial(self._send_small, unit))

    def _next_page(self, files: Iterator[Wanted]) -> list[Wanted]:
        """The next files that are held here, each once."""
        page: dict[Wanted, None] = {}
        for file in files:
            if not self._store.has(file.content_id):
                self._absent += 1
            else:
                page[file] = None
                if len(page) == CONTENT_BATCH_FILES_MAX:
                    break
        return list(page)

    async def _ask(self, page: list[Wanted]) -> list[Wanted] | None:
        """Those of a page that the peer wants; None where there is nothing more to do."""
        if not page:
            return None
        try:
            verdicts = await self._target.wanted(page)
        except PeerError as error:
            self._lost = error
            return None
        wanted: list[Wanted] = []
        for file, verdict in zip(page, verdicts, strict=True):
            if verdict is Verdict.WANTED:
                wanted.append(file)
            elif verdict is Verdict.HELD:
                self._held_there += 1
                self._progress(1, file.size)
            else:
                self._declined += 1
        return None if all(verdict is Verdict.DECLINED for verdict in verdicts) else wanted

    async def _start(self, group: asyncio.TaskGroup, request: Callable[[], Awaitable[None]]) -> None:
        """Make one request as a task, once there is a lane for it."""

        async def send() -> None:
            try:
                await request()
            finally:
                self._lanes.release()

        await self._lanes.acquire()
        group.create_task(send())

    # --- files of one chunk -----------------------------------------------------------------------------

    async def _send_small(self, files: list[Wanted]) -> None:
        read = await asyncio.to_thread(lambda: [(file, self._store.chunk(file.content_id)) for file in files])
        there: list[tuple[Wanted, bytes]] = []
        for file, data in read:
            if data is None:
                self._fail(file, _gone(file))
            elif len(data) != file.size:
                self._fail(file, _wrong_size(file, len(data)))
            else:
                there.append((file, data))
        if not there:
            return
        try:
            if self._lost is not None:
                raise self._lost
            verdicts = await self._target.put_files([(file.content_id, data) for file, data in there])
        except PeerError as error:
            for file, _ in there:
                self._fail(file, error)
            return
        for (file, _), verdict in zip(there, verdicts, strict=True):
            if verdict is Verdict.HELD:
                self._finish()
                self._count(file.size)
            elif verdict is Verdict.DECLINED:
                self._declined += 1
            else:
                self._fail(file, _mismatch(file))

    # --- files of several chunks ------------------------------------------------------------------------

    async def _begin_large(self, file: Wanted, group: asyncio.TaskGroup) -> None:
        """Send the chunk list, and start sending each chunk that the peer lacks."""
        listed = await asyncio.to_thread(self._store.chunk_list, file.content_id)
        size = 0 if listed is None else int.from_bytes(listed[:LIST_START_BYTES], "big")
        if listed is None or size != file.size:
            self._fail(file, _gone(file) if listed is None else _wrong_size(file, size))
            return
        try:
            if self._lost is not None:
                raise self._lost
            missing = await self._target.put_list(file, listed)
        except (PeerError, ContentMismatchError) as error:
            self._fail(file, error)
            return
        if missing is None:
            self._declined += 1
            return
        chunks = {_chunk_id(listed, index): index for index in missing}  # one that occurs twice is sent once
        self._progress(0, file.size - sum(chunk_length(file.size, index) for index in chunks.values()))
        large = _Large(file, len(chunks))
        for chunk_id, index in chunks.items():
            await self._start(group, partial(self._send_chunk, large, index, chunk_id))
        if not chunks:
            self._finish()

    async def _send_chunk(self, large: _Large, index: int, chunk_id: bytes) -> None:
        try:
            if not large.ended:
                await self._send_one(large, index, chunk_id)
        except (PeerError, ContentMismatchError, NotFoundError) as error:
            if not large.ended:
                large.ended = True
                self._fail(large.file, error)
        large.left -= 1
        if not large.left and not large.ended:
            self._finish()

    async def _send_one(self, large: _Large, index: int, chunk_id: bytes) -> None:
        if self._lost is not None:
            raise self._lost
        chunk = await asyncio.to_thread(self._store.chunk, chunk_id)
        if chunk is None:
            raise _gone(large.file)
        if await self._target.put_chunk(large.file, index, chunk):
            self._count(len(chunk))
        elif not large.ended:
            large.ended = True
            self._declined += 1

    # --- counting ---------------------------------------------------------------------------------------

    def _count(self, size: int) -> None:
        self._bytes += size
        self._progress(0, size)

    def _finish(self) -> None:
        self._sent += 1
        self._progress(1, 0)

    def _fail(self, file: Wanted, error: GonkError) -> None:
        if isinstance(error, PeerError):
            self._lost = self._lost or error
        self._failed.append(Failure(file, error))


def _units(files: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    """What goes into one request: small files in a row, or one large file (which takes several)."""
    batch: list[Wanted] = []
    room = CONTENT_PUT_BYTES_MAX
    for file in files:
        if file.size > CHUNK_BYTES:
            yield [file]
            continue
        if batch and file.size > room:
            yield batch
            batch, room = [], CONTENT_PUT_BYTES_MAX
        batch.append(file)
        room -= file.size
    if batch:
        yield batch


def _chunk_id(listed: bytes, index: int) -> bytes:
    start = LIST_START_BYTES + index * HASH_BYTES
    return listed[start : start + HASH_BYTES]


def _place(file: Wanted) -> str:
    return f"content {file.content_id.hex()[:12]}"


def _gone(file: Wanted) -> NotFoundError:
    return NotFoundError("it is not held here any more, or not whole", where=_place(file), hint="run `gonk fsck`")


def _wrong_size(file: Wanted, size: int) -> ContentMismatchError:
    return ContentMismatchError(f"it has {size} bytes; its object declares {file.size}", where=_place(file))


def _mismatch(file: Wanted) -> ContentMismatchError:
    return ContentMismatchError(
        "the peer says that the bytes do not match their id", where=_place(file), hint="run `gonk fsck`"
    )
