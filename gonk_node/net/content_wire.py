"""What both ends of a content transfer agree on: paths, framing, what they need of a store (spec section 8).

Opens no connection and stores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gonk_node.core.ids import HASH_BYTES

PATH_PREFIX = "/gonk/1/content"
_ID = "{content_id:[0-9a-f]{64}}"
LIST_ROUTE = f"{PATH_PREFIX}/{_ID}/list"
CHUNK_ROUTE = PATH_PREFIX + "/" + _ID + "/chunk/{index:0|[1-9][0-9]{0,5}}"
BATCH_PATH = f"{PATH_PREFIX}/batch"

CONTENT_TYPE = "application/octet-stream"
LENGTH_BYTES = 4  # before each piece of a batch: its length, big-endian
NOT_HELD = 2**32 - 1  # stands for a length: this one cannot be had here; no piece follows


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


class ServedContent(Protocol):
    """What serving content needs of a store. Called in worker threads; may block on the disk."""

    def chunk_list(self, content_id: bytes) -> bytes | None:
        """The chunk list of a file of several chunks, or None."""

    def chunk(self, chunk_id: bytes) -> bytes | None:
        """The bytes of one chunk, or None. The content id of a file of one chunk is its chunk id."""


class ContentPort(ServedContent, Protocol):
    """What fetching content needs of a store. Called in worker threads; `put_*` return once all is durable."""

    def has(self, content_id: bytes) -> bool:
        """Whether the whole file is held."""

    def missing_chunks(self, content_id: bytes, size: int) -> list[tuple[int, bytes]]:
        """Index and chunk id of what is not held of a file whose chunk list is."""

    def put_list(self, content_id: bytes, size: int, data: bytes) -> None:
        """Keep a verified chunk list."""

    def put_chunks(self, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep verified chunks, (id, bytes) each, in one transaction."""
