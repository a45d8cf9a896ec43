"""The one thread that writes to an LMDB environment: groups what waits into one flush, grows the map, stops at a fault.

LMDB ties a write transaction to its thread, and one committed elsewhere blocks the next writer for ever. What the
changes do is not known here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import lmdb

from gonk_node.core.limits import GROUP_CHANGES_MAX
from gonk_node.errors import DiskFullError, GonkError
from gonk_node.store.faults import explain
from gonk_node.store.gate import Gate

T = TypeVar("T")
Txn: TypeAlias = "lmdb.Transaction[bytes]"
Change: TypeAlias = Callable[[Txn], Any]


class Writer:
    """Runs changes in order of submission, each whole or not at all, and tells once they are on the disk."""

    def __init__(self, env: lmdb.Environment, path: Path, gate: Gate, map_bytes_max: int) -> None:
        self._env = env
        self._path = path
        self._gate = gate
        self._map_bytes_max = map_bytes_max
        self._fault: GonkError | None = None
        self._waiting: deque[tuple[Change, Future[Any]]] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"lmdb {path.name}")
        self._thread_id = self._thread.submit(threading.get_ident).result()

    def submit(self, change: Callable[[Txn], T]) -> Future[T]:
        """Run a change in a write transaction; the future has its result once it is durable."""
        self.refuse_after_fault()
        if threading.get_ident() == self._thread_id:
            raise RuntimeError("a write inside a write would wait for itself")
        future: Future[T] = Future()
        self._waiting.append((change, future))
        self._thread.submit(self._drain)
        return future

    def run(self, task: Callable[[], T]) -> T:
        """Run something on the writer thread, outside any transaction, and wait for it."""
        return self._thread.submit(task).result()

    def adopt_map(self) -> None:
        """Take over the map size that another process gave the file."""
        self.run(lambda: self._resize(0))

    def renew_map(self) -> None:
        """Replace the map by one that is alike, soon: until then all pages that were read count as this process's memory."""
        with suppress(RuntimeError):  # closed meanwhile
            self._thread.submit(lambda: self._resize(self._env.info()["map_size"]))

    def close(self) -> None:
        """Finish what waits, and end the thread."""
        self._thread.shutdown(wait=True)

    def refuse_after_fault(self) -> None:
        """After the first fault of the disk nothing is written any more: raise an error that names it."""
        if self._fault is not None:
            what = f"no more is written since this fault: {self._fault.what}"
            raise type(self._fault)(what, where=str(self._path), hint=self._fault.hint)

    def _drain(self) -> None:
        """Run what waits, in groups of one transaction and so one flush each."""
        group: list[tuple[Change, Future[Any]]] = []
        while self._waiting and len(group) < GROUP_CHANGES_MAX:
            change, future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                group.append((change, future))
        try:
            results = self._run([change for change, _ in group]) if group else []
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            if len(group) == 1 or self._fault is not None:
                for _, future in group:
                    future.set_exception(error)
            else:  # one of them failed: each for itself
                for change, future in group:
                    self._run_alone(change, future)
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)

    def _run_alone(self, change: Change, future: Future[Any]) -> None:
        try:
            (result,) = self._run([change])
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            future.set_exception(error)
        else:
            future.set_result(result)

    def _run(self, changes: Sequence[Change]) -> list[Any]:
        while True:
            self.refuse_after_fault()
            try:
                return self._transact(changes)
            except lmdb.MapFullError:
                self._grow()
            except lmdb.MapResizedError:
                self._resize(0)
            except lmdb.Error as error:
                self._fault = explain(error, self._path)
                raise self._fault from error

    def _transact(self, changes: Sequence[Change]) -> list[Any]:
        txn = self._env.begin(write=True)
        try:
            results = [change(txn) for change in changes]
            txn.commit()
        except BaseException:
            with self._gate.closed():  # py-lmdb's `abort` waits for a moment without readers: else for minutes
                txn.abort()
            raise
        return results

    def _grow(self) -> None:
        size = 2 * self._env.info()["map_size"]
        if size > self._map_bytes_max:
            raise DiskFullError(
                f"the store has reached its limit of {self._map_bytes_max} bytes", where=str(self._path)
            )
        self._resize(size)

    def _resize(self, size: int) -> None:
        """Replace the map; 0 adopts the size that another process gave it."""
        with self._gate.closed():
            try:
                self._env.set_mapsize(size)
            except lmdb.Error as error:
                self._fault = explain(error, self._path)
                raise self._fault from error
