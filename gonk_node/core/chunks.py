"""Content ids: how the bytes of a file become chunks, a chunk list and one id (spec section 8).

A file of up to one chunk has the plain BLAKE3 of its bytes as content id. A larger one has the hash of its chunk list:
its size (8 bytes, big-endian) and the BLAKE3 of each 1 MiB chunk. The list is fetched by that id and checked against it,
so any peer may send it, and then each chunk is checked as it arrives. No storage here.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from blake3 import blake3

from gonk_node.core.ids import HASH_BYTES, hash_chunk_list
from gonk_node.core.limits import CHUNK_BYTES, OBJECT_BYTES_MAX
from gonk_node.errors import ContentMismatchError, InputFileError

_SIZE_BYTES = 8


class ContentInfo(NamedTuple):
    """What identifies a file: its size in bytes, content id and SHA-256 (32 bytes each)."""

    size: int
    content_id: bytes
    sha256: bytes


def chunk_id(chunk: bytes) -> bytes:
    """The plain BLAKE3 of a chunk's bytes."""
    return blake3(chunk).digest()


def chunk_count(size: int) -> int:
    """How many chunks a file of `size` bytes has (an empty file: one empty chunk)."""
    return max(1, -(-size // CHUNK_BYTES))


def chunk_length(size: int, index: int) -> int:
    """The length in bytes of chunk `index` of a file of `size` bytes."""
    return min(CHUNK_BYTES, size - index * CHUNK_BYTES)


def content_id_of(size: int, chunk_ids: list[bytes]) -> bytes:
    """The content id of a file of `size` bytes with those chunks."""
    return chunk_ids[0] if len(chunk_ids) == 1 else hash_chunk_list(encode_chunk_list(size, chunk_ids))


def encode_chunk_list(size: int, chunk_ids: list[bytes]) -> bytes:
    """The bytes whose hash is the content id of a file of several chunks."""
    return size.to_bytes(_SIZE_BYTES, "big") + b"".join(chunk_ids)


def decode_chunk_list(data: bytes, content_id: bytes, size: int) -> list[bytes]:
    """Verify a chunk list that came from anywhere, and return the ids of the chunks in order.

    Args:
        data: the list as received.
        content_id: the id by which it was asked for.
        size: the size that the object event declares, in bytes.

    Raises:
        ContentMismatchError: wrong length for the size (told before anything is allocated), wrong size or wrong hash.
    """
    where = f"chunk list of {content_id.hex()[:12]}"
    if not CHUNK_BYTES < size <= OBJECT_BYTES_MAX:
        raise ContentMismatchError(f"a file of {size} bytes has no chunk list", where=where)
    if len(data) != _SIZE_BYTES + chunk_count(size) * HASH_BYTES:
        raise ContentMismatchError(f"{len(data)} bytes are no list for a file of {size} bytes", where=where)
    if hash_chunk_list(data) != content_id or int.from_bytes(data[:_SIZE_BYTES], "big") != size:
        raise ContentMismatchError("the list does not match the content id", where=where)
    return [data[start : start + HASH_BYTES] for start in range(_SIZE_BYTES, len(data), HASH_BYTES)]


def verify_chunk(chunk: bytes, expected_id: bytes) -> None:
    """Refuse a chunk whose BLAKE3 is not `expected_id`: `ContentMismatchError`."""
    if chunk_id(chunk) != expected_id:
        raise ContentMismatchError("the bytes do not match their id", where=f"chunk {expected_id.hex()[:12]}")


class ContentHasher:
    """Hashes a file in one pass: feed it whole chunks in order, then ask for its identity."""

    def __init__(self) -> None:
        self.size = 0
        self.chunk_ids: list[bytes] = []
        self._sha256 = hashlib.sha256()

    def add(self, chunk: bytes) -> bytes:
        """Take the next chunk (1 MiB, the last one less) and return its id."""
        self.size += len(chunk)
        if self.size > OBJECT_BYTES_MAX:
            raise InputFileError(f"a file may have at most {OBJECT_BYTES_MAX} bytes")
        self._sha256.update(chunk)
        digest = chunk_id(chunk)
        self.chunk_ids.append(digest)
        return digest

    def finish(self) -> ContentInfo:
        """The identity of all that was added."""
        if not self.chunk_ids:
            self.add(b"")
        return ContentInfo(self.size, content_id_of(self.size, self.chunk_ids), self._sha256.digest())
