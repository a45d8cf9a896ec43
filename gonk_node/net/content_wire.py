"""What both ends of a content transfer agree on: paths, framing, what they need of a store (spec section 8).

Opens no connection and stores nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol

from gonk_node.core.chunks import chunk_count
from gonk_node.core.ids import HASH_BYTES
from gonk_node.core.limits import CHUNK_BYTES, CONTENT_BATCH_FILES_MAX, CONTENT_PUT_BYTES_MAX, OBJECT_BYTES_MAX

PATH_PREFIX = "/gonk/1/content"
_ID = "{content_id:[0-9a-f]{64}}"
LIST_ROUTE = f"{PATH_PREFIX}/{_ID}/list"
CHUNK_ROUTE = PATH_PREFIX + "/" + _ID + "/chunk/{index:0|[1-9][0-9]{0,5}}"
BATCH_PATH = f"{PATH_PREFIX}/batch"
WANTED_PATH = f"{PATH_PREFIX}/wanted"
PUT_PATH = f"{PATH_PREFIX}/put"

CONTENT_TYPE = "application/octet-stream"
LENGTH_BYTES = 4  # before each piece of a batch: its length, big-endian
NOT_HELD = 2**32 - 1  # stands for a length: this one cannot be had here; no piece follows

LIST_START_BYTES = 8  # the size that a chunk list begins with
LIST_BYTES_MAX = LIST_START_BYTES + chunk_count(OBJECT_BYTES_MAX) * HASH_BYTES
SIZE_BYTES = 8  # of a file, in `wanted`
WANTED_BYTES = HASH_BYTES + SIZE_BYTES
PUT_HEAD_BYTES = HASH_BYTES + LENGTH_BYTES  # before each file of a `put`
PUT_BODY_BYTES_MAX = CONTENT_PUT_BYTES_MAX + CONTENT_BATCH_FILES_MAX * PUT_HEAD_BYTES


class Wanted(NamedTuple):
    """A file: its content id (32 bytes) and the size in bytes that its object event declares."""

    content_id: bytes
    size: int


class Verdict(IntEnum):
    """What a peer says of one file that is offered or handed over; one byte each."""

    HELD = 0  # it is there, durably
    WANTED = 1  # send it
    DECLINED = 2  # it is not taken: not named there, not wanted by the policy, or beyond a quota
    MISMATCH = 3  # the bytes sent do not match the id


def list_path(content_id: bytes) -> str:
    """Where the chunk list of a file of several chunks is."""
    return f"{PATH_PREFIX}/{content_id.hex()}/list"


def chunk_path(content_id: bytes, index: int) -> str:
    """Where chunk `index` (from 0) of a file is."""
    return f"{PATH_PREFIX}/{content_id.hex()}/chunk/{index}"


def encode_piece(piece: bytes | None) -> list[bytes]:
    """The answer of a batch for one file, as byte strings to send in a row; None: not held."""
    if piece is None:
        return [NOT_HELD.to_bytes(LENGTH_BYTES, "big")]
    return [len(piece).to_bytes(LENGTH_BYTES, "big"), piece]


def decode_ids(data: bytes) -> list[bytes]:
    """The content ids that a batch asks for: `data` is a multiple of 32 bytes."""
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]


def encode_wanted(files: Iterable[Wanted]) -> bytes:
    """The body of a question about files: content id and size of each."""
    return b"".join(content_id + size.to_bytes(SIZE_BYTES, "big") for content_id, size in files)


def decode_wanted(data: bytes) -> list[Wanted]:
    """The files that such a question is about: `data` is a multiple of 40 bytes."""
    return [
        Wanted(data[start : start + HASH_BYTES], int.from_bytes(data[start + HASH_BYTES : start + WANTED_BYTES], "big"))
        for start in range(0, len(data), WANTED_BYTES)
    ]


def encode_files(files: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The body that hands over small files, (content id, bytes) each."""
    return b"".join(
        part for content_id, data in files for part in (content_id, len(data).to_bytes(LENGTH_BYTES, "big"), data)
    )


def decode_files(body: bytes) -> list[tuple[bytes, bytes]] | None:
    """The files in such a body, unverified; None where it does not have that form, or has too many."""
    files: list[tuple[bytes, bytes]] = []
    place = 0
    while place < len(body):
        start = place + PUT_HEAD_BYTES
        content_id = body[place : place + HASH_BYTES]
        length = int.from_bytes(body[place + HASH_BYTES : start], "big")
        place = start + length
        if length > CHUNK_BYTES or place > len(body) or len(files) == CONTENT_BATCH_FILES_MAX:
            return None
        files.append((content_id, body[start:place]))
    return files


def encode_bits(indexes: Iterable[int], count: int) -> bytes:
    """A bit for each of `count` chunks, the first one highest in the first byte; set for those in `indexes`."""
    bits = bytearray(-(-count // 8))
    for index in indexes:
        bits[index // 8] |= 0x80 >> index % 8
    return bytes(bits)


def decode_bits(data: bytes, count: int) -> list[int]:
    """The indexes whose bit is set, of those below `count`."""
    return [index for index in range(count) if data[index // 8] & 0x80 >> index % 8]


class ServedContent(Protocol):
    """What serving content needs of a store. Called in worker threads; may block on the disk."""

    def chunk_list(self, content_id: bytes) -> bytes | None:
        """The chunk list of a file of several chunks, or None."""

    def chunk(self, chunk_id: bytes) -> bytes | None:
        """The bytes of one chunk, or None. The content id of a file of one chunk is its chunk id."""


class OfferedContent(ServedContent, Protocol):
    """What handing over content needs of a store. Called in worker threads."""

    def has(self, content_id: bytes) -> bool:
        """Whether the whole file is held."""


class ContentPort(OfferedContent, Protocol):
    """What taking content in needs of a store. Called in worker threads; `put_*` return once all is durable."""

    def missing_chunks(self, content_id: bytes, size: int) -> list[tuple[int, bytes]]:
        """Index and chunk id of what is not held of a file whose chunk list is."""

    def put_list(self, content_id: bytes, size: int, data: bytes) -> None:
        """Keep a verified chunk list."""

    def put_chunks(self, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep verified chunks, (id, bytes) each, in one transaction."""
