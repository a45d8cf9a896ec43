"""Reading stretches of a log, for sync and for the fold: each function within a transaction that the caller opened."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from heapq import merge
from itertools import groupby

from gonk_node.core.heads import Head, Range, locator_seqs
from gonk_node.store.log_rows import LogTxn, damaged
from gonk_node.store.rows import number, u64


def locator(log: LogTxn, head: Head) -> list[bytes]:
    """The ids of a held entry and its ancestors at doubling distances, newest first; empty when it is not held."""
    header = log.header(head.entry_id)
    if header is None:
        return []
    path = log.path(header, head.entry_id)
    return [log.on_path(header, path, seq) for seq in locator_seqs(header.seq)]


def plan(log: LogTxn, head_id: bytes, known: Sequence[bytes]) -> Range | None:
    """What follows the latest entry among `known` that is on the chain of `head_id`, up to and with `head_id`."""
    header = log.header(head_id)
    if header is None:
        return None
    path = log.path(header, head_id)
    first, events, size = 0, 0, 0
    for entry_id in known:
        other = log.header(entry_id)
        if other is None or other.seq < first or (other.author, other.log_id) != (header.author, header.log_id):
            continue
        if other.seq <= header.seq and log.on_path(header, path, other.seq) == entry_id:
            row = log.row(other, entry_id)
            first, events, size = other.seq + 1, row.events, row.size
    if first > header.seq:
        return None
    last = log.row(header, head_id)
    return Range(
        header.author,
        header.log_id,
        first,
        header.seq,
        head_id,
        header.seq + 1 - first,
        last.events - events,
        last.size - size,
    )


def is_ancestor(log: LogTxn, ancestor_id: bytes, entry_id: bytes) -> bool:
    """Whether an entry is at, or before, another on the same chain; False when one of them is not held."""
    ancestor, header = log.header(ancestor_id), log.header(entry_id)
    if ancestor is None or header is None or ancestor.seq > header.seq:
        return False
    if (ancestor.author, ancestor.log_id) != (header.author, header.log_id):
        return False
    return log.on_path(header, log.path(header, entry_id), ancestor.seq) == ancestor_id


def read_range(log: LogTxn, range_: Range, first_seq: int, *, bytes_max: int, count_max: int) -> list[bytes]:
    """Records of a stretch in order of seq, from `first_seq` on: at least one, then as many as fit.

    None at all only where its end is not held.
    """
    header = log.header(range_.head_id)
    if header is None:
        return []
    path = log.path(header, range_.head_id)
    records: list[bytes] = []
    size = 0
    seq = max(first_seq, range_.first_seq)
    for at, _, row in log.chain_from(header.author, header.log_id, seq):
        if at > seq and at <= header.seq:
            raise damaged(f"chain, seq {seq}", "an entry is missing")
        if at > header.seq or len(records) == count_max:
            break
        if row.branch != next(branch for first, branch in path if at >= first):
            continue  # another branch of a log that forks
        record = log.record(row.lsn)
        size += len(record)
        if records and size > bytes_max:
            break
        records.append(record)
        seq = at + 1
    return records


def lsns_up_to(log: LogTxn, entry_ids: Iterable[bytes]) -> tuple[array[int], int]:
    """The lsns of the entries that are, or are before, any of those held ones, ascending; and how many events they have.

    Of stretches that several chains share the events are counted once for each.
    """
    chains: list[array[int]] = []
    events = 0
    for entry_id in entry_ids:
        header = log.header(entry_id)
        if header is None:
            continue
        path = log.path(header, entry_id)
        events += log.row(header, entry_id).events
        lsns = array("Q")
        for at, _, row in log.chain_from(header.author, header.log_id, 0):
            if at > header.seq:
                break
            if row.branch == next(branch for first, branch in path if at >= first):
                lsns.append(row.lsn)
        chains.append(lsns)  # ascending: an entry arrives after the one that it follows
    return array("Q", (lsn for lsn, _ in groupby(merge(*chains)))), events


def scan(log: LogTxn, after_lsn: int, *, count_max: int, bytes_max: int) -> list[tuple[int, bytes]]:
    """Lsn and record of what arrived after `after_lsn`, in order of arrival: at least one if there is any."""
    found: list[tuple[int, bytes]] = []
    size = 0
    with log.txn.cursor(log.tables.entries) as cursor:
        if not cursor.set_range(u64(after_lsn + 1)):
            return found
        for key, record in cursor.iternext():
            size += len(record)
            if found and size > bytes_max:
                break
            found.append((number(key), record))
            if len(found) == count_max:
                break
    return found
