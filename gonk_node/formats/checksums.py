"""SHA256SUMS: the SHA-256 of every file of a folder, as `sha256sum` of GNU coreutils writes it and `sha256sum -c` checks it.

Lines are in order of the bytes of the paths, whatever the order in which files came. What does not fit memory is sorted in
runs that wait in a file. Nothing is hashed here.
"""

from __future__ import annotations

import errno
import heapq
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from gonk_node.core.limits import CHECKSUMS_HELD_MAX

NAME = "SHA256SUMS"
_DIGEST_BYTES = 32
_PIECE_BYTES = 1 << 16
_ESCAPES = {ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r"}


def line(path: str, digest: bytes) -> bytes:
    """A line with its break; one that begins with a backslash where the path has a backslash or a line break.

    Args:
        path: relative, with "/".
        digest: SHA-256, 32 bytes.
    """
    escaped = path.translate(_ESCAPES)
    mark = "" if escaped == path else "\\"
    return f"{mark}{digest.hex()}  {escaped}\n".encode()


class Checksums:
    """The hashes of files, to be told in order once all are there.

    Args:
        spool: makes an empty file that can be read and written, for what does not fit memory.
    """

    def __init__(self, spool: Callable[[], BinaryIO]) -> None:
        self._make_spool = spool
        self._spool: BinaryIO | None = None
        self._held: list[bytes] = []  # path, NUL, digest: no path has a NUL, so they sort as the paths do
        self._runs: list[tuple[int, int]] = []  # (first byte, end) of each sorted run in the spool

    def add(self, path: str, digest: bytes) -> None:
        """Take note of a file; each path once.

        Raises:
            OSError: the disk.
        """
        self._held.append(path.encode() + b"\0" + digest)
        if len(self._held) >= CHECKSUMS_HELD_MAX:
            self._put_away()

    def _put_away(self) -> None:
        if self._spool is None:
            self._spool = self._make_spool()
        begin = self._spool.seek(0, io.SEEK_END)
        self._spool.writelines(sorted(self._held))
        self._runs.append((begin, self._spool.tell()))
        self._held.clear()

    def lines(self) -> Iterator[bytes]:
        """Every line, in order; OSError: the disk."""
        spool = self._spool
        runs = [] if spool is None else [_run(spool, begin, end) for begin, end in self._runs]
        for record in heapq.merge(sorted(self._held), *runs):
            path, _, digest = record.partition(b"\0")
            yield line(path.decode(), digest)

    def close(self) -> None:
        """Let the spool go."""
        if self._spool is not None:
            self._spool.close()


def _run(spool: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    """The records of one run; a piece of it is held."""
    rest = b""
    for at in range(begin, end, _PIECE_BYTES):
        spool.seek(at)
        text = rest + spool.read(min(_PIECE_BYTES, end - at))
        start = 0
        while start < (stop := text.find(b"\0", start) + 1 + _DIGEST_BYTES) - _DIGEST_BYTES and stop <= len(text):
            yield text[start:stop]
            start = stop
        rest = text[start:]
    if rest:
        raise OSError(errno.EIO, "less was read than was written")
