"""Taking things out of a log: bodies that are erased. Whole entries stay; they would come again with the next sync.

What may be taken out is decided by `replica`; here it is done so that every index still fits what is left.
"""

from __future__ import annotations

from gonk_node.core.entry import without_bodies
from gonk_node.errors import NotFoundError, UsageError
from gonk_node.store.log_rows import EVENT_INDEX_BYTES, LogTxn, stored_entry
from gonk_node.store.log_totals import grow_chain
from gonk_node.store.rows import u64


def erase(log: LogTxn, entry_id: bytes, indexes: set[int]) -> bool:
    """Put hashes in place of event bodies, and note that they must not come back; False when nothing changed.

    Args:
        log: a write transaction.
        entry_id: a held entry.
        indexes: of the events within it.

    Raises:
        NotFoundError: the entry is not held.
        UsageError: it has no event of that index.
    """
    lsn = log.lsn_of(entry_id)
    if lsn is None:
        raise NotFoundError("an entry that is not held cannot be erased", where=entry_id.hex()[:12])
    entry = stored_entry(log.record(lsn))
    if not indexes <= set(range(len(entry.bodies))):
        raise UsageError(f"the entry has only {len(entry.bodies)} events", where=entry_id.hex()[:12])
    for index in indexes:
        log.txn.put(erased_key(entry_id, index), b"", db=log.tables.erased)
    present = indexes - entry.withheld.keys()
    if not present:
        return False
    shorter = without_bodies(entry, indexes).record
    log.txn.put(u64(lsn), shorter, db=log.tables.entries)
    grow_chain(log, {entry_id: (entry.header, len(shorter) - len(entry.record))})
    return True


def allow_bodies(log: LogTxn, entry_id: bytes, indexes: set[int]) -> None:
    """Let erased bodies come back when the entry arrives again (its redaction is no longer honoured)."""
    for index in indexes:
        log.txn.delete(erased_key(entry_id, index), db=log.tables.erased)


def erased_key(entry_id: bytes, index: int) -> bytes:
    """Key of an erased event in `erased`."""
    return entry_id + index.to_bytes(EVENT_INDEX_BYTES, "big")
