"""One dataset on this node: its log, its State and its write path, opened together.

Thread-safe: writes are serialised by one lock; reads go straight to the stores. It does not know peers, HTTP or settings.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gonk_node.core.entry import Entry, build_entry
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import DatasetCreate, Event
from gonk_node.core.heads import heads_digest
from gonk_node.core.ids import hash_event, log_id_for
from gonk_node.core.keys import Signer
from gonk_node.core.outcome import Ingested, Outcome
from gonk_node.core.verify import verify_entry
from gonk_node.errors import InvalidEntryError, NotFoundError
from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.ingest import Ingest, UnsignedEntry
from gonk_node.replica.stranger_gate import Quota
from gonk_node.replica.view import ReplicaView
from gonk_node.state.authority import Authority
from gonk_node.store import read_only
from gonk_node.store.log import LogStore
from gonk_node.store.state_db import StateDb

Listener = Callable[[int], None]  # called with the newest lsn, from the thread that wrote


def clock_ms() -> int:
    """The wall clock: milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class Replica:
    """An open replica. `instance` is the installation's secret, of which log ids are made."""

    def __init__(self, log: LogStore, db: StateDb, instance: bytes, quota: Quota) -> None:
        self.log = log
        self.db = db
        self.dataset = log.dataset
        self.instance = instance
        self.projection = Projection(log, db)
        self.view = ReplicaView(log, self.projection)
        self._ingest = Ingest(log, self.projection, quota)
        self._lock = threading.RLock()
        self._log_ids: dict[bytes, bytes] = {}  # by author of this installation: hashing anew costs as much as signing
        self._listeners: list[Listener] = []
        self._announced = 0

    # --- opening and making -----------------------------------------------------------------------------

    @classmethod
    def open(
        cls,
        log_path: Path,
        state_path: Path,
        instance: bytes,
        *,
        quota: Quota = Quota(),  # noqa: B008 - immutable
        progress: Callable[[int, int], None] | None = None,
    ) -> Replica:
        """Open a replica and let its State catch up with its log (from nothing, where `state.db` is gone).

        Raises:
            NotFoundError: no log there. DamagedStoreError, StorageError: as the stores say.
        """
        if not log_path.exists():
            raise NotFoundError("no such dataset on this node", where=str(log_path))
        log = LogStore.open(log_path)
        try:
            replica = cls(log, StateDb(state_path, log.dataset), instance, quota)
            replica.catch_up(recheck_withheld=True, progress=progress)
        except BaseException:
            log.close()
            raise
        return replica

    @staticmethod
    def found(signer: Signer, instance: bytes, genesis: DatasetCreate) -> Entry:
        """Sign the genesis of a new dataset; its entry id is the dataset's id."""
        log_id = _genesis_log_id(instance, genesis, signer.author)
        return build_entry(
            signer, dataset=b"", log_id=log_id, prev=None, prev_id=b"", time_ms=clock_ms(), events=[genesis]
        )

    @staticmethod
    def make(log_path: Path, genesis_record: bytes, dataset: bytes | None) -> Entry:
        """Make the log of a dataset from its genesis, which came from here or from a peer, and close it again.

        Raises:
            InvalidEntryError: the record is no genesis, or not that of `dataset`.
        """
        genesis = verify_entry(genesis_record, dataset)
        if genesis.header.dataset:
            raise InvalidEntryError("V6", "the first entry of a dataset must be its genesis", where="a clone")
        LogStore.create(log_path, genesis).close()
        return genesis

    def close(self) -> None:
        """Close both stores."""
        with self._lock:
            self.log.close()
            self.db.close()

    # --- writing ------------------------------------------------------------------------------------------

    def ingest(self, records: Sequence[bytes], cited: bool = False, signed: Sequence[bool] = ()) -> list[Ingested]:
        """Take records that came from a peer; see `Ingest.ingest`."""
        self.refuse_read_only()
        with self._lock:
            outcomes = self._ingest.ingest(records, cited=cited, signed=signed)
        if any(each.outcome in (Outcome.INSERTED, Outcome.COMPLETED) for each in outcomes):
            self._announce()
        return outcomes

    def sign(self, signer: Signer, events: Sequence[Event], *, after_ms: int = 0) -> Entry:
        """Sign events into one entry and take it in; durable and folded when this returns.

        Args:
            signer: whose key signs.
            events: 1 to 4096; references with an empty entry id mean this entry.
            after_ms: the latest time of what the events refer to; followed unless it is more than a day ahead.

        Raises:
            UsageError: an event breaks the format; nothing was signed. ReadOnlyError, DiskFullError, StorageError.
        """
        (result,) = self.sign_group([UnsignedEntry(signer, events, (after_ms,))])
        if isinstance(result, Exception):
            raise result
        return result

    def sign_group(self, entries: Sequence[UnsignedEntry]) -> list[Entry | Exception]:
        """Sign entries of several authors with one flush and one fold; see `Ingest.sign_group`."""
        self.refuse_read_only()
        with self._lock:
            results = self._ingest.sign_group([(self.log_id(each.signer.author), each) for each in entries], clock_ms)
        self._announce()
        return results

    def catch_up(self, *, recheck_withheld: bool = False, progress: Callable[[int, int], None] | None = None) -> int:
        """Fold what another process appended; returns how many entries that were."""
        with self._lock:
            taken = self.projection.catch_up(recheck_withheld=recheck_withheld, progress=progress)
            self._ingest.follow_redactions()
        self._announce()  # also where nothing was left to fold: the other process may have done that as well
        return taken

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Delete the State and fold the whole log anew; returns the number of entries."""
        self.refuse_read_only()
        with self._lock:
            taken = self.projection.rebuild(progress)
            self._ingest.follow_redactions()
        return taken

    def refuse_read_only(self) -> None:
        """Raise ReadOnlyError where nothing can be taken in or signed."""
        if self.is_read_only:
            raise read_only.refused(self.log.path)

    def log_id(self, author: bytes) -> bytes:
        """The id of the log that this installation writes for an author: where it wrote the genesis, that log."""
        log_id = self._log_ids.get(author)
        if log_id is None:
            first = self.projection.index.root_line.keys[0]
            of_genesis = _genesis_log_id(self.instance, self.genesis, author)
            wrote_genesis = author == first and self.log.leaves(author, of_genesis)
            log_id = of_genesis if wrote_genesis else log_id_for(self.instance, self.dataset, author)
            self._log_ids[author] = log_id
        return log_id

    # --- watching -----------------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Be called after each append with the newest lsn; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _announce(self) -> None:
        lsn = self.log.last_lsn()
        if lsn != self._announced:
            self._announced = lsn
            for listener in list(self._listeners):
                listener(lsn)

    # --- reading ------------------------------------------------------------------------------------------

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be taken in or signed, since its folder cannot be written to."""
        return self.log.is_read_only or self.db.is_read_only

    @property
    def authority(self) -> Authority:
        """Who may do what."""
        return self.projection.authority

    @property
    def genesis(self) -> DatasetCreate:
        """How the dataset was founded."""
        return self.projection.index.genesis

    def state_digest(self) -> bytes:
        """The State digest, 32 bytes."""
        return self.projection.state_digest()

    def heads_digest(self) -> bytes:
        """One hash of all heads, 32 bytes."""
        return heads_digest(self.log.heads())

    def is_private(self) -> bool:
        """Whether only keys with a role may read it."""
        return self.genesis.visibility != 0


def _genesis_log_id(instance: bytes, genesis: DatasetCreate, author: bytes) -> bytes:
    """A genesis has no dataset id yet, so its log is named after the hash of its first event, which no two share."""
    return log_id_for(instance, hash_event(encode_event(genesis)), author)


__all__ = ["Listener", "Quota", "Replica", "clock_ms"]
