"""The `instance` file: 32 random bytes that stand for this installation, and for no copy of it.

The id of each log that a node writes is derived from them (`core.ids.log_id_for`). Two machines that went on
writing one log would fork it: two entries at one place, which others must take for an attack. So whoever
copies a node's folder, restores it from a backup, or clones its disk, has to write new logs. To leave the
file out of backups is not enough, because people copy folders. The file is therefore bound to itself:

    ["gonk-instance", 1, instance, binding, born]

    binding  BLAKE3 of the file's own inode number and the machine's id; a copied or restored file has another
             inode
    born     the file's change time when it was written, in seconds; a restore that writes over the file keeps
             the inode, but no program can set the change time back

Where one of them does not fit, a new instance is made. That is always safe: it costs one more log, also where
the file was only touched (chmod, chown). A snapshot rolled back underneath (of a virtual machine, a volume)
cannot be noticed from inside; the fork that follows is seen by peers.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from blake3 import blake3

from gonk_node.core.codec import CodecError, check_bytes, check_int, decode, encode
from gonk_node.core.ids import HASH_BYTES
from gonk_node.core.limits import KEY_FILE_BYTES_MAX
from gonk_node.errors import ExistsError, KeyFileError, StorageError
from gonk_node.store import read_only
from gonk_node.store.private_file import read_with_status, replace_private, write_new

INSTANCE_BYTES = 32
STORE_INSTANCE_BYTES = 16
_KIND = "gonk-instance"
_VERSION = 1
_BINDING_CONTEXT = "gonk-node 2026 v1 instance binding"
_STORE_CONTEXT = "gonk-node 2026 v1 store instance"
_MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_WRITING_SECONDS_MAX = 60  # from a file's birth to its final name on a slow disk; before that no history is lost

_log = logging.getLogger(__name__)


def open_instance(path: Path) -> bytes:
    """The 32 bytes of this installation; made where there are none, or where the file came from elsewhere.

    Where none can be made, since the folder cannot be written to, they are good for this process alone, which signs nothing.

    Raises:
        KeyFileError: the file is a link, or open to others.
        DiskFullError, StorageError: a new one could not be written.
    """
    if not read_only.can_write(path.parent):
        return _instance_at(path) or os.urandom(INSTANCE_BYTES)
    found = read_with_status(path, bytes_max=KEY_FILE_BYTES_MAX)
    if found is None:
        try:
            write_new(path, _contents)
        except ExistsError:
            pass  # another process was faster; its instance is as good
    elif _instance_in(*found) is None:
        _log.warning("%s was copied or restored from elsewhere: this node will write new logs", path)
        replace_private(path, _contents)
    # Read again: two processes may have written. Each goes on with what it finds, and any of them is safe.
    found = read_with_status(path, bytes_max=KEY_FILE_BYTES_MAX)
    instance = _instance_in(*found) if found else None
    if instance is None:
        raise StorageError(
            "a file that was just written has another inode, or other contents",
            where=str(path),
            hint="keep the node's folder on a local disk",
        )
    return instance


def store_instance(instance: bytes) -> bytes:
    """The public name of an installation's store (16 bytes), by which peers keep their sync cursors.

    A hash, because whoever knows the instance could tell which logs of different datasets one person writes.
    """
    return blake3(instance, derive_key_context=_STORE_CONTEXT).digest(STORE_INSTANCE_BYTES)


def _instance_at(path: Path) -> bytes | None:
    """The instance in a file; None where there is no good one, or this user may not read it."""
    try:
        found = read_with_status(path, bytes_max=KEY_FILE_BYTES_MAX)
    except (KeyFileError, StorageError):
        return None
    return _instance_in(*found) if found else None


def _contents(status: os.stat_result) -> bytes:
    return encode([_KIND, _VERSION, os.urandom(INSTANCE_BYTES), _binding(status), int(status.st_ctime)])


def _instance_in(data: bytes, status: os.stat_result) -> bytes | None:
    """The instance in a file's bytes; None where they are damaged or were not written as this very file."""
    try:
        kind, version, instance, binding, born = decode(data)
        check_bytes(instance, "the instance", INSTANCE_BYTES)
        check_bytes(binding, "the binding", HASH_BYTES)
        check_int(born, "the change time")
    except (CodecError, TypeError, ValueError):
        return None
    here = (kind, version, binding) == (_KIND, _VERSION, _binding(status))
    untouched = abs(int(status.st_ctime) - born) <= _WRITING_SECONDS_MAX
    return instance if here and untouched else None


def _binding(status: os.stat_result) -> bytes:
    # Not the device number: it may change when a machine starts again.
    return blake3(status.st_ino.to_bytes(16, "big") + _machine_id(), derive_key_context=_BINDING_CONTEXT).digest()


def _machine_id() -> bytes:
    """The machine's id (machine-id(5)), for hashing only; empty where the system has none."""
    for path in _MACHINE_ID_FILES:
        try:
            return path.read_bytes().strip()
        except OSError:
            continue
    return b""
