"""Answers peers that call: proves who both are, then runs a session about the dataset that the caller means.

Mounted on the application of the peer port, behind its TLS. Who may see a dataset is asked of the node; connections that have
not proved anything are few, small and short.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import hdrs, web

from gonk_node.core.keys import Signer
from gonk_node.core.limits import (
    CLOSE_SECONDS,
    CONTENT_TOKEN_SECONDS,
    FIRST_FRAME_SECONDS,
    HANDSHAKE_BYTES_MAX,
    HANDSHAKE_SECONDS,
    HANDSHAKES_OPEN_MAX,
    SESSIONS_OPEN_MAX,
)
from gonk_node.errors import GonkError, NotFoundError, PeerError, PeerUnavailableError
from gonk_node.net.frame_stream import MESSAGE_BYTES_MAX, FrameStream
from gonk_node.net.replica_port import ReplicaPort
from gonk_node.net.tokens import TokenTable
from gonk_node.net.transport import SessionEvent, SessionRunner
from gonk_node.sync.channel import Channel
from gonk_node.sync.closing import close_for
from gonk_node.sync.handshake import PeerIdentity, ServerHandshake
from gonk_node.sync.messages import NONCE_BYTES
from gonk_node.sync.outputs import Failed

SESSION_PATH = "/gonk/1/session"
_RENEWALS = 3  # in the life of a token, so that two may be late

Lookup: TypeAlias = Callable[[PeerIdentity], Awaitable[ReplicaPort | None]]
"""The replica of the dataset that a peer means; None where it is not here, or not for that peer."""

_log = logging.getLogger(__name__)


class SessionServer:
    """The session route of a node.

    Args:
        signer: this node's key.
        certificate_hash: SHA-256 of the certificate that the TLS listener shows.
        lookup: finds the replica, and decides whether the peer may have it.
        tokens: issues the tokens that open content; None: this node serves none.
        on_event: told of what happens in sessions, on the event loop; must not raise.
    """

    def __init__(
        self,
        *,
        signer: Signer,
        certificate_hash: bytes,
        lookup: Lookup,
        tokens: TokenTable | None = None,
        on_event: Callable[[PeerIdentity, SessionEvent | Failed], None] | None = None,
    ) -> None:
        self._signer = signer
        self._certificate_hash = certificate_hash
        self._lookup = lookup
        self._tokens = tokens
        self._on_event = on_event or _ignore
        self._handshakes = 0
        self._runners: dict[SessionRunner, PeerIdentity] = {}
        self._stopping = False

    def routes(self) -> list[web.RouteDef]:
        """The route, for `web.Application.add_routes`."""
        return [web.get(SESSION_PATH, self._handle, allow_head=False)]

    def stop(self) -> None:
        """Take no more sessions, and end those there are in order."""
        self._stopping = True
        self.end(lambda _peer: True)

    def end(self, unwanted: Callable[[PeerIdentity], bool]) -> None:
        """End the sessions with some peers in order."""
        for runner, peer in self._runners.items():
            if unwanted(peer):
                runner.close()

    def peers(self) -> list[PeerIdentity]:
        """Those with whom a session is open."""
        return list(self._runners.values())

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self._stopping or self._handshakes >= HANDSHAKES_OPEN_MAX or len(self._runners) >= SESSIONS_OPEN_MAX:
            return web.Response(status=503, headers={hdrs.RETRY_AFTER: "10"})
        if hdrs.ORIGIN in request.headers:
            return web.Response(status=403)  # a browser, led here by some page
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=MESSAGE_BYTES_MAX, timeout=CLOSE_SECONDS, decode_text=False
        )
        await socket.prepare(request)
        stream = FrameStream(socket)
        channel = Channel()
        self._handshakes += 1
        try:
            peer = await self._prove(stream, channel)
        except PeerError as error:
            _log.info("a handshake with %s failed: %s", request.remote, error)
            await self._refuse(stream, channel, error)
            return socket
        finally:
            self._handshakes -= 1
        await self._serve(stream, channel, peer)
        return socket

    async def _prove(self, stream: FrameStream, channel: Channel) -> PeerIdentity:
        """The server's side of the handshake."""
        handshake = ServerHandshake(
            channel,
            signer=self._signer,
            nonce=secrets.token_bytes(NONCE_BYTES),
            certificate_hash=self._certificate_hash,
        )
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                async with asyncio.timeout(FIRST_FRAME_SECONDS):
                    first = await stream.read(HANDSHAKE_BYTES_MAX)
                await stream.write([handshake.hello(first)])
                return handshake.finish(await stream.read(HANDSHAKE_BYTES_MAX))
        except TimeoutError as error:
            raise PeerUnavailableError("too slow to prove who it is") from error

    async def _refuse(self, stream: FrameStream, channel: Channel, error: GonkError) -> None:
        """Say why, and hang up."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await stream.write([channel.encode(close_for(error))])
        except (TimeoutError, PeerUnavailableError):
            pass
        await stream.close()

    async def _serve(self, stream: FrameStream, channel: Channel, peer: PeerIdentity) -> None:
        try:
            port = await self._lookup(peer)
            if port is None:
                raise NotFoundError("no such dataset here, or not for you")
        except GonkError as error:
            _log.info("no session for node %s: %s", peer.node_key.hex()[:8], error)
            await self._refuse(stream, channel, error)
            return
        runner = SessionRunner(
            stream, channel, port, peer, is_client=False, on_event=lambda event: self._on_event(peer, event)
        )
        self._runners[runner] = peer
        keeping = asyncio.create_task(self._keep_token(runner, peer))
        try:
            if self._stopping:
                runner.close()
            await runner.run()
        except GonkError as error:
            _log.info("a session with node %s ended: %s", peer.node_key.hex()[:8], error)
            self._on_event(peer, Failed(error))
        finally:
            keeping.cancel()
            self._runners.pop(runner, None)

    async def _keep_token(self, runner: SessionRunner, peer: PeerIdentity) -> None:
        """Give the client a token for content, and let it live on as long as the session does."""
        if self._tokens is None:
            return
        loop = asyncio.get_running_loop()
        token = self._tokens.issue(peer.dataset, peer.node_key, loop.time())
        runner.offer_content(bytes.fromhex(token), int(CONTENT_TOKEN_SECONDS))
        while True:
            await asyncio.sleep(CONTENT_TOKEN_SECONDS / _RENEWALS)
            if not self._tokens.renew(token, loop.time()):
                token = self._tokens.issue(peer.dataset, peer.node_key, loop.time())
                runner.offer_content(bytes.fromhex(token), int(CONTENT_TOKEN_SECONDS))


def _ignore(_peer: PeerIdentity, _event: SessionEvent | Failed) -> None:
    """Nobody asked to be told."""
