"""Nodes that programs of this process read: opened once for all who share a folder, and safe where the process forks.

LMDB and SQLite do not survive a fork. So all that is open here is closed before one, after the reads under way, and opened
anew at the next read: by the parent and by the child, each for itself. What is read is not known here.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from gonk_node.config import load_config
from gonk_node.core.heads import Head
from gonk_node.core.times import parse_time
from gonk_node.errors import NotFoundError, UsageError
from gonk_node.home import Home
from gonk_node.node.node import Node
from gonk_node.node.on_demand import BlockingOnDemand
from gonk_node.replica.reading.samples import Samples
from gonk_node.replica.releases.releases import Releases
from gonk_node.replica.releases.snapshot import Snapshot, heads_at_time, snapshot_at
from gonk_node.replica.replica import Replica
from gonk_node.store.gate import Gate

Heads = tuple[Head, ...]


class OpenNode:
    """A node and what was opened of it to be read. Used within a lease only.

    Attributes:
        node: the node.
        on_demand: fetches content that is not here.
    """

    def __init__(self, home: Home) -> None:
        self.node = Node.open(home, load_config(home))
        self.on_demand = BlockingOnDemand(self.node)
        self._lock = threading.Lock()
        self._present: dict[bytes, Samples] = {}
        self._past: dict[tuple[bytes, Heads], tuple[Snapshot, Samples]] = {}

    def replica(self, dataset: bytes) -> Replica:
        """The dataset of that id."""
        return self.node.replica_of(self.node.known.by_id(dataset))

    def samples(self, dataset: bytes, heads: Heads | None) -> Samples:
        """What counts in a dataset now, or (heads) counted there; the latter may take a while the first time."""
        with self._lock:
            if heads is not None:
                return self._snapshot(dataset, heads)[1]
            if dataset not in self._present:
                self._present[dataset] = Samples(self.replica(dataset).db)
            return self._present[dataset]

    def state_digest(self, dataset: bytes, heads: Heads | None) -> bytes:
        """The State digest now or at heads, 32 bytes."""
        if heads is None:
            return self.replica(dataset).state_digest()
        with self._lock:
            return self._snapshot(dataset, heads)[0].state_digest()

    def past(self, dataset: bytes, when: str | int) -> Heads:
        """The heads of a release, which is verified, or of a time.

        Args:
            dataset: its id.
            when: a release's tag, or a time as text, or in milliseconds since 1970 UTC.

        Raises:
            NotFoundError: neither a release nor a time, or the dataset is younger. As of `Releases.snapshot_of`.
        """
        replica = self.replica(dataset)
        replica.catch_up()  # who is an owner is kept in memory, and other processes may have learnt more
        if isinstance(when, str):
            try:
                snapshot = Releases(replica).snapshot_of(when)
            except NotFoundError as no_release:
                try:
                    when = parse_time(when)
                except UsageError:
                    raise no_release from None
            else:
                return self._keep(dataset, snapshot)
        return self._keep(dataset, snapshot_at(replica, heads_at_time(replica, when)))

    def _keep(self, dataset: bytes, snapshot: Snapshot) -> Heads:
        with self._lock:
            key = (dataset, snapshot.heads)
            if key in self._past:
                snapshot.close()
            else:
                self._past[key] = snapshot, Samples(snapshot.db)
            return key[1]

    def _snapshot(self, dataset: bytes, heads: Heads) -> tuple[Snapshot, Samples]:
        key = (dataset, heads)
        if key not in self._past:
            snapshot = snapshot_at(self.replica(dataset), heads)
            self._past[key] = snapshot, Samples(snapshot.db)
        return self._past[key]

    def close(self) -> None:
        """Close all of it."""
        self.on_demand.close()
        for snapshot, _ in self._past.values():
            snapshot.close()
        self.node.close()


class _Process:
    """What this process has open."""

    def __init__(self) -> None:
        self.gate = Gate()  # leases are inside; a fork waits until none is
        self.lock = threading.RLock()
        self.open: dict[Path, OpenNode] = {}
        self.uses: Counter[Path] = Counter()
        self.given_up: deque[Path] = deque()  # uses that nobody closed: only noted where they are collected
        self.unpickled: weakref.WeakValueDictionary[Path, Opening] = weakref.WeakValueDictionary()
        self._forking: AbstractContextManager[None] | None = None

    def settle(self) -> None:
        """Close the nodes that nobody uses any more (with the lock held)."""
        while self.given_up:
            self.uses[self.given_up.popleft()] -= 1
        for root in [root for root in self.open if self.uses[root] <= 0]:
            self.open.pop(root).close()

    def before_fork(self) -> None:
        """Wait for reads under way, keep new ones out, and close everything."""
        self._forking = self.gate.closed()
        self._forking.__enter__()
        self.lock.acquire()
        for root in list(self.open):
            self.open.pop(root).close()

    def after_fork(self) -> None:
        """Let reads go on, in the parent."""
        self.lock.release()
        if self._forking is not None:
            self._forking.__exit__(None, None, None)
            self._forking = None

    def after_fork_in_child(self) -> None:
        """Begin with locks of its own: threads that held the old ones are not here."""
        self.gate, self.lock, self._forking = Gate(), threading.RLock(), None


_process = _Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_process.before_fork,
        after_in_parent=_process.after_fork,
        after_in_child=_process.after_fork_in_child,
    )


class Opening:
    """One use of the node in a folder, from now until it is closed. Thread-safe; may be pickled, and used after a fork.

    Args:
        root: the node's folder.

    Attributes:
        root: the same.
        is_closed: whether it was closed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.is_closed = False
        with _process.lock:
            _process.settle()
            _process.uses[root] += 1
        self._give_up = weakref.finalize(self, _process.given_up.append, root)

    @contextmanager
    def lease(self) -> Iterator[OpenNode]:
        """The open node; it stays open until the body ends, which must begin no other lease and call no user's code.

        Raises:
            UsageError: the dataset was closed. NotFoundError: there is no node any more. As the stores say.
        """
        gate = _process.gate
        gate.enter()
        try:
            yield self._node()
        finally:
            gate.leave()

    def _node(self) -> OpenNode:
        with _process.lock:
            if self.is_closed:
                raise UsageError("the dataset is closed", where=str(self.root), hint="open_dataset opens it anew")
            _process.settle()
            if self.root not in _process.open:
                _process.open[self.root] = OpenNode(Home(self.root))
            return _process.open[self.root]

    def close(self) -> None:
        """End the use; closing again does nothing."""
        with _process.lock:
            self.is_closed = True
            self._give_up()  # does nothing the second time
            _process.settle()

    def __reduce__(self) -> tuple[object, ...]:
        return _unpickled, (self.root, self.is_closed)


def _unpickled(root: Path, is_closed: bool) -> Opening:
    """One for all that came from another process and is still used: batches come by the thousand.

    Where it was closed there, it is closed here too, as for a child that was forked.
    """
    if is_closed:
        closed = Opening(root)
        closed.close()
        return closed
    with _process.lock:
        found = _process.unpickled.get(root)
        if found is None or found.is_closed:
            found = _process.unpickled[root] = Opening(root)
        return found
