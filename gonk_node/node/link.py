"""One replica as the sessions of this process see it: the blocking work in order, on one thread of its own.

It also takes up the roles that are granted to this node's author. It opens no connection and decides nothing about peers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from blake3 import blake3

from gonk_node.core.heads import heads_digest
from gonk_node.core.keys import Signer
from gonk_node.core.outcome import Ingested
from gonk_node.errors import GonkError
from gonk_node.net.replica_port import Checked
from gonk_node.node.signature_process import SignatureProcess, found_signed
from gonk_node.replica.replica import Replica
from gonk_node.replica.signing.author import Author
from gonk_node.replica.view import ReplicaView
from gonk_node.state.authority import Authority
from gonk_node.sync.outputs import Cursor, Standing

_log = logging.getLogger(__name__)
_INSTANCE_BYTES = 16
_CURSOR_PREFIX = b"cursor/"  # then the peer's node key: rows of the log's meta table
T = TypeVar("T")


class ReplicaLink:
    """Sessions read the log at `view` from the event loop; all else waits for its turn on the replica's thread.

    Args:
        replica: an open replica; `close` leaves it open.
        installation: the public name of this installation's stores.
        author: signs accept-grants for roles that this key is given; None where the key is locked.
    """

    def __init__(self, replica: Replica, installation: bytes, author: Signer | None) -> None:
        self.replica = replica
        # Arrival numbers mean something in one log of one installation: not in a restored copy, nor in a new clone.
        self._instance = blake3(installation + replica.log.instance).digest(_INSTANCE_BYTES)
        self._author = None if author is None else Author(replica, author)
        self._judged: Authority | None = None  # the authority in which grants to the author were looked for last
        self._signatures = SignatureProcess()
        name = f"replica {replica.dataset.hex()[:8]}"
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    @property
    def dataset(self) -> bytes:
        """The dataset's id, 32 bytes."""
        return self.replica.dataset

    @property
    def instance(self) -> bytes:
        """The store instance that peers keep their cursors by, 16 bytes."""
        return self._instance

    @property
    def view(self) -> ReplicaView:
        """The entries that are held."""
        return self.replica.view

    async def run(self, work: Callable[[], T]) -> T:
        """Do blocking work on the replica's thread, after all that waits there already."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def check_ahead(self, records: Sequence[bytes]) -> Checked | None:
        """Begin to check the signatures of records that `ingest` will be given."""
        return self._signatures.check(records)

    async def ingest(self, records: Sequence[bytes], cited: bool, ahead: Checked | None) -> list[Ingested]:
        """Give records to the write path; what is INSERTED is durable and folded on return."""
        return await self.run(lambda: self._ingest(records, cited, ahead))

    async def standing(self, whole: bool) -> Standing:
        """Where the replica stands; with heads and digests only if `whole`."""
        return await self.run(lambda: self._standing(whole))

    async def catch_up(self) -> int:
        """Fold what other processes appended; returns how many entries that were."""
        return await self.run(self._catch_up)

    async def cursor(self, node_key: bytes) -> Cursor | None:
        """How far the log of that peer was taken."""
        return await self.run(lambda: self._cursor(node_key))

    async def save_cursor(self, node_key: bytes, cursor: Cursor) -> None:
        """Remember how far the log of that peer was taken."""
        value = cursor.instance + cursor.lsn.to_bytes(8, "big")
        await self.run(lambda: self.replica.log.meta_put(_CURSOR_PREFIX + node_key, value))

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener` on this event loop with the newest lsn after each append; returns what ends it."""
        loop = asyncio.get_running_loop()

        def pass_on(lsn: int) -> None:
            try:
                loop.call_soon_threadsafe(listener, lsn)
            except RuntimeError:  # the loop is closed: nobody listens any more
                pass

        return self.replica.subscribe(pass_on)

    async def close(self) -> None:
        """Wait for the work that is under way."""
        await self._signatures.close()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    # --- on the replica's thread ---------------------------------------------------------------------------

    def _ingest(self, records: Sequence[bytes], cited: bool, ahead: Checked | None) -> list[Ingested]:
        outcomes = self.replica.ingest(records, cited, found_signed(ahead))
        self._accept_grants()
        return outcomes

    def _catch_up(self) -> int:
        taken = self.replica.catch_up()
        self._accept_grants()
        return taken

    def _accept_grants(self) -> None:
        """Take up a role that was granted to this node's author, as soon as the grant is seen."""
        authority = self.replica.authority
        if self._author is None or authority is self._judged:
            return
        self._judged = authority
        try:
            accepted = self._author.accept_grants()
        except GonkError as error:
            _log.warning("%s: a grant could not be accepted: %s", self.dataset.hex()[:8], error)
            return
        if accepted is not None:
            _log.info("%s: accepted a role that was granted to this node's author", self.dataset.hex()[:8])

    def _standing(self, whole: bool) -> Standing:
        replica = self.replica
        self._catch_up()
        lsn = replica.log.last_lsn()
        lacked = replica.view.wanted(), replica.view.incomplete(), replica.view.doubtful()
        if not whole:
            return Standing(lsn, (), b"", b"", *lacked)
        folded_to = replica.projection.lsn()
        state_digest = replica.state_digest()
        heads = replica.log.heads()
        # Other processes append and fold too: the two belong together only if nothing arrived meanwhile.
        together = folded_to == lsn == replica.log.last_lsn()
        return Standing(lsn, heads, heads_digest(heads), state_digest if together else b"", *lacked)

    def _cursor(self, node_key: bytes) -> Cursor | None:
        value = self.replica.log.meta_get(_CURSOR_PREFIX + node_key)
        if value is None:
            return None
        return Cursor(value[:_INSTANCE_BYTES], int.from_bytes(value[_INSTANCE_BYTES:], "big"))
