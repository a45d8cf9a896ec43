"""Compares two databases of one dataset's State, both projected from one log: what fsck asks.

Leaves out what depends on how the log was cut into batches (numbers of branches) or is only bookkeeping of this node.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from gonk_node.store.state_db import StateDb

_PAGE = 10_000  # rows compared at once
# table -> (columns, order); each order is unique
_TABLES: dict[str, tuple[str, str]] = {
    "entries": ("lsn, entry_id, seq, time_ms, event_count", "lsn"),
    "objects": ("*", "event_no"),
    "annotations": ("*", "event_no"),
    "schemas": ("*", "event_no"),
    "annotation_objects": ("*", "object_no, annotation_no"),
    "deletions": ("*", "event_no"),
    "reviews": ("*", "event_no"),
    "votes": ("*", "target_no, review_no"),
    "supersedes": ("*", "review_no, superseded_no"),
    "acts": ("*", "event_no"),
    "releases": ("*", "event_no"),
    "profiles": ("*", "event_no"),
    "redactions": ("*", "event_no"),
    "withheld": ("*", "event_no"),
    "conflicts": ("*", "entity_type, uuid"),
}


def differing_tables(one: StateDb, other: StateDb) -> Iterator[str]:
    """The names of the tables in which the two differ; "digest" where the State digests do."""
    if int.from_bytes(one.meta("digest_sum"), "big") != int.from_bytes(other.meta("digest_sum"), "big"):
        yield "digest"
    for table, (columns, order) in _TABLES.items():
        if any(
            a != b for a, b in zip_longest(_pages(one, table, columns, order), _pages(other, table, columns, order))
        ):
            yield table


def _pages(db: StateDb, table: str, columns: str, order: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in order, page by page; the last page is empty."""
    offset = 0
    while True:
        page = db.rows(f"SELECT {columns} FROM {table} ORDER BY {order} LIMIT ? OFFSET ?", (_PAGE, offset))
        yield page
        if not page:
            return
        offset += len(page)
