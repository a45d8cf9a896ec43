"""Drives one sync session over one connection: frames in and out, the write path, the clock. Both roles use it.

One coroutine owns the session; what waits (reading, writing, the replica) runs beside it, one of each at a time. What the
session decides stands in `sync.session`; who connects to whom in `dial` and `session_server`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from gonk_node.core.limits import CLOSE_SECONDS, FRAME_BYTES_MAX, TICK_SECONDS
from gonk_node.errors import GonkError
from gonk_node.net.frame_stream import FrameStream
from gonk_node.net.replica_port import Checked, ReplicaPort
from gonk_node.sync.channel import Channel
from gonk_node.sync.handshake import PeerIdentity
from gonk_node.sync.outputs import (
    Closed,
    ContentToken,
    Failed,
    Ingest,
    NotDelivered,
    Output,
    Progress,
    SaveCursor,
    Synced,
    TakeStanding,
)
from gonk_node.sync.session import Session

SessionEvent: TypeAlias = Progress | Synced | NotDelivered | ContentToken
"""What is of interest outside while a session runs."""

_Work: TypeAlias = Ingest | TakeStanding | SaveCursor


class SessionRunner:
    """One session on its connection.

    Args:
        stream: the connection, after the handshake.
        channel: which numbered the handshake's frames.
        port: the replica.
        peer: what the handshake proved.
        is_client: whether this side dialled.
        on_event: told of what happens, on the event loop; must not raise.
    """

    def __init__(
        self,
        stream: FrameStream,
        channel: Channel,
        port: ReplicaPort,
        peer: PeerIdentity,
        *,
        is_client: bool,
        on_event: Callable[[SessionEvent], None],
    ) -> None:
        self._stream = stream
        self._channel = channel
        self._port = port
        self._peer = peer
        self._is_client = is_client
        self._on_event = on_event
        self._work: deque[_Work] = deque()
        self._ahead: deque[Checked | None] = deque()  # of each Ingest in `_work`
        self._wake = asyncio.Event()
        self._closing = False
        self._tokens: list[tuple[bytes, int]] = []
        self._appended_lsn = 0  # told to the session between two batches: only then it knows which came from the peer
        self._over = False
        self._error: GonkError | None = None
        self._waking: asyncio.Task[Any] | None = None
        self._reading: asyncio.Task[bytes] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._working: asyncio.Task[None] | None = None

    def close(self) -> None:
        """End the session in order; `run` returns once that is said."""
        self._closing = True
        self._wake.set()

    def offer_content(self, token: bytes, seconds: int) -> None:
        """Give the client a token for content (server only)."""
        self._tokens.append((token, seconds))
        self._wake.set()

    async def run(self) -> None:
        """Sync, then stay live until either side closes.

        Raises:
            GonkError: what ended the session; what was taken until then is kept.
        """
        unsubscribe = self._port.subscribe(self._appended)
        try:
            session = await self._open()
            while not self._over or self._writing is not None:
                await self._turn(session)
        finally:
            unsubscribe()
            await self._clean_up()
        if self._error is not None:
            raise self._error

    # --- inside ------------------------------------------------------------------------------------------------

    async def _open(self) -> Session:
        cursor = await self._port.cursor(self._peer.node_key)
        session = Session(
            self._channel,
            self._port.view,
            dataset=self._port.dataset,
            instance=self._port.instance,
            cursor=cursor,
            is_client=self._is_client,
            now_ms=_now_ms(),
        )
        session.start(await self._port.standing(True))
        self._appended_lsn = max(self._appended_lsn, self._port.view.last_lsn())
        return session

    def _appended(self, lsn: int) -> None:
        self._appended_lsn = max(self._appended_lsn, lsn)
        self._wake.set()

    async def _turn(self, session: Session) -> None:
        """Set going what can go on, wait until something happened, and tell the session of it."""
        if self._closing and not self._over:
            session.close()
        if self._working is None:
            session.appended(self._appended_lsn)
        while self._tokens:
            session.offer_content(*self._tokens.pop(0))
        self._handle(session.outputs())
        if self._writing is None:
            frames = session.next_frames()
            self._handle(session.outputs())
            if frames:
                self._writing = asyncio.create_task(self._stream.write(frames))
        if self._over and self._writing is None:
            return
        if self._reading is None and not self._over:
            self._reading = asyncio.create_task(self._stream.read(FRAME_BYTES_MAX))
        if self._working is None and self._work and not self._over:
            self._working = asyncio.create_task(self._do(session, self._work.popleft()))
        await self._wait()
        session.tick(_now_ms())
        self._collect(session)

    async def _wait(self) -> None:
        if self._waking is None:
            self._waking = asyncio.create_task(self._wake.wait())
        timeout = CLOSE_SECONDS if self._over else TICK_SECONDS
        done, _ = await asyncio.wait(self._tasks(), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if self._waking.done():
            self._waking = None
            self._wake.clear()
        if self._over and not done and self._writing is not None:
            self._writing.cancel()  # the peer does not even take our good-bye
            self._writing = None

    def _tasks(self) -> list[asyncio.Task[Any]]:
        tasks: tuple[asyncio.Task[Any] | None, ...] = (self._waking, self._reading, self._writing, self._working)
        return [task for task in tasks if task is not None]

    def _collect(self, session: Session) -> None:
        """Take the results of what is done."""
        reading, writing, working = self._reading, self._writing, self._working
        try:
            if working is not None and working.done():
                self._working = None
                working.result()
            if reading is not None and reading.done():
                self._reading = None
                session.receive(reading.result())
            if writing is not None and writing.done():
                self._writing = None
                writing.result()
        except GonkError as error:
            session.fail(error)

    def _handle(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Ingest():
                    self._work.append(output)
                    self._ahead.append(self._port.check_ahead(output.records))
                case TakeStanding() | SaveCursor():
                    self._work.append(output)
                case Failed(error):
                    self._error = error
                    self._over = True
                case Closed():
                    self._over = True
                case _:
                    self._on_event(output)

    async def _do(self, session: Session, work: _Work) -> None:
        """One thing that the session asked of the replica."""
        match work:
            case Ingest(records, cited):
                session.ingested(await self._port.ingest(records, cited, self._ahead.popleft()))
            case TakeStanding(whole):
                session.standing(await self._port.standing(whole))
            case SaveCursor(cursor):
                await self._port.save_cursor(self._peer.node_key, cursor)

    async def _clean_up(self) -> None:
        """Leave nothing running. Work on the replica is waited for: its thread cannot be stopped half way."""
        tasks = self._tasks()
        for task in tasks:
            if task is not self._working:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._stream.close()


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
