"""Answers peers that ask for content: chunk lists, chunks, and many small files at once (spec section 8).

Mounted on the application of the peer port, behind its TLS. Each request needs a token of a session, and opens
only what that session's dataset names. Decides no policy, verifies nothing (the receiver does), changes nothing; content
that peers hand over is taken by `content_receive`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from http import HTTPStatus

from aiohttp import hdrs, web

from gonk_node.core.ids import HASH_BYTES
from gonk_node.core.limits import (
    CHUNK_BYTES,
    CONTENT_BATCH_BYTES_MAX,
    CONTENT_BATCH_FILES_MAX,
    CONTENT_WRITE_SECONDS,
)
from gonk_node.net.content_guard import SLICE_BYTES, BodyForm, RequestGuard, read_body, refusal, refuse_and_close
from gonk_node.net.content_wire import (
    BATCH_PATH,
    CHUNK_ROUTE,
    CONTENT_TYPE,
    LIST_ROUTE,
    LIST_START_BYTES,
    ServedContent,
    decode_ids,
    encode_piece,
)
from gonk_node.net.tokens import TokenGrant, TokenTable

_FILES_AT_ONCE = 64  # looked up between two turns of the event loop
_BATCH_BODY = BodyForm(HASH_BYTES, CONTENT_BATCH_FILES_MAX * HASH_BYTES, HASH_BYTES)

Allowed = Callable[[bytes, bytes], bool]
"""(dataset, content id) -> whether an event of that dataset names that content. Called on the event loop."""


class ContentServer:
    """The content routes of a node.

    Args:
        store: where the content is.
        tokens: the tokens that sessions gave out.
        allowed: tells what a dataset names; a mere look-up, since it runs on the event loop.
        clock: the clock of the tokens, in seconds.
        write_seconds: how long a peer may take to read 256 KiB.
    """

    def __init__(
        self,
        store: ServedContent,
        tokens: TokenTable,
        allowed: Allowed,
        *,
        clock: Callable[[], float] = time.monotonic,
        write_seconds: float = CONTENT_WRITE_SECONDS,
    ) -> None:
        self._store = store
        self._guard = RequestGuard(tokens, clock)
        self._allowed = allowed
        self._write_seconds = write_seconds

    def routes(self) -> list[web.RouteDef]:
        """The routes, for `web.Application.add_routes`."""
        return [
            web.get(LIST_ROUTE, self._guard.wrap(self._list), allow_head=False),
            web.get(CHUNK_ROUTE, self._guard.wrap(self._chunk), allow_head=False),
            web.post(BATCH_PATH, self._guard.wrap(self._batch, _BATCH_BODY)),
        ]

    async def _list(self, request: web.Request, grant: TokenGrant) -> web.StreamResponse:
        content_id = bytes.fromhex(request.match_info["content_id"])
        if not self._allowed(grant.dataset, content_id):
            return refusal(HTTPStatus.NOT_FOUND)
        data = await asyncio.to_thread(self._store.chunk_list, content_id)
        return refusal(HTTPStatus.NOT_FOUND) if data is None else await self._send(request, data)

    async def _chunk(self, request: web.Request, grant: TokenGrant) -> web.StreamResponse:
        content_id = bytes.fromhex(request.match_info["content_id"])
        if not self._allowed(grant.dataset, content_id):
            return refusal(HTTPStatus.NOT_FOUND)
        chunk = await asyncio.to_thread(self._read_chunk, content_id, int(request.match_info["index"]))
        return refusal(HTTPStatus.NOT_FOUND) if chunk is None else await self._send(request, chunk)

    async def _batch(self, request: web.Request, grant: TokenGrant) -> web.StreamResponse:
        body = await read_body(request, self._write_seconds)
        if body is None:
            return await refuse_and_close(request, HTTPStatus.REQUEST_TIMEOUT)
        return await self._send_stream(request, self._pieces(decode_ids(body), grant.dataset))

    async def _pieces(self, content_ids: list[bytes], dataset: bytes) -> AsyncIterator[bytes]:
        """The answer to a batch, in parts of about a chunk; once long enough it ends early, after a whole piece."""
        sent = start = 0
        while start < len(content_ids) and sent < CONTENT_BATCH_BYTES_MAX:
            asked = content_ids[start : start + _FILES_AT_ONCE]
            allowed = [content_id if self._allowed(dataset, content_id) else None for content_id in asked]
            pieces = await asyncio.to_thread(self._read_pieces, allowed)
            start += len(pieces)
            part = b"".join(data for piece in pieces for data in encode_piece(piece))
            sent += len(part)
            yield part

    def _read_pieces(self, content_ids: Iterable[bytes | None]) -> list[bytes | None]:
        """The first of these files, up to about one chunk in all: one hop to a thread for many small ones."""
        pieces: list[bytes | None] = []
        size = 0
        for content_id in content_ids:
            piece = None if content_id is None else self._store.chunk(content_id)
            pieces.append(piece)
            size += len(piece or b"")
            if size >= CHUNK_BYTES:
                break
        return pieces

    def _read_chunk(self, content_id: bytes, index: int) -> bytes | None:
        chunk_list = self._store.chunk_list(content_id)
        if chunk_list is None:
            return self._store.chunk(content_id) if index == 0 else None
        start = LIST_START_BYTES + index * HASH_BYTES
        chunk_id = chunk_list[start : start + HASH_BYTES]
        return self._store.chunk(chunk_id) if chunk_id else None

    async def _send(self, request: web.Request, body: bytes) -> web.StreamResponse:
        async def whole() -> AsyncIterator[bytes]:
            yield body

        return await self._send_stream(request, whole(), length=len(body))

    async def _send_stream(
        self, request: web.Request, parts: AsyncIterator[bytes], length: int | None = None
    ) -> web.StreamResponse:
        """Answer 200 with these parts; a peer that does not read them in time is cut off."""
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})
        response.content_length = length
        try:
            await response.prepare(request)
            async for part in parts:
                view = memoryview(part)
                for start in range(0, len(view), SLICE_BYTES):
                    async with asyncio.timeout(self._write_seconds):
                        await response.write(view[start : start + SLICE_BYTES])
            async with asyncio.timeout(self._write_seconds):
                await response.write_eof()
        except (TimeoutError, ConnectionError):  # a slow reader, or one that went away
            if request.transport is not None:
                request.transport.abort()
        return response
