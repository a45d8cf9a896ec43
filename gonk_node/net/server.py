"""The listening side of a port: TLS where wanted, HTTP limits against strangers, clean start and stop.

Which routes there are is given by the caller; it knows neither sessions, nor content, nor Gonk's API.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import NamedTuple, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from gonk_node.core.limits import (
    API_CONNECTIONS_MAX,
    API_HEADERS_MAX,
    API_IDLE_SECONDS,
    API_LINE_BYTES_MAX,
    API_LINGER_SECONDS,
    HTTP_HEADERS_MAX,
    HTTP_LINE_BYTES_MAX,
    PEER_CONNECTIONS_MAX,
    PEER_IDLE_SECONDS,
    SHUTDOWN_SECONDS,
    TLS_HANDSHAKE_SECONDS,
)
from gonk_node.errors import UsageError

_log = logging.getLogger(__name__)


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Keep strangers' broken requests out of the log: they would fill it, with bytes of their choice."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)


_http_log = logging.getLogger(f"{__name__}.http")
_http_log.addFilter(_is_our_fault)


class Bounds(NamedTuple):
    """What clients of a port may take up.

    Attributes:
        connections: at a time; one more is closed at once.
        idle_seconds: for a whole request to come on a connection.
        line_bytes: of the request line, or of one header.
        headers: of one request.
        linger_seconds: how long the rest of a body is read after it was refused: one that is cut off while it sends would
            not see why.
        advice: what to do where the port cannot be listened on.
    """

    connections: int
    idle_seconds: float
    line_bytes: int
    headers: int
    linger_seconds: float
    advice: str


PEERS = Bounds(
    PEER_CONNECTIONS_MAX,
    PEER_IDLE_SECONDS,
    HTTP_LINE_BYTES_MAX,
    HTTP_HEADERS_MAX,
    0.0,
    "another port: --peer-port (0: any that is free), or the setting peer_port",
)
API = Bounds(
    API_CONNECTIONS_MAX,
    API_IDLE_SECONDS,
    API_LINE_BYTES_MAX,
    API_HEADERS_MAX,
    API_LINGER_SECONDS,
    "another port: --port (0: any that is free), or the setting http_port; --no-http leaves the API out",
)


class Listener:
    """Serves one aiohttp application on one port, within bounds.

    Bodies are not decompressed, and nothing that a client sends is logged as it came. `context`: None for plain HTTP.
    """

    def __init__(self, app: web.Application, context: ssl.SSLContext | None, bounds: Bounds = PEERS) -> None:
        self._context = context
        self._bounds = bounds
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_http_log,
            auto_decompress=False,
            keepalive_timeout=bounds.idle_seconds,
            lingering_time=bounds.linger_seconds,
            max_line_size=bounds.line_bytes,
            max_field_size=bounds.line_bytes,
            max_headers=bounds.headers,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (the one that the system chose, for port 0).

        Raises:
            UsageError: the address cannot be listened on: in use, not of this machine, not allowed.
        """
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(
                self._connection,
                host,
                port,
                ssl=self._context,
                ssl_handshake_timeout=None if self._context is None else TLS_HANDSHAKE_SECONDS,
                backlog=128,
            )
        except OSError as error:
            await self._runner.cleanup()
            raise UsageError(
                f"cannot listen there: {error.strerror or error}",
                where=f"{host}:{port}",
                hint=self._bounds.advice,
            ) from error
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no more connections, end those there are, and wait for their handlers."""
        if self._listener is not None:
            self._listener.close()
        await self._runner.cleanup()

    def _connection(self) -> asyncio.BaseProtocol:
        server = self._runner.server
        if server is None or len(server.connections) >= self._bounds.connections:
            return _Refusal(self._bounds.connections)
        return cast(asyncio.BaseProtocol, server())


class _Refusal(asyncio.Protocol):
    """Hangs up at once."""

    def __init__(self, open_already: int) -> None:
        self._open_already = open_already

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came while there is no room."""
        _log.warning("refused a connection: %d are open", self._open_already)
        cast(asyncio.Transport, transport).abort()
