"""HTTP requests to one peer whose certificate is known: pinned, timed, never redirected, errors of ours.

The head of each answer is checked here; what is asked and what its body must be is for `content_source` (fetching) and
`content_target` (handing over).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Container, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import NamedTuple

import aiohttp
from aiohttp import hdrs

from gonk_node.core.limits import CHUNK_BYTES, CONTENT_BUSY_MAX, CONTENT_BUSY_SECONDS
from gonk_node.errors import PeerError, PeerUnavailableError, ProtocolError, UsageError, WrongPeerError

_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class Source(NamedTuple):
    """A peer's content, and how to get at it.

    Attributes:
        base_url: `https://host:port` of the peer.
        token: the token that its session gave out (64 hex digits).
        fingerprint: SHA-256 of the certificate that the session's handshake proved to be the peer's.
    """

    base_url: str
    token: str
    fingerprint: bytes


def client_session(*, stall_seconds: float, request_seconds: float) -> aiohttp.ClientSession:
    """A session for all peers: no cookies, no decompression, no proxies, no redirects, time limits on everything.

    Args:
        stall_seconds: for a connection to be made, and between two bytes of an answer.
        request_seconds: for one request with its whole answer.
    """
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=request_seconds, sock_connect=stall_seconds, sock_read=stall_seconds),
        connector=aiohttp.TCPConnector(limit=0),  # whoever makes requests sets the limits
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        read_bufsize=CHUNK_BYTES // 2,
        headers={hdrs.ACCEPT_ENCODING: "identity"},
    )


class PeerHttp:
    """Requests to one peer. UsageError where its address is not https."""

    def __init__(self, source: Source, http: aiohttp.ClientSession) -> None:
        if not source.base_url.startswith("https://"):
            raise UsageError(f"{source.base_url!r} is no https address")  # a pin means nothing without TLS
        self.source = source
        self._http = http
        self._pin = aiohttp.Fingerprint(source.fingerprint)

    @asynccontextmanager
    async def request(
        self, method: str, path: str, body: bytes | None = None, *, expected: Container[int]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request and give its answer, the head checked, the body unread.

        Args:
            method: of HTTP.
            path: of the peer.
            body: what is sent, with its length.
            expected: statuses that the caller knows what to do with.

        Raises:
            ProtocolError: another status, or no proper HTTP. WrongPeerError: another certificate.
            PeerUnavailableError: too slow, away, busy for long, failing, or the token was refused.
            These are also raised for what happens while the caller reads the body.
        """
        with self._typed_errors():
            response = await self._open(method, path, body)
            async with response:
                yield self._checked(response, expected)

    async def _open(self, method: str, path: str, body: bytes | None) -> aiohttp.ClientResponse:
        """Send a request until the peer is not busy."""
        for _ in range(CONTENT_BUSY_MAX):
            response = await self._send(method, path, body)
            if response.status not in _BUSY:
                return response
            response.close()
            await asyncio.sleep(CONTENT_BUSY_SECONDS)
        raise PeerUnavailableError("the peer is busy", where=self.source.base_url)

    async def _send(self, method: str, path: str, body: bytes | None) -> aiohttp.ClientResponse:
        try:
            return await self._send_once(method, path, body)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientConnectionResetError):
            # The peer closed a connection that was kept, just now. All requests of this protocol may be repeated.
            return await self._send_once(method, path, body)

    async def _send_once(self, method: str, path: str, body: bytes | None) -> aiohttp.ClientResponse:
        return await self._http.request(
            method,
            self.source.base_url + path,
            data=None if body is None else io.BytesIO(body),  # so it is written in parts
            headers={hdrs.AUTHORIZATION: f"Bearer {self.source.token}"},
            ssl=self._pin,
            allow_redirects=False,
        )

    def _checked(self, response: aiohttp.ClientResponse, expected: Container[int]) -> aiohttp.ClientResponse:
        status = response.status
        if status == HTTPStatus.UNAUTHORIZED:
            raise PeerUnavailableError(
                "the token was refused", where=self.source.base_url, hint="it has ended; sync again"
            )
        if status == HTTPStatus.INSUFFICIENT_STORAGE:
            raise PeerUnavailableError("the peer's disk is full", where=self.source.base_url)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PeerUnavailableError(f"the peer failed (HTTP {status})", where=self.source.base_url)
        if status not in expected:  # redirects too: the peer that proved its key must answer itself
            raise ProtocolError(f"it answers with HTTP {status}", where=self.source.base_url)
        if hdrs.CONTENT_ENCODING in response.headers:
            raise ProtocolError("it answers with a content encoding", where=self.source.base_url)
        return response

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        """Turn what aiohttp raises into errors of ours."""
        try:
            yield
        except aiohttp.ServerFingerprintMismatch as error:
            raise WrongPeerError("it shows another certificate", where=self.source.base_url) from error
        except TimeoutError as error:  # aiohttp's time limits too
            raise self._away("the peer is too slow") from error
        except (asyncio.IncompleteReadError, aiohttp.ClientPayloadError) as error:
            raise self._away("the answer was cut short") from error
        except (aiohttp.ClientConnectionError, ConnectionError) as error:
            raise self._away(f"no connection: {error}") from error
        except aiohttp.ClientError as error:
            raise ProtocolError(f"no proper HTTP: {error}", where=self.source.base_url) from error

    def _away(self, what: str) -> PeerError:
        return PeerUnavailableError(what, where=self.source.base_url)
