"""The listening side of the peer port: TLS, HTTP limits against strangers, clean start and stop.

Which routes there are is given by the caller; it knows neither sessions nor content.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from gonk_node.core.limits import (
    HTTP_HEADERS_MAX,
    HTTP_LINE_BYTES_MAX,
    KIB,
    PEER_CONNECTIONS_MAX,
    PEER_IDLE_SECONDS,
    SHUTDOWN_SECONDS,
    TLS_HANDSHAKE_SECONDS,
)
from gonk_node.errors import UsageError

_log = logging.getLogger(__name__)
_BODY_BYTES_MAX = 64 * KIB  # of requests that do not read their body in parts; none of ours has such a body


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Keep strangers' broken requests out of the log: they would fill it, with bytes of their choice."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)


_http_log = logging.getLogger(f"{__name__}.http")
_http_log.addFilter(_is_our_fault)


class PeerServer:
    """Serves one aiohttp application over TLS on one port.

    A connection that has not sent a whole request within `PEER_IDLE_SECONDS` is closed, as is one above
    `PEER_CONNECTIONS_MAX`; bodies are not decompressed, and nothing that a client sends is logged as it came.
    """

    def __init__(self, app: web.Application, context: ssl.SSLContext) -> None:
        self._context = context
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_http_log,
            auto_decompress=False,
            keepalive_timeout=PEER_IDLE_SECONDS,
            lingering_time=0,
            max_line_size=HTTP_LINE_BYTES_MAX,
            max_field_size=HTTP_LINE_BYTES_MAX,
            max_headers=HTTP_HEADERS_MAX,
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
                ssl_handshake_timeout=TLS_HANDSHAKE_SECONDS,
                backlog=128,
            )
        except OSError as error:
            await self._runner.cleanup()
            raise UsageError(
                f"cannot listen there: {error.strerror or error}",
                where=f"{host}:{port}",
                hint="another port: --peer-port (0: any that is free), or the setting peer_port",
            ) from error
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no more connections, end those there are, and wait for their handlers."""
        if self._listener is not None:
            self._listener.close()
        await self._runner.cleanup()

    def _connection(self) -> asyncio.BaseProtocol:
        server = self._runner.server
        if server is None or len(server.connections) >= PEER_CONNECTIONS_MAX:
            return _Refusal()
        return cast(asyncio.BaseProtocol, server())


class _Refusal(asyncio.Protocol):
    """Hangs up at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came while there is no room."""
        _log.warning("refused a connection: %d are open", PEER_CONNECTIONS_MAX)
        cast(asyncio.Transport, transport).abort()
