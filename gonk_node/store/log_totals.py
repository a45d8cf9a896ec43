"""The sums that a log keeps: per author, and along each chain, adjusted when records change length."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from itertools import groupby

from gonk_node.core.entry import Header
from gonk_node.store.env import Table
from gonk_node.store.log_rows import LogTxn, chain_key, damaged, stored_header
from gonk_node.store.writer import Txn

_TOTALS = struct.Struct(">QQ")


def author_totals(txn: Txn, authors: Table, author: bytes) -> tuple[int, int]:
    """Entries, and bytes of records, held of one author."""
    value = txn.get(author, db=authors)
    try:
        entries, size = (0, 0) if value is None else _TOTALS.unpack(value)
    except struct.error:
        raise damaged("authors", "a row of the wrong length") from None
    return entries, size


def add_to_author(txn: Txn, authors: Table, author: bytes, entries: int, size: int) -> None:
    """Adjust the totals of an author; without entries the row goes."""
    before = author_totals(txn, authors, author)
    if before[0] + entries:
        txn.put(author, _TOTALS.pack(before[0] + entries, before[1] + size), db=authors)
    else:
        txn.delete(author, db=authors)


def grow_chain(log: LogTxn, grown: Mapping[bytes, tuple[Header, int]]) -> None:
    """Adjust the sums of entries whose records changed their length, and of all that follow them.

    Args:
        log: a write transaction.
        grown: for each such entry id its header, and by how many bytes its record became longer (or,
            negative, shorter).
    """
    logs: dict[tuple[bytes, bytes], int] = {}
    for header, growth in grown.values():
        add_to_author(log.txn, log.tables.authors, header.author, 0, growth)
        place = (header.author, header.log_id)
        logs[place] = min(header.seq, logs.get(place, header.seq))
    for (author, log_id), first_seq in logs.items():
        _grow_log(log, author, log_id, first_seq, {entry_id: growth for entry_id, (_, growth) in grown.items()})


def _grow_log(log: LogTxn, author: bytes, log_id: bytes, first_seq: int, own: Mapping[bytes, int]) -> None:
    before: dict[bytes, int] = {}  # growth up to each entry one seq earlier
    rows = list(log.chain_from(author, log_id, first_seq))
    for seq, group in groupby(rows, key=lambda found: found[0]):
        growths: dict[bytes, int] = {}
        for _, entry_id, row in group:
            if len(before) == 1:
                inherited = next(iter(before.values()))  # all here follow the one before: no need to look
            elif before:
                inherited = before[stored_header(log.record(row.lsn)).prev]
            else:
                inherited = 0
            growths[entry_id] = growth = inherited + own.get(entry_id, 0)
            if growth:
                value = row._replace(size=row.size + growth).encoded()
                log.txn.put(chain_key(author, log_id, seq, entry_id), value, db=log.tables.chain)
        before = growths
