"""Two sessions face to face without a network, and one session before a peer that says whatever a test wants."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import TypeVar

from gonk_node.core.heads import heads_digest
from gonk_node.core.outcome import Outcome
from gonk_node.sync import messages as wire
from gonk_node.sync.channel import Channel
from gonk_node.sync.outputs import Cursor, Failed, Ingest, Output, SaveCursor, Synced, TakeStanding
from gonk_node.sync.session import Session
from kit.memory_log import MemoryLog

INSTANCES = (b"instance of one.", b"instance of two.")
_T = TypeVar("_T")


def open_channel() -> Channel:
    """A channel after its handshake."""
    channel = Channel()
    channel.open()
    return channel


def new_session(log: MemoryLog, *, is_client: bool = True, cursor: Cursor | None = None, now_ms: int = 0) -> Session:
    """A session that has greeted."""
    session = Session(
        open_channel(),
        log,
        dataset=log.dataset,
        instance=INSTANCES[0 if is_client else 1],
        cursor=cursor,
        is_client=is_client,
        now_ms=now_ms,
    )
    session.start(log.standing())
    return session


class Side:
    """A session with its log, doing what it asks for at once.

    Attributes:
        outcomes: what became of the records that came.
        seen: all its outputs.
        sent: the messages it sent, in order.
    """

    def __init__(self, log: MemoryLog, *, is_client: bool, cursor: Cursor | None = None) -> None:
        self.log = log
        self.session = new_session(log, is_client=is_client, cursor=cursor)
        self.outcomes: Counter[Outcome] = Counter()
        self.seen: list[Output] = []
        self.sent: list[wire.Message] = []
        self.inbox: deque[bytes] = deque()

    def pump(self) -> list[bytes]:
        """Handle all outputs; returns the frames to send."""
        frames: list[bytes] = []
        while True:
            more = self.session.next_frames()
            outputs = self.session.outputs()
            frames += more
            self.sent += [wire.decode_message(frame)[1] for frame in more]
            for output in outputs:
                self.seen.append(output)
                if isinstance(output, Ingest):
                    results = self.log.ingest(output.records, output.cited)
                    self.outcomes.update(result.outcome for result in results)
                    self.session.ingested(results)
                    self.session.appended(self.log.last_lsn())
                elif isinstance(output, TakeStanding):
                    self.session.standing(self.log.standing(output.whole))
            if not more and not outputs:
                return frames

    def outputs(self, kind: type[_T]) -> list[_T]:
        """All outputs of one kind so far."""
        return [output for output in self.seen if isinstance(output, kind)]

    def messages(self, kind: type[_T]) -> list[_T]:
        """All messages of one kind that it sent so far."""
        return [message for message in self.sent if isinstance(message, kind)]

    @property
    def synced(self) -> Synced | None:
        return next(iter(self.outputs(Synced)), None)

    @property
    def error(self) -> Exception | None:
        failed = self.outputs(Failed)
        return failed[0].error if failed else None

    @property
    def cursor(self) -> Cursor | None:
        saved = self.outputs(SaveCursor)
        return saved[-1].cursor if saved else None


class Pair:
    """Two sides that hear one another at once; `rounds` counts how often the line turned round."""

    def __init__(self, one: MemoryLog, other: MemoryLog, *cursors: Cursor | None) -> None:
        first, second = cursors or (None, None)
        self.client = Side(one, is_client=True, cursor=first)
        self.server = Side(other, is_client=False, cursor=second)
        self.rounds = 0

    def run(self, stop: Callable[[], bool] = lambda: False) -> Pair:
        """Pass frames until both are quiet."""
        while not stop():
            to_server, to_client = self.client.pump(), self.server.pump()
            if not to_server and not to_client:
                break
            self.rounds += 1
            for frame in to_server:
                self.server.session.receive(frame)
            for frame in to_client:
                self.client.session.receive(frame)
        return self


class HostilePeer:
    """One side of a session whose other side a test writes message by message."""

    def __init__(self, victim: MemoryLog, *, cursor: Cursor | None = None) -> None:
        self.victim = Side(victim, is_client=True, cursor=cursor)
        self._channel = open_channel()
        self.victim.pump()

    def hello(self, *, last_lsn: int = 5, heads: bytes = b"h" * 32, **changes: object) -> HostilePeer:
        """Greet as somebody who holds other things."""
        dataset = self.victim.log.dataset
        message = wire.Hello(dataset, b"hostile instance", last_lsn, heads, b"", 0, b"", 0)
        return self.say(message._replace(**changes))

    def equal_hello(self) -> HostilePeer:
        """Greet as somebody who holds the same."""
        return self.hello(heads=heads_digest(self.victim.log.heads()))

    def say(self, *messages: wire.Message) -> HostilePeer:
        """Send messages, as the next frames."""
        for message in messages:
            self.victim.session.receive(self._channel.encode(message))
            self.victim.pump()
        return self

    def ticks(self, *times_ms: int) -> HostilePeer:
        """Let time go on."""
        for now_ms in times_ms:
            self.victim.session.tick(now_ms)
            self.victim.pump()
        return self
