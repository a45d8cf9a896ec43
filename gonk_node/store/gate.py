"""Lets readers pass freely, but not while the memory map they read from is being replaced. Knows nothing of LMDB."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Counts readers; `closed` waits until none is left and keeps new ones out. Readers must not nest in one thread."""

    __slots__ = ("_changed", "_closing", "_inside")

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._inside = 0
        self._closing = False

    def enter(self) -> None:
        """Come in as a reader; waits while the gate is closed."""
        with self._changed:
            while self._closing:
                self._changed.wait()
            self._inside += 1

    def leave(self) -> None:
        """Go out again."""
        with self._changed:
            self._inside -= 1
            if self._closing and not self._inside:
                self._changed.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Run the body with no reader inside. One closer at a time: the writer thread."""
        with self._changed:
            self._closing = True
            while self._inside:
                self._changed.wait()
        try:
            yield
        finally:
            with self._changed:
                self._closing = False
                self._changed.notify_all()
