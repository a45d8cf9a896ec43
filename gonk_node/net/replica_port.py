"""What a session over the network needs of a replica; the node gives it one, and so do the tests.

The methods that may wait for the disk are coroutines: the node runs them on the replica's own thread, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeAlias

from gonk_node.core.outcome import Ingested
from gonk_node.sync.log_view import LogView
from gonk_node.sync.outputs import Cursor, Standing

Checked: TypeAlias = Future[Sequence[bool]]
"""For each record whether its signature was found to hold; a cancelled or empty one says nothing."""


class ReplicaPort(Protocol):
    """One replica, as sessions see it. Called on the event loop."""

    @property
    def dataset(self) -> bytes:
        """The dataset's id, 32 bytes."""
        ...

    @property
    def instance(self) -> bytes:
        """This replica's store instance, 16 bytes: what peers keep their cursors by."""
        ...

    @property
    def view(self) -> LogView:
        """The entries that are held; read on the event loop, so each read must be short."""
        ...

    def check_ahead(self, records: Sequence[bytes]) -> Checked | None:
        """Begin to check the signatures of records that `ingest` will be given, if that is worth it."""
        ...

    async def ingest(self, records: Sequence[bytes], cited: bool, ahead: Checked | None) -> list[Ingested]:
        """Give records to the write path, in order; one outcome for each. What is INSERTED is durable on return.

        Args:
            records: as they came.
            cited: an honoured accept leads to them: the quota for strangers does not apply.
            ahead: what `check_ahead` gave for them.

        Raises:
            StorageError: this node's disk; the session ends with it.
        """
        ...

    async def standing(self, whole: bool) -> Standing:
        """Where this replica stands. The digest must be that of a State folded from exactly `heads`, or empty."""
        ...

    async def cursor(self, node_key: bytes) -> Cursor | None:
        """The cursor that was saved last for that peer."""
        ...

    async def save_cursor(self, node_key: bytes, cursor: Cursor) -> None:
        """Remember how far that peer's log was taken."""
        ...

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener` on this event loop with the newest arrival number after each append; returns what ends it."""
        ...
