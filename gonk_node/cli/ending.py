"""How a command ends that is cut short: by SIGTERM, which tidies up as Ctrl-C does, or since nobody takes its output."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from gonk_node.errors import OutputError

INTERRUPTED = 130  # as shells count: 128 and the number of the signal
TERMINATED = 143


class Ending:
    """Why a command was stopped, once it was; `code` is its exit code then."""

    code = INTERRUPTED


@contextmanager
def stoppable(ending: Ending) -> Iterator[None]:
    """While this lasts, SIGTERM does what Ctrl-C does, once: a second one does not cut the tidying up short.

    A command with a handler of its own (`gonk serve`) replaces it while it runs. Without effect outside of the main thread.
    """

    def terminate(_: int, frame: FrameType | None) -> None:
        if ending.code == TERMINATED:
            return
        ending.code = TERMINATED
        interrupt = signal.getsignal(signal.SIGINT)  # asyncio's, while a loop runs; none, in the background of a script
        if callable(interrupt):
            interrupt(signal.SIGINT, frame)
        else:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)


@contextmanager
def writing() -> Iterator[None]:
    """Around what writes to standard output.

    Raises:
        BrokenPipeError: the reader has gone. OutputError: it cannot be written (a full disk, a terminal that is gone).
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"standard output cannot be written: {error.strerror}",
            hint="what was printed is not complete; what the command did before that is done",
        ) from error


def write_bytes(pieces: Iterable[bytes]) -> None:
    """Write bytes to standard output, behind what was printed; raises as `writing`."""
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    flush_output()
    for piece in pieces:
        with writing():
            sys.stdout.buffer.write(piece)
    with writing():
        sys.stdout.buffer.flush()


def flush_output() -> None:
    """Write what standard output still holds; raises as `writing`."""
    if sys.stdout is not None:  # closed by who started it
        with writing():
            sys.stdout.flush()


def drop_output() -> None:
    """Let what standard output still holds, and cannot be written, go nowhere: it would fail once more at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
