"""The tables of the content store, and look-ups in them within one transaction. Opens no transaction, changes nothing.

    chunks  chunk id -> bytes (up to 1 MiB)
    sizes   chunk id -> how many bytes; written together with the chunk
    lists   content id -> chunk list (files of several chunks)
    files   content id -> sealed: size | SHA-256 or nothing (files of several chunks that are whole)

A file of one chunk has no row of its own: its content id is its chunk's id. Whether a chunk is here is asked of `sizes`:
finding it in `chunks` would read its bytes from the disk.
"""

from __future__ import annotations

from typing import NamedTuple

from gonk_node.core.chunks import decode_chunk_list
from gonk_node.errors import ContentMismatchError, DamagedStoreError
from gonk_node.store.env import Environment, Table
from gonk_node.store.rows import number, sealed, u64, unsealed
from gonk_node.store.writer import Txn

_SIZE_BYTES = 8


class ContentTables(NamedTuple):
    """Handles of the tables, by name."""

    chunks: Table
    sizes: Table
    lists: Table
    files: Table

    @classmethod
    def of(cls, env: Environment) -> ContentTables:
        """The tables of an open environment."""
        return cls(*(env.tables[name] for name in cls._fields))


class FileRow(NamedTuple):
    """What is noted of a file of several chunks that is whole: its size, and its SHA-256 where it is known."""

    size: int
    sha256: bytes | None


def damaged(content_id: bytes, what: str) -> DamagedStoreError:
    """The error for stored content that cannot be as it is."""
    return DamagedStoreError(what, where=place(content_id), hint="run `gonk fsck`")


def place(content_id: bytes) -> str:
    """How messages name content."""
    return f"content {content_id.hex()[:12]}"


def fill_sizes(txn: Txn, tables: dict[str, Table]) -> None:
    """Make the rows of `sizes` from those of `chunks`: stores of before there was that table lack it."""
    with txn.cursor(tables["chunks"]) as cursor:
        for chunk_id, chunk in cursor.iternext():
            txn.put(chunk_id, u64(len(chunk)), db=tables["sizes"], append=True)


def encode_file(content_id: bytes, row: FileRow) -> bytes:
    """What is stored in `files`."""
    return sealed(content_id, u64(row.size) + (row.sha256 or b""))


def decode_file(content_id: bytes, stored: bytes) -> FileRow:
    """A row of `files`; DamagedStoreError when it has changed."""
    value = unsealed(content_id, stored, f"files, {place(content_id)}")
    return FileRow(number(value[:_SIZE_BYTES]), value[_SIZE_BYTES:] or None)


class ContentTxn:
    """One transaction on the content tables."""

    def __init__(self, txn: Txn, tables: ContentTables) -> None:
        self.txn = txn
        self.tables = tables

    def chunk_size(self, chunk_id: bytes) -> int | None:
        """How many bytes a chunk has; None where it is not here. Its bytes are not read."""
        stored = self.txn.get(chunk_id, db=self.tables.sizes)
        return None if stored is None else number(stored)

    def put_chunk(self, chunk_id: bytes, chunk: bytes) -> None:
        """Write a chunk, unless it is here already."""
        self.txn.put(chunk_id, chunk, db=self.tables.chunks, overwrite=False)
        self.txn.put(chunk_id, u64(len(chunk)), db=self.tables.sizes)

    def delete_chunk(self, chunk_id: bytes) -> None:
        """Drop a chunk, if it is here."""
        self.txn.delete(chunk_id, db=self.tables.chunks)
        self.txn.delete(chunk_id, db=self.tables.sizes)

    def file(self, content_id: bytes) -> FileRow | None:
        """The row of a file of several chunks that is known to be whole."""
        stored = self.txn.get(content_id, db=self.tables.files)
        return None if stored is None else decode_file(content_id, stored)

    def listed(self, content_id: bytes) -> tuple[int, list[bytes]] | None:
        """Size and chunk ids of a file of several chunks whose list is here, verified; None where it is not."""
        data = self.txn.get(content_id, db=self.tables.lists)
        if data is None:
            return None
        size = number(data[:_SIZE_BYTES])
        try:
            return size, decode_chunk_list(data, content_id, size)
        except ContentMismatchError as error:
            raise damaged(content_id, f"its chunk list is damaged: {error.what}") from None

    def missing(self, content_id: bytes) -> list[tuple[int, bytes]] | None:
        """Index and id of each chunk that is not here; None where even the list is not."""
        listed = self.listed(content_id)
        if listed is None:
            return None
        return [(index, chunk) for index, chunk in enumerate(listed[1]) if self.chunk_size(chunk) is None]

    def chunk_ids(self, content_id: bytes) -> tuple[int, list[bytes]] | None:
        """Size and chunk ids of a whole file; None where it is not held whole."""
        size = self.chunk_size(content_id)
        if size is not None:
            return size, [content_id]
        if self.file(content_id) is not None or self.missing(content_id) == []:
            listed = self.listed(content_id)
            if listed is None:
                raise damaged(content_id, "its chunk list is missing")
            return listed
        return None
