"""The State of a dataset at past heads (rule A14): the same fold, over the entries at or before those heads alone.

Kept as a file that may be deleted at any time, or in memory where it is small; see `snapshot_files`. Which heads are those of
a release is for `releases`.
"""

from __future__ import annotations

import contextlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType

from blake3 import blake3

from gonk_node.core.heads import Head, heads_digest
from gonk_node.core.ids import EventRef
from gonk_node.core.limits import SNAPSHOT_MEMORY_EVENTS_MAX
from gonk_node.core.times import time_json
from gonk_node.errors import NotFoundError, NotHeldError, ReadOnlyError, ReleaseError
from gonk_node.replica import snapshot_files
from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.reading.bodies import Bodies
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.releases.manifest_items import manifest_items
from gonk_node.replica.replica import Replica
from gonk_node.state.manifest import LeftOut, Manifest, Summary
from gonk_node.store.log import LogStore
from gonk_node.store.state_db import StateDb

_SUMMARY_KEY = "manifest"  # in `meta`: hash and counts
_HELD_KEY = "bodies_held"  # in `meta`: which bodies the log had when this State was folded
Progress = Callable[[int, int], None]  # (lsn reached, last lsn)


class LogUpTo:
    """The part of a log that is at or before some heads, as the projection reads logs."""

    def __init__(self, log: LogStore, lsns: array[int]) -> None:
        self._log = log
        self._lsns = lsns

    def last_lsn(self) -> int:
        """The arrival number of the newest of these entries."""
        return self._lsns[-1]

    def scan(self, after_lsn: int, *, count_max: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """The next records among these in order of arrival; at least one where there is any."""
        at = bisect_right(self._lsns, after_lsn)
        if at == len(self._lsns):
            return []
        found = []
        for lsn, record in self._log.scan(self._lsns[at] - 1, count_max=count_max, bytes_max=bytes_max):
            if lsn == self._lsns[at]:
                found.append((lsn, record))
                at += 1
                if at == len(self._lsns):
                    break
        return found

    def record(self, lsn: int) -> bytes | None:
        """The record of that arrival number, where it is among these."""
        at = bisect_left(self._lsns, lsn)
        return self._log.record(lsn) if at < len(self._lsns) and self._lsns[at] == lsn else None


class Snapshot:
    """The State at some heads, to be asked as the present one is. Close it, or use it in a `with` statement.

    Attributes:
        heads: the heads.
        db: the State there.
        queries: questions about it.
        bodies: its schemas, compiled when they are needed.
    """

    def __init__(self, heads: Sequence[Head], projection: Projection, dataset: bytes) -> None:
        self.heads = tuple(heads)
        self.db = projection.db
        self.queries = Queries(self.db)
        self.bodies = Bodies(self.queries)
        self._projection = projection
        self._dataset = dataset

    @property
    def events(self) -> int:
        """How many events are at or before the heads."""
        return self.queries.totals()[1]

    def state_digest(self) -> bytes:
        """The State digest there, 32 bytes."""
        return self._projection.state_digest()

    def lacking(self) -> list[EventRef]:
        """Events of which only the hash is here, though no redaction that counts at these heads says so."""
        return self._projection.missing_bodies()

    def manifest(self) -> Manifest:
        """What a release at these heads lists (rule A15)."""
        return Manifest(self._dataset, lambda: manifest_items(self.db, self.bodies))

    def summary(self) -> Summary:
        """The hash and counts of that manifest; worked out once for each time that this State is folded."""
        known = self.db.meta(_SUMMARY_KEY)
        if known is None:
            manifest_hash, *counts = self.manifest().summary()
            known = manifest_hash.hex() + "".join([f" {count}" for count in counts])
            with contextlib.suppress(ReadOnlyError), self.db.transaction():
                self.db.set_meta(_SUMMARY_KEY, known)
        manifest_hash, objects, annotations, left_out = known.split()
        return Summary(bytes.fromhex(manifest_hash), int(objects), int(annotations), int(left_out))

    def left_out(self) -> list[LeftOut]:
        """The annotations that count there and are not in a release at these heads, by uuid; mostly none."""
        if not self.summary().left_out:
            return []
        return [item for item in manifest_items(self.db, self.bodies) if isinstance(item, LeftOut)]

    def close(self) -> None:
        """Close the State; its file stays for the next time."""
        self.db.close()

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def snapshot_at(
    replica: Replica, heads: Iterable[Head], *, fresh: bool = False, progress: Progress | None = None
) -> Snapshot:
    """The State folded from the genesis and exactly the entries that are, or are before, those heads.

    Args:
        replica: its State has caught up with its log.
        heads: of any logs, each once; what later entries say does not count.
        fresh: fold it from the log, though it may have been before.
        progress: called while it is folded.

    Raises:
        NotHeldError: an entry is not on this node. ReleaseError: one stands elsewhere than its head says (A14).
        DiskFullError, StorageError, DamagedStoreError: as the stores say.
    """
    heads = sorted(heads)
    _check_heads(replica, heads)
    lsns, events = replica.log.lsns_up_to([replica.dataset, *(head.entry_id for head in heads)])
    db = _open(replica, heads, events)
    try:
        held = _bodies_held(replica)
        if fresh or db.meta(_HELD_KEY) != held:
            db = _emptied(db)
            with db.transaction():
                db.set_meta(_HELD_KEY, held)
        projection = Projection(LogUpTo(replica.log, lsns), db)
        projection.catch_up(progress=progress)
        return Snapshot(heads, projection, replica.dataset)
    except BaseException:
        db.close()
        raise


def heads_at_time(replica: Replica, time_ms: int) -> list[Head]:
    """The last entry of each log that its author dates at or before that time (milliseconds since 1970 UTC).

    Times are what authors state, so this is for looking back, not for what others are to reproduce.

    Raises:
        NotFoundError: the dataset is younger, by the date of its genesis: others may date what they sign as they like.
    """
    genesis = replica.log.header_of(replica.dataset)
    if genesis is not None and genesis.time_ms > time_ms:
        raise NotFoundError("the dataset did not exist yet", where=time_json(time_ms) or f"{time_ms} ms")
    rows = replica.db.rows(
        "SELECT b.author, b.log_id, e.seq, e.entry_id FROM branches b JOIN entries e ON e.branch_no = b.branch_no"
        " AND e.seq = (SELECT max(o.seq) FROM entries o WHERE o.branch_no = b.branch_no AND o.time_ms <= ?)",
        (time_ms,),
    )
    return [Head(*row) for row in rows]


def _check_heads(replica: Replica, heads: Sequence[Head]) -> None:
    for head in heads:
        held = replica.log.head_of(head.entry_id)
        if held is not None and held != head:
            raise ReleaseError(
                f"it names an entry as number {head.seq} of a log of {head.author.hex()[:8]}, which is number {held.seq} of"
                f" {'that log' if head[:2] == held[:2] else 'another log'}",
                where=f"entry {head.entry_id.hex()[:16]}",
                hint="nobody can verify what names such heads; ask who signed it",
            )
        if held is None:
            raise NotHeldError(
                f"entry {head.seq} of a log of {head.author.hex()[:8]} is not on this node",
                where=f"entry {head.entry_id.hex()[:16]}",
                hint="gonk sync DATASET; where no peer has it, nobody can tell what was at these heads",
            )


def _open(replica: Replica, heads: Sequence[Head], events: int) -> StateDb:
    if replica.db.file is None or events <= SNAPSHOT_MEMORY_EVENTS_MAX:
        return StateDb(None, replica.dataset)
    name = heads_digest(heads).hex()
    if replica.db.is_read_only:
        return StateDb(snapshot_files.path_of(replica.db.file, name), replica.dataset)
    path = snapshot_files.place_for(replica.db.file, name)
    db = StateDb(path, replica.dataset)
    snapshot_files.mark_used(path)
    return db


def _emptied(db: StateDb) -> StateDb:
    """An empty State in the place of that one. Who else has that one open reads on in it as it is: an export, a loader."""
    if db.meta("lsn") == 0:
        return db
    if db.path is None or db.is_read_only:
        db.recreate()  # nobody else has it
        return db
    db.close()
    snapshot_files.discard(db.path)
    return StateDb(db.path, db.dataset)


def _bodies_held(replica: Replica) -> bytes:
    """A hash of which log this is, and of which events it has no body: a State folded from others is of no use."""
    lacking = replica.db.rows("SELECT event_no FROM withheld ORDER BY event_no")
    return blake3(replica.log.instance + b"".join(number.to_bytes(8, "big") for (number,) in lacking)).digest()
