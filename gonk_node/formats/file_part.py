"""Parts of files: what an importer names without a copy of it, such as a member of a tar; and unpacked bytes, as such parts.

Where a part or a whole file will do, a `Path` is the whole file.
"""

from __future__ import annotations

import errno
import io
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from gonk_node.core.limits import SPOOL_BYTES, UNPACKED_BYTES_FREE, UNPACKED_RATIO_MAX
from gonk_node.errors import DiskFullError, InputFileError, StorageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Spool:
    """A nameless temporary file, which is gone once nothing refers to it or to a part of it any more.

    Attributes:
        size: bytes written.

    Raises:
        StorageError: there is no place for temporary files.
    """

    def __init__(self) -> None:
        try:
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by the finalizer
        except OSError as error:
            raise _typed(error) from error
        self._descriptor = file.fileno()
        self.size = 0
        weakref.finalize(self, file.close)

    def append(self, piece: bytes | memoryview) -> None:
        """Write bytes behind all others.

        Raises:
            DiskFullError, StorageError: there is no room.
        """
        view = memoryview(piece)
        try:
            while view:
                written = os.pwrite(self._descriptor, view, self.size)
                self.size += written
                view = view[written:]
        except OSError as error:
            raise _typed(error) from error

    def read(self, size: int, offset: int) -> bytes:
        """At most so many bytes from there; less only at the end. OSError where the disk fails."""
        return os.pread(self._descriptor, size, offset)


@dataclass(frozen=True, slots=True)
class FilePart:
    """Bytes of a file, from `offset` on, `size` of them.

    Attributes:
        file: the file; of bytes that were unpacked, a Spool.
        offset: in bytes.
        size: in bytes.
    """

    file: Path | Spool
    offset: int
    size: int

    @property
    def spooled_bytes(self) -> int:
        """How many bytes of temporary files it keeps."""
        return self.size if isinstance(self.file, Spool) else 0

    def open(self) -> BinaryIO:
        """The part as a seekable binary file; close it.

        Raises:
            OSError: it cannot be read; from `read` also where the file has become shorter than the part.
        """
        return cast(BinaryIO, io.BufferedReader(_PartReader(self)))


FileOrPart: TypeAlias = Path | FilePart


def open_file(file: FileOrPart) -> BinaryIO:
    """The file or part, open for reading; OSError where it cannot be."""
    return file.open("rb") if isinstance(file, Path) else file.open()


def read_part(part: FilePart) -> bytes:
    """All of a part; look at its size first. InputFileError where it cannot be read."""
    try:
        with part.open() as file:
            return file.read()
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(part.file)) from error


class Spools:
    """Puts bytes into spools, and names them as parts of these; a spool is gone with the last of its parts."""

    def __init__(self) -> None:
        self._spool: Spool | None = None

    def part(self, pieces: Iterable[bytes | memoryview]) -> FilePart:
        """Keep bytes, as one part.

        Raises:
            DiskFullError, StorageError: as of `Spool`.
        """
        if self._spool is None or self._spool.size >= SPOOL_BYTES:
            self._spool = Spool()
        begin = self._spool.size
        for piece in pieces:
            self._spool.append(piece)
        return FilePart(self._spool, begin, self._spool.size - begin)


class Unpacker:
    """Puts what is unpacked from one file into spools, and names it as parts of them.

    Args:
        packed: the file; it bounds how much may come of it, so that a small file cannot fill the disk.

    Attributes:
        bytes_max: how much may come of it.
    """

    def __init__(self, packed: Path) -> None:
        self._packed = packed
        self.bytes_max = UNPACKED_BYTES_FREE + UNPACKED_RATIO_MAX * packed.stat().st_size
        self._bytes = 0
        self._spools = Spools()

    def part(self, pieces: Iterable[bytes | memoryview]) -> FilePart:
        """Keep bytes, as one part.

        Raises:
            InputFileError: the file unpacks to more than it may. DiskFullError, StorageError: as of `Spool`.
        """
        return self._spools.part(self._counted(pieces))

    def _counted(self, pieces: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        for piece in pieces:
            self.count(len(piece))
            yield piece

    def count(self, size: int) -> None:
        """Count bytes that were unpacked, kept or not; errors as of `part`."""
        self._bytes += size
        if self._bytes > self.bytes_max:
            what = f"unpacks to more than {self.bytes_max:,} bytes, which no file of its size does in earnest"
            raise InputFileError(what, where=str(self._packed), hint="unpack it yourself if it can be trusted")


class _PartReader(io.RawIOBase):
    """Reads one part; several of one file do not disturb one another."""

    def __init__(self, part: FilePart) -> None:
        super().__init__()
        self._part = part
        self._file = part.file.open("rb", buffering=0) if isinstance(part.file, Path) else None
        self._position = 0

    @property
    def name(self) -> str:
        """Of the file, for messages."""
        return str(self._part.file) if isinstance(self._part.file, Path) else "an unpacked file"

    def readable(self) -> bool:
        """True: it can be read."""
        return True

    def seekable(self) -> bool:
        """True: it can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, as for any file; returns where that is. ValueError before the beginning."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._part.size}[whence]
        if start + offset < 0:
            raise ValueError("a negative position")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill a buffer with what comes next; returns how many bytes."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._part.size - self._position)
        if wanted <= 0:
            return 0
        at = self._part.offset + self._position
        if self._file is not None:
            piece = os.pread(self._file.fileno(), wanted, at)
        else:
            piece = cast(Spool, self._part.file).read(wanted, at)
        if not piece:
            raise OSError(errno.EIO, "it has become shorter meanwhile")
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Close it; again does nothing."""
        if self._file is not None:
            self._file.close()
        super().close()


def _typed(error: OSError) -> StorageError:
    what = f"unpacked files cannot be kept: {error.strerror}"
    where = tempfile.gettempdir()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(what, where=where, hint="free some space, or name another folder in TMPDIR")
    return StorageError(what, where=where)
