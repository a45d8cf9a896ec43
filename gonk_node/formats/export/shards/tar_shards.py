"""Tar files of bounded size and number of samples, out: the same bytes for the same samples.

POSIX pax, which is plain ustar wherever that has room. All members are of one time, owner and mode. What samples consist of
is not known here.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from typing import BinaryIO

from gonk_node.core.limits import WEBDATASET_SHARD_BYTES, WEBDATASET_SHARD_SAMPLES
from gonk_node.errors import StorageError
from gonk_node.formats.folder import ExportFile, FolderWriter

_BLOCK = tarfile.BLOCKSIZE
_RECORD = tarfile.RECORDSIZE
_PIECE_BYTES = 1 << 20
_MODE = 0o644


class ShardWriter:
    """Writes `shard-000000.tar` and so on; use it in a `with` statement.

    Args:
        folder: where they go; errors are those of its `create`.
    """

    def __init__(self, folder: FolderWriter) -> None:
        self._folder = folder
        self._file: ExportFile | None = None
        self._shards = 0
        self._samples = 0  # in the shard that is open
        self._bytes = 0

    def add(self, members: Mapping[str, bytes | BinaryIO]) -> dict[str, bytes]:
        """Write the files of one sample beside one another, in order of their names.

        Args:
            members: their bytes, or seekable streams of them, by name.

        Returns:
            The SHA-256 of each that is a stream.
        """
        streams = {
            name: io.BytesIO(each) if isinstance(each, bytes) else each for name, each in sorted(members.items())
        }
        heads = {name: _header(name, _size(stream)) for name, stream in streams.items()}
        size = sum(len(head) + padded for head, padded in heads.values())
        if self._samples and (self._samples >= WEBDATASET_SHARD_SAMPLES or self._bytes + size > WEBDATASET_SHARD_BYTES):
            self._end_shard()
        file = self._file = self._file or self._folder.create(f"shard-{self._shards:06d}.tar")
        digests: dict[str, bytes] = {}
        for name, stream in streams.items():
            file.write(heads[name][0])
            digest = self._copy(file, stream, heads[name][1])
            if not isinstance(members[name], bytes):
                digests[name] = digest
        self._bytes += size
        self._samples += 1
        return digests

    def _copy(self, file: ExportFile, stream: BinaryIO, padded: int) -> bytes:
        hasher, written = hashlib.sha256(), 0
        while piece := stream.read(_PIECE_BYTES):
            hasher.update(piece)
            file.write(piece)
            written += len(piece)
        if not 0 <= padded - written < _BLOCK:
            raise StorageError("the bytes of an object changed while they were read", where=str(self._folder.target))
        file.write(bytes(padded - written))
        return hasher.digest()

    def _end_shard(self) -> None:
        if self._file is not None:
            end = self._bytes + 2 * _BLOCK  # the end mark is two blocks of zeros
            self._file.write(bytes(2 * _BLOCK + -end % _RECORD))
            self._file.close()
            self._shards += 1
        self._file, self._samples, self._bytes = None, 0, 0

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._end_shard()
        elif self._file is not None:
            self._file.close()


def _size(stream: BinaryIO) -> int:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return size


def _header(name: str, size: int) -> tuple[bytes, int]:
    """The header blocks of a member, and the size of its bytes up to a whole block."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, _MODE, 0
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict"), size + -size % _BLOCK
