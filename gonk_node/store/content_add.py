"""Files into the content store: read once, hashed chunk by chunk, written in groups while the next group is hashed.

Small files share a transaction; a large one takes several, and counts as held only with the last of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from typing import BinaryIO

from gonk_node.core.chunks import ContentHasher, ContentInfo, encode_chunk_list
from gonk_node.core.limits import CHUNK_BYTES, CONTENT_WRITE_BYTES
from gonk_node.errors import InputFileError, StorageError
from gonk_node.store.content_rows import ContentTables, ContentTxn, FileRow, encode_file, place
from gonk_node.store.env import Environment
from gonk_node.store.writer import Txn

_GROUPS_WAITING_MAX = 2  # one being written, one to follow at once


class ContentWriter:
    """Takes files one after the other; `finish` waits until all of them are on the disk."""

    def __init__(self, env: Environment, tables: ContentTables) -> None:
        self._env = env
        self._tables = tables
        self._group = _Group()
        self._waiting: deque[Future[None]] = deque()

    def add(self, file: BinaryIO) -> ContentInfo:
        """Read a file to its end. It is held once `finish` has returned.

        Raises:
            InputFileError: it cannot be read, or is too large.
            DiskFullError, StorageError: an earlier group could not be written.
        """
        hasher = ContentHasher()
        while chunk := _read_chunk(file):
            self._take(hasher.add(chunk), chunk)
            if len(chunk) < CHUNK_BYTES:
                break
        info = hasher.finish()
        if not info.size:
            self._take(info.content_id, b"")
        if len(hasher.chunk_ids) > 1:
            self._group.lists[info.content_id] = (info, hasher.chunk_ids)
        return info

    def finish(self) -> None:
        """Write what is left and wait for everything."""
        self._send()
        while self._waiting:
            self._waiting.popleft().result()

    def _take(self, chunk_id: bytes, chunk: bytes) -> None:
        if self._group.size >= CONTENT_WRITE_BYTES:
            self._send()
        self._group.size += len(chunk)
        self._group.chunks[chunk_id] = chunk

    def _send(self) -> None:
        while len(self._waiting) >= _GROUPS_WAITING_MAX:
            self._waiting.popleft().result()
        group, self._group = self._group, _Group()
        if group.chunks or group.lists:
            self._waiting.append(self._env.submit(lambda txn: group.write(txn, self._tables)))


class _Group:
    """What goes into one transaction."""

    def __init__(self) -> None:
        self.chunks: dict[bytes, bytes] = {}
        self.lists: dict[bytes, tuple[ContentInfo, list[bytes]]] = {}
        self.size = 0

    def write(self, txn: Txn, tables: ContentTables) -> None:
        content = ContentTxn(txn, tables)
        put_chunks(content, self.chunks.items())
        for content_id, (info, chunk_ids) in self.lists.items():
            txn.put(content_id, encode_chunk_list(info.size, chunk_ids), db=tables.lists)
            if content.missing(content_id):
                raise StorageError(
                    "chunks were removed while the file was added", where=place(content_id), hint="again"
                )
            txn.put(content_id, encode_file(content_id, FileRow(info.size, info.sha256)), db=tables.files)


def put_chunks(content: ContentTxn, chunks: Iterable[tuple[bytes, bytes]]) -> None:
    """Write chunks, (id, bytes) each, in the order of their ids; those that are here already stay."""
    for chunk_id, chunk in sorted(chunks):
        content.put_chunk(chunk_id, chunk)


def _read_chunk(file: BinaryIO) -> bytes:
    """The next 1 MiB; less only at the end of the file, also where the stream gives short reads."""
    try:
        chunk = file.read(CHUNK_BYTES)
        while 0 < len(chunk) < CHUNK_BYTES and (more := file.read(CHUNK_BYTES - len(chunk))):
            chunk += more
    except OSError as error:
        name = str(getattr(file, "name", "a file"))
        raise InputFileError(f"it cannot be read: {error.strerror}", where=name) from error
    return chunk
