"""Calls a peer: connects, proves who both are, and runs a session about one dataset.

Only addresses that the user named are called; a redirect is refused, and nothing is said before TLS is up. When to call, and
when to call again, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import ssl
from collections.abc import Callable
from types import SimpleNamespace
from typing import TypeAlias

import aiohttp

from gonk_node.core.keys import Signer
from gonk_node.core.limits import CONNECT_SECONDS, HANDSHAKE_BYTES_MAX, HANDSHAKE_SECONDS
from gonk_node.errors import GonkError, PeerUnavailableError, ProtocolError
from gonk_node.net.address import PeerAddress
from gonk_node.net.content_http import Source
from gonk_node.net.frame_stream import MESSAGE_BYTES_MAX, FrameStream
from gonk_node.net.replica_port import ReplicaPort
from gonk_node.net.session_server import SESSION_PATH
from gonk_node.net.tls import certificate_hash, client_context
from gonk_node.net.transport import SessionEvent, SessionRunner
from gonk_node.sync.channel import Channel
from gonk_node.sync.handshake import ClientHandshake, PeerIdentity
from gonk_node.sync.messages import NONCE_BYTES
from gonk_node.sync.outputs import ContentToken, NotDelivered, Progress, Synced

DialEvent: TypeAlias = Progress | Synced | NotDelivered | Source
"""What happens in a session that this node dialled; a Source opens the peer's content (a later one renews it)."""


async def dial(
    address: PeerAddress,
    port: ReplicaPort,
    *,
    signer: Signer,
    author: Signer | None = None,
    on_event: Callable[[DialEvent], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Sync with a peer, then stay live until either side ends it.

    Args:
        address: where, and which key it must prove.
        port: the replica to sync.
        signer: this node's key.
        author: an author key to prove as well; a private dataset asks for one with a role.
        on_event: told of what happens, on the event loop; must not raise.
        stop: once set, the session ends in order.

    Raises:
        WrongPeerError: who answers has another key than the address says.
        NotFoundError: the peer does not have the dataset, or does not show it to this node.
        PeerUnavailableError: it cannot be reached, is too slow, or went away.
        ProtocolError, VerificationError: it misbehaved.
        StorageError: this node's disk.
    """
    try:
        await _dial(address, port, signer, author, on_event or _ignore, stop)
    except GonkError as error:
        if error.where is None:
            error.where = str(address)
        raise


async def _dial(
    address: PeerAddress,
    port: ReplicaPort,
    signer: Signer,
    author: Signer | None,
    on_event: Callable[[DialEvent], None],
    stop: asyncio.Event | None,
) -> None:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    async with aiohttp.ClientSession(
        timeout=timeout, trace_configs=[_refuse_redirects()], cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        stream, seen_hash = await _connect(http, address)
        try:
            channel, peer = await _prove(stream, address, port, signer, author, seen_hash)
        except BaseException:
            await stream.close()
            raise

        def pass_on(event: SessionEvent) -> None:
            if isinstance(event, ContentToken):
                on_event(Source(address.base_url, event.token.hex(), seen_hash))
            else:
                on_event(event)

        runner = SessionRunner(stream, channel, port, peer, is_client=True, on_event=pass_on)
        stopping = None if stop is None else asyncio.create_task(_close_when(stop, runner))
        try:
            await runner.run()
        finally:
            if stopping is not None:
                stopping.cancel()


async def _close_when(stop: asyncio.Event, runner: SessionRunner) -> None:
    await stop.wait()
    runner.close()


async def _connect(http: aiohttp.ClientSession, address: PeerAddress) -> tuple[FrameStream, bytes]:
    """Open the WebSocket; returns it with the hash of the certificate that TLS showed."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            socket = await http.ws_connect(
                address.base_url + SESSION_PATH,
                ssl=client_context(),
                compress=0,
                max_msg_size=MESSAGE_BYTES_MAX,
                autoclose=True,
            )
    except aiohttp.WSServerHandshakeError as error:
        if error.status == 503:
            raise PeerUnavailableError("the peer is busy", hint="try again later") from error
        raise ProtocolError(f"what answers there is no gonk node (HTTP {error.status})") from error
    except (aiohttp.ClientError, OSError, TimeoutError, ssl.SSLError) as error:
        raise PeerUnavailableError(
            f"the peer cannot be reached: {_reason(error)}", hint="is `gonk serve` running there?"
        ) from error
    stream = FrameStream(socket)
    tls = socket.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    if not certificate:
        await stream.close()
        raise ProtocolError("the peer showed no certificate")
    return stream, certificate_hash(certificate)


def _reason(error: Exception) -> str:
    """Why a connection could not be made, in the system's words without the library's."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        number, words = error.os_error.errno or 0, error.os_error.strerror
        return (os.strerror(number) if number > 0 else words or str(error)).lower()  # negative: getaddrinfo's
    return str(error)


async def _prove(
    stream: FrameStream,
    address: PeerAddress,
    port: ReplicaPort,
    signer: Signer,
    author: Signer | None,
    seen_hash: bytes,
) -> tuple[Channel, PeerIdentity]:
    """The client's side of the handshake."""
    channel = Channel()
    handshake = ClientHandshake(
        channel,
        signer=signer,
        server_key=address.node_key,
        dataset=port.dataset,
        nonce=secrets.token_bytes(NONCE_BYTES),
        certificate_hash=seen_hash,
        author=author,
    )
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            await stream.write([handshake.start()])
            proof, peer = handshake.receive(await stream.read(HANDSHAKE_BYTES_MAX))
            await stream.write([proof])
    except TimeoutError as error:
        raise PeerUnavailableError("the peer does not answer the handshake", hint="try again later") from error
    return channel, peer


def _ignore(_event: DialEvent) -> None:
    """Nobody asked to be told."""


def _refuse_redirects() -> aiohttp.TraceConfig:
    """A WebSocket request follows redirects, and has no switch for it: it could be led to an internal host."""

    async def refuse(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, _params: aiohttp.TraceRequestRedirectParams
    ) -> None:
        raise ProtocolError("the peer redirects us elsewhere; gonk nodes do not do that")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace
