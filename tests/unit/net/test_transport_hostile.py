"""Peers that stall, flood, relay, redirect or talk nonsense over real TLS: each gets a typed error, in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gonk_node.core import limits
from gonk_node.core.keys import Signer
from gonk_node.errors import GonkError, PeerUnavailableError, ProtocolError, StorageError, WrongPeerError
from gonk_node.net import dial as dial_module
from gonk_node.net import session_server
from gonk_node.net.address import PeerAddress
from gonk_node.net.dial import dial
from gonk_node.net.frame_stream import FrameStream
from gonk_node.net.session_server import SESSION_PATH
from gonk_node.net.tls import certificate_hash, client_context, ensure_certificate
from gonk_node.sync import messages as wire
from gonk_node.sync.channel import Channel
from gonk_node.sync.handshake import ServerHandshake
from kit.authors import TestAuthor
from kit.loopback import MemoryPort, answering, error_of, relaying, serving, until
from kit.memory_log import MemoryLog

ROOT = TestAuthor("root")
GENESIS = ROOT.genesis()
SERVER = Signer.from_seed(b"s" * 32)
ENDS, GOES_ON = b"\0", b"\1"


def port(name: str, count: int = 0) -> MemoryPort:
    log = MemoryLog(GENESIS.entry_id, frozenset([ROOT.author]))
    if count:
        log.ingest([GENESIS.record])
        log.ingest([entry.record for entry in TestAuthor("a", GENESIS.entry_id).chain(count)])
    return MemoryPort(log, name)


async def call(address: PeerAddress, client: MemoryPort | None = None) -> GonkError | None:
    client = client or port("client")
    return await error_of(dial(address, client, signer=client.signer))


class Impostor:
    """A server that does the handshake as it should, and then whatever a test says."""

    def __init__(self, folder: Path, act: Callable[[web.WebSocketResponse, Channel], object]) -> None:
        self._folder = folder
        self._act = act

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=2**20)
        await socket.prepare(request)
        channel = Channel()
        handshake = ServerHandshake(
            channel,
            signer=SERVER,
            nonce=b"n" * 32,
            certificate_hash=certificate_hash(ensure_certificate(self._folder / "tls.pem")),
        )
        await socket.send_bytes(ENDS + handshake.hello((await socket.receive_bytes())[1:]))
        handshake.finish((await socket.receive_bytes())[1:])
        await self._act(socket, channel)
        return socket


async def call_impostor(
    folder: Path, act: Callable[[web.WebSocketResponse, Channel], object], client: MemoryPort | None = None
) -> GonkError | None:
    async with answering(Impostor(folder, act).handle, folder, SERVER.author) as address:
        return await call(address, client)


def hello() -> wire.Hello:
    return wire.Hello(GENESIS.entry_id, b"i" * 16, 5, b"h" * 32, b"", 0, b"", 0)


# --- somebody between ------------------------------------------------------------------------------------------


def test_a_relay_with_a_certificate_of_its_own_is_found_out(tmp_path: Path) -> None:
    async def run() -> None:
        client = port("client")
        async with (
            serving(port("source", 5), tmp_path / "s") as served,
            relaying(served.address, tmp_path / "mitm", lambda seen, to_server: seen[-1:]) as address,
        ):
            assert isinstance(await call(address, client), WrongPeerError)
            assert not client.outcomes
            assert not served.identities

    asyncio.run(run())


def replay(seen: list[bytes], to_server: bool) -> list[bytes]:
    return [seen[-1], seen[-1]]


def swap(seen: list[bytes], to_server: bool) -> list[bytes]:
    if to_server or len(seen) < 3:
        return seen[-1:]
    return [] if len(seen) % 2 else [seen[-1], seen[-2]]


def lose(seen: list[bytes], to_server: bool) -> list[bytes]:
    return [] if not to_server and len(seen) == 3 else seen[-1:]


def flip(seen: list[bytes], to_server: bool) -> list[bytes]:
    if to_server or len(seen) < 3:
        return seen[-1:]
    return [seen[-1][:2] + bytes([seen[-1][2] ^ 0xFF]) + seen[-1][3:]]


@pytest.mark.parametrize("meddle", [replay, swap, lose, flip], ids=lambda meddle: meddle.__name__)
def test_frames_that_come_twice_out_of_order_or_changed_end_the_session(
    tmp_path: Path, meddle: Callable[[list[bytes], bool], list[bytes]]
) -> None:
    """Even by one who holds the server's certificate, or a broken proxy: TLS would hide neither of these."""

    async def run() -> None:
        async with (
            serving(port("source", 5), tmp_path / "same") as served,
            relaying(served.address, tmp_path / "same", meddle) as address,
        ):
            assert isinstance(await call(address), ProtocolError)

    asyncio.run(run())


