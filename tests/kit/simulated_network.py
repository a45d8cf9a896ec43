"""Nodes that run the real session code over a simulated network, driven by one seeded random generator and no clock.

Time is a number that jumps from event to event. A connection is a stream of frames; faults lose, repeat, reorder or delay
them, reset it, cut nodes off, and crash them between two batches. Every node keeps the real State of what it holds. A liar is
a node whose log tells its peers something else than what it holds.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from random import Random

from gonk_node.core.entry import Entry, decode_record, without_bodies
from gonk_node.core.heads import Head, Range, heads_digest
from gonk_node.core.outcome import Outcome
from gonk_node.core.verify import verify_entry
from gonk_node.errors import GonkError, InvalidEntryError
from gonk_node.sync.channel import Channel
from gonk_node.sync.messages import Ping
from gonk_node.sync.outputs import (
    Closed,
    Cursor,
    Failed,
    Ingest,
    NotDelivered,
    Output,
    SaveCursor,
    Synced,
    TakeStanding,
)
from gonk_node.sync.session import Session
from kit.authors import TestAuthor
from kit.stateful_log import StatefulLog

TICK_MS = 5_000
EVENTS_MAX = 200_000  # a simulation that takes more does not end
FRAME_FAULTS = ("lost", "repeated", "reordered", "reset")  # damage is noticed by TLS: a reset
LIES = ("damaged records", "heads that are not", "withheld bodies", "wrong digests", "flood")


class LyingLog(StatefulLog):
    """A log that shows its peers something else than what it holds."""

    lie: str = ""

    def heads_since(self, lsn: int) -> list[Head]:
        heads = super().heads_since(lsn)
        if self.lie == "heads that are not":
            heads += [Head(head.author, head.log_id, head.seq + 1000, head.entry_id[::-1]) for head in heads[:3]]
        return heads

    def read_range(self, range_: Range, first_seq: int, *, bytes_max: int, count_max: int) -> list[bytes]:
        records = super().read_range(range_, first_seq, bytes_max=bytes_max, count_max=count_max)
        if self.lie == "damaged records":
            middle = len(records[-1]) // 2
            records[-1] = records[-1][:middle] + bytes([records[-1][middle] ^ 1]) + records[-1][middle + 1 :]
        if self.lie == "withheld bodies":
            return [without_bodies(decode_record(record), {0}).record for record in records]
        return records

    def state_digest(self) -> bytes:
        digest = super().state_digest()
        return digest[::-1] if self.lie == "wrong digests" else digest


class Node:
    """A replica, its author, and what it remembers of its peers."""

    def __init__(self, name: str, log: StatefulLog, author: TestAuthor) -> None:
        self.name = name
        self.log = log
        self.author = author
        self.instance = name.encode().ljust(16, b"\0")
        self.cursors: dict[str, Cursor] = {}
        self.ends: list[End] = []
        self.is_up = True

    @property
    def is_liar(self) -> bool:
        return isinstance(self.log, LyingLog)


class End:
    """One side of a connection."""

    def __init__(self, node: Node, session: Session) -> None:
        self.node = node
        self.session = session
        self.other: End = self
        self.is_open = True
        self.arrives = 0  # when the last frame on its way to this end arrives
        self.ingests = 0  # when the last batch given to the write path is through
        self.epoch = 0  # whether faults were over when it was opened


class Simulation:
    """One seeded run.

    Attributes:
        outcomes: what became of ingested records, over all nodes.
        failures: errors that ended sessions, by class name.
        false_alarms: errors between honest nodes in sessions opened after the faults ended; there must be none.
    """

    def __init__(self, seed: int, count: int, *, lie: str = "") -> None:
        self.random = Random(seed)
        self.now = 0
        self.faults = False
        self.outcomes: Counter[Outcome] = Counter()
        self.failures: Counter[str] = Counter()
        self.false_alarms: list[str] = []
        self.not_delivered = 0
        self.synced: list[tuple[str, str, Synced]] = []
        self._seed = seed
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = itertools.count()
        self._verified: dict[bytes, Entry | InvalidEntryError] = {}
        self._cut: set[frozenset[str]] = set()
        self._epoch = 0
        authors = [TestAuthor(f"root of {seed}"), *(TestAuthor(f"{seed}/{index}") for index in range(1, count))]
        recovery = [authors[-1].author] if self.random.random() < 0.3 else []
        genesis = authors[0].genesis(approvals=self.random.choice((1, 1, 1, 2)), recovery=recovery)
        self.nodes: list[Node] = []
        for index, author in enumerate(authors):
            lies = bool(lie) and index == count - 1
            log = (LyingLog if lies else StatefulLog)(genesis.entry_id, verify=self._verify)
            if isinstance(log, LyingLog):
                log.lie = lie
            author.dataset = genesis.entry_id
            log.ingest([genesis.record])
            self.nodes.append(Node(f"node{index}", log, author))

    @property
    def honest(self) -> list[Node]:
        return [node for node in self.nodes if not node.is_liar]

    # --- time --------------------------------------------------------------------------------------------------

    def at(self, delay_ms: int, act: Callable[[], None]) -> None:
        """Do something later."""
        heapq.heappush(self._events, (self.now + delay_ms, next(self._serial), act))

    def run(self, until_ms: int, stop: Callable[[], bool] = lambda: False) -> bool:
        """Let time go on; returns whether `stop` came true before the end."""
        for _ in range(EVENTS_MAX):
            if stop():
                return True
            if not self._events or self._events[0][0] > until_ms:
                self.now = until_ms
                return stop()
            self.now, _, act = heapq.heappop(self._events)
            act()
        raise AssertionError(f"seed {self._seed}: no end after {EVENTS_MAX} events")

    # --- connections -------------------------------------------------------------------------------------------

    def connect(self, one: Node, other: Node, *, again: bool = False) -> None:
        """Open a session between two nodes; `again`: whenever it ends, open a new one."""
        link = frozenset((one.name, other.name))
        if not (one.is_up and other.is_up) or (self.faults and link in self._cut):
            if again:
                self.at(self.random.randint(2_000, 20_000), lambda: self.connect(one, other, again=True))
            return
        ends = [End(one, self._session(one, other, True)), End(other, self._session(other, one, False))]
        for end, opposite in (ends, ends[::-1]):
            end.other = opposite
            end.epoch = self._epoch
            end.node.ends.append(end)
            end.session.start(end.node.log.standing())
            if getattr(end.node.log, "lie", "") == "flood":
                end.session._outbox.extend(Ping() for _ in range(self.random.choice([0, 0, 0, 1100])))
            self.at(TICK_MS, lambda end=end: self._tick(end))
        if again:
            self._watch(ends[0])
        for end in ends:
            self._pump(end)

    def _watch(self, end: End) -> None:
        def look() -> None:
            if end.is_open or end.other.is_open:
                self._watch(end)
            else:
                self.connect(end.node, end.other.node, again=True)

        self.at(self.random.randint(3_000, 15_000) * (4 if end.other.node.is_liar else 1), look)

    def _session(self, node: Node, peer: Node, is_client: bool) -> Session:
        channel = Channel()
        channel.open()
        return Session(
            channel,
            node.log,
            dataset=node.log.dataset,
            instance=node.instance,
            cursor=node.cursors.get(peer.name),
            is_client=is_client,
            now_ms=self.now,
        )

    def close_all(self) -> None:
        """End all sessions in order."""
        for node in self.nodes:
            for end in list(node.ends):
                end.session.close()
                self._pump(end)

    def _drop(self, end: End) -> None:
        end.is_open = False
        if end in end.node.ends:
            end.node.ends.remove(end)

    def _tick(self, end: End) -> None:
        if end.is_open:
            end.session.tick(self.now)
            self._pump(end)
            self.at(TICK_MS, lambda: self._tick(end))

    def _pump(self, end: End) -> None:
        """Send what a session has to send, and do what it asks for."""
        while end.is_open:
            frames = end.session.next_frames()
            outputs = end.session.outputs()
            for frame in frames:
                self._send(end, frame)
            for output in outputs:
                self._handle(end, output)
            if not frames and not outputs:
                return

    def _handle(self, end: End, output: Output) -> None:
        match output:
            case Ingest(records, cited):
                end.ingests = max(end.ingests, self.now) + self.random.randint(1, 30)
                self.at(end.ingests - self.now, lambda: self._ingest(end, records, cited))
            case TakeStanding(whole):
                end.session.standing(end.node.log.standing(whole))
            case SaveCursor(cursor):
                end.node.cursors[end.other.node.name] = cursor
            case NotDelivered(entry_ids):
                self.not_delivered += len(entry_ids)
            case Synced():
                self.synced.append((end.node.name, end.other.node.name, output))
            case Failed(error):
                self._failed(end, error)
                self._drop(end)
            case Closed():
                self._drop(end)

    def _failed(self, end: End, error: GonkError) -> None:
        self.failures[type(error).__name__] += 1
        honest = not (end.node.is_liar or end.other.node.is_liar)
        if honest and not self.faults and end.epoch == self._epoch:
            self.false_alarms.append(f"{end.node.name} with {end.other.node.name}: {error!r}")

    # --- the network -------------------------------------------------------------------------------------------

    def _send(self, end: End, frame: bytes) -> None:
        fault = ""
        if self.faults:
            if frozenset((end.node.name, end.other.node.name)) in self._cut:
                return
            if self.random.random() < 0.01:
                fault = self.random.choice(FRAME_FAULTS)
        if fault == "lost":
            return
        if fault == "reset":
            self._drop(end)
            self.at(100, lambda: self._drop(end.other))
            return
        delay = self.random.randint(1, 200)
        arrives = max(self.now + delay, end.other.arrives)
        if fault == "reordered":
            arrives += 500  # those that follow overtake it
        else:
            end.other.arrives = arrives
        for _ in range(2 if fault == "repeated" else 1):
            self.at(arrives - self.now, lambda: self._arrive(end.other, frame))

    def _arrive(self, end: End, frame: bytes) -> None:
        if end.is_open:
            end.session.receive(frame)
            self._pump(end)

    # --- nodes -------------------------------------------------------------------------------------------------

    def _verify(self, record: bytes, dataset: bytes | None) -> Entry:
        """`verify_entry`, once per record for all nodes: what is true of bytes is true everywhere."""
        if record not in self._verified:
            try:
                self._verified[record] = verify_entry(record, dataset)
            except InvalidEntryError as error:
                self._verified[record] = error
        verdict = self._verified[record]
        if isinstance(verdict, InvalidEntryError):
            raise verdict
        return verdict

    def _ingest(self, end: End, records: list[bytes], cited: bool) -> None:
        if not end.is_open:
            return  # a crash, or the session ended: this batch was not durable
        results = end.node.log.ingest(records, cited)
        self.outcomes.update(result.outcome for result in results)
        end.session.ingested(results)
        self._pump(end)
        self._appended(end.node)

    def _appended(self, node: Node) -> None:
        for end in list(node.ends):
            end.session.appended(node.log.last_lsn())
            self._pump(end)

    def write(self, node: Node, *entries: Entry) -> None:
        """Entries that were signed at that node."""
        results = node.log.ingest([entry.record for entry in entries], cited=True)
        assert all(result.outcome in (Outcome.INSERTED, Outcome.DUPLICATE) for result in results), results
        self._appended(node)

    def crash(self, node: Node, down_ms: int) -> None:
        """The process dies: batches that were not ingested are lost, every connection, and now and then the State."""
        for end in list(node.ends):
            self._drop(end)
        node.is_up = False
        if self.random.random() < 0.5:
            node.log.lose_state()
        else:
            node.log.restart()

        def restart() -> None:
            node.is_up = True

        self.at(down_ms, restart)

    def restore(self, node: Node, backup: StatefulLog) -> None:
        """An older copy of the log takes the place of this one; as a store of its own, and nothing signed is lost."""
        self.crash(node, 1)
        backup.ingest([entry.record for entry in node.author.entries])
        node.log = backup
        node.cursors = {}
        node.instance = self.random.randbytes(16)

    def cut(self, one: Node, other: Node) -> None:
        """Nothing passes between the two, until `heal`."""
        self._cut.add(frozenset((one.name, other.name)))

    def heal(self) -> None:
        """No more faults from here on."""
        self.faults = False
        self._cut.clear()
        self._epoch += 1
        for node in self.nodes:
            node.is_up = True

    def is_open(self, node: Node) -> bool:
        """Whether a node knows that it lacks entries or bodies, so that its State may differ from others'."""
        return bool(node.log.wanted() or node.log.missing_bodies())

    def agree(self) -> bool:
        """Whether all honest nodes hold the same entries."""
        return len({heads_digest(node.log.heads()) for node in self.honest}) == 1
