"""Bytes of keys and values that both stores share: fixed integers, and sealed values that show when they are damaged.

LMDB keeps no checksums. Rows that can be told from other rows are checked against those; a row that stands
alone (a setting, a cursor, a count) is sealed with a hash of its key and value. No reading or writing here.
"""

from __future__ import annotations

from blake3 import blake3

from gonk_node.errors import DamagedStoreError

LSN_BYTES = 8
_SEAL_BYTES = 8


def u64(number: int) -> bytes:
    """A number from 0 to 2^64-1 as 8 bytes, big-endian, so that keys sort as numbers do."""
    return number.to_bytes(8, "big")


def number(value: bytes, length: int = LSN_BYTES) -> int:
    """The number in that many bytes; DamagedStoreError for another length (a damaged page changes those too)."""
    if len(value) != length:
        raise DamagedStoreError(f"a number of {len(value)} bytes, not {length}", where="a row", hint="run `gonk fsck`")
    return int.from_bytes(value, "big")


def _seal(key: bytes, value: bytes) -> bytes:
    return blake3(len(key).to_bytes(2, "big") + key + value).digest(_SEAL_BYTES)


def sealed(key: bytes, value: bytes) -> bytes:
    """What is stored for `value` under `key`: 8 bytes of a hash of both, then the value."""
    return _seal(key, value) + value


def unsealed(key: bytes, stored: bytes, where: str) -> bytes:
    """The value of a sealed row; DamagedStoreError naming `where` when it is not what was stored."""
    value = stored[_SEAL_BYTES:]
    if stored[:_SEAL_BYTES] != _seal(key, value):
        raise DamagedStoreError("a row has changed since it was stored", where=where, hint="run `gonk fsck`")
    return value
