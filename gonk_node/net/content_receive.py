"""Takes content that peers hand over: a node behind a router can be asked for nothing, so it brings it (spec section 8.5).

Every byte is verified before it is stored, and must belong to a file that this node takes; which those are, the caller
says. What one request may hold in memory, and how long it may take, is bounded.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from aiohttp import web

from gonk_node.core.chunks import chunk_count, chunk_id, chunk_length
from gonk_node.core.ids import HASH_BYTES
from gonk_node.core.limits import (
    CHUNK_BYTES,
    CONTENT_BATCH_FILES_MAX,
    CONTENT_RECEIVE_BYTES_MAX,
    CONTENT_WRITE_SECONDS,
)
from gonk_node.errors import ContentMismatchError, StorageError
from gonk_node.net.content_guard import BodyForm, Handler, RequestGuard, read_body, refusal, refuse_and_close, turn_away
from gonk_node.net.content_wire import (
    CHUNK_ROUTE,
    LIST_BYTES_MAX,
    LIST_ROUTE,
    LIST_START_BYTES,
    PUT_BODY_BYTES_MAX,
    PUT_HEAD_BYTES,
    PUT_PATH,
    WANTED_BYTES,
    WANTED_PATH,
    ContentPort,
    Verdict,
    Wanted,
    decode_files,
    decode_wanted,
    encode_bits,
)
from gonk_node.net.content_writer import SharedWriter
from gonk_node.net.tokens import TokenGrant, TokenTable

_log = logging.getLogger(__name__)

_WANTED_BODY = BodyForm(WANTED_BYTES, CONTENT_BATCH_FILES_MAX * WANTED_BYTES, WANTED_BYTES)
_LIST_BODY = BodyForm(LIST_START_BYTES + 2 * HASH_BYTES, LIST_BYTES_MAX)
_CHUNK_BODY = BodyForm(1, CHUNK_BYTES)
_FILES_BODY = BodyForm(PUT_HEAD_BYTES, PUT_BODY_BYTES_MAX)

Takes = Callable[[bytes, Sequence[Wanted]], Sequence[bool]]
"""(dataset, files) -> of each, whether an object of that dataset names it with that size and this node takes it.

