"""Taking things out of a log: bodies that are erased, and whole entries of strangers that are evicted.

What may be taken out is decided by `replica`; here it is done so that every index still fits what is left.
"""

from __future__ import annotations

from collections.abc import Iterable

from gonk_node.core.entry import Header, without_bodies
from gonk_node.errors import NotFoundError, UsageError
from gonk_node.store import log_meta
from gonk_node.store.log_rows import EVENT_INDEX_BYTES, LogTxn, chain_key, head_key, head_value, stored_entry
from gonk_node.store.log_totals import add_to_author, grow_chain
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


def evict(log: LogTxn, entry_ids: Iterable[bytes], dataset: bytes) -> list[bytes]:
    """Remove entries that nothing follows, and then those before them that are asked for too.

    Args:
        log: a write transaction.
        entry_ids: those to remove. Any that is not held, is followed by an entry that stays, or is the
            genesis is left.
        dataset: the id of the genesis.

    Returns:
        The ids that were removed, later ones of a log first.
    """
    held = [(header.seq, entry_id, header) for entry_id in set(entry_ids) if (header := log.header(entry_id))]
    removed = []
    for _, entry_id, header in sorted(held, reverse=True):
        if entry_id == dataset or log.txn.get(head_key(header, entry_id), db=log.tables.heads) is None:
            continue
        _remove_leaf(log, header, entry_id)
        removed.append(entry_id)
    if removed:
        log_meta.put(log.txn, log.tables.meta, log_meta.EVICTED_KEY, b"")
    return removed


def _remove_leaf(log: LogTxn, header: Header, entry_id: bytes) -> None:
    txn, tables = log.txn, log.tables
    lsn = log.row(header, entry_id).lsn
    add_to_author(txn, tables.authors, header.author, -1, -len(log.record(lsn)))
    txn.delete(u64(lsn), db=tables.entries)
    txn.delete(entry_id, db=tables.ids)
    txn.delete(chain_key(header.author, header.log_id, header.seq, entry_id), db=tables.chain)
    txn.delete(head_key(header, entry_id), db=tables.heads)
    for index in log.erased(entry_id):
        txn.delete(erased_key(entry_id, index), db=tables.erased)
    place = chain_key(header.author, header.log_id, header.seq, b"")
    pair = log.fork_at(header.author, header.log_id, header.seq)
    if pair is None:
        txn.delete(place, db=tables.forks)
    else:
        txn.put(place, pair, db=tables.forks)
    before = log.header(header.prev) if header.prev else None
    if before is not None and not log.has_successor(before, header.prev):
        value = head_value(before.seq, log.row(before, header.prev).lsn)
        txn.put(head_key(before, header.prev), value, db=tables.heads)
