"""Puts chunks that arrive one by one on the disk in groups: a flush costs as much as writing some MiB.

While one group is written the next one fills, so network and disk work at the same time. Verifies nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from gonk_node.core.limits import CONTENT_WRITE_BYTES
from gonk_node.errors import GonkError
from gonk_node.net.content_wire import ContentPort

Progress = Callable[[int, int], None]
"""(files, bytes) that are held now and were not counted before."""


class ChunkWriter:
    """A queue of verified chunks in front of a store; `run` empties it.

    Attributes:
        bytes: how many were written and are durable.
    """

    def __init__(self, store: ContentPort, progress: Progress) -> None:
        self.bytes = 0
        self._store = store
        self._progress = progress
        self._changed = asyncio.Condition()
        self._queue: list[tuple[bytes, bytes]] = []
        self._queue_bytes = 0
        self._added = 0  # chunks ever added; the next two count in the same way
        self._durable = 0
        self._due = 0  # somebody waits for all up to this one
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()

    async def add(self, chunk_id: bytes, chunk: bytes) -> None:
        """Queue a chunk; waits while a whole group is queued already."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._queue_bytes < CONTENT_WRITE_BYTES)
            self._queue.append((chunk_id, chunk))
            self._queue_bytes += len(chunk)
            self._added += 1
            if self._queue_bytes >= CONTENT_WRITE_BYTES:
                self._changed.notify_all()

    def when_durable(self, call: Callable[[], None]) -> None:
        """Call a function once all that was added so far is durable, without hurrying the writer."""
        if self._durable >= self._added:
            call()
        else:
            self._waiting.append((self._added, call))

    async def commit(self) -> None:
        """Wait until all that was added so far is durable."""
        async with self._changed:
            last = self._due = self._added
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._durable >= last)

    async def run(self) -> None:
        """Write until cancelled; an error of the store ends it (StorageError and below)."""
        while True:
            async with self._changed:
                await self._changed.wait_for(
                    lambda: self._queue_bytes >= CONTENT_WRITE_BYTES or self._due > self._durable
                )
                group, self._queue = self._queue, []
                size, self._queue_bytes = self._queue_bytes, 0
                self._changed.notify_all()
            await asyncio.to_thread(self._store.put_chunks, group)
            self.bytes += size
            self._progress(0, size)
            async with self._changed:
                self._durable += len(group)
                while self._waiting and self._waiting[0][0] <= self._durable:
                    self._waiting.popleft()[1]()
                self._changed.notify_all()


class SharedWriter:
    """Chunks of many requests, each of which waits for its own: what comes while one group is written is the next one."""

    def __init__(self, store: ContentPort) -> None:
        self._store = store
        self._waiting: list[tuple[Sequence[tuple[bytes, bytes]], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        """Return once verified chunks, (id, bytes) each, are durable; errors as the store raises them."""
        durable = asyncio.get_running_loop().create_future()
        self._waiting.append((chunks, durable))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await durable

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            chunks = {chunk_id: chunk for each, _ in group for chunk_id, chunk in each}
            try:
                await asyncio.to_thread(self._store.put_chunks, list(chunks.items()))
            except GonkError as error:
                for _, durable in group:
                    if not durable.done():  # done: whoever waited was cancelled
                        durable.set_exception(error)
            else:
                for _, durable in group:
                    if not durable.done():
                        durable.set_result(None)
            finally:
                for _, durable in group:
                    durable.cancel()  # nobody waits for ever, whatever went wrong; no effect on those that are done
