"""Content of any size on its way out: fetched from a peer where it is not here, then sent piece by piece.

What goes around it (headers, JSON) is the handlers'.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Iterator

from aiohttp import web

from gonk_node.api.desk import Desk
from gonk_node.api.route import Call
from gonk_node.core.limits import CONTENT_WRITE_SECONDS, KIB
from gonk_node.errors import GonkError, NotFoundError

_log = logging.getLogger(__name__)
_PART_BYTES = 256 * KIB


async def held_size(call: Call, desk: Desk, content_id: bytes) -> int:
    """See that content is here, and return its size in bytes.

    Raises:
        PeerUnavailableError: it is not here, and no peer could give it. NotFoundError: it is gone again.
    """
    size = await asyncio.to_thread(call.backend.content.size, content_id)
    if size is None:
        await call.backend.fetch(desk, content_id)
        size = await asyncio.to_thread(call.backend.content.size, content_id)
    if size is None:
        raise NotFoundError("the content of this object is not on this node any more", hint="try again")
    return size


async def send(request: web.Request, response: web.StreamResponse, pieces: Iterator[bytes]) -> web.StreamResponse:
    """Send an answer whose length its headers tell; to HEAD, only those.

    What goes wrong on the way can be told no more: the connection is broken off, so that nobody takes a part for the whole.

    Args:
        request: what is answered.
        response: with all its headers.
        pieces: none of them empty; each is asked for in a worker thread.
    """
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        while piece := await asyncio.to_thread(next, pieces, b""):
            for start in range(0, len(piece), _PART_BYTES):
                async with asyncio.timeout(CONTENT_WRITE_SECONDS):
                    await response.write(piece[start : start + _PART_BYTES])
        await response.write_eof()
    except (GonkError, OSError, TimeoutError) as error:
        _log.warning("%s: broken off: %s", request.path, error)
        if request.transport is not None:
            request.transport.abort()
    return response


def in_base64(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The base64 of what the pieces are together (RFC 4648, section 4)."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        cut = len(data) - len(data) % 3
        rest = data[cut:]
        if cut:
            yield base64.b64encode(data[:cut])
    if rest:
        yield base64.b64encode(rest)


def base64_length(size: int) -> int:
    """How many characters the base64 of so many bytes has."""
    return -(-size // 3) * 4
