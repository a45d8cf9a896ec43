"""A folder that appears whole or not at all: filled under another name, flushed, renamed."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gonk_node.errors import DiskFullError, ExistsError, StorageError, StoreLockedError
from gonk_node.store import read_only


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give the body an empty folder `<path>.new` to fill; when it ends well, that becomes `path`.

    A leftover of a crash is emptied first. The lock on the folder keeps a second creator out.

    Raises:
        ExistsError: `path` exists.
        StoreLockedError: another process is creating it.
        ReadOnlyError, StorageError: the folder cannot be made; whatever the body raised, nothing is left behind.
    """
    new = path.with_name(path.name + ".new")
    try:
        new.mkdir(mode=0o700, exist_ok=True)
        held = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if read_only.is_refusal(error):
            raise read_only.refused(path) from error
        raise StorageError(f"the folder cannot be made: {error.strerror}", where=str(new)) from error
    try:
        _take(new, held)
        try:
            if path.exists():
                raise ExistsError("there is something here already", where=str(path))
            for leftover in new.iterdir():
                leftover.unlink()
            yield new
            os.fsync(held)
            new.rename(path)
            flush_folder(path.parent)
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            kind = DiskFullError if full else StorageError
            raise kind(f"it could not be created: {error.strerror}", where=str(path)) from error
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    finally:
        os.close(held)


def _take(new: Path, held: int) -> None:
    """Lock the folder, and make sure that it still has that name: another creator may just have renamed it."""
    busy = StoreLockedError("another process is creating this", where=str(new), hint="try again in a moment")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.fstat(held).st_ino == new.stat().st_ino
    except OSError:
        raise busy from None
    if not same:
        raise busy


def flush_folder(folder: Path) -> None:
    """Make names that were made, renamed or removed in a folder survive a power cut."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
