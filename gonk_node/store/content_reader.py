"""One file of the content store as a seekable binary stream, for libraries that want a file object."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from gonk_node.core.limits import CHUNK_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class ContentReader(io.RawIOBase):
    """Reads a whole file of `size` bytes; keeps one chunk in memory and no transaction open."""

    def __init__(self, size: int, chunk_at: Callable[[int], bytes]) -> None:
        super().__init__()
        self._size = size
        self._chunk_at = chunk_at
        self._position = 0
        self._index = -1
        self._chunk = b""

    def readable(self) -> bool:
        """True: it can be read."""
        return True

    def seekable(self) -> bool:
        """True: it can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, as for any file; returns where that is. ValueError before the beginning."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("a negative position")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill a buffer with what comes next, up to the end of a chunk; returns how many bytes."""
        if self._position >= self._size:
            return 0
        index, start = divmod(self._position, CHUNK_BYTES)
        if index != self._index:
            self._chunk, self._index = self._chunk_at(index), index
        view = memoryview(buffer).cast("B")
        piece = self._chunk[start : start + len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)
