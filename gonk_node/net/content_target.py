"""One peer as a taker of content: asks what it wants, and hands over lists, chunks and small files (spec section 8.5).

What to hand over, and in which order, is decided in `content_upload`; connections and time limits are in `content_http`.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from http import HTTPStatus

import aiohttp
from aiohttp import hdrs

from gonk_node.core.chunks import chunk_count
from gonk_node.errors import ContentMismatchError, ProtocolError
from gonk_node.net.content_http import PeerHttp, Source
from gonk_node.net.content_wire import (
    PUT_PATH,
    WANTED_PATH,
    Verdict,
    Wanted,
    chunk_path,
    decode_bits,
    encode_files,
    encode_wanted,
    list_path,
)

_ANSWERS = {HTTPStatus.OK}
_TAKEN = {HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY}
_OFFERED = {Verdict.HELD, Verdict.WANTED, Verdict.DECLINED}
_PUT = {Verdict.HELD, Verdict.DECLINED, Verdict.MISMATCH}


class ContentTarget:
    """Requests to one peer.

    All methods raise ContentMismatchError (the peer says that the bytes are not what their id says), ProtocolError (it
    does not follow spec section 8), WrongPeerError (another certificate), PeerUnavailableError (too slow, away, refuses,
    or its disk is full).
    """

    def __init__(self, target: Source, http: aiohttp.ClientSession) -> None:
        self._peer = PeerHttp(target, http)

    async def wanted(self, files: Sequence[Wanted]) -> list[Verdict]:
        """Of each file (1 to 1024), whether the peer has it, wants it or declines it."""
        return await self._verdicts(WANTED_PATH, encode_wanted(files), len(files), _OFFERED)

    async def put_files(self, files: Sequence[tuple[bytes, bytes]]) -> list[Verdict]:
        """Hand over small files, (content id, bytes) each; of each, whether it is held now, declined or a mismatch."""
        return await self._verdicts(PUT_PATH, encode_files(files), len(files), _PUT)

    async def put_list(self, file: Wanted, data: bytes) -> list[int] | None:
        """Hand over a chunk list.

        Returns:
            The numbers of the chunks that the peer lacks; None: it does not take the file.
        """
        count = chunk_count(file.size)
        async with self._peer.request(hdrs.METH_PUT, list_path(file.content_id), data, expected=_TAKEN) as answer:
            if not self._taken(answer, file):
                return None
            length = -(-count // 8)
            if answer.content_length != length:
                raise ProtocolError(
                    f"it answers a chunk list with {answer.content_length} bytes", where=self._where(file)
                )
            return decode_bits(await answer.content.readexactly(length), count)

    async def put_chunk(self, file: Wanted, index: int, chunk: bytes) -> bool:
        """Hand over a chunk of a file whose list the peer has; whether it took it (it declines the file otherwise)."""
        path = chunk_path(file.content_id, index)
        async with self._peer.request(hdrs.METH_PUT, path, chunk, expected=_TAKEN) as answer:
            return self._taken(answer, file)

    def _taken(self, answer: aiohttp.ClientResponse, file: Wanted) -> bool:
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise ContentMismatchError(
                "the peer says that the bytes do not match their id", where=self._where(file), hint="run `gonk fsck`"
            )
        return answer.status != HTTPStatus.FORBIDDEN

    async def _verdicts(self, path: str, body: bytes, count: int, known: Container[int]) -> list[Verdict]:
        async with self._peer.request(hdrs.METH_POST, path, body, expected=_ANSWERS) as answer:
            if answer.content_length != count:
                raise ProtocolError(
                    f"it answers for {answer.content_length} files, not {count}", where=self._peer.source.base_url
                )
            data = await answer.content.readexactly(count)
            if not all(value in known for value in data):
                raise ProtocolError("it answers with a verdict that there is not", where=self._peer.source.base_url)
            return [Verdict(value) for value in data]

    def _where(self, file: Wanted) -> str:
        return f"{self._peer.source.base_url}, content {file.content_id.hex()[:12]}"
