"""The HTTP API of a node on its port, until stopped: what it may bind to, TLS beyond loopback, start and stop."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path

from gonk_node.api.app import make_app
from gonk_node.errors import InputFileError, UsageError
from gonk_node.net.server import API, Listener
from gonk_node.net.tls import server_context
from gonk_node.node.http_backend import NodeBackend
from gonk_node.node.node import Node
from gonk_node.node.serving import Server


class HttpServer:
    """The API; `start`, wait as long as you like, `stop`.

    Attributes:
        url: where it answers, once started.
    """

    def __init__(self, node: Node, server: Server) -> None:
        self.url = ""
        self._node = node
        self._backend = NodeBackend(node, server)
        self._listener: Listener | None = None

    async def start(self, *, allow_remote: bool = False) -> None:
        """Open the datasets and listen where the settings say.

        Args:
            allow_remote: whether it may be beyond loopback; it is then served over TLS.

        Raises:
            UsageError: the address cannot be listened on, or is beyond loopback and that is not allowed.
            KeyFileError, InputFileError: of the certificate.
        """
        config = self._node.config
        host = config.http_host
        is_remote = not is_loopback(host)
        if is_remote and not allow_remote:
            raise UsageError(
                "the HTTP API is served on loopback only, unless you allow more",
                where=host,
                hint="gonk serve --allow-remote, with TLS; whoever has an API key can then write from afar",
            )
        shown = f"[{host}]" if ":" in host else host
        await self._backend.open()
        app = make_app(
            self._backend,
            requests_per_second=config.http_requests_per_second,
            names=[shown, *(name.strip() for name in config.http_names.split(",") if name.strip())],
            is_remote=is_remote,
        )
        is_tls = is_remote or config.http_certificate is not None
        context = self._context(config.http_certificate) if is_tls else None
        listener = Listener(app, context, API)
        port = await listener.start(host, config.http_port)
        self._listener = listener
        self.url = f"{'https' if is_tls else 'http'}://{shown}:{port}"

    async def stop(self) -> None:
        """Answer what was asked, finish what waits to be written, and close."""
        if self._listener is not None:
            await self._listener.stop()
        await self._backend.close()

    def _context(self, certificate: Path | None) -> ssl.SSLContext:
        if certificate is None:
            return server_context(self._node.home.tls_certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # clients of the API are not ours
        try:
            context.load_cert_chain(certificate)
        except (OSError, ssl.SSLError) as error:
            raise InputFileError(
                f"cannot be used as certificate and key: {error}",
                where=str(certificate),
                hint="one PEM file with the key and the whole chain; see the setting http_certificate",
            ) from None
        return context


def is_loopback(host: str) -> bool:
    """Whether nobody beyond this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
