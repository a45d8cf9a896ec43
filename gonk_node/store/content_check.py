"""Finding damage in the content store: every chunk, list and file is hashed anew. Repairs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice

from gonk_node.core.chunks import chunk_id, chunk_length
from gonk_node.core.limits import FSCK_ROWS
from gonk_node.errors import DamagedStoreError
from gonk_node.store.content_rows import ContentTables, ContentTxn, damaged, decode_file
from gonk_node.store.env import Environment, Table
from gonk_node.store.rows import u64
from gonk_node.store.writer import Txn

_CHUNKS_AT_ONCE = 8


def check(env: Environment, tables: ContentTables) -> Iterator[DamagedStoreError]:
    """Walk the whole store in short transactions and yield each problem, with its place.

    A file that lacks chunks is no problem unless it is noted as whole: its download goes on some day.
    """
    problems = env.structure_problems()
    yield from (DamagedStoreError(problem, where=str(env.path / "data.mdb")) for problem in problems)
    if problems:
        return
    try:
        yield from _check_chunks(env, tables)
        yield from _check_lists(env, tables)
        yield from _check_files(env, tables)
    except DamagedStoreError as problem:
        yield problem


def _check_chunks(env: Environment, tables: ContentTables) -> Iterator[DamagedStoreError]:
    """The bytes of each chunk, and that `sizes` tells of the same chunks."""
    after = b""
    while True:
        with env.read() as txn:
            chunks = dict(_rows_after(txn, tables.chunks, after, _CHUNKS_AT_ONCE))
            last = max(chunks) if len(chunks) == _CHUNKS_AT_ONCE else None
            sizes = dict(_rows_after(txn, tables.sizes, after, None, last))
        for key, chunk in chunks.items():
            if chunk_id(chunk) != key:
                yield DamagedStoreError("the bytes have changed", where=_place(key))
            if sizes.pop(key, None) != u64(len(chunk)):
                yield DamagedStoreError("the table of sizes tells otherwise", where=_place(key))
        for key in sizes:
            yield DamagedStoreError("the table of sizes has it, and it is not here", where=_place(key))
        env.note_read(sum(map(len, chunks.values())))
        if last is None:
            return
        after = last


def _rows_after(
    txn: Txn, table: Table, after: bytes, count: int | None, last: bytes | None = None
) -> Iterator[tuple[bytes, bytes]]:
    """The rows of a table that follow a key: so many of them, or (None) all up to the last key given."""
    with txn.cursor(table) as cursor:
        if cursor.set_range(after + b"\0"):
            for key, value in islice(cursor.iternext(), count):
                if last is not None and key > last:
                    return
                yield key, value


def _place(key: bytes) -> str:
    return f"chunk {key.hex()[:12]}"


def _check_lists(env: Environment, tables: ContentTables) -> Iterator[DamagedStoreError]:
    for content_id, _ in env.rows("lists", batch=FSCK_ROWS):
        try:
            with env.read() as txn:
                ContentTxn(txn, tables).listed(content_id)
        except DamagedStoreError as problem:
            yield problem


def _check_files(env: Environment, tables: ContentTables) -> Iterator[DamagedStoreError]:
    for content_id, stored in env.rows("files", batch=FSCK_ROWS):
        try:
            row = decode_file(content_id, stored)
            with env.read() as txn:
                listed = ContentTxn(txn, tables).listed(content_id)
            if listed is None or listed[0] != row.size:
                raise damaged(content_id, "its chunk list is missing, or of another size")
            if _sha256(env, tables, content_id, *listed) != row.sha256 and row.sha256 is not None:
                raise damaged(content_id, "its SHA-256 is another")
        except DamagedStoreError as problem:
            yield problem


def _sha256(env: Environment, tables: ContentTables, content_id: bytes, size: int, chunk_ids: list[bytes]) -> bytes:
    hasher = hashlib.sha256()
    for index, chunk_id_ in enumerate(chunk_ids):
        with env.read() as txn:
            chunk = txn.get(chunk_id_, db=tables.chunks)
        if chunk is None or len(chunk) != chunk_length(size, index):
            raise damaged(content_id, f"chunk {index} is missing, or has another length")
        env.note_read(len(chunk))
        hasher.update(chunk)
    return hasher.digest()
