"""Fetches files from every peer that has them: many requests at once, verified, resumable, in bounded memory.

Small files are asked for in batches, large ones chunk by chunk; what is held already is skipped. How one request is
made and checked is in `content_source`, who is asked next in `content_pool`; which files are wanted, the caller says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gonk_node.core.chunks import chunk_length
from gonk_node.core.limits import (
    CHUNK_BYTES,
    CONTENT_BATCH_BYTES_MAX,
    CONTENT_BATCH_FILES_MAX,
    CONTENT_LANES,
    CONTENT_REQUEST_SECONDS,
    CONTENT_STALL_SECONDS,
    OBJECT_BYTES_MAX,
)
from gonk_node.errors import ContentMismatchError, GonkError
from gonk_node.net.content_http import Source, client_session
from gonk_node.net.content_pool import Member, SourcePool, Tried
from gonk_node.net.content_source import ContentSource, Miss
from gonk_node.net.content_wire import ContentPort, Wanted
from gonk_node.net.content_writer import ChunkWriter, Progress

__all__ = ["Failure", "FetchReport", "Progress", "Source", "Wanted", "fetch"]


class Failure(NamedTuple):
    """A file that could not be fetched, and why; the same call later goes on from what was kept of it."""

    wanted: Wanted
    error: GonkError


class FetchReport(NamedTuple):
    """What became of the files that were wanted.

    Attributes:
        fetched: files that came whole, or whose missing chunks came.
        held: files that were here already.
        bytes: of chunks that came and were kept.
        failed: the rest.
        misbehaved: base URL of a source -> how often it answered with what it should not.
    """

    fetched: int
    held: int
    bytes: int
    failed: list[Failure]
    misbehaved: dict[str, int]


async def fetch(
    wanted: Iterable[Wanted],
    sources: Sequence[Source],
    store: ContentPort,
    *,
    progress: Progress = lambda _files, _bytes: None,
    concurrency: int = CONTENT_LANES,
    stall_seconds: float = CONTENT_STALL_SECONDS,
    request_seconds: float = CONTENT_REQUEST_SECONDS,
) -> FetchReport:
    """Fetch files into the store.

    Args:
        wanted: the files, read as needed; each content once.
        sources: where they may be.
        store: keeps what comes.
        progress: called with files and bytes that are held now and were not counted before, those that were here
            already included: the sums reach those of `wanted`, if nothing fails.
        concurrency: requests in flight at a time, over all sources.
        stall_seconds: without one byte from a source that owes some, then it is dropped.
        request_seconds: for one request with its whole answer.

    Returns:
        The report. Files that cannot be had are listed in it, not raised.

    Raises:
        StorageError, DiskFullError, DamagedStoreError: this node's store failed; what came before is kept.
        UsageError: the address of a source is not https.
    """
    async with client_session(stall_seconds=stall_seconds, request_seconds=request_seconds) as http:
        pool = SourcePool([Member(ContentSource(source, http), source.base_url) for source in sources])
        writer = ChunkWriter(store, progress)
        job = _Fetch(wanted, pool, writer, store, progress, concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(writer.run())
                async with asyncio.TaskGroup() as workers:
                    for _ in range(concurrency):
                        workers.create_task(job.work())
                await writer.commit()
                writing.cancel()
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
    return FetchReport(job.fetched, job.held, writer.bytes, job.failed, pool.misbehaved())


def _first(error: BaseException) -> BaseException:
    """What went wrong first, out of the groups that task groups wrap it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _Fetch:
    """One call of `fetch`: what its workers share."""

    def __init__(
        self,
        wanted: Iterable[Wanted],
        pool: SourcePool,
        writer: ChunkWriter,
        store: ContentPort,
        progress: Progress,
        concurrency: int,
    ) -> None:
        self._units = self._grouped(wanted)
        self._pool = pool
        self._writer = writer
        self._store = store
        self._progress = progress
        self._lanes = asyncio.Semaphore(concurrency)
        self.fetched = 0
        self.held = 0
        self.failed: list[Failure] = []

    async def work(self) -> None:
        """Take one unit after the other until there is none."""
        for unit in self._units:
            files = await asyncio.to_thread(self._not_held, unit)
            for file in set(unit) - set(files):
                self.held += 1
                self._progress(1, file.size)
            if files and files[0].size > CHUNK_BYTES:
                await self._fetch_large(files[0])
            elif files:
                await self._fetch_batch(files)

    def _grouped(self, wanted: Iterable[Wanted]) -> Iterator[list[Wanted]]:
        """Units of work: small files in a row up to the bounds of a batch, each large one alone."""
        batch: list[Wanted] = []
        room = CONTENT_BATCH_BYTES_MAX
        for file in wanted:
            if not 0 <= file.size <= OBJECT_BYTES_MAX:
                error = ContentMismatchError(f"no file has {file.size} bytes", where=_name(file))
                self._fail(file, error)
                continue
            if file.size > CHUNK_BYTES:
                yield [file]
                continue
            if batch and (file.size > room or len(batch) == CONTENT_BATCH_FILES_MAX):
                yield batch
                batch, room = [], CONTENT_BATCH_BYTES_MAX
            batch.append(file)
            room -= file.size
        if batch:
            yield batch

    def _not_held(self, unit: list[Wanted]) -> list[Wanted]:
        return [file for file in unit if not self._store.has(file.content_id)]

    async def _fetch_batch(self, files: list[Wanted]) -> None:
        """Ask one source after the other for those that none has given yet."""
        tried: Tried = {}
        open_files = set(files)
        wrong_size: set[Wanted] = set()

        async def accept(file: Wanted, answer: bytes | Miss) -> None:
            if isinstance(answer, bytes):
                await self._writer.add(file.content_id, answer)
                open_files.discard(file)
            elif answer is Miss.WRONG_SIZE:
                wrong_size.add(file)

        async def ask(source: ContentSource) -> bool | Miss:
            asked = [file for file in files if file in open_files]
            answered = 0
            while answered < len(asked):
                answered += await source.batch(asked[answered:], accept)
            return Miss.NOT_HELD if open_files else True

        async with self._lanes:
            await self._pool.ask(tried, ask)
        self._writer.when_durable(lambda: self._finish(*(set(files) - open_files)))
        for file in open_files:
            lie = ContentMismatchError(Miss.WRONG_SIZE.value, where=_name(file)) if file in wrong_size else None
            self._fail(file, lie or self._pool.reason(tried, _name(file)))

    async def _fetch_large(self, file: Wanted) -> None:
        """Get the list, then every chunk that is missing, several at once."""
        tried: Tried = {}
        try:
            complete = await self._have_list(file, tried) and await self._fetch_chunks(file, tried)
        except ContentMismatchError as error:  # the list that is held is of another size than declared
            self._fail(file, error)
            return
        if complete:
            self._writer.when_durable(lambda: self._finish(file))
        else:
            self._fail(file, self._pool.reason(tried, _name(file)))

    async def _have_list(self, file: Wanted, tried: Tried) -> bool:
        """Whether the chunk list is here, after asking for it where it was not."""
        if await asyncio.to_thread(self._store.chunk_list, file.content_id) is not None:
            return True
        async with self._lanes:
            found = await self._pool.ask(tried, lambda source: source.chunk_list(file))
        if found is not None:
            await asyncio.to_thread(self._store.put_list, file.content_id, file.size, found)
        return found is not None

    async def _fetch_chunks(self, file: Wanted, tried: Tried) -> bool:
        """Whether all chunks of a file whose list is here are here, after asking for those that were not."""
        listed = await asyncio.to_thread(self._store.missing_chunks, file.content_id, file.size)
        missing = {chunk_id: index for index, chunk_id in listed}  # a chunk that occurs twice comes once
        self._progress(0, file.size - sum(chunk_length(file.size, index) for index in missing.values()))
        lacking: list[int] = []

        async def fetch_chunk(index: int, chunk_id: bytes) -> None:
            length = chunk_length(file.size, index)
            try:
                chunk = await self._pool.ask(tried, lambda source: source.chunk(file, index, chunk_id, length))
                if chunk is None:
                    lacking.append(index)
                else:
                    await self._writer.add(chunk_id, chunk)
            finally:
                self._lanes.release()

        async with asyncio.TaskGroup() as chunks:
            for chunk_id, index in missing.items():
                await self._lanes.acquire()  # bounds tasks, and so the chunks in memory, over all files
                chunks.create_task(fetch_chunk(index, chunk_id))
                if lacking:
                    break
        return not lacking

    def _finish(self, *files: Wanted) -> None:
        self.fetched += len(files)
        self._progress(len(files), 0)  # the writer counted their bytes

    def _fail(self, file: Wanted, error: GonkError) -> None:
        self.failed.append(Failure(file, error))


def _name(file: Wanted) -> str:
    return f"content {file.content_id.hex()[:12]}"
