"""Where this node is served just now: a file in its folder, which `gonk serve` writes and holds a lock on while it runs.

So `gonk share` beside it knows the port that is really listened on; what a killed server left there has no lock, and counts
for nothing. Connects nowhere.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_log = logging.getLogger(__name__)

_BYTES_MAX = 1000
_TRIES = 10  # a reader holds its lock for less than a millisecond
_PAUSE_SECONDS = 0.01


class Listening(NamedTuple):
    """The address on which peers are served: of the interface, as the settings give it, and the port."""

    host: str
    port: int


@contextmanager
def marked(path: Path, listening: Listening) -> Iterator[None]:
    """While this lasts, `served_at` gives that address. Without effect where another server runs, or the disk refuses."""
    try:
        held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        _log.warning("gonk share will not know where this node is served: %s: %s", path, error.strerror)
        yield
        return
    try:
        if not _take(held):
            yield
            return
        try:
            os.ftruncate(held, 0)
            os.write(held, json.dumps(listening._asdict()).encode() + b"\n")
            yield
        finally:
            with suppress(OSError):
                path.unlink()
    finally:
        os.close(held)


def served_at(path: Path) -> Listening | None:
    """Where a server that runs now says that it listens; None without one."""
    try:
        held = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if _is_free(held):
            return None
        said = json.loads(os.read(held, _BYTES_MAX))
        return Listening(str(said["host"]), int(said["port"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    finally:
        os.close(held)


def _is_free(held: int) -> bool:
    """Whether nobody holds a lock on an open file."""
    try:
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take(held: int) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
    return False
