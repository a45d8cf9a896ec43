"""Frames over a WebSocket, in parts of at most 64 KiB, so that nobody makes this node buffer more than it asked for.

Each WebSocket message is one part: a byte that says whether the frame goes on (1) or ends (0), and up to 65,535 bytes
of it; all parts but the last are full (spec section 9.2). The same on both sides. What is in a frame is not looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import aiohttp
from aiohttp import web

from gonk_node.core.limits import CLOSE_SECONDS, FRAME_PART_BYTES_MAX
from gonk_node.errors import PeerUnavailableError, ProtocolError

# aiohttp refuses a message of exactly its bound.
MESSAGE_BYTES_MAX = FRAME_PART_BYTES_MAX + 1
_ROOM = FRAME_PART_BYTES_MAX - 1  # of a part, beside its first byte
_ENDS, _GOES_ON = b"\0", b"\1"

WebSocket = aiohttp.ClientWebSocketResponse[bool] | web.WebSocketResponse


class FrameStream:
    """One connection. One task may read and one may write at a time."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def read(self, bytes_max: int) -> bytes:
        """The next frame.

        Args:
            bytes_max: the largest that is taken; a larger one is refused before it is here.

        Raises:
            ProtocolError: too large, or something that is no part of a frame.
            PeerUnavailableError: the connection ended.
        """
        parts: list[bytes] = []
        size = 0
        while True:
            part = await self._read_part()
            ends = part[:1] == _ENDS
            if not ends and (part[:1] != _GOES_ON or len(part) != FRAME_PART_BYTES_MAX):
                raise ProtocolError("a malformed part of a frame")
            parts.append(part[1:])
            size += len(part) - 1
            if size > bytes_max:
                raise ProtocolError(f"a frame of more than {bytes_max} bytes")
            if ends:
                return b"".join(parts) if len(parts) > 1 else parts[0]

    async def write(self, frames: Iterable[bytes]) -> None:
        """Send frames, as fast as the peer reads; PeerUnavailableError where the connection ended."""
        try:
            for frame in frames:
                end = max(len(frame), 1)
                for start in range(0, end, _ROOM):
                    flag = _ENDS if start + _ROOM >= end else _GOES_ON
                    await self._socket.send_bytes(flag + frame[start : start + _ROOM])
        except (ConnectionError, aiohttp.ClientError, RuntimeError) as error:
            # RuntimeError: aiohttp's word for a socket that is closing.
            raise PeerUnavailableError(f"the connection ended: {error}", hint="try again later") from error

    async def close(self) -> None:
        """End the connection; waits a moment for the peer to agree."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close()
        except (TimeoutError, ConnectionError, aiohttp.ClientError):
            pass  # it is gone in any case

    async def _read_part(self) -> bytes:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            data: bytes = message.data
            return data
        if message.type is aiohttp.WSMsgType.TEXT:
            raise ProtocolError("a text message; frames are binary")
        error = self._socket.exception()
        if isinstance(error, aiohttp.WebSocketError):
            raise ProtocolError(f"a broken WebSocket message: {error}") from error
        raise PeerUnavailableError("the connection ended", hint="try again later") from error
