"""The ranges that a peer is to be sent: the genesis' log first, then owners' logs, read batch by batch as there is room.

It knows nothing of windows, needs or messages but the groups that it fills.
"""

from __future__ import annotations

import heapq

from gonk_node.core import limits
from gonk_node.core.heads import Head, Range
from gonk_node.errors import ProtocolError
from gonk_node.sync.counting import count, minus, plus
from gonk_node.sync.log_view import LogView
from gonk_node.sync.messages import Group
from gonk_node.sync.outputs import Totals


class Order:
    """In which order logs are told of and sent: that of the genesis, without which a clone cannot begin, then by priority.

    Args:
        log: what is held here.
        dataset: the dataset's id, which is the id of its genesis.
    """

    def __init__(self, log: LogView, dataset: bytes) -> None:
        self._log = log
        self._genesis = log.head_of(dataset)

    def rank(self, author: bytes, log_id: bytes) -> int:
        """Smaller goes first."""
        genesis = self._genesis
        if genesis is not None and (author, log_id) == (genesis.author, genesis.log_id):
            return 0
        return 1 + self._log.priority(author)


class _Job:
    """One range: from `next_seq` on it is still to be read; `left` is what that holds."""

    __slots__ = ("cancelled", "left", "next_seq", "range")

    def __init__(self, range_: Range) -> None:
        self.range = range_
        self.next_seq = range_.first_seq
        self.left = Totals(range_.entries, range_.events, range_.bytes)
        self.cancelled = False

    @property
    def head(self) -> Head:
        """The position of the range's last entry."""
        return Head(self.range.author, self.range.log_id, self.range.last_seq, self.range.head_id)


class Outgoing:
    """A queue of ranges.

    Attributes:
        planned: totals of all that was ever added, less what was skipped or is not there any more.
        gone: heads whose range was given up by this node while it waited; the caller empties it.
    """

    def __init__(self, log: LogView, order: Order) -> None:
        self.planned = Totals()
        self.gone: list[bytes] = []
        self._log = log
        self._order = order
        self._heap: list[tuple[int, bytes, bytes, int, int, _Job]] = []
        self._job_of: dict[bytes, _Job] = {}  # by head; those that are not finished or skipped
        self._serial = 0  # tells equal ranks apart, so that jobs are never compared

    def add(self, range_: Range) -> None:
        """Plan a range; nothing where one to the same head is being sent. ProtocolError where there are too many."""
        if range_.head_id in self._job_of:
            return
        if len(self._job_of) >= limits.NEEDS_OPEN_MAX:
            raise ProtocolError(f"more than {limits.NEEDS_OPEN_MAX} ranges asked for and not sent yet")
        job = _Job(range_)
        self._serial += 1
        rank = self._order.rank(range_.author, range_.log_id)
        heapq.heappush(self._heap, (rank, range_.author, range_.log_id, range_.last_seq, self._serial, job))
        self._job_of[range_.head_id] = job
        self.planned = plus(self.planned, job.left)

    def skip(self, head_id: bytes) -> None:
        """Send no more of the range to that head, if there is one."""
        job = self._job_of.pop(head_id, None)
        if job is not None:
            job.cancelled = True
            self.planned = minus(self.planned, job.left)

    def read_batch(self) -> tuple[list[Group], Totals]:
        """The next records, up to `BATCH_BYTES` (or one larger record); nothing where all was read."""
        groups: list[Group] = []
        totals = Totals()
        while self._heap and totals.bytes < limits.BATCH_BYTES and totals.entries < limits.BATCH_RECORDS_MAX:
            job = self._heap[0][-1]
            records = [] if job.cancelled else self._read(job, totals)
            read = count(records)
            if groups and totals.bytes + read.bytes > limits.BATCH_BYTES:
                break  # one large record: it opens the next batch
            if records:
                groups.append(Group(job.head, records))
                totals = plus(totals, read)
                job.next_seq += len(records)
                job.left = minus(job.left, read)
            if not records or job.next_seq > job.range.last_seq:
                heapq.heappop(self._heap)
                self._finish(job)
        return groups, totals

    def _read(self, job: _Job, so_far: Totals) -> list[bytes]:
        return self._log.read_range(
            job.range,
            job.next_seq,
            bytes_max=limits.BATCH_BYTES - so_far.bytes,
            count_max=limits.BATCH_RECORDS_MAX - so_far.entries,
        )

    def _finish(self, job: _Job) -> None:
        if job.cancelled:
            return
        del self._job_of[job.range.head_id]
        self.planned = minus(self.planned, job.left)  # a miscount, or what is gone
        if job.next_seq <= job.range.last_seq:
            self.gone.append(job.range.head_id)
