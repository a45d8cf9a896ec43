"""A folder that is written as a whole or not at all: files go into a hidden one beside it, which is renamed at the end.

Every path is made safe here once more (`safe_names`), no link is followed, nothing is written over, and the number and
size of the files are bounded. Nothing that was there before is deleted. Every file is hashed while it is written.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO

from gonk_node.core.limits import EXPORT_BYTES_MAX, EXPORT_FILES_MAX
from gonk_node.errors import DiskFullError, ExistsError, NotFoundError, RefusedError, StorageError
from gonk_node.formats import checksums
from gonk_node.formats.checksums import Checksums
from gonk_node.formats.inventory import Inventory, WrittenFile
from gonk_node.formats.safe_names import safe_path

_PIECE_BYTES = 1 << 20


class FolderWriter:
    """Use it in a `with` statement: without an error the folder stands at its end, with one there is none.

    Args:
        target: the folder to make; its parent must be there.
        replace: if there is one already, keep it beside as `NAME.1`, `NAME.2`, …; otherwise refuse.

    Attributes:
        files: how many were made so far.
        bytes: of all that was written so far.
        kept: where what had been at the target is at the end; None: there was nothing.
        inventory: which files were written, each once it was closed.

    Raises:
        ExistsError: there is something at the target. NotFoundError: its parent is not there. StorageError: it cannot be
            written there.
    """

    def __init__(self, target: Path, *, replace: bool = False) -> None:
        self.target = target.absolute()
        self.files = 0
        self.bytes = 0
        self.inventory = Inventory()
        self.kept: Path | None = None
        self._replace = replace
        self._refuse_what_is_there()
        self._folder = self.target.parent / f".{self.target.name[:100]}.{secrets.token_hex(6)}.partial"
        try:
            self._folder.mkdir(mode=0o777)
        except (FileNotFoundError, NotADirectoryError) as error:
            hint = "make it first, or give another place"
            raise NotFoundError(
                "there is no such folder to write into", where=str(self.target.parent), hint=hint
            ) from error
        except OSError as error:
            raise _typed(error, self.target.parent) from error
        self._made: set[str] = set()
        self._closed = 0
        self._checksums = Checksums(self._unnamed)

    def create(self, path: str, *, part_of: str = "") -> ExportFile:
        """A new file below the folder, open for writing; close it. Folders on the way are made.

        Args:
            path: relative, with "/"; it is used as `safe_path` makes it.
            part_of: see `Inventory.add`: for files of which there are as many as samples.

        Raises:
            ExistsError: it was written before. RefusedError: these are more files than EXPORT_FILES_MAX.
            StorageError, DiskFullError: the disk.
        """
        safe = safe_path(path)
        self.files += 1
        if self.files > EXPORT_FILES_MAX:
            raise RefusedError(f"an export has at most {EXPORT_FILES_MAX:,} files", where=str(self.target))
        parent = safe.rpartition("/")[0]
        try:
            if parent not in self._made:
                (self._folder / parent).mkdir(parents=True, exist_ok=True)
                if len(self._made) > 1000:
                    self._made.clear()  # only saves the next system call
                self._made.add(parent)
            return ExportFile((self._folder / safe).open("xb"), self, safe, part_of)
        except FileExistsError:
            raise ExistsError(f"two files of the export would be {safe!r}", where=str(self.target)) from None
        except OSError as error:
            raise _typed(error, self.target / safe) from error

    def write(self, path: str, data: bytes, *, part_of: str = "") -> None:
        """A new file with those bytes; arguments and errors as of `create`."""
        with self.create(path, part_of=part_of) as file:
            file.write(data)

    def copy(self, path: str, source: IO[bytes], *, part_of: str = "") -> bytes:
        """A new file with all of a stream; returns the SHA-256 of what was copied. Arguments and errors as of `create`."""
        with self.create(path, part_of=part_of) as file:
            while piece := source.read(_PIECE_BYTES):
                file.write(piece)
        return file.sha256()

    def write_checksums(self) -> None:
        """Write SHA256SUMS, of all files that there are: the last one. Errors as of `create`.

        Raises:
            RuntimeError: a file was not closed, and so would be missing there.
        """
        if self._closed != self.files:
            raise RuntimeError(f"{self.files - self._closed} files of the export are open at its end")
        try:
            with self.create(checksums.NAME) as file:
                for line in self._checksums.lines():
                    file.write(line)
        except OSError as error:
            raise _typed(error, self.target) from error

    def spool(self) -> Spool:
        """Where to put what comes later in a file than what is written meanwhile."""
        try:
            return Spool(self._unnamed(), self)
        except OSError as error:
            raise _typed(error, self.target) from error

    def _unnamed(self) -> BinaryIO:
        """A file that lives until it is closed."""
        path = self._folder / f".spool-{secrets.token_hex(6)}"
        file = path.open("x+b")
        path.unlink()
        return file

    def closed(self, file: WrittenFile, part_of: str) -> None:
        """Take note of a file that is written to its end; for `ExportFile`."""
        self._closed += 1
        self.inventory.add(file, part_of)
        try:
            self._checksums.add(file.path, file.sha256)
        except OSError as error:
            raise _typed(error, self.target) from error

    def count(self, size: int) -> None:
        """Count bytes that are written; RefusedError beyond EXPORT_BYTES_MAX."""
        self.bytes += size
        if self.bytes > EXPORT_BYTES_MAX:
            raise RefusedError(f"an export has at most {EXPORT_BYTES_MAX:,} bytes", where=str(self.target))

    def __enter__(self) -> FolderWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._put_in_place()
        except OSError as problem:
            raise _typed(problem, self.target) from problem
        finally:
            self._checksums.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _put_in_place(self) -> None:
        self._refuse_what_is_there()
        if os.path.lexists(self.target):
            kept = (self.target.with_name(f"{self.target.name}.{number}") for number in count(1))
            self.kept = self.target.rename(next(path for path in kept if not os.path.lexists(path)))
        self._folder.rename(self.target)

    def _refuse_what_is_there(self) -> None:
        if os.path.lexists(self.target) and not self._replace:
            raise ExistsError(
                "is there already; nothing was written",
                where=str(self.target),
                hint="give another folder, or --replace, which keeps the old one beside",
            )
        if self._replace and os.path.lexists(self.target) and not self._is_an_export():
            raise ExistsError(
                f"is there, and no folder that was exported ({checksums.NAME} is not in it), so it is not put aside",
                where=str(self.target),
                hint="give another folder",
            )

    def _is_an_export(self) -> bool:
        """Whether an export or nothing is in the folder: all else, such as a home, must not be moved away."""
        if self.target.is_symlink():
            return True  # only the link is moved
        if not self.target.is_dir():
            return False
        return (self.target / checksums.NAME).is_file() or not any(self.target.iterdir())


class ExportFile:
    """One file of an export, open for writing; what is written counts, and is hashed."""

    def __init__(self, file: BinaryIO, folder: FolderWriter, path: str, part_of: str) -> None:
        self._file = file
        self._folder = folder
        self._path = path
        self._part_of = part_of
        self._size = 0
        self._hasher = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append bytes; errors as of `FolderWriter.create`."""
        self._folder.count(len(data))
        self._size += len(data)
        self._hasher.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise _typed(error, self._folder.target) from error

    def sha256(self) -> bytes:
        """The SHA-256 of what was written so far."""
        return self._hasher.digest()

    def close(self) -> None:
        """Close it; again does nothing."""
        if self._file.closed:
            return
        try:
            self._file.close()
        except OSError as error:
            raise _typed(error, self._folder.target) from error
        self._folder.closed(WrittenFile(self._path, self._size, self.sha256()), self._part_of)

    def __enter__(self) -> ExportFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Spool:
    """Bytes for later, in a file that is gone once it is closed; they count when they are written where they belong."""

    def __init__(self, file: BinaryIO, folder: FolderWriter) -> None:
        self._file = file
        self._folder = folder

    def write(self, data: bytes) -> None:
        """Append bytes; errors as of `FolderWriter.create`."""
        try:
            self._file.write(data)
        except OSError as error:
            raise _typed(error, self._folder.target) from error

    def pieces(self) -> Iterator[bytes]:
        """All that was written, in order, in pieces of up to a mebibyte; then the spool is closed."""
        try:
            self._file.seek(0)
            while piece := self._file.read(_PIECE_BYTES):
                yield piece
        except OSError as error:
            raise _typed(error, self._folder.target) from error
        finally:
            self._file.close()


def _typed(error: OSError, where: Path) -> StorageError:
    what = f"cannot be written: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(what, where=str(where), hint="free some space, or give a folder on another disk")
    return StorageError(what, where=str(where))
