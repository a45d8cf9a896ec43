"""A file on its way into the content store, piece by piece: beside the store until all of it has come, then gone.

What breaks off leaves nothing: chunks that are in the store cannot be told from those that other files need. Small ones stay
in memory. The content id is not found here; `ContentStore.put_file` reads what was spooled.
"""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from gonk_node.core.limits import CONTENT_WRITE_BYTES, OBJECT_BYTES_MAX
from gonk_node.errors import DiskFullError, InputFileError, StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Spool:
    """Takes the bytes of one file; a context manager, behind which they are gone.

    Attributes:
        size: bytes taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = tempfile.SpooledTemporaryFile(CONTENT_WRITE_BYTES, dir=str(folder))  # noqa: SIM115 - closed on exit
        self.size = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._file.close()

    def write(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            InputFileError: the file becomes larger than any may be. DiskFullError, StorageError: no space, or no disk.
        """
        if self.size + len(piece) > OBJECT_BYTES_MAX:
            raise InputFileError(f"a file may have at most {OBJECT_BYTES_MAX} bytes")
        try:
            self._file.write(piece)
        except OSError as error:
            kind = DiskFullError if error.errno in _FULL else StorageError
            raise kind(f"the file could not be kept: {error.strerror}", where=str(self._folder)) from error
        self.size += len(piece)

    def whole(self) -> BinaryIO:
        """All that was taken, from its beginning."""
        self._file.seek(0)
        return cast(BinaryIO, self._file)
