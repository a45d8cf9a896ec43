"""Group commit: writes that wait at one time share entries, one flush and one fold; each is answered once it is durable.

What a write proposes is checked right before it is signed, on the one thread that signs, against a State that has all
earlier writes which touch the same things. What may be signed is decided in `proposing` and `governing`, not here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from gonk_node.core.codec import CodecError
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import Event
from gonk_node.core.ids import EventRef
from gonk_node.core.limits import GROUP_BYTES_MAX, GROUP_EVENTS_MAX, GROUP_WAITING_MAX
from gonk_node.errors import BusyError
from gonk_node.replica.ingest import UnsignedEntry, unsignable
from gonk_node.replica.replica import Replica
from gonk_node.replica.signing.author import Author

T = TypeVar("T")


class Draft(NamedTuple, Generic[T]):
    """What one write signs, and what its caller wants back.

    Attributes:
        event: refers to nothing by an empty entry id: others may stand before it in its entry.
        answer: handed back in `Committed`.
        after_ms: the latest time of what the event refers to, milliseconds since 1970 UTC; see `Ingest.sign`.
    """

    event: Event
    answer: T
    after_ms: int = 0


class Committed(NamedTuple, Generic[T]):
    """What became of a write: the event, durable and folded, the draft's answer, and the time of its entry (ms)."""

    ref: EventRef
    answer: T
    time_ms: int


class _Write(NamedTuple):
    author: Author
    touches: frozenset[bytes]
    prepare: Callable[[], Draft[Any]]
    future: Future[Committed[Any]]


Answer: TypeAlias = Callable[[], None]  # resolves the future of one write
_Part: TypeAlias = list[tuple[_Write, Draft[Any]]]  # what one author signs in one entry


class _Group:
    """What is signed together: for each author the drafts of one entry.

    Attributes:
        touched: what the group changes, and what those that it passed over are to change.
        passed: for each author, how many of those that wait were passed over, since what they touch is touched.
        answers: what the callers are to be told, once all of it is settled.
    """

    def __init__(self) -> None:
        self.touched: set[bytes] = set()
        self.passed: dict[bytes, int] = {}
        self.drafts: dict[bytes, _Part] = {}
        self.answers: list[Answer] = []
        self._events = 0
        self._size = 0

    @property
    def is_full(self) -> bool:
        """Whether it takes no more. What it has fits into one entry, were it all of one author."""
        return self._events >= GROUP_EVENTS_MAX or self._size >= GROUP_BYTES_MAX

    def take(self, write: _Write) -> None:
        """Check a write and take in what it signs; where that is refused, its caller is told why."""
        if not write.future.set_running_or_notify_cancel():
            return
        try:
            draft = write.prepare()
            size = len(encode_event(draft.event))
        except CodecError as error:
            self.refuse(write, unsignable(error))
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            self.refuse(write, error)
        else:
            self.drafts.setdefault(write.author.key, []).append((write, draft))
            self.touched |= write.touches
            self._events += 1
            self._size += size

    def refuse(self, write: _Write, error: BaseException) -> None:
        """A write was not signed, and why."""
        self.answers.append(partial(write.future.set_exception, error))

    def refuse_all(self, part: _Part, error: BaseException) -> None:
        """The same of an author's whole entry."""
        for write, _ in part:
            self.refuse(write, error)


def _answer_here(answers: Sequence[Answer]) -> None:
    for answer in answers:
        answer()


