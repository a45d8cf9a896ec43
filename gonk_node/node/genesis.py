"""The first step of a clone: a session that fetches one entry, the genesis, whose hash is the id in the link.

With it the log can be made; all the rest then comes by an ordinary sync. It stores nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from gonk_node.core.heads import Head, Range, heads_digest
from gonk_node.core.outcome import Ingested, Outcome
from gonk_node.core.verify import verify_entry
from gonk_node.errors import InvalidEntryError
from gonk_node.net.replica_port import Checked
from gonk_node.sync.outputs import Cursor, Standing

_INSTANCE_BYTES = 16


class GenesisLink:
    """What a session sees in place of a replica: it holds nothing, and wants nothing but the genesis.

    Attributes:
        dataset: the id of the dataset, which is that of its genesis.
        instance: of no store; made for this one session.
        record: the verified genesis as it came; None until then.
    """

    def __init__(self, dataset: bytes) -> None:
        self.dataset = dataset
        self.instance = os.urandom(_INSTANCE_BYTES)
        self.record: bytes | None = None

    @property
    def view(self) -> GenesisLink:
        """Itself."""
        return self

    def check_ahead(self, records: Sequence[bytes]) -> Checked | None:  # noqa: ARG002
        """One record is checked as it comes."""
        return None

    async def ingest(self, records: Sequence[bytes], cited: bool, ahead: Checked | None) -> list[Ingested]:  # noqa: ARG002
        """Verify and keep the genesis; anything else was not asked for."""
        return [self._take(record) for record in records]

    def _take(self, record: bytes) -> Ingested:
        try:
            entry = verify_entry(record, self.dataset)
        except InvalidEntryError as error:
            return Ingested(Outcome.INVALID, b"", 0, error)
        if entry.entry_id != self.dataset:
            return Ingested(Outcome.DECLINED, entry.entry_id, 0)
        self.record = record
        return Ingested(Outcome.INSERTED, entry.entry_id, 1)

    async def standing(self, whole: bool) -> Standing:
        """Holding nothing; missing the genesis."""
        return Standing(0, (), heads_digest(()) if whole else b"", b"", self.wanted(), ())

    async def cursor(self, node_key: bytes) -> Cursor | None:  # noqa: ARG002
        """There is none."""
        return None

    async def save_cursor(self, node_key: bytes, cursor: Cursor) -> None:
        """Nothing was taken that would not be wanted again."""

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:  # noqa: ARG002
        """Nothing is ever appended."""
        return lambda: None

    # --- the reads of `sync.log_view.LogView` --------------------------------------------------------------

    def last_lsn(self) -> int:
        """Nothing has arrived."""
        return 0

    def heads(self) -> list[Head]:
        """None."""
        return []

    def heads_since(self, lsn: int) -> list[Head]:  # noqa: ARG002
        """None."""
        return []

    def has(self, entry_id: bytes) -> bool:
        """True for all but the genesis, so that heads which the peer tells are not asked for."""
        return entry_id != self.dataset or self.record is not None

    def head_of(self, entry_id: bytes) -> Head | None:
        """The place of the genesis."""
        if self.record is None or entry_id != self.dataset:
            return None
        header = verify_entry(self.record, self.dataset).header
        return Head(header.author, header.log_id, header.seq, entry_id)

    def leaves(self, author: bytes, log_id: bytes) -> list[Head]:  # noqa: ARG002
        """None."""
        return []

    def locator(self, head: Head) -> list[bytes]:  # noqa: ARG002
        """Empty."""
        return []

    def plan(self, head_id: bytes, known: Sequence[bytes]) -> Range | None:  # noqa: ARG002
        """There is nothing to send."""
        return None

    def read_range(self, range_: Range, first_seq: int, *, bytes_max: int, count_max: int) -> list[bytes]:  # noqa: ARG002
        """There is nothing to send."""
        return []

    def record_of(self, entry_id: bytes) -> bytes | None:  # noqa: ARG002
        """There is nothing to send."""
        return None

    def wanted(self) -> list[bytes]:
        """The genesis, until it is here."""
        return [] if self.record is not None else [self.dataset]

    def priority(self, author: bytes) -> int:  # noqa: ARG002
        """There is nothing to send."""
        return 0
