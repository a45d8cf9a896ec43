"""Names of things: how ids are derived from bytes, and how they are written as text.

Every hash is BLAKE3-256; each use has its own derive-key context (BLAKE3 specification, section 2.3), so a hash made for
one purpose never means anything in another. No storage, no look-up of short forms: those need to know what exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple
from uuid import UUID

from blake3 import blake3

from gonk_node.errors import UsageError

HASH_BYTES = 32
LOG_ID_BYTES = 8
UUID_BYTES = 16
KEY_BYTES = 32


class EventRef(NamedTuple):
    """Names one event: the id of its entry (32 bytes, or empty for "this same entry") and its index there."""

    entry_id: bytes
    index: int  # type: ignore[assignment]  # the field's name in the spec; tuple.index is not used


def _hasher(context: str) -> Callable[[bytes], bytes]:
    base = blake3(derive_key_context=context)

    def digest(data: bytes) -> bytes:
        hasher = base.copy()  # the context is hashed once, not per call
        hasher.update(data)
        return hasher.digest()

    return digest


hash_header = _hasher("gonk-node 2026 v1 entry header")  # an entry's id
hash_event = _hasher("gonk-node 2026 v1 event")
hash_event_list = _hasher("gonk-node 2026 v1 event list")
hash_heads = _hasher("gonk-node 2026 v1 heads")
hash_chunk_list = _hasher("gonk-node 2026 v1 chunk list")
hash_handshake = _hasher("gonk-node 2026 v1 handshake transcript")
_object_uuid = _hasher("gonk-node 2026 v1 object uuid")
_schema_uuid = _hasher("gonk-node 2026 v1 schema uuid")
_annotation_uuid = _hasher("gonk-node 2026 v1 imported annotation uuid")
_log_id = _hasher("gonk-node 2026 v1 log id")


def hash_manifest_lines(lines: Iterable[bytes]) -> bytes:
    """The hash of a manifest: of all its lines, one after the other; holds none of them for long."""
    hasher = blake3(derive_key_context="gonk-node 2026 v1 manifest")
    for line in lines:
        hasher.update(line)
    return hasher.digest()


def uuid8(digest: bytes) -> bytes:
    """Make a UUID of version 8 (RFC 9562 section 5.8) of the first 16 bytes of a hash; returns its 16 bytes."""
    value = bytearray(digest[:UUID_BYTES])
    value[6] = (value[6] & 0x0F) | 0x80
    value[8] = (value[8] & 0x3F) | 0x80
    return bytes(value)


def event_uuid(ref: EventRef) -> bytes:
    """The UUID by which people and the HTTP API name an event: version 8 (RFC 9562 section 5.8), made to be read back.

    48 bits are the first six bytes of the entry id, 12 bits the index, and the last 62 bits those of the entry id that
    follow. `split_event_uuid` gives them back, so an event is found by its UUID without a table of UUIDs.
    """
    tail = int.from_bytes(ref.entry_id[6:14], "big") >> 2
    return ref.entry_id[:6] + (0x8000 | ref.index).to_bytes(2, "big") + (0b10 << 62 | tail).to_bytes(8, "big")


def split_event_uuid(value: bytes) -> tuple[bytes, int, int]:
    """What an event's UUID says: the first six bytes of the entry id, its next 62 bits, and the event's index."""
    return value[:6], int.from_bytes(value[8:], "big") & ((1 << 62) - 1), int.from_bytes(value[6:8], "big") & 0xFFF


def object_uuid(dataset: bytes, content_id: bytes) -> bytes:
    """The default UUID of an object: two people who add one file to one dataset make one object."""
    return uuid8(_object_uuid(dataset + content_id))


def schema_uuid(dataset: bytes, name: str) -> bytes:
    """The UUID of the schema of that name in that dataset."""
    return uuid8(_schema_uuid(dataset + name.encode()))


def imported_annotation_uuid(dataset: bytes, object_uuid_: bytes, key: bytes) -> bytes:
    """The UUID of an annotation read from a file: importing the same file twice names the same annotation.

    Args:
        dataset: the dataset id, 32 bytes.
        object_uuid_: the UUID of the object that it hangs on, 16 bytes.
        key: what identifies the annotation within its source (16 bytes, made by the importer).
    """
    return uuid8(_annotation_uuid(dataset + object_uuid_ + key))


def log_id_for(instance: bytes, dataset: bytes, author: bytes) -> bytes:
    """The id of the log that this installation writes for one author in one dataset (8 bytes).

    Args:
        instance: the installation's 32 random bytes, never copied by backup, restore or key export.
        dataset: the dataset id, 32 bytes, or for the log of a genesis, which has no id yet, the hash of its first event.
        author: the author's public key, 32 bytes.
    """
    return _log_id(instance + dataset + author)[:LOG_ID_BYTES]


def uuid_text(value: bytes) -> str:
    """The usual lower-case 36-character form of 16 bytes."""
    if len(value) != UUID_BYTES:
        raise ValueError(f"a UUID has {UUID_BYTES} bytes, not {len(value)}")
    digits = value.hex()  # a sixth of the time of str(UUID(…)), and a manifest has three of them in a line
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def parse_uuid(text: str) -> bytes:
    """Read a UUID in any form that Python's `UUID` accepts; UsageError otherwise."""
    try:
        return UUID(text).bytes
    except ValueError:
        raise UsageError(f"{text!r} is not a UUID", hint="a UUID has 32 hex digits") from None


def is_uuid(text: str) -> bool:
    """Whether a text reads as a UUID (rule A13): 32 hex digits, hyphens or not. Python takes more, such as 0x and blanks."""
    digits = text.replace("-", "")
    return len(digits) == 2 * UUID_BYTES and not digits.strip("0123456789abcdefABCDEF")


def parse_hash(text: str, what: str = "id") -> bytes:
    """Read 64 hex digits as 32 bytes; UsageError naming `what` otherwise."""
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(text) != 2 * HASH_BYTES or len(value) != HASH_BYTES:  # fromhex alone would pass over blanks
        raise UsageError(f"{text!r} is not a whole {what}", hint=f"a {what} has 64 hex digits")
    return value
