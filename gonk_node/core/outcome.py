"""What became of a record that was given to the write path: one word for each, shared by store, replica and sync."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from gonk_node.errors import GonkError


class Outcome(IntEnum):
    """What became of one record."""

    INSERTED = 0  # verified, stored, durable
    DUPLICATE = 1  # held already
    COMPLETED = 2  # held already, and now with bodies that were missing
    GAP = 3  # the entry before it is not held; nothing stored
    DECLINED = 4  # a stranger's, beyond this node's quota or branch limit; nothing stored, nothing wrong
    INVALID = 5  # breaks a V-rule; nothing stored


class Ingested(NamedTuple):
    """The outcome of one record: its entry id (empty where it could not be read), lsn (0 where not stored) and error."""

    outcome: Outcome
    entry_id: bytes
    lsn: int
    error: GonkError | None = None
