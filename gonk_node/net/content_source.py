"""One peer as a source of content: asks for lists, chunks and batches, and believes nothing that it answers.

Every answer is bounded before it is read, timed while it is read, and verified before it is passed on. What to ask
for is decided in `content_client`, and what follows from a failure in `content_pool`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
from http import HTTPStatus
from typing import NamedTuple

import aiohttp
from aiohttp import hdrs

from gonk_node.core.chunks import chunk_count, chunk_id, decode_chunk_list, verify_chunk
from gonk_node.core.ids import HASH_BYTES
from gonk_node.core.limits import CHUNK_BYTES, CONTENT_BUSY_MAX, CONTENT_BUSY_SECONDS, OBJECT_BYTES_MAX
from gonk_node.errors import (
    ContentMismatchError,
    PeerError,
    PeerUnavailableError,
    ProtocolError,
    UsageError,
    WrongPeerError,
)
from gonk_node.net.content_wire import BATCH_PATH, LENGTH_BYTES, NOT_HELD, chunk_path, list_path

_LIST_START_BYTES = 8
_LIST_BYTES_MAX = _LIST_START_BYTES + chunk_count(OBJECT_BYTES_MAX) * HASH_BYTES
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class Wanted(NamedTuple):
    """A file to fetch: its content id (32 bytes) and the size in bytes that its object event declares."""

    content_id: bytes
    size: int


class Source(NamedTuple):
    """Where content may be had.

    Attributes:
        base_url: `https://host:port` of the peer.
        token: the token that its session gave out (64 hex digits).
        fingerprint: SHA-256 of the certificate that the session's handshake proved to be the peer's.
    """

    base_url: str
    token: str
    fingerprint: bytes


class Miss(Enum):
    """An answer that is no content, and nobody's fault for all that can be known."""

    NOT_HELD = "the peer does not have it"
    WRONG_SIZE = "it does not have the size that its object event declares"


Accept = Callable[[Wanted, bytes | Miss], Awaitable[None]]
"""Takes the answer for one file of a batch: verified bytes, or why there are none."""


def client_session(*, stall_seconds: float, request_seconds: float) -> aiohttp.ClientSession:
    """A session for all sources: no cookies, no decompression, no proxies, no redirects, time limits on everything.

    Args:
        stall_seconds: for a connection to be made, and between two bytes of an answer.
        request_seconds: for one request with its whole answer.
    """
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=request_seconds, sock_connect=stall_seconds, sock_read=stall_seconds),
        connector=aiohttp.TCPConnector(limit=0),  # the pool of sources sets the limits
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        read_bufsize=CHUNK_BYTES // 2,
        headers={hdrs.ACCEPT_ENCODING: "identity"},
    )