class GroupCommit:
    """The writes of this process to one replica, of any number of authors and threads. Owns the thread that signs.

    Args:
        replica: the dataset.
        answering: is given what resolves the futures of one group, to call each, on whatever thread; by default on the one
            that signs.
    """

    def __init__(self, replica: Replica, answering: Callable[[Sequence[Answer]], None] = _answer_here) -> None:
        self._replica = replica
        self._answering = answering
        self._lock = threading.Lock()
        self._waiting: dict[bytes, deque[_Write]] = {}  # by author; who was served longest ago first
        self._count = 0  # writes and tasks that wait
        self._serving = False  # whether the thread is to look for writes, or does
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"commit {replica.dataset.hex()[:8]}")

    def submit(
        self, author: Author, touches: Collection[bytes], prepare: Callable[[], Draft[T]]
    ) -> Future[Committed[T]]:
        """Have one event signed by an author, together with what else waits.

        Args:
            author: whose key signs. What `Author.introduce` says goes before.
            touches: opaque ids of what the event changes (an entity's uuid, a content id, a schema's name, an event that is
                reviewed). Writes that share one are signed in different groups, those of one author in order of
                submission: the second is checked against a State that has the first.
            prepare: checks against the State and returns what is to be signed; called on the signing thread. What it raises
                is raised by the future, and nothing is signed for it; others are not disturbed.

        Returns:
            The outcome, once the event is durable and folded. It may be cancelled until `prepare` is called.
            Raises UsageError where the event breaks the format, and DiskFullError, StorageError as `Replica.sign` does.

        Raises:
            BusyError: too many wait already, or this was closed.
        """
        write = _Write(author, frozenset(touches), prepare, Future())
        with self._lock:
            self._admit()
            self._waiting.setdefault(author.key, deque()).append(write)
            if not self._serving:
                self._serving = True
                self._thread.submit(self._serve)
        return write.future

    def run(self, task: Callable[[], T]) -> Future[T]:
        """Run something that signs for itself (a grant, many reviews), in turn with the writes; it must wait for none.

        Raises:
            BusyError: as `submit`.
        """
        with self._lock:
            self._admit()
            future = self._thread.submit(task)
        future.add_done_callback(self._leave)
        return future

    def close(self) -> None:
        """Finish what waits, and end the thread; closing again does nothing. The replica stays open."""
        with self._lock:
            self._closed = True
        self._thread.shutdown(wait=True)

    def _admit(self) -> None:
        if self._closed:
            raise BusyError("this node is stopping; nothing was signed", hint="try again once it runs")
        if self._count >= GROUP_WAITING_MAX:
            raise BusyError(f"{self._count} writes wait to be signed; this one was not taken", hint="try again soon")
        self._count += 1

    def _leave(self, _: object) -> None:
        with self._lock:
            self._count -= 1

    # --- on the thread ----------------------------------------------------------------------------------

    def _serve(self) -> None:
        """Sign what waits, a group at a time; tasks that were there before the next group have their turn first."""
        while True:
            try:
                self._serve_group()
            finally:
                with self._lock:
                    is_done = not self._waiting
                    is_again = not is_done and not self._closed  # once it is closed, the thread takes no more calls
                    self._serving = not is_done
                    if is_again:
                        self._thread.submit(self._serve)
            if is_done or is_again:
                return

    def _serve_group(self) -> None:
        """Sign as much as makes one group; what comes while that is checked is taken along."""
        group = _Group()
        while not group.is_full and (write := self._next(group)) is not None:
            group.take(write)
        if group.drafts:
            self._sign(group)
        if group.answers:
            self._answering(group.answers)

    def _next(self, group: _Group) -> _Write | None:
        """Take the next write that may be signed with the group: of each author in turn, in order of submission."""
        with self._lock:
            for key, queue in self._waiting.items():
                at = group.passed.get(key, 0)
                while at < len(queue) and not group.touched.isdisjoint(queue[at].touches):
                    group.touched |= queue[at].touches
                    at += 1
                group.passed[key] = at
                if at < len(queue):
                    write = queue[at]
                    del queue[at], self._waiting[key]
                    if queue:
                        self._waiting[key] = queue  # now last
                    self._count -= 1
                    return write
        return None

    def _sign(self, group: _Group) -> None:
        """Sign an entry for each author."""
        parts = [part for part in group.drafts.values() if _introduced(group, part)]
        entries = [
            UnsignedEntry(
                part[0][0].author.signer, [draft.event for _, draft in part], [draft.after_ms for _, draft in part]
            )
            for part in parts
        ]
        try:
            results = self._replica.sign_group(entries) if entries else []
        except BaseException as error:  # noqa: BLE001 - the callers get it
            for part in parts:
                group.refuse_all(part, error)
            return
        for part, result in zip(parts, results, strict=True):
            if isinstance(result, Exception):
                group.refuse_all(part, result)
                continue
            for index, (write, draft) in enumerate(part):
                committed = Committed(EventRef(result.entry_id, index), draft.answer, result.header.time_ms)
                group.answers.append(partial(write.future.set_result, committed))


def _introduced(group: _Group, part: _Part) -> bool:
    """Whether what must go before the entry of an author is signed; his writes are refused where it cannot be."""
    try:
        part[0][0].author.introduce()
    except BaseException as error:  # noqa: BLE001 - the callers get it
        group.refuse_all(part, error)
        return False
    return True
