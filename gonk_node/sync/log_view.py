"""What a session must be able to ask of one replica's log; the store implements it, and so do the tests in memory.

Reads only: entries go in through the write path, which a session knows nothing of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gonk_node.core.heads import Head, Range


class LogView(Protocol):
    """The entries that are held, by id, by log, and by the order in which they arrived."""

    def last_lsn(self) -> int:
        """The arrival number of the newest entry; numbers start at 1, and 0 means that none is held."""
        ...

    def heads(self) -> list[Head]:
        """Every leaf of every log: one, or several where a log forks."""
        ...

    def heads_since(self, lsn: int) -> list[Head]:
        """Every leaf that arrived after `lsn`."""
        ...

    def has(self, entry_id: bytes) -> bool:
        """Whether that entry is held."""
        ...

    def head_of(self, entry_id: bytes) -> Head | None:
        """The position of an entry, None where it is not held."""
        ...

    def leaves(self, author: bytes, log_id: bytes) -> list[Head]:
        """The leaves of one log."""
        ...

    def locator(self, head: Head) -> list[bytes]:
        """Ids of `head` and its ancestors at `core.heads.locator_seqs(head.seq)`, newest first."""
        ...

    def plan(self, head_id: bytes, known: Sequence[bytes]) -> Range | None:
        """The stretch of chain up to `head_id` after its latest ancestor, or itself, among `known`.

        Args:
            head_id: the entry to reach.
            known: ids of entries that the other side holds; ids that are unknown here do no harm.

        Returns:
            None where `head_id` is not held, or where there is nothing to send.
        """
        ...

    def read_range(self, range_: Range, first_seq: int, *, bytes_max: int, count_max: int) -> list[bytes]:
        """Records of a planned stretch, in order of seq, from `first_seq` on.

        Returns:
            At least one, however large, then as many as fit both bounds. None at all only where the entries
            have been given up since they were planned.
        """
        ...

    def record_of(self, entry_id: bytes) -> bytes | None:
        """The record of an entry as it is stored, None where it is not held."""
        ...

    def priority(self, author: bytes) -> int:
        """The rank in which logs are sent: 0 for those of owners, larger for everybody else's."""
        ...
