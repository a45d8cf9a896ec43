"""One peer as a source of content: asks for lists, chunks and batches, and believes nothing that it answers.

Every answer is bounded before it is read, and verified before it is passed on. What to ask for is decided in
`content_client`, what follows from a failure in `content_pool`; connections and time limits are in `content_http`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from http import HTTPStatus

import aiohttp
from aiohttp import hdrs

from gonk_node.core.chunks import chunk_count, chunk_id, decode_chunk_list, verify_chunk
from gonk_node.core.ids import HASH_BYTES
from gonk_node.core.limits import CHUNK_BYTES
from gonk_node.errors import ContentMismatchError, ProtocolError
from gonk_node.net.content_http import PeerHttp, Source
from gonk_node.net.content_wire import (
    BATCH_PATH,
    LENGTH_BYTES,
    LIST_BYTES_MAX,
    LIST_START_BYTES,
    NOT_HELD,
    Wanted,
    chunk_path,
    list_path,
)

__all__ = ["ContentSource", "Miss", "Source", "Wanted"]

_ANSWERS = {HTTPStatus.OK, HTTPStatus.NOT_FOUND}


class Miss(Enum):
    """An answer that is no content, and nobody's fault for all that can be known."""

    NOT_HELD = "the peer does not have it"
    WRONG_SIZE = "it does not have the size that its object event declares"


Accept = Callable[[Wanted, bytes | Miss], Awaitable[None]]
"""Takes the answer for one file of a batch: verified bytes, or why there are none."""


class ContentSource:
    """Requests to one peer.

    All methods raise ContentMismatchError (the answer is not what the id says), ProtocolError (it does not follow
    spec section 8), WrongPeerError (another certificate), PeerUnavailableError (too slow, away, or refuses).
    """

    def __init__(self, source: Source, http: aiohttp.ClientSession) -> None:
        self._peer = PeerHttp(source, http)

    async def chunk_list(self, wanted: Wanted) -> bytes | Miss:
        """The verified chunk list of a file of more than one chunk."""
        expected = LIST_START_BYTES + chunk_count(wanted.size) * HASH_BYTES
        async with self._peer.request(hdrs.METH_GET, list_path(wanted.content_id), expected=_ANSWERS) as answer:
            if answer.status == HTTPStatus.NOT_FOUND:
                return Miss.NOT_HELD
            length = answer.content_length
            if length is None or length > LIST_BYTES_MAX:
                raise ContentMismatchError(f"a chunk list of {length} bytes", where=self._where(wanted))
            if length != expected:  # the author's or the peer's lie: without the right list nobody can tell
                return Miss.WRONG_SIZE
            data = await answer.content.readexactly(length)
            decode_chunk_list(data, wanted.content_id, wanted.size)
            return data

    async def chunk(self, wanted: Wanted, index: int, expected_id: bytes, length: int) -> bytes | Miss:
        """The verified bytes of one chunk of `length` bytes."""
        path = chunk_path(wanted.content_id, index)
        async with self._peer.request(hdrs.METH_GET, path, expected=_ANSWERS) as answer:
            if answer.status == HTTPStatus.NOT_FOUND:
                return Miss.NOT_HELD
            if answer.content_length != length:
                raise ContentMismatchError(
                    f"chunk {index} has {length} bytes; {answer.content_length} are offered", where=self._where(wanted)
                )
            data = await answer.content.readexactly(length)
            verify_chunk(data, expected_id)
            return data

    async def batch(self, files: Sequence[Wanted], accept: Accept) -> int:
        """Ask for several files of one chunk each, and pass each answer to `accept`, in order, as it arrives.

        Returns:
            How many of `files` were answered, at least one: a peer may end early, and is asked again for the rest.
        """
        body = b"".join(wanted.content_id for wanted in files)
        async with self._peer.request(hdrs.METH_POST, BATCH_PATH, body, expected=_ANSWERS) as answer:
            if answer.status == HTTPStatus.NOT_FOUND:
                raise ProtocolError("it does not know batches", where=self._peer.source.base_url)
            for count, wanted in enumerate(files):
                try:
                    head = await answer.content.readexactly(LENGTH_BYTES)
                except asyncio.IncompleteReadError as error:
                    if error.partial or count == 0:
                        raise
                    return count
                await accept(wanted, await self._piece(answer.content, int.from_bytes(head, "big"), wanted))
            if await answer.content.read(1):
                raise ProtocolError("it sends more than was asked for", where=self._peer.source.base_url)
            return len(files)

    async def _piece(self, stream: aiohttp.StreamReader, length: int, wanted: Wanted) -> bytes | Miss:
        if length == NOT_HELD:
            return Miss.NOT_HELD
        if length > CHUNK_BYTES:
            raise ContentMismatchError(f"a piece of {length} bytes", where=self._where(wanted))
        data = await stream.readexactly(length)
        if chunk_id(data) != wanted.content_id:
            raise ContentMismatchError("the bytes do not match their id", where=self._where(wanted))
        return data if length == wanted.size else Miss.WRONG_SIZE

    def _where(self, wanted: Wanted) -> str:
        return f"{self._peer.source.base_url}, content {wanted.content_id.hex()[:12]}"
