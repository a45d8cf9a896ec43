"""The State digest: one hash of all that is decided or vouched for, kept up to date by adding and subtracting items.

A multiset hash (AdHash, Bellare and Micciancio 1997): each item is stretched to 4,096 bits by BLAKE3 and summed modulo
2^4096. So the order of items cannot matter, one item can be taken out again, and finding two sets with one sum costs
about 2^128 by Wagner's generalised birthday attack (2^(2·sqrt(4096))). What the items are is spec section 7.
"""

from __future__ import annotations

from collections.abc import Iterable

from blake3 import blake3

_ITEM = blake3(derive_key_context="gonk-node 2026 v1 state item")
_BYTE = tuple(bytes([number]) for number in range(16))
_SUM_BYTES = 512
_MASK = (1 << (8 * _SUM_BYTES)) - 1

EMPTY_SUM = 0

Counted = tuple[bytes, bytes, int, int]  # a revision: uuid, entry id, index of its event there, status


def item(entity_type: int, uuid: bytes, entry_id: bytes, index: int, status: int) -> int:
    """The number that stands for "this revision of this entity has this status" in the sum.

    Args:
        entity_type: 0 object, 1 annotation, 2 schema.
        uuid: the entity's 16 bytes.
        entry_id: the 32-byte id of the entry that holds the revision's event.
        index: the event's index there.
        status: the revision's status set, as bits.
    """
    return sum_of(entity_type, [(uuid, entry_id, index, status)])


def sum_of(entity_type: int, revisions: Iterable[Counted]) -> int:
    """The sum of the items of many revisions of one entity type."""
    hasher = _ITEM.copy()
    reset, update, stretch, number_of = hasher.reset, hasher.update, hasher.digest, int.from_bytes
    type_byte = _BYTE[entity_type]
    total = 0
    for uuid, entry_id, index, status in revisions:
        reset()
        update(b"".join((type_byte, uuid, entry_id, index.to_bytes(2, "big"), _BYTE[status])))
        total += number_of(stretch(_SUM_BYTES), "big")
    return total


def add(total: int, change: int) -> int:
    """The sum after `change`, which may be negative, is added."""
    return (total + change) & _MASK


def sum_to_bytes(total: int) -> bytes:
    """How a sum is stored: 512 bytes, big-endian."""
    return total.to_bytes(_SUM_BYTES, "big")


def digest_of(total: int) -> bytes:
    """The State digest (32 bytes) of a sum."""
    return blake3(sum_to_bytes(total)).digest()
