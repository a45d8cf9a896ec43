"""Small files that only their owner may read (0600): read with care, written whole or not at all.

A write goes to a new file beside the target, is flushed, and takes the target's name in one step; after a
crash the target is the old file or the new one. Knows nothing of what the files hold.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gonk_node.errors import DiskFullError, ExistsError, KeyFileError, StorageError
from gonk_node.store import read_only

FILE_MODE = 0o600
FOLDER_MODE = 0o700
_OTHERS = 0o077  # any right of the group or of others
_OTHERS_WRITE = 0o022

_NEW = ".new"
_LEFTOVER = re.compile(rf"\..+\.[0-9a-f]{{16}}{re.escape(_NEW)}")

Contents = bytes | Callable[[os.stat_result], bytes]
"""What to write: bytes, or a function of the new file's own stat (for a file that names its inode)."""


def make_private_folder(path: Path) -> None:
    """Create a folder that only its owner may enter (0700); an existing one is left as it is.

    Missing folders above it are created with the system's usual mode.

    Raises:
        ReadOnlyError, StorageError: it cannot be created.
    """
    with _disk_errors(path):
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a folder, which exists, for one change of what is in it; other processes and threads that want to, wait.

    Raises:
        StorageError: it cannot be opened, or its file system has no locks.
    """
    with _disk_errors(folder):
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with _disk_errors(folder):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)  # gives the lock back, as the end of the process does


def read_private(path: Path, *, bytes_max: int, is_secret: bool = True) -> bytes | None:
    """Read a file of at most `bytes_max` bytes; None where there is none. As `read_with_status`."""
    found = read_with_status(path, bytes_max=bytes_max, is_secret=is_secret)
    return None if found is None else found[0]


def read_with_status(path: Path, *, bytes_max: int, is_secret: bool = True) -> tuple[bytes, os.stat_result] | None:
    """Read a file of at most `bytes_max` bytes and its stat; None where there is none.

    Args:
        path: the file.
        bytes_max: a larger one is refused.
        is_secret: whether it is refused where others may read it, too, and not only where they may write it.

    Raises:
        KeyFileError: it is a symbolic link or no plain file, others may read or write it, or it is too large.
        StorageError: the disk fails.
    """
    try:
        # NONBLOCK: opening a pipe must not wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except PermissionError:
        raise KeyFileError("you may not read this file", where=str(path), hint="is it another user's?") from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):  # EMLINK: FreeBSD's answer to NOFOLLOW
            hint = "put the file itself here"
            raise KeyFileError("a symbolic link is not followed here", where=str(path), hint=hint) from None
        raise StorageError(f"cannot be opened: {error.strerror}", where=str(path)) from error
    try:
        status = os.fstat(descriptor)
        _check_access(status, path, _OTHERS if is_secret else _OTHERS_WRITE)
        with _disk_errors(path), os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(bytes_max + 1)
    finally:
        os.close(descriptor)
    if len(data) > bytes_max:
        raise KeyFileError(f"larger than the {bytes_max} bytes that it can have", where=str(path))
    return data, status


def write_new(path: Path, contents: Contents) -> None:
    """Write a file that must not exist yet.

    Raises:
        ExistsError: it does; it is left as it is.
        ReadOnlyError, DiskFullError, StorageError: it was not written.
    """
    with _disk_errors(path), _written_beside(path, contents) as temporary:
        try:
            # A link, unlike a rename, never replaces. File systems without links have no mode 0600 either.
            os.link(temporary, path, follow_symlinks=False)
        except FileExistsError:
            raise ExistsError("the file is there already; it is left as it is", where=str(path)) from None


def replace_private(path: Path, contents: Contents) -> None:
    """Write a file, in place of the one that may be there.

    Raises:
        ReadOnlyError, DiskFullError, StorageError: it was not written; the old one stands.
    """
    with _disk_errors(path), _written_beside(path, contents) as temporary:
        temporary.replace(path)


def _check_access(status: os.stat_result, path: Path, unwanted: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError("not a plain file", where=str(path))
    if status.st_mode & unwanted:
        raise KeyFileError(
            f"others may use this file (mode {stat.S_IMODE(status.st_mode):04o}), and may know what it holds",
            where=str(path),
            hint=f"chmod 600 {path}",
        )


@contextmanager
def _written_beside(path: Path, contents: Contents) -> Iterator[Path]:
    """A flushed new file in the same folder, for the block to name; afterwards the folder is flushed.

    It stays locked until then, so that nobody takes it for what a crash left behind.
    """
    temporary, descriptor = _new_file(path)
    with os.fdopen(descriptor, "wb") as file:
        try:
            os.fchmod(descriptor, FILE_MODE)  # whatever the umask is
            file.write(contents if isinstance(contents, bytes) else contents(os.fstat(descriptor)))
            file.flush()
            os.fsync(descriptor)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _new_file(path: Path) -> tuple[Path, int]:
    """Make a file beside `path` and lock it: its path, and a descriptor to write to."""
    while True:
        temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}{_NEW}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return temporary, descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # `remove_leftovers` was faster than the lock


def remove_leftovers(folder: Path) -> None:
    """Remove the new files that a crash left in a folder before they took their names: a key may be in one.

    Those that somebody is writing now are left alone, and so is all where the folder cannot be read or changed.
    """
    with contextlib.suppress(OSError):
        for path in folder.glob(f".*{_NEW}"):
            if not _LEFTOVER.fullmatch(path.name):
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
            except BlockingIOError:
                pass  # it is being written
            finally:
                os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "free some space, then try again"
            raise DiskFullError("no space left on the device", where=str(path), hint=hint) from error
        if read_only.is_refusal(error):
            raise read_only.refused(path) from error
        raise StorageError(f"the file system refused: {error.strerror}", where=str(path)) from error
