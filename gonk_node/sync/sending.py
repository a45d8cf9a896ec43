"""The half of a session that gives entries to the peer: tells its heads, plans what is asked for, sends within the window.

Records are read when there is room to send them, so a slow peer costs no memory. What the peer asks is bounded by
`core.limits`; it is believed only in so far as it harms nobody but itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from gonk_node.core import limits
from gonk_node.core.entry import Entry, read_stored
from gonk_node.core.heads import Head, Range
from gonk_node.errors import ProtocolError
from gonk_node.sync.counting import plus
from gonk_node.sync.log_view import LogView
from gonk_node.sync.messages import (
    Ack,
    Announce,
    Delivered,
    Found,
    Heads,
    Message,
    Missing,
    Need,
    NeedBodies,
    Records,
    Skip,
    Want,
    ids_in_pages,
)
from gonk_node.sync.outgoing import Order, Outgoing
from gonk_node.sync.outputs import Totals
from gonk_node.sync.peer_heads import PeerHeads
from gonk_node.sync.transitions import SENDING, Sending, Trigger, step


class SendingHalf:
    """One per session.

    Args:
        log: what is held here.
        dataset: the dataset's id.
        heads: all leaves, as they were when the hello was made.
        lsn: the newest arrival number then.
        cursor_lsn: up to which arrival number the peer says that it has taken this log.
        equal: both sides hold the same heads, so there is nothing to give before the session is live.

    Attributes:
        state: where in `transitions.SENDING` it stands.
        given: totals of what was sent.
    """

    def __init__(
        self, log: LogView, dataset: bytes, *, heads: Sequence[Head], lsn: int, cursor_lsn: int, equal: bool
    ) -> None:
        self.state = Sending.CURRENT if equal else Sending.LISTING
        self.given = Totals()
        self._log = log
        self._order = Order(log, dataset)
        self._untold: deque[Head] = deque()
        if not equal:
            self._untold.extend(self._in_order(log.heads_since(cursor_lsn) if cursor_lsn <= lsn else log.heads()))
        self._told_in_portion = 0
        self._portion_told = False
        self._peer = PeerHeads(log, [*heads, *self._untold])  # what it holds, or declined, once all is sent
        self._planned = PeerHeads(log, ())  # what was asked for in this session
        self._outgoing = Outgoing(log, self._order)
        self._announced = Totals()
        self._replies: deque[Message] = deque()
        self._ready: tuple[Records, Totals] | None = None  # read, but beyond the window
        self._acked = 0
        self._latest = lsn
        self._pushed = lsn  # arrival number up to which entries were planned
        self._delivered = lsn if equal else 0

    # --- what comes from the peer ----------------------------------------------------------------------------

    def need(self, message: Need) -> None:
        """Plan what is asked for."""
        listing = self.state is Sending.LISTING
        self.state = step(SENDING, self.state, Trigger.NEED_LAST if message.last else Trigger.NEED)
        if message.last:
            if not self._portion_told:
                raise ProtocolError("an answer to heads that are still being told")
            self._portion_told = False
        elif not message.ranges:
            raise ProtocolError("an empty page of needs")
        missing: list[bytes] = []
        for head_id, known in message.ranges:
            head = self._log.head_of(head_id)
            range_ = None if head is None else self._log.plan(head_id, [*known, *self._underway(head, listing)])
            if head is None or range_ is None:
                missing.append(head_id)
                continue
            self._planned.add(head)
            self._outgoing.add(range_)
        self._reply(Missing(page) for page in ids_in_pages(missing))

    def want(self, message: Want) -> None:
        """Say where the entries are that are wanted."""
        self.state = step(SENDING, self.state, Trigger.WANT)
        positions = [(entry_id, self._log.head_of(entry_id)) for entry_id in message.entry_ids]
        self._answer(
            Found([head for _, head in positions if head is not None]),
            Missing([entry_id for entry_id, head in positions if head is None]),
        )

    def need_bodies(self, message: NeedBodies) -> None:
        """Plan entries of which the peer lacks bodies, each alone: where one that it names is held here."""
        self.state = step(SENDING, self.state, Trigger.NEED_BODIES)
        missing: list[bytes] = []
        for entry_id, indexes in message.entries:
            record = self._log.record_of(entry_id)
            entry = None if record is None else read_stored(record)
            if record is None or entry is None or not _holds_any(entry, indexes):
                missing.append(entry_id)
                continue
            header = entry.header
            self._outgoing.add(
                Range(
                    header.author, header.log_id, header.seq, header.seq, entry_id, 1, header.event_count, len(record)
                )
            )
        self._answer(Missing(missing))

    def skip(self, message: Skip) -> None:
        """The peer takes no more of these."""
        self.state = step(SENDING, self.state, Trigger.SKIP)
        for head_id in message.head_ids:
            self._outgoing.skip(head_id)

    def ack(self, message: Ack) -> None:
        """The peer has taken so many bytes: the window moves on."""
        self.state = step(SENDING, self.state, Trigger.ACK)
        if not self._acked < message.bytes <= self.given.bytes:
            raise ProtocolError(f"{message.bytes} bytes acknowledged, of {self.given.bytes} sent")
        self._acked = message.bytes

    # --- what comes from this node ---------------------------------------------------------------------------

    def appended(self, lsn: int) -> None:
        """Entries arrived here, up to that arrival number; they will be pushed."""
        self._latest = max(self._latest, lsn)

    def peer_holds(self, head: Head) -> None:
        """The peer sent us what leads to that head: no need to push it back."""
        self._peer.add(head)

    @property
    def to_give(self) -> Totals:
        """Totals of what is planned, sent or not."""
        return self._outgoing.planned

    @property
    def owed(self) -> bool:
        """Whether the peer has to answer or to acknowledge something."""
        return self._acked < self.given.bytes or (self.state is Sending.LISTING and self._portion_told)

    def next_message(self) -> Message | None:
        """What to tell the peer now, if anything; reads the records that it returns."""
        if self._replies:
            return self._replies.popleft()
        if self.state is Sending.LISTING:
            return None if self._portion_told else self._next_heads()
        if self.state is Sending.CURRENT and self._pushed < self._latest:
            self._plan_push()
        if self._announce_due():
            self._announced = self._outgoing.planned
            return Announce(*self._outgoing.planned)
        return self._next_records() or (None if self._ready else self._next_when_served())

    # --- inside ------------------------------------------------------------------------------------------------

    def _in_order(self, heads: Iterable[Head]) -> list[Head]:
        return sorted(heads, key=lambda head: (self._order.rank(head.author, head.log_id), head))

    def _underway(self, head: Head, listing: bool) -> list[bytes]:
        """Ids that an answer to heads need not repeat, where it names two branches of one log.

        None for what is asked for again: then something of what was sent before did not join on.
        """
        return self._planned.known(head) if listing and not self._planned.holds(head) else []

    def _reply(self, messages: Iterable[Message]) -> None:
        self._replies.extend(messages)
        if len(self._replies) > limits.REPLIES_OPEN_MAX:
            raise ProtocolError("the peer asks on without reading the answers")

    def _answer(self, *messages: Found | Missing) -> None:
        self._reply(message for message in messages if message[0])

    def _next_heads(self) -> Heads:
        room = min(limits.HEADS_PER_MESSAGE_MAX, limits.HEADS_PER_PORTION_MAX - self._told_in_portion)
        page = [self._untold.popleft() for _ in range(min(room, len(self._untold)))]
        self._told_in_portion += len(page)
        self._portion_told = not self._untold or self._told_in_portion == limits.HEADS_PER_PORTION_MAX
        if self._portion_told:
            self._told_in_portion = 0
        return Heads(page, int(self._portion_told))

    def _announce_due(self) -> bool:
        """Announce what the first sync will bring, and later only what takes more than a message or two."""
        if self._outgoing.planned == self._announced:
            return False
        return self.state is Sending.SERVING or self._outgoing.planned.bytes - self.given.bytes > limits.BATCH_BYTES

    def _next_records(self) -> Records | None:
        """A batch, where there is one and the window has room for it (one batch may always be on the way)."""
        if self._ready is None:
            groups, totals = self._outgoing.read_batch()
            self._replies.extend(Missing(page) for page in ids_in_pages(self._outgoing.gone))
            self._outgoing.gone.clear()
            if not groups:
                return None
            self._ready = Records(groups), totals
        records, totals = self._ready
        on_the_way = self.given.bytes - self._acked
        if on_the_way and on_the_way + totals.bytes > limits.WINDOW_BYTES:
            return None
        self._ready = None
        self.given = plus(self.given, totals)
        return records

    def _next_when_served(self) -> Message | None:
        """Nothing is left to send: tell more heads, or that all was delivered."""
        if self._replies:
            return self._replies.popleft()
        if self.state is Sending.SERVING:
            if self._untold:
                self.state = step(SENDING, self.state, Trigger.MORE_HEADS)
                return self._next_heads()
            self.state = step(SENDING, self.state, Trigger.ALL_SERVED)
            self._delivered = self._pushed
            return Delivered(self._delivered)
        if self._delivered < self._pushed:
            self._delivered = self._pushed
            return Delivered(self._delivered)
        return None

    def _plan_push(self) -> None:
        """Plan all that arrived here since the last time and that the peer does not hold."""
        lsn = self._log.last_lsn()
        for head in self._in_order(self._log.heads_since(self._pushed)):
            if self._peer.holds(head):
                continue
            range_ = self._log.plan(head.entry_id, self._peer.known(head))
            if range_ is not None:
                self._outgoing.add(range_)
            self._peer.add(head)
        self._pushed = self._latest = lsn


def _holds_any(entry: Entry, indexes: Iterable[int]) -> bool:
    return any(index < len(entry.bodies) and entry.bodies[index] is not None for index in indexes)