# --- what a server may do to a client --------------------------------------------------------------------------


def test_a_redirect_is_refused_and_not_followed(tmp_path: Path) -> None:
    async def run() -> None:
        paths: list[str] = []

        async def redirect(request: web.Request) -> web.Response:
            paths.append(request.path)
            raise web.HTTPFound(f"https://{request.host}/internal")

        async with answering(redirect, tmp_path / "r", SERVER.author) as address:
            assert isinstance(await call(address), ProtocolError)
        assert paths == [SESSION_PATH]

    asyncio.run(run())


@pytest.mark.parametrize(("status", "kind"), [(404, ProtocolError), (200, ProtocolError), (503, PeerUnavailableError)])
def test_what_is_no_gonk_node_is_told_from_one_that_is_busy(tmp_path: Path, status: int, kind: type) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text="hello")

    async def run() -> None:
        async with answering(answer, tmp_path / "r", SERVER.author) as address:
            assert type(await call(address)) is kind

    asyncio.run(run())


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial_module, "HANDSHAKE_SECONDS", 0.2)

    async def run() -> None:
        stop = asyncio.Event()

        async def silent(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await stop.wait()
            return socket

        async with answering(silent, tmp_path / "r", SERVER.author) as address:
            assert isinstance(await call(address), PeerUnavailableError)
            stop.set()

    asyncio.run(run())


@pytest.mark.parametrize("data", ["text", GOES_ON + b"short", b"\2odd", b"", ENDS + b"garbage"], ids=repr)
def test_a_first_answer_that_is_no_frame_is_a_protocol_error(tmp_path: Path, data: str | bytes) -> None:
    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await (socket.send_str(data) if isinstance(data, str) else socket.send_bytes(data))
        await socket.receive()
        return socket

    async def run() -> None:
        async with answering(answer, tmp_path / "r", SERVER.author) as address:
            assert isinstance(await call(address), ProtocolError)

    asyncio.run(run())


def test_a_server_that_hangs_up_is_unavailable(tmp_path: Path) -> None:
    async def act(socket: web.WebSocketResponse, channel: Channel) -> None:
        await socket.close()

    assert isinstance(asyncio.run(call_impostor(tmp_path, act)), PeerUnavailableError)


def test_a_peer_that_stalls_after_the_handshake_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SILENCE_MS", 300)

    async def act(socket: web.WebSocketResponse, channel: Channel) -> None:
        async for _ in socket:
            pass

    assert isinstance(asyncio.run(call_impostor(tmp_path, act)), PeerUnavailableError)


def test_a_peer_that_floods_is_cut_off(tmp_path: Path) -> None:
    """It sends records without end; what this node holds of them stays within the window."""

    class Slow(MemoryPort):
        held = 0

        async def ingest(self, records: list[bytes], cited: bool, ahead: None = None) -> list:
            Slow.held = max(Slow.held, sum(map(len, records)))
            await asyncio.sleep(1)
            raise StorageError("it took too long")

    async def act(socket: web.WebSocketResponse, channel: Channel) -> None:
        head = wire.Head(b"a" * 32, b"logidlog", 1, b"e" * 32)
        messages = [hello(), wire.Heads([], 1)]
        messages += [wire.Records([wire.Group(head, [bytes(2**20)])])] * 50
        for message in messages:
            frame = channel.encode(message)
            room = limits.FRAME_PART_BYTES_MAX - 1
            for start in range(0, len(frame), room):
                flag = ENDS if start + room >= len(frame) else GOES_ON
                await socket.send_bytes(flag + frame[start : start + room])

    client = Slow(MemoryLog(GENESIS.entry_id), "slow")
    assert isinstance(asyncio.run(call_impostor(tmp_path, act, client)), ProtocolError)
    assert Slow.held <= limits.WINDOW_BYTES


def test_a_frame_without_end_is_cut_off(tmp_path: Path) -> None:
    async def act(socket: web.WebSocketResponse, channel: Channel) -> None:
        with suppress(ConnectionError):
            while not socket.closed:
                await socket.send_bytes(GOES_ON + bytes(limits.FRAME_PART_BYTES_MAX - 1))

    assert isinstance(asyncio.run(call_impostor(tmp_path, act)), ProtocolError)


@pytest.mark.parametrize("bytes_max", [limits.HANDSHAKE_BYTES_MAX, limits.FRAME_BYTES_MAX])
def test_no_more_of_a_frame_is_held_than_asked_for(bytes_max: int) -> None:
    class Endless:
        taken = 0

        async def receive(self) -> aiohttp.WSMessage:
            self.taken += limits.FRAME_PART_BYTES_MAX
            return aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, GOES_ON + bytes(limits.FRAME_PART_BYTES_MAX - 1), None)

    socket = Endless()
    with pytest.raises(ProtocolError):
        asyncio.run(FrameStream(socket).read(bytes_max))
    assert socket.taken <= bytes_max + 2 * limits.FRAME_PART_BYTES_MAX


