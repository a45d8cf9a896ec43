"""What every request for or with content passes first: its form, its token, and how many there are at a time.

Also how a body is read, and how a request is refused. What is answered is for `content_server` and `content_receive`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import hdrs, web

from gonk_node.core.limits import CONTENT_REQUESTS_MAX, CONTENT_REQUESTS_PER_TOKEN, CONTENT_WRITE_SECONDS, KIB
from gonk_node.net.tokens import TokenGrant, TokenTable

SLICE_BYTES = 256 * KIB  # read or written between two looks at how fast the peer is

Handler = Callable[[web.Request, TokenGrant], Awaitable[web.StreamResponse]]


class BodyForm(NamedTuple):
    """How long a request's body may be: from `least` to `most` bytes, a multiple of `unit`."""

    least: int
    most: int
    unit: int = 1


class RequestGuard:
    """Stands in front of the routes of one server. `clock` is the clock of the tokens, in seconds."""

    def __init__(self, tokens: TokenTable, clock: Callable[[], float]) -> None:
        self._tokens = tokens
        self._clock = clock
        self._requests = 0

    def wrap(
        self, answer: Handler, body: BodyForm | None = None
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler that calls `answer` for proper requests only; `body`: None where there must be none."""

        async def handle(request: web.Request) -> web.StreamResponse:
            problem = _malformed(request, body)
            if problem is not None:
                return await refuse_and_close(request, problem)
            grant = self._grant_of(request)
            if grant is None:
                return await refuse_and_close(request, HTTPStatus.UNAUTHORIZED, {hdrs.WWW_AUTHENTICATE: "Bearer"})
            if self._requests >= CONTENT_REQUESTS_MAX or grant.requests >= CONTENT_REQUESTS_PER_TOKEN:
                return await turn_away(request)
            self._requests += 1
            grant.requests += 1
            try:
                return await answer(request, grant)
            finally:
                self._requests -= 1
                grant.requests -= 1

        return handle

    def _grant_of(self, request: web.Request) -> TokenGrant | None:
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        return self._tokens.check(token, self._clock()) if scheme.lower() == "bearer" else None


def _malformed(request: web.Request, body: BodyForm | None) -> HTTPStatus | None:
    """How a request breaks the form that spec section 8 gives it, or None; its body is not read for that."""
    if hdrs.CONTENT_ENCODING in request.headers:  # a small body that swells
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    length = request.content_length
    if body is None:
        return HTTPStatus.BAD_REQUEST if length or hdrs.TRANSFER_ENCODING in request.headers else None
    if length is None or hdrs.TRANSFER_ENCODING in request.headers:
        return HTTPStatus.LENGTH_REQUIRED
    if length > body.most:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return HTTPStatus.BAD_REQUEST if length < body.least or length % body.unit else None


async def read_body(request: web.Request, slice_seconds: float) -> bytes | None:
    """The whole body, of the length that was announced; None where it does not come in time, or ends early."""
    body = bytearray()
    length = request.content_length or 0
    try:
        while len(body) < length:
            async with asyncio.timeout(slice_seconds):
                body += await request.content.readexactly(min(SLICE_BYTES, length - len(body)))
    except (TimeoutError, asyncio.IncompleteReadError):
        return None
    return bytes(body)


async def turn_away(request: web.Request) -> web.StreamResponse:
    """Answer 429 on a connection that stays: a client who is cut off while it sends would not read the answer."""
    left = request.content_length or 0
    try:
        async with asyncio.timeout(CONTENT_WRITE_SECONDS):
            while left > 0 and (part := await request.content.readany()):
                left -= len(part)
    except TimeoutError:
        return await refuse_and_close(request, HTTPStatus.REQUEST_TIMEOUT)
    return refusal(HTTPStatus.TOO_MANY_REQUESTS, {hdrs.RETRY_AFTER: "1"})


def refusal(status: HTTPStatus, headers: dict[str, str] | None = None) -> web.Response:
    """An answer that says no more than its status."""
    return web.Response(status=status, text=status.phrase, headers=headers)


async def refuse_and_close(
    request: web.Request, status: HTTPStatus, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    """Answer and close: what follows on the connection is a body that nobody should read."""
    response = refusal(status, headers)
    response.force_close()
    await response.prepare(request)
    await response.write_eof()
    request.protocol.force_close()
    return response