class ContentSource:
    """Requests to one peer.

    All methods raise ContentMismatchError (the answer is not what the id says), ProtocolError (it does not follow
    spec section 8), WrongPeerError (another certificate), PeerUnavailableError (too slow, away, or refuses).
    """

    def __init__(self, source: Source, http: aiohttp.ClientSession) -> None:
        if not source.base_url.startswith("https://"):
            raise UsageError(f"{source.base_url!r} is no https address")  # a pin means nothing without TLS
        self._source = source
        self._http = http
        self._pin = aiohttp.Fingerprint(source.fingerprint)

    async def chunk_list(self, wanted: Wanted) -> bytes | Miss:
        """The verified chunk list of a file of more than one chunk."""
        expected = _LIST_START_BYTES + chunk_count(wanted.size) * HASH_BYTES
        async with self._request(hdrs.METH_GET, list_path(wanted.content_id)) as answer:
            if answer is None:
                return Miss.NOT_HELD
            length = answer.content_length
            if length is None or length > _LIST_BYTES_MAX:
                raise ContentMismatchError(f"a chunk list of {length} bytes", where=self._where(wanted))
            if length != expected:  # the author's or the peer's lie: without the right list nobody can tell
                return Miss.WRONG_SIZE
            data = await answer.content.readexactly(length)
            decode_chunk_list(data, wanted.content_id, wanted.size)
            return data

    async def chunk(self, wanted: Wanted, index: int, expected_id: bytes, length: int) -> bytes | Miss:
        """The verified bytes of one chunk of `length` bytes."""
        async with self._request(hdrs.METH_GET, chunk_path(wanted.content_id, index)) as answer:
            if answer is None:
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
        async with self._request(hdrs.METH_POST, BATCH_PATH, body) as answer:
            if answer is None:
                raise ProtocolError("it does not know batches", where=self._source.base_url)
            for count, wanted in enumerate(files):
                try:
                    head = await answer.content.readexactly(LENGTH_BYTES)
                except asyncio.IncompleteReadError as error:
                    if error.partial or count == 0:
                        raise
                    return count
                await accept(wanted, await self._piece(answer.content, int.from_bytes(head, "big"), wanted))
            if await answer.content.read(1):
                raise ProtocolError("it sends more than was asked for", where=self._source.base_url)
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

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, body: bytes | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse | None]:
        """Send a request; the answer's head is checked, its body unread. None: not held."""
        with self._typed_errors():
            response = await self._open(method, path, body)
            async with response:
                yield None if response.status == HTTPStatus.NOT_FOUND else self._checked(response)

    async def _open(self, method: str, path: str, body: bytes | None) -> aiohttp.ClientResponse:
        """Send a request until the peer is not busy."""
        for _ in range(CONTENT_BUSY_MAX):
            response = await self._send(method, path, body)
            if response.status not in _BUSY:
                return response
            response.close()
            await asyncio.sleep(CONTENT_BUSY_SECONDS)
        raise PeerUnavailableError("the peer is busy", where=self._source.base_url)

    async def _send(self, method: str, path: str, body: bytes | None) -> aiohttp.ClientResponse:
        try:
            return await self._send_once(method, path, body)
        except aiohttp.ServerDisconnectedError:  # the peer closed a connection that was kept, just now
            return await self._send_once(method, path, body)

    async def _send_once(self, method: str, path: str, body: bytes | None) -> aiohttp.ClientResponse:
        return await self._http.request(
            method,
            self._source.base_url + path,
            data=body,
            headers={hdrs.AUTHORIZATION: f"Bearer {self._source.token}"},
            ssl=self._pin,
            allow_redirects=False,
        )

    def _checked(self, response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
        status = response.status
        if status == HTTPStatus.UNAUTHORIZED:
            raise PeerUnavailableError(
                "the token was refused", where=self._source.base_url, hint="it has ended; sync again"
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PeerUnavailableError(f"the peer failed (HTTP {status})", where=self._source.base_url)
        if status != HTTPStatus.OK:  # redirects too: the peer that proved its key must answer itself
            raise ProtocolError(f"it answers with HTTP {status}", where=self._source.base_url)
        if hdrs.CONTENT_ENCODING in response.headers:
            raise ProtocolError("it answers with a content encoding", where=self._source.base_url)
        return response

    def _where(self, wanted: Wanted) -> str:
        return f"{self._source.base_url}, content {wanted.content_id.hex()[:12]}"

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        """Turn what aiohttp raises into errors of ours."""
        try:
            yield
        except aiohttp.ServerFingerprintMismatch as error:
            raise WrongPeerError("it shows another certificate", where=self._source.base_url) from error
        except TimeoutError as error:  # aiohttp's time limits too
            raise self._away("the peer is too slow") from error
        except (asyncio.IncompleteReadError, aiohttp.ClientPayloadError) as error:
            raise self._away("the answer was cut short") from error
        except (aiohttp.ClientConnectionError, ConnectionError) as error:
            raise self._away(f"no connection: {error}") from error
        except aiohttp.ClientError as error:
            raise ProtocolError(f"no proper HTTP: {error}", where=self._source.base_url) from error

    def _away(self, what: str) -> PeerError:
        return PeerUnavailableError(what, where=self._source.base_url)
