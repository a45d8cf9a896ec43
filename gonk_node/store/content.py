"""The content of a node: files as 1 MiB chunks under their BLAKE3, shared by all datasets, resumable, verified.

A file is held only once it is whole. What objects name which content, and what may be removed, is not known
here.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from gonk_node.core.chunks import ContentInfo, chunk_length, decode_chunk_list, verify_chunk
from gonk_node.core.limits import CHUNK_BYTES, CONTENT_MAP_BYTES
from gonk_node.errors import ContentMismatchError, DamagedStoreError, NotFoundError
from gonk_node.store import content_check
from gonk_node.store.content_add import ContentWriter, put_chunks
from gonk_node.store.content_reader import ContentReader
from gonk_node.store.content_rows import ContentTables, ContentTxn, FileRow, damaged, encode_file, fill_sizes, place
from gonk_node.store.content_spool import Spool
from gonk_node.store.env import Environment
from gonk_node.store.writer import Txn

T = TypeVar("T")


class ContentStore:
    """An open content store. Reads are short transactions; writes return once they are on the disk."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._tables = ContentTables.of(env)

    @classmethod
    def create(cls, path: Path, *, map_bytes: int = CONTENT_MAP_BYTES) -> ContentStore:
        """Make an empty store and open it; errors as of `Environment.create`."""
        Environment.create(path, ContentTables._fields, lambda _, __: None, map_bytes=map_bytes)
        return cls.open(path, map_bytes=map_bytes)

    @classmethod
    def open(cls, path: Path, *, map_bytes: int = CONTENT_MAP_BYTES) -> ContentStore:
        """Open a store that `create` made, also by a version without `sizes`; errors as of `Environment.open`."""
        derived = {"sizes": fill_sizes}
        return cls(Environment.open(path, ContentTables._fields, map_bytes=map_bytes, derived=derived))

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be added, since the folder cannot be written to."""
        return self._env.is_read_only

    def close(self) -> None:
        """Finish waiting writes and close; closing again does nothing."""
        self._env.close()

    # --- files of this node
    # ------------------------------------------------------------------------------------

    def put_file(self, file: BinaryIO) -> ContentInfo:
        """Read a binary file to its end and keep it; errors as of `put_files`."""
        return self.put_files([file])[0]

    def put_files(self, files: Iterable[BinaryIO]) -> list[ContentInfo]:
        """Keep many files; small ones share flushes. Each is read when it is taken from the iterable.

        Returns:
            Size, content id and SHA-256 of each, in order; all are on the disk.

        Raises:
            InputFileError: one cannot be read, or is too large. Those before it may be kept.
            DiskFullError, StorageError: not all could be written; none that was held before is lost.
        """
        writer = ContentWriter(self._env, self._tables)
        try:
            return [writer.add(file) for file in files]
        finally:
            writer.finish()

    def spool(self) -> Spool:
        """Where a file that comes in pieces is gathered for `put_file`; on the same disk, and nothing is held before."""
        return Spool(self._env.path)

    def remove(self, content_id: bytes, keep: Container[bytes] = ()) -> None:
        """Drop a file, held or begun, but none of its chunks that another list or `keep` names.

        Args:
            content_id: of the file.
            keep: content ids that are still wanted; nothing is done for one of those.
        """
        if content_id in keep:
            return

        def change(txn: Txn) -> None:
            content = ContentTxn(txn, self._tables)
            listed = content.listed(content_id)
            unwanted = {content_id} if listed is None else set(listed[1])
            txn.delete(content_id, db=self._tables.lists)
            txn.delete(content_id, db=self._tables.files)
            with txn.cursor(self._tables.lists) as cursor:
                for other in cursor.iternext(values=False):
                    unwanted -= set((content.listed(other) or (0, []))[1])
            for chunk_id in unwanted:
                if chunk_id not in keep:
                    content.delete_chunk(chunk_id)

        self._env.write(change)

    # --- content that comes from peers
    # ---------------------------------------------------------------------------

    def put_list(self, content_id: bytes, size: int, data: bytes) -> None:
        """Keep the chunk list of a file of `size` bytes, more than one chunk.

        Raises:
            ContentMismatchError: it does not match the id or the size; nothing is stored.
        """
        decode_chunk_list(data, content_id, size)
        self._env.write(lambda txn: txn.put(content_id, data, db=self._tables.lists))

    def put_chunks(self, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep chunks, (id, bytes) each, in one transaction; those that are here already stay.

        Raises:
            ContentMismatchError: one does not match its id; none of them is stored.
        """
        for chunk_id, chunk in chunks:
            if len(chunk) > CHUNK_BYTES:
                raise ContentMismatchError(f"{len(chunk)} bytes are no chunk", where=f"chunk {chunk_id.hex()[:12]}")
            verify_chunk(chunk, chunk_id)
        self._env.write(lambda txn: put_chunks(ContentTxn(txn, self._tables), chunks))

    def missing_chunks(self, content_id: bytes, size: int) -> list[tuple[int, bytes]]:
        """Index and chunk id of each chunk that is not here.

        Args:
            content_id: of a file whose list is here, or that has one chunk.
            size: in bytes, as its object declares.

        Raises:
            NotFoundError: its chunk list is not here.
            ContentMismatchError: the file has another size.
        """
        if size <= CHUNK_BYTES:
            return [(0, content_id)] if self._read(lambda content: content.chunk_size(content_id)) is None else []
        listed, missing = self._read(lambda content: (content.listed(content_id), content.missing(content_id)))
        if listed is None or missing is None:
            raise NotFoundError("the chunk list is not here", where=place(content_id))
        if listed[0] != size:
            raise ContentMismatchError(f"the file has {listed[0]} bytes, not {size}", where=place(content_id))
        return missing

    # --- reading
    # -------------------------------------------------------------------------------------------------

    def has(self, content_id: bytes) -> bool:
        """Whether the whole file is held."""
        return self._read(lambda content: content.chunk_ids(content_id) is not None)

    def size(self, content_id: bytes) -> int | None:
        """The size in bytes of a file that is held; None otherwise."""
        found = self._read(lambda content: content.chunk_ids(content_id))
        return None if found is None else found[0]

    def chunk_list(self, content_id: bytes) -> bytes | None:
        """The chunk list of a file of several chunks, whole or not; None where it is not here."""
        return self._env.ask(lambda txn: txn.get(content_id, db=self._tables.lists))

    def chunk(self, chunk_id: bytes) -> bytes | None:
        """The bytes of a chunk, as stored (a receiver verifies them); None where it is not here."""
        chunk = self._env.ask(lambda txn: txn.get(chunk_id, db=self._tables.chunks))
        self._env.note_read(len(chunk or b""))
        return chunk

    def read(self, content_id: bytes, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of a held file in pieces of up to 1 MiB, each chunk verified.

        Args:
            content_id: of the file.
            start: the first byte wanted.
            length: how many bytes; None: to the end.

        Raises:
            NotFoundError: it is not held whole.
            DamagedStoreError: a chunk is missing or has changed.
        """
        size, chunk_ids = self._whole(content_id)
        end = size if length is None else min(size, start + length)
        for index in range(start // CHUNK_BYTES, -(-end // CHUNK_BYTES)):
            offset = index * CHUNK_BYTES
            chunk = self._verified(content_id, size, chunk_ids, index)
            yield chunk[max(0, start - offset) : end - offset]

    def reader(self, content_id: bytes) -> BinaryIO:
        """A held file as a seekable binary stream; errors as of `read`."""
        size, chunk_ids = self._whole(content_id)
        raw = ContentReader(size, lambda index: self._verified(content_id, size, chunk_ids, index))
        return io.BufferedReader(raw)

    def sha256(self, content_id: bytes) -> bytes:
        """The SHA-256 of a held file: as noted, or read through (and then noted, for files of several chunks)."""
        row = self._read(lambda content: content.file(content_id))
        if row is not None and row.sha256 is not None:
            return row.sha256
        hasher = hashlib.sha256()
        size = 0
        for piece in self.read(content_id):
            hasher.update(piece)
            size += len(piece)
        digest = hasher.digest()
        if size > CHUNK_BYTES and not self.is_read_only:
            noted = encode_file(content_id, FileRow(size, digest))
            self._env.write(lambda txn: txn.put(content_id, noted, db=self._tables.files))
        return digest

    def check(self) -> Iterator[DamagedStoreError]:
        """Hash everything anew (`content_check`); yields each problem found."""
        return content_check.check(self._env, self._tables)

    def _whole(self, content_id: bytes) -> tuple[int, list[bytes]]:
        found = self._read(lambda content: content.chunk_ids(content_id))
        if found is None:
            raise NotFoundError(
                "the content is not held here", where=place(content_id), hint="`gonk sync` fetches it from a peer"
            )
        return found

    def _verified(self, content_id: bytes, size: int, chunk_ids: list[bytes], index: int) -> bytes:
        chunk = self.chunk(chunk_ids[index])
        if chunk is None or len(chunk) != chunk_length(size, index):
            raise damaged(content_id, f"chunk {index} is missing, or has another length")
        try:
            verify_chunk(chunk, chunk_ids[index])
        except ContentMismatchError:
            raise damaged(content_id, f"chunk {index} has changed") from None
        return chunk

    def _read(self, look: Callable[[ContentTxn], T]) -> T:
        return self._env.ask(lambda txn: look(ContentTxn(txn, self._tables)))
