"""Folders that this process may read and not change: a read-only mount, another user's. Found before a store is opened.

Nothing is made beside what is there: no locks, no logs of SQLite. So nobody who writes there from elsewhere knows that
somebody reads, and readers look after each read whether that may have harmed it. What is read is not known here.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from gonk_node.errors import ReadOnlyError, StorageError, StoreLockedError

_REFUSALS = (errno.EROFS, errno.EACCES, errno.EPERM)  # a mount, the modes, what chattr(1) has fixed


def can_write(folder: Path, *files: Path) -> bool:
    """Whether files may be made in a folder, and those of `files` that are there be changed; by whatever decides that."""
    return os.access(folder, os.W_OK | os.X_OK) and all(os.access(file, os.W_OK) for file in files if file.exists())


def is_refusal(error: OSError) -> bool:
    """Whether a write failed since nothing may be written there."""
    return error.errno in _REFUSALS


def refused(where: Path | str) -> ReadOnlyError:
    """The error for whoever wants to write nonetheless."""
    return ReadOnlyError(
        "this node's folder is read-only here",
        where=str(where),
        hint="it can be read, verified and exported; change it where it can be written to",
    )


def hidden(where: Path | str) -> StorageError:
    """The error where this user may not even read."""
    return StorageError("you may not read what is here", where=str(where), hint="is it another user's?")


def changed(where: Path | str) -> StoreLockedError:
    """The error for who read what somebody was changing."""
    return StoreLockedError(
        "somebody wrote to this folder while it was read here, where it is read-only and no lock can be held",
        where=str(where),
        hint="try again; if that happens often, read a copy of the folder",
    )
