"""Heads: how two replicas say in few bytes what they hold, and find where they part (spec section 9).

Pure arithmetic over (author, log id, seq, entry id); which entries exist is asked of the log by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gonk_node.core.ids import hash_heads


class Head(NamedTuple):
    """The last entry of a log, or of one branch of it where it forks: author, log id, seq, entry id."""

    author: bytes
    log_id: bytes
    seq: int
    entry_id: bytes


class Range(NamedTuple):
    """A stretch of one chain, from `first_seq` to `last_seq` (both in it), ending in the entry `head_id`.

    `entries`, `events` and `bytes` (of records, as stored) are its totals, announced before it is sent.
    """

    author: bytes
    log_id: bytes
    first_seq: int
    last_seq: int
    head_id: bytes
    entries: int
    events: int
    bytes: int


def heads_digest(heads: Iterable[Head]) -> bytes:
    """One hash (32 bytes) for a set of heads: equal digests mean that the same entries are held."""
    return hash_heads(b"".join(sorted(h.author + h.log_id + h.seq.to_bytes(8, "big") + h.entry_id for h in heads)))


def locator_seqs(seq: int) -> list[int]:
    """The sequence numbers of a locator: `seq`, then back by 1, 2, 4, …, and 0.

    The first of these entries that the other side holds bounds where the two logs part, in O(log n) ids.
    """
    seqs = [seq]
    step = 1
    while seqs[-1] > 0:
        seqs.append(max(0, seqs[-1] - step))
        step *= 2
    return seqs
