"""One session between two replicas of a dataset, after the handshake: bytes in, bytes and outputs out (spec section 9.4).

Sans I/O: no sockets, clock or threads. Whoever drives it calls `start`, then `receive` for each frame that came,
`ingested` and `standing` to answer outputs of those names, `appended` when entries arrive from elsewhere, `tick` about once a
second; and after any of these sends what `next_frames` gives and handles what `outputs` gives. Which message may come when
stands in `transitions`; the two directions in `receiving` and `sending`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from gonk_node.core import limits
from gonk_node.core.outcome import Ingested
from gonk_node.errors import GonkError, ProtocolError
from gonk_node.sync import messages as wire
from gonk_node.sync.channel import Channel
from gonk_node.sync.closing import close_for, error_of
from gonk_node.sync.comparing import compare, done_of
from gonk_node.sync.log_view import LogView
from gonk_node.sync.outputs import (
    Closed,
    ContentToken,
    Cursor,
    Failed,
    NotDelivered,
    Output,
    Progress,
    SaveCursor,
    Standing,
    TakeStanding,
    Totals,
)
from gonk_node.sync.patience import Patience
from gonk_node.sync.receiving import ReceivingHalf
from gonk_node.sync.sending import SendingHalf
from gonk_node.sync.transitions import PHASES, Phase, Receiving, Sending, Trigger, step

_FRAMES_BYTES = 64 * limits.KIB  # small frames that are handed out together


class Session:
    """Brings two replicas of one dataset to hold the same entries, and then keeps them so.

    Args:
        channel: numbers the frames; the handshake used it before.
        log: the entries held here.
        dataset: the dataset's id, 32 bytes.
        instance: this replica's store instance, 16 bytes.
        cursor: how far this peer's log was taken in earlier sessions, or None.
        is_client: whether this side dialled.
        now_ms: the time, on any clock that only goes forward; `tick` goes on with it.
    """

    def __init__(
        self,
        channel: Channel,
        log: LogView,
        *,
        dataset: bytes,
        instance: bytes,
        cursor: Cursor | None,
        is_client: bool,
        now_ms: int,
    ) -> None:
        self.phase = Phase.GREETING
        self._channel = channel
        self._log = log
        self._dataset = dataset
        self._instance = instance
        self._cursor = cursor
        self._is_client = is_client
        self._patience = Patience(now_ms)
        self._outbox: deque[wire.Message] = deque()
        self._outputs: list[Output] = []
        self._progress = Progress(Totals(), Totals(), Totals(), Totals())
        self._peer_instance = b""
        self._appended_lsn = 0
        self._start: Standing | None = None
        self._receiving: ReceivingHalf | None = None
        self._sending: SendingHalf | None = None
        self._ours: wire.Done | None = None  # what we hold after all was taken
        self._theirs: wire.Done | None = None

    # --- inputs ----------------------------------------------------------------------------------------------

    def start(self, standing: Standing) -> None:
        """Greet the peer; `standing` is whole."""
        self._start = standing
        cursor = self._cursor or Cursor(b"", 0)
        self._outbox.append(
            wire.Hello(
                self._dataset,
                self._instance,
                standing.lsn,
                standing.heads_digest,
                standing.state_digest,
                standing.open_count,
                *cursor,
            )
        )

    def receive(self, frame: bytes) -> None:
        """A frame came."""
        self._guard(lambda: self._take(self._channel.decode(frame)))

    def ingested(self, results: Sequence[Ingested]) -> None:
        """The write path is through with the records of the oldest `Ingest` that was not answered yet."""
        self._guard(lambda: self._ingested(results))

    def standing(self, standing: Standing) -> None:
        """The answer to `TakeStanding`."""
        self._guard(lambda: self._stands(standing))

    def appended(self, lsn: int) -> None:
        """Entries are held up to that arrival number now, wherever they came from."""
        self._appended_lsn = max(self._appended_lsn, lsn)
        if self._sending is not None:
            self._sending.appended(lsn)

    def offer_content(self, token: bytes, seconds: int) -> None:
        """Let the client fetch content with that token, for so many seconds (server only)."""
        self._outbox.append(wire.Token(token, seconds))

    def tick(self, now_ms: int) -> None:
        """Time goes on: give up a peer that is silent or stalls, ping one that may think so of us."""
        self._guard(lambda: self._tick(now_ms))

    def close(self) -> None:
        """End the session in order; what was ingested stays."""
        self._guard(self._close)

    def fail(self, error: GonkError) -> None:
        """End the session because of something that went wrong around it."""
        if self.phase is Phase.CLOSED:
            return
        self.phase = step(PHASES, self.phase, Trigger.OUR_CLOSE)
        self._outbox.clear()
        self._outbox.append(close_for(error))
        self._outputs.append(Failed(error))

    # --- outputs ---------------------------------------------------------------------------------------------

    def next_frames(self) -> list[bytes]:
        """Frames to send now, in order: some small ones, or one batch. Ask again once they are written."""
        frames: list[bytes] = []
        self._guard(lambda: self._fill(frames))
        if not frames:
            self._fill(frames)  # why the session failed, if it just did
        if frames:
            self._patience.sent()
        return frames

    def outputs(self) -> list[Output]:
        """What happened since the last call, in order."""
        outputs, self._outputs = self._outputs, []
        return outputs

    # --- inside ------------------------------------------------------------------------------------------------

    def _guard(self, act: Callable[[], None]) -> None:
        """Run one input; an error ends the session."""
        if self.phase is Phase.CLOSED:
            return
        try:
            act()
            self._settle()
        except GonkError as error:
            self.fail(error)

    def _fill(self, frames: list[bytes]) -> None:
        size = 0
        while size < _FRAMES_BYTES:
            message = self._next_message()
            if message is None:
                break
            frames.append(self._channel.encode(message))
            size += len(frames[-1])

    def _next_message(self) -> wire.Message | None:
        if self._outbox:
            return self._outbox.popleft()
        if self.phase is Phase.CLOSED or self._receiving is None or self._sending is None:
            return None
        message = self._receiving.next_message() or self._sending.next_message()
        if message is None:
            self._finish_if_done()
            message = self._outbox.popleft() if self._outbox else None
        return message

    def _take(self, message: wire.Message) -> None:
        self._patience.heard(idle=isinstance(message, wire.Ping | wire.Announce))
        match message:
            case wire.Ping():
                self.phase = step(PHASES, self.phase, Trigger.PING)
            case wire.Hello():
                self._hello(message)
            case wire.Done():
                self._done(message)
            case wire.Token():
                self._token(message)
            case wire.Close():
                self._closed(message)
            case _ if self._receiving is None or self._sending is None:
                raise ProtocolError(f"{type(message).__name__} came {self.phase.value}")
            case _:
                self._pass_on(message, self._receiving, self._sending)

    def _pass_on(self, message: wire.Message, receiving: ReceivingHalf, sending: SendingHalf) -> None:
        """Give a message to the half that it is for."""
        match message:
            case wire.Heads():
                receiving.heads(message)
            case wire.Announce():
                receiving.announce(message)
            case wire.Records():
                self._outputs.extend(receiving.records(message))
            case wire.Found():
                receiving.found(message)
            case wire.Missing():
                receiving.missing(message)
            case wire.Delivered():
                receiving.delivered(message)
            case wire.Need():
                sending.need(message)
            case wire.Want():
                sending.want(message)
            case wire.NeedBodies():
                sending.need_bodies(message)
            case wire.Skip():
                sending.skip(message)
            case wire.Ack():
                sending.ack(message)
            case _:
                raise ProtocolError(f"{type(message).__name__} came {self.phase.value}")

    def _hello(self, message: wire.Hello) -> None:
        self.phase = step(PHASES, self.phase, Trigger.HELLO)
        standing = self._start
        if standing is None:
            raise RuntimeError("start comes before receive")
        if message.dataset != self._dataset:
            raise ProtocolError("a hello for another dataset than the handshake's")
        self._peer_instance = message.instance
        equal = message.heads_digest == standing.heads_digest
        self._receiving = ReceivingHalf(self._log, equal=equal, peer_lsn=message.last_lsn)
        self._sending = SendingHalf(
            self._log,
            self._dataset,
            heads=standing.heads,
            lsn=standing.lsn,
            cursor_lsn=message.cursor_lsn if message.cursor_instance == self._instance else 0,
            equal=equal,
        )
        self._sending.appended(self._appended_lsn)
        # Between equals a hello that leaves nothing open is as good as being done: one round trip. Unless the States
        # differ: then each asks for the bodies of which it is not sure before anybody is blamed.
        theirs = wire.Done(message.heads_digest, message.state_digest, message.open_count)
        as_good_as_done = equal and compare(done_of(standing), theirs).equal_states is not False
        if as_good_as_done and message.open_count == 0:
            self._be_done(Trigger.DONE, theirs=theirs)
        if as_good_as_done and standing.open_count == 0:
            self._be_done(Trigger.OUR_DONE, ours=done_of(standing))

    def _done(self, message: wire.Done) -> None:
        if self._receiving is None or self._receiving.state is not Receiving.CURRENT:
            raise ProtocolError("Done came before all was delivered")
        self._be_done(Trigger.DONE, theirs=message)

    def _token(self, message: wire.Token) -> None:
        self.phase = step(PHASES, self.phase, Trigger.TOKEN)
        if not self._is_client:
            raise ProtocolError("a token for content came from the client")
        self._outputs.append(ContentToken(message.token, message.seconds))

    def _closed(self, message: wire.Close) -> None:
        self.phase = step(PHASES, self.phase, Trigger.CLOSE)
        error = error_of(message)
        self._outbox.clear()
        self._outputs.append(Closed() if error is None else Failed(error))

    def _close(self) -> None:
        self.phase = step(PHASES, self.phase, Trigger.OUR_CLOSE)
        self._outbox.append(wire.Close(wire.CLOSE_DONE, ""))
        self._outputs.append(Closed())

    def _ingested(self, results: Sequence[Ingested]) -> None:
        if self._receiving is None or self._sending is None:
            raise RuntimeError("nothing was given to the write path")
        self._patience.progressed()
        for head in self._receiving.ingested(results):
            self._sending.peer_holds(head)

    def _settle(self) -> None:
        """After each input: report, and where a round of taking is over, see where this replica stands."""
        receiving, sending = self._receiving, self._sending
        if receiving is None or sending is None or self.phase is Phase.CLOSED:
            return
        not_delivered = receiving.take_not_delivered()
        if not_delivered:
            self._outputs.append(NotDelivered(not_delivered))
        progress = Progress(receiving.taken, receiving.to_take, sending.given, sending.to_give)
        if progress != self._progress:
            self._progress = progress
            self._outputs.append(progress)
        if receiving.take_settled():
            if receiving.complete:
                self._outputs.append(SaveCursor(Cursor(self._peer_instance, receiving.lsn)))
            self._outputs.append(TakeStanding(whole=self._is_syncing))

    @property
    def _is_syncing(self) -> bool:
        """Whether this side has still to be done."""
        return self.phase in (Phase.SYNCING, Phase.DONE_CAME)

    def _stands(self, standing: Standing) -> None:
        self._patience.progressed()
        if self._receiving is None or self._receiving.ask(standing):
            return  # once that is answered, a new standing is taken
        if self._is_syncing and standing.heads_digest:
            self._ours = done_of(standing)

    def _finish_if_done(self) -> None:
        """Say so, once both halves are through the first sync."""
        ours, sending = self._ours, self._sending
        if ours is not None and self._is_syncing and sending is not None and sending.state is Sending.CURRENT:
            self._outbox.append(ours)
            self._be_done(Trigger.OUR_DONE, ours=ours)

    def _be_done(self, trigger: Trigger, *, ours: wire.Done | None = None, theirs: wire.Done | None = None) -> None:
        """One of the two is done with the first sync; when both are, compare."""
        self.phase = step(PHASES, self.phase, trigger)
        self._ours = ours or self._ours
        self._theirs = theirs or self._theirs
        if self.phase is Phase.LIVE and self._ours is not None and self._theirs is not None:
            self._outputs.append(compare(self._ours, self._theirs))

    def _tick(self, now_ms: int) -> None:
        receiving, sending = self._receiving, self._sending
        owed = receiving is None or sending is None or receiving.owed or sending.owed
        if self._patience.tick(now_ms, owed=owed, comparing=self.phase is Phase.DONE_SENT) and not self._outbox:
            self._outbox.append(wire.Ping())