# --- what a client may do to a server --------------------------------------------------------------------------


async def connect(
    http: aiohttp.ClientSession, address: PeerAddress, **options: object
) -> aiohttp.ClientWebSocketResponse:
    return await http.ws_connect(address.base_url + SESSION_PATH, ssl=client_context(), **options)


async def ends(socket: aiohttp.ClientWebSocketResponse) -> list[wire.Message]:
    """What the server says until it hangs up."""
    said: list[wire.Message] = []
    async with asyncio.timeout(20):
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                said.append(wire.decode_message(message.data[1:])[1])
    return said


@pytest.mark.parametrize(
    "parts",
    [
        [ENDS + bytes(limits.HANDSHAKE_BYTES_MAX - 1)],
        [GOES_ON + bytes(limits.FRAME_PART_BYTES_MAX - 1)] * 2,
        [ENDS + bytes(limits.FRAME_PART_BYTES_MAX)],
        [ENDS + b"garbage"],
        ["text"],
    ],
    ids=["not a frame", "two parts", "a part too large", "garbage", "text"],
)
def test_an_oversized_or_odd_first_frame_is_refused(tmp_path: Path, parts: list[bytes | str]) -> None:
    async def run() -> None:
        async with serving(port("source", 5), tmp_path / "s") as served, aiohttp.ClientSession() as http:
            socket = await connect(http, served.address)
            for part in parts:
                await (socket.send_str(part) if isinstance(part, str) else socket.send_bytes(part))
            said = await ends(socket)
            assert all(isinstance(message, wire.Close) and message.code == wire.CLOSE_BROKEN for message in said)
            assert not served.identities

    asyncio.run(run())


def test_who_does_not_begin_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_server, "FIRST_FRAME_SECONDS", 0.1)

    async def run() -> None:
        async with serving(port("source", 5), tmp_path / "s") as served, aiohttp.ClientSession() as http:
            (said,) = await ends(await connect(http, served.address))
            assert isinstance(said, wire.Close) and said.code == wire.CLOSE_BUSY

    asyncio.run(run())


def test_who_does_not_finish_the_handshake_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_server, "HANDSHAKE_SECONDS", 0.2)

    async def run() -> None:
        async with serving(port("source", 5), tmp_path / "s") as served, aiohttp.ClientSession() as http:
            socket = await connect(http, served.address)
            client = Signer.from_seed(b"c" * 32)
            first = wire.ClientHello(b"n" * 32, [1], served.address.node_key, client.author)
            await socket.send_bytes(ENDS + Channel().encode(first))
            said = await ends(socket)
            assert [type(message) for message in said] == [wire.ServerHello, wire.Close]

    asyncio.run(run())


def test_unproven_connections_are_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_server, "HANDSHAKES_OPEN_MAX", 3)

    async def run() -> None:
        async with serving(port("source", 5), tmp_path / "s") as served, aiohttp.ClientSession() as http:
            sockets = [await connect(http, served.address) for _ in range(3)]
            assert isinstance(await call(served.address), PeerUnavailableError)
            for socket in sockets:
                await socket.close()
            await until(lambda: served.server._handshakes == 0)
            assert not isinstance(await call_until_live(served.address), PeerUnavailableError)

    asyncio.run(run())


async def call_until_live(address: PeerAddress) -> GonkError | None:
    stop = asyncio.Event()
    client = port("client")
    task = asyncio.create_task(error_of(dial(address, client, signer=client.signer, stop=stop)))
    await until(lambda: client.outcomes or task.done())
    stop.set()
    return await task


def test_a_page_in_a_browser_cannot_open_a_session(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(port("source", 5), tmp_path / "s") as served, aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await connect(http, served.address, origin="https://evil.example")
            assert refused.value.status == 403

    asyncio.run(run())


def test_compression_is_not_negotiated(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(port("source", 5), tmp_path / "s") as served, aiohttp.ClientSession() as http:
            socket = await connect(http, served.address, compress=15)
            assert socket.compress == 0
            await socket.close()

    asyncio.run(run())
