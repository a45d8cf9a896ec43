"""Files of past States, `at/<heads digest>.db` beside a dataset's `state.db`: where they are, and that few are kept.

Disposable, as `state.db` is. What is erased from the log must not live on in one of them, so erasing discards them all. What
is in them is for `releases.snapshot`.
"""

from __future__ import annotations

import os
from pathlib import Path

from gonk_node.core.limits import SNAPSHOTS_KEPT_MAX
from gonk_node.errors import StorageError
from gonk_node.store.private_file import locked_folder, make_private_folder
from gonk_node.store.state_db import delete_state

_SUFFIX = ".db"


def folder_beside(state_db: Path) -> Path:
    """Where past States of the dataset with that `state.db` are."""
    return state_db.parent / "at"


def path_of(state_db: Path, name: str) -> Path:
    """The file of one past State; it may be missing."""
    return folder_beside(state_db) / f"{name}{_SUFFIX}"


def place_for(state_db: Path, name: str) -> Path:
    """The file of one past State, the last used from now on; makes room for it.

    Raises:
        StorageError: the folder cannot be made, or what is too many cannot be deleted.
    """
    folder = folder_beside(state_db)
    make_private_folder(folder)
    path = path_of(state_db, name)
    others = [each for each in _by_age(folder) if each != path]
    for old in others[SNAPSHOTS_KEPT_MAX - 1 :]:
        discard(old)
    return path


def mark_used(path: Path) -> None:
    """Note that the file was used just now."""
    try:
        os.utime(path)
    except OSError:
        pass  # another process has just deleted it


def discard_all(state_db: Path) -> None:
    """Delete every past State of a dataset; who has one open goes on with it until he closes it."""
    folder = folder_beside(state_db)
    if folder.is_dir():
        for path in _by_age(folder):
            discard(path)


def _by_age(folder: Path) -> list[Path]:
    """The files there, the last used first."""
    found = []
    for path in folder.glob(f"*{_SUFFIX}"):
        try:
            found.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:
            continue
    return [path for _, path in sorted(found, reverse=True)]


def discard(path: Path) -> None:
    """Delete one past State, while nobody opens it; who has it open goes on with it until he closes it.

    Raises:
        StorageError: it cannot be deleted.
    """
    try:
        with locked_folder(path.parent):
            delete_state(path)
    except OSError as error:
        raise StorageError(f"cannot be deleted: {error.strerror}", where=str(path)) from error
