"""What an error of LMDB means for the user: which of gonk's errors, and what to do next. Raises nothing itself."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import lmdb

from gonk_node.core.limits import MIB
from gonk_node.errors import DamagedStoreError, DiskFullError, GonkError, StorageError, StoreLockedError
from gonk_node.store import read_only

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DAMAGED = (
    lmdb.BadValsizeError,
    lmdb.CorruptedError,
    lmdb.IncompatibleError,
    lmdb.InvalidError,
    lmdb.PageNotFoundError,
    lmdb.VersionMismatchError,
)
_LITTLE_SPACE = 16 * MIB


def explain(error: lmdb.Error, path: Path) -> GonkError:
    """The gonk error for an error that LMDB raised on the environment at `path`."""
    where = str(path)
    if error.code in _FULL or (error.code == errno.EIO and _out_of_space(path)):
        return DiskFullError(
            "there is no space left to write to; what was saved before is kept",
            where=where,
            hint="make space, then start gonk again",
        )
    if isinstance(error, _DAMAGED):
        return DamagedStoreError(f"the file is damaged: {error}", where=where, hint="run `gonk fsck`")
    if isinstance(error, lmdb.ReadersFullError | lmdb.LockError):
        return StoreLockedError(f"too many readers, or locked: {error}", where=where, hint="close other gonk processes")
    if error.code in (errno.EACCES, errno.EPERM):
        return read_only.hidden(where)
    return StorageError(
        f"the disk failed: {error}", where=where, hint="check the disk, then run `gonk fsck` before going on"
    )


def _out_of_space(path: Path) -> bool:
    """LMDB reports a short write as an I/O error: tell a full disk, or a file at its size limit, from a broken disk."""
    try:
        disk = os.statvfs(path)
        size = (path / "data.mdb").stat().st_size
    except OSError:
        return False
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return disk.f_bavail * disk.f_frsize < _LITTLE_SPACE or (
        limit != resource.RLIM_INFINITY and limit - size < _LITTLE_SPACE
    )