Asked anew for every request, in worker threads: what was wanted a minute ago may have been rejected since."""

_Answer = Callable[[web.Request, bytes, bytes], Awaitable[web.Response]]  # (request, dataset, body)


class ContentReceiver:
    """The routes by which a node takes content.

    Args:
        store: keeps what comes.
        tokens: the tokens that sessions gave out.
        takes: tells what is taken.
        clock: the clock of the tokens, in seconds.
        read_seconds: how long a peer may take to send 256 KiB.
    """

    def __init__(
        self,
        store: ContentPort,
        tokens: TokenTable,
        takes: Takes,
        *,
        clock: Callable[[], float] = time.monotonic,
        read_seconds: float = CONTENT_WRITE_SECONDS,
    ) -> None:
        self._store = store
        self._guard = RequestGuard(tokens, clock)
        self._takes = takes
        self._read_seconds = read_seconds
        self._writer = SharedWriter(store)
        self._receiving = 0  # bytes of bodies that are in memory, or will be

    def routes(self) -> list[web.RouteDef]:
        """The routes, for `web.Application.add_routes`."""
        return [
            web.post(WANTED_PATH, self._guard.wrap(self._receiving_body(self._wanted), _WANTED_BODY)),
            web.put(LIST_ROUTE, self._guard.wrap(self._receiving_body(self._list), _LIST_BODY)),
            web.put(CHUNK_ROUTE, self._guard.wrap(self._receiving_body(self._chunk), _CHUNK_BODY)),
            web.post(PUT_PATH, self._guard.wrap(self._receiving_body(self._files), _FILES_BODY)),
        ]

    def _receiving_body(self, answer: _Answer) -> Handler:
        """Read the whole body, if there is room for it, and answer; a full or failing disk is told to the peer."""

        async def handle(request: web.Request, grant: TokenGrant) -> web.StreamResponse:
            length = request.content_length or 0
            if self._receiving + length > CONTENT_RECEIVE_BYTES_MAX:
                return await turn_away(request)
            self._receiving += length
            try:
                body = await read_body(request, self._read_seconds)
                if body is None:
                    return await refuse_and_close(request, HTTPStatus.REQUEST_TIMEOUT)
                return await answer(request, grant.dataset, body)
            except StorageError as error:
                _log.error("content that a peer handed over could not be stored: %s", error)
                return refusal(HTTPStatus(error.http_status))
            finally:
                self._receiving -= length

        return handle

    async def _wanted(self, _request: web.Request, dataset: bytes, body: bytes) -> web.Response:
        verdicts = await asyncio.to_thread(self._judge, dataset, decode_wanted(body))
        return web.Response(body=bytes(verdicts))

    def _judge(self, dataset: bytes, files: Sequence[Wanted]) -> list[Verdict]:
        def judge(file: Wanted, taken: bool) -> Verdict:
            if not taken:
                return Verdict.DECLINED
            return Verdict.HELD if self._store.has(file.content_id) else Verdict.WANTED

        return [judge(*each) for each in zip(files, self._takes(dataset, files), strict=True)]

    # --- files of several chunks ------------------------------------------------------------------------

    async def _list(self, request: web.Request, dataset: bytes, body: bytes) -> web.Response:
        content_id = bytes.fromhex(request.match_info["content_id"])
        file = Wanted(content_id, int.from_bytes(body[:LIST_START_BYTES], "big"))
        try:
            missing = await asyncio.to_thread(self._keep_list, dataset, file, body)
        except ContentMismatchError:
            return refusal(HTTPStatus.UNPROCESSABLE_ENTITY)
        return refusal(HTTPStatus.FORBIDDEN) if missing is None else web.Response(body=missing)

    def _keep_list(self, dataset: bytes, file: Wanted, body: bytes) -> bytes | None:
        """Verify and keep a chunk list; which chunks are missing, as bits. None: the file is not taken."""
        if not self._takes(dataset, [file])[0]:
            return None
        if self._store.chunk_list(file.content_id) is None:
            self._store.put_list(file.content_id, file.size, body)
        missing = self._store.missing_chunks(file.content_id, file.size)
        return encode_bits((index for index, _ in missing), chunk_count(file.size))

    async def _chunk(self, request: web.Request, dataset: bytes, body: bytes) -> web.Response:
        content_id = bytes.fromhex(request.match_info["content_id"])
        index = int(request.match_info["index"])
        expected = await asyncio.to_thread(self._verify_chunk, dataset, content_id, index, body)
        if isinstance(expected, HTTPStatus):
            return refusal(expected)
        await self._writer.put([(expected, body)])
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _verify_chunk(self, dataset: bytes, content_id: bytes, index: int, body: bytes) -> bytes | HTTPStatus:
        """The id of a chunk that is as it must be; else the status that says what is wrong."""
        listed = self._store.chunk_list(content_id)
        if listed is None:
            return HTTPStatus.CONFLICT  # the list comes first: without it nobody can tell what a chunk must be
        size = int.from_bytes(listed[:LIST_START_BYTES], "big")
        if not self._takes(dataset, [Wanted(content_id, size)])[0]:
            return HTTPStatus.FORBIDDEN
        start = LIST_START_BYTES + index * HASH_BYTES
        expected = listed[start : start + HASH_BYTES]
        if not expected or len(body) != chunk_length(size, index) or chunk_id(body) != expected:
            return HTTPStatus.UNPROCESSABLE_ENTITY
        return expected

    # --- files of one chunk -----------------------------------------------------------------------------

    async def _files(self, _request: web.Request, dataset: bytes, body: bytes) -> web.Response:
        files = decode_files(body)
        if files is None:
            return refusal(HTTPStatus.BAD_REQUEST)
        verdicts = await asyncio.to_thread(self._verify_files, dataset, files)
        good = [file for file, verdict in zip(files, verdicts, strict=True) if verdict is Verdict.HELD]
        if good:
            await self._writer.put(good)
        return web.Response(body=bytes(verdicts))

    def _verify_files(self, dataset: bytes, files: Sequence[tuple[bytes, bytes]]) -> list[Verdict]:
        """What will be true of each file once those that come out as HELD are written."""

        def judge(content_id: bytes, data: bytes, taken: bool) -> Verdict:
            if not taken:
                return Verdict.DECLINED
            return Verdict.HELD if chunk_id(data) == content_id else Verdict.MISMATCH

        taken = self._takes(dataset, [Wanted(content_id, len(data)) for content_id, data in files])
        return [judge(*file, each) for file, each in zip(files, taken, strict=True)]
