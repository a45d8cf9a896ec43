"""The half of a session that takes entries from the peer: asks for what is missing, keeps account of what comes.

Nothing that the peer says is believed: heads are hints until the entries are ingested, totals only draw a progress bar, and
everything it can make this side hold in memory is bounded by `core.limits`. Records are judged by the write path, not here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from gonk_node.core import limits
from gonk_node.core.heads import Head
from gonk_node.core.outcome import Ingested, Outcome
from gonk_node.errors import ProtocolError, VerificationError
from gonk_node.sync.counting import count, largest, plus
from gonk_node.sync.log_view import LogView
from gonk_node.sync.messages import (
    Ack,
    Announce,
    Delivered,
    Found,
    Group,
    Heads,
    Message,
    Missing,
    Records,
    Skip,
)
from gonk_node.sync.needs import Needs
from gonk_node.sync.outputs import Ingest, Standing, Totals
from gonk_node.sync.questions import Questions
from gonk_node.sync.transitions import RECEIVING, Receiving, Trigger, step

_HELD = (Outcome.INSERTED, Outcome.DUPLICATE, Outcome.COMPLETED)


class _Batch(NamedTuple):
    """Records on their way through the write path: how many of which group, and their totals."""

    groups: list[tuple[Head, int]]
    totals: Totals


class ReceivingHalf:
    """One per session.

    Args:
        log: what is held here.
        equal: both sides hold the same heads, so there is nothing to take before the session is live.
        peer_lsn: the arrival number up to which an equal peer's log is held here.

    Attributes:
        state: where in `transitions.RECEIVING` it stands.
        complete: False once anything of the peer's was declined or did not come: its cursor must not be saved.
        lsn: the peer's arrival number up to which all was delivered.
        taken, to_take: totals so far, and as announced.
    """

    def __init__(self, log: LogView, *, equal: bool, peer_lsn: int) -> None:
        self.state = Receiving.CURRENT if equal else Receiving.LISTING
        self.complete = True
        self.lsn = peer_lsn if equal else 0
        self.taken = Totals()
        self.to_take = Totals()
        self._log = log
        self._needs = Needs(log)
        self._heads_in_portion = 0
        self._heads_in_session = 0
        self._answer_due = False
        self._batches: deque[_Batch] = deque()  # given to the write path, in order
        self._arrived_bytes = 0
        self._taken_bytes = 0
        self._acked_bytes = 0
        self._cited_bytes = 0
        self._gaps = 0
        self._declined: set[tuple[bytes, bytes]] = set()  # logs of which this node takes no more
        self._skips: list[bytes] = []
        self._skipped = b""  # the head skipped last; what is on the way to it still comes
        self._cited: set[bytes] = set()  # heads that an honoured accept leads to
        self._questions = Questions()
        self._not_delivered: list[bytes] = []
        self._unsettled = True

    # --- what comes from the peer ------------------------------------------------------------------------

    def heads(self, message: Heads) -> None:
        """A page of the peer's heads: ask for those that are not held."""
        self.state = step(RECEIVING, self.state, Trigger.HEADS_LAST if message.last else Trigger.HEADS)
        if self._answer_due:
            raise ProtocolError("a portion of heads came before the one before it was answered")
        if not message.heads and not message.last:
            raise ProtocolError("an empty page of heads")
        self._heads_in_portion += len(message.heads)
        self._heads_in_session += len(message.heads)
        if (
            self._heads_in_portion > limits.HEADS_PER_PORTION_MAX
            or self._heads_in_session > limits.HEADS_PER_SESSION_MAX
        ):
            raise ProtocolError(f"more than {limits.HEADS_PER_PORTION_MAX} heads at a time, or too many in all")
        for head in message.heads:
            if not self._log.has(head.entry_id):
                self._needs.add(head, told=True)
        if message.last:
            self._answer_due = True
            self._heads_in_portion = 0

    def announce(self, message: Announce) -> None:
        """The peer's totals grew, or shrank after a skip."""
        self.state = step(RECEIVING, self.state, Trigger.ANNOUNCE)
        self.to_take = largest(Totals(*message), self.taken)

    def missing(self, message: Missing) -> None:
        """The peer does not have some of what was asked for."""
        self.state = step(RECEIVING, self.state, Trigger.MISSING)
        for entry_id in message.entry_ids:
            need = self._needs.drop(entry_id)
            if need is None and not self._questions.is_open(entry_id):
                continue  # answered late: we gave it up, or have it from elsewhere
            self._questions.answered(entry_id)
            self._cited.discard(entry_id)
            if need is not None and self._log.has(entry_id):
                continue
            self._not_delivered.append(entry_id)
            if need is not None:
                self.complete = False

    def found(self, message: Found) -> None:
        """Positions of entries that an accept cites: ask for what leads there, outside the quota for strangers."""
        self.state = step(RECEIVING, self.state, Trigger.FOUND)
        for head in message.heads:
            if not self._questions.is_open(head.entry_id):
                raise ProtocolError("the position of an entry that was not asked for")
            self._questions.answered(head.entry_id)
            if not self._log.has(head.entry_id):
                self._cited.add(head.entry_id)
                self._needs.add(head, told=False)

    def records(self, message: Records) -> list[Ingest]:
        """Entries came: returns them as batches for the write path, in order."""
        self.state = step(RECEIVING, self.state, Trigger.RECORDS)
        totals = [count(group.records) for group in message.groups]
        size = sum(each.bytes for each in totals)
        in_flight = self._arrived_bytes - self._taken_bytes
        if in_flight and in_flight + size > limits.WINDOW_BYTES:
            raise ProtocolError(f"{in_flight + size} bytes before we took the first; {limits.WINDOW_BYTES} may come")
        self._arrived_bytes += size
        ingests: list[Ingest] = []
        for group, group_totals in zip(message.groups, totals, strict=True):
            self._check_group(group)
            cited = self._is_cited(group, group_totals)
            if not cited and (group.head.author, group.head.log_id) in self._declined:
                self._give_up(group.head)
                self._taken_bytes += group_totals.bytes
                continue
            if not ingests or ingests[-1].cited != cited:
                ingests.append(Ingest([], cited))
                self._batches.append(_Batch([], Totals()))
            ingests[-1].records.extend(group.records)
            batch = self._batches[-1]
            batch.groups.append((group.head, len(group.records)))
            self._batches[-1] = batch._replace(totals=plus(batch.totals, group_totals))
        return ingests

    def delivered(self, message: Delivered) -> None:
        """The peer has sent all that it held up to that arrival number."""
        self.state = step(RECEIVING, self.state, Trigger.DELIVERED)
        if message.lsn < self.lsn:
            raise ProtocolError(f"delivered up to {message.lsn}, after {self.lsn}")
        self.lsn = message.lsn
        self._questions.new_round()
        self._unsettled = True

    # --- what comes from this node -------------------------------------------------------------------------

    def ingested(self, results: Sequence[Ingested]) -> list[Head]:
        """The write path is through with the oldest batch; returns the positions that are now held of it.

        Raises:
            VerificationError: the peer sent a record that breaks a V-rule: what `results` carries.
        """
        batch = self._batches.popleft()
        if len(results) != sum(length for _, length in batch.groups):
            raise ValueError("one outcome for each record, in order")
        for result in results:
            if result.outcome is Outcome.INVALID:
                raise result.error or VerificationError("the peer sent an entry that breaks a rule")
        self._taken_bytes += batch.totals.bytes
        self.taken = plus(self.taken, batch.totals)
        self.to_take = largest(self.to_take, self.taken)
        held: list[Head] = []
        start = 0
        for head, length in batch.groups:
            last = self._group_ingested(head, results[start : start + length])
            position = None if last is None else self._log.head_of(last)
            if position is not None:
                held.append(position)
            start += length
        return held

    def ask(self, standing: Standing) -> bool:
        """Ask the peer for what accepts cite and for bodies that are lacked; False where there is nothing new to ask."""
        asks = self.state is Receiving.CURRENT and self._questions.ask(standing)
        self._unsettled |= asks
        return asks

    def take_settled(self) -> bool:
        """True once after each round: all was delivered and ingested, nothing is owed.

        Raises:
            ProtocolError: the peer says that all was delivered, but a head that it told of did not come.
        """
        if not self._unsettled or self.state is not Receiving.CURRENT or self._batches:
            return False
        self._needs.drop_held()
        if self._needs or self._questions:
            return False
        self._unsettled = False
        return True

    def take_not_delivered(self) -> list[bytes]:
        """Ids that the peer turned out not to have, since the last call."""
        ids, self._not_delivered = self._not_delivered, []
        return ids

    @property
    def owed(self) -> bool:
        """Whether the peer has to send something before this half can go on."""
        open_ = self.state is not Receiving.CURRENT or bool(self._needs or self._questions)
        return open_ and not self._batches

    def next_message(self) -> Message | None:
        """What to tell the peer now, if anything."""
        if self._taken_bytes > self._acked_bytes:
            self._acked_bytes = self._taken_bytes
            return Ack(self._acked_bytes)
        if self._skips:
            page = self._skips[: limits.IDS_PER_MESSAGE_MAX]
            del self._skips[: limits.IDS_PER_MESSAGE_MAX]
            return Skip(page)
        listing = self.state is Receiving.LISTING
        need = self._needs.next_page(listing=listing, answer_due=self._answer_due)
        if need is not None:
            self._answer_due = self._answer_due and not need.last
            return need
        return self._questions.next_message()

    # --- inside ------------------------------------------------------------------------------------------------

    def _check_group(self, group: Group) -> None:
        need = self._needs.get(group.head.entry_id)
        if need is not None and need.head != group.head:
            raise ProtocolError("a head came at another position than the peer told before")

    def _is_cited(self, group: Group, totals: Totals) -> bool:
        if group.head.entry_id not in self._cited:
            return False
        self._cited_bytes += totals.bytes
        return self._cited_bytes <= limits.CITED_BYTES_MAX

    def _group_ingested(self, head: Head, results: Sequence[Ingested]) -> bytes | None:
        """Keep account of one group; returns the id of its last entry that is held now."""
        last: bytes | None = None
        for result in results:
            if result.outcome is Outcome.DECLINED:
                if len(self._declined) >= limits.HEADS_PER_PORTION_MAX:
                    self._declined.clear()  # costs a second refusal
                self._declined.add((head.author, head.log_id))
                self._give_up(head)
                break
            if result.outcome is Outcome.GAP:
                self._ask_again(head)
                break
            if result.outcome in _HELD:
                last = result.entry_id
        if last == head.entry_id:
            self._needs.drop(head.entry_id)
            self._questions.answered(head.entry_id, in_vain=results[-1].outcome is Outcome.DUPLICATE)
            self._cited.discard(head.entry_id)
        return last

    def _give_up(self, head: Head) -> None:
        """Take no more of what leads to that head: this node declined a part of it."""
        self.complete = False
        self._needs.drop(head.entry_id)
        self._questions.answered(head.entry_id)
        self._cited.discard(head.entry_id)
        if head.entry_id != self._skipped:
            self._skipped = head.entry_id
            self._skips.append(head.entry_id)

    def _ask_again(self, head: Head) -> None:
        """The entry before these is not held: ask for the whole stretch, saying what is."""
        if (head.author, head.log_id) in self._declined and head.entry_id not in self._cited:
            return
        self._gaps += 1
        if self._gaps > limits.GAPS_MAX:
            raise ProtocolError("the peer keeps sending entries that do not join on to what is held")
        need = self._needs.get(head.entry_id)
        if need is not None and not need.told:
            return  # asked already; this is the rest of what was on the way
        self._needs.drop(head.entry_id)
        self._skips.append(head.entry_id)
        self._needs.add(head, told=False)
