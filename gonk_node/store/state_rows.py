"""Rows of revisions in `state.db`: loading and writing them in bulk, for the fold.

Each row is one create or update event of an object, annotation or schema. No rules here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import TABLES

_EXTRA_COLUMNS = (
    ("name", "media_type", "size", "content_id", "sha256"),
    ("schema_no", "body"),
    ("name", "body"),
)
_COMMON = "event_no, uuid, base_no, root_no, live, version, status, shared, current, named"
_WRITE = tuple(
    f"{{verb}} INTO {table} ({_COMMON}, {', '.join(extra)}) VALUES (?{',?' * (9 + len(extra))})"
    for table, extra in zip(TABLES, _EXTRA_COLUMNS, strict=True)
)
_UPDATE = tuple(
    f"UPDATE {table} SET live=?, root_no=?, version=?, status=?, shared=?, current=?, named=? WHERE event_no=?"
    for table in TABLES
)
_SELECT = tuple(
    f"SELECT r.event_no, r.uuid, r.base_no, r.root_no, r.live, r.version, r.status, r.shared, r.current, r.named,"
    f" e.entry_id, e.time_ms, e.branch_no, e.seq FROM {table} r JOIN entries e ON e.lsn = r.event_no >> 12"
    f" WHERE r.{{key}} IN (??)"
    for table in TABLES
)
# Version 0 of an annotation, its own root, live, not current, named. A constant costs less than a parameter.
_INSERT_PENDING = f"INSERT INTO annotations ({_COMMON}, schema_no, body) VALUES (?, ?, NULL, ?, 1, 0, ?, ?, 0, 1, ?, ?)"


class Row:
    """One revision in memory. `extra` holds the columns of its own table; None where they stay as they are."""

    __slots__ = (
        "base",
        "branch",
        "current",
        "entry_id",
        "extra",
        "live",
        "named",
        "number",
        "root",
        "seq",
        "shared",
        "status",
        "time_ms",
        "uuid",
        "version",
    )

    def __init__(
        self,
        number: int,
        uuid: bytes,
        base: int | None,
        entry_id: bytes,
        time_ms: int,
        branch: int,
        seq: int,
        extra: tuple[Any, ...] | None,
    ) -> None:
        self.number = number
        self.uuid = uuid
        self.base = base
        self.entry_id = entry_id
        self.time_ms = time_ms
        self.branch = branch
        self.seq = seq
        self.extra = extra
        self.live = True
        self.root: int | None = None
        self.version: int | None = None
        self.status = 0
        self.shared: int | None = None
        self.current = False
        self.named = False

    def derived(self) -> tuple[Any, ...]:
        """The columns that the fold decides."""
        return (self.live, self.root, self.version, self.status, self.shared, self.current, self.named)


def load_rows(db: StateDb, kind: int, keys: Iterable[Any], *, by: str = "uuid") -> list[Row]:
    """The revisions with those uuids (or, by="event_no", with those numbers), without their own columns."""
    found = []
    for values in db.rows_in(_SELECT[kind].format(key=by), keys):
        number, uuid, base, root, live, version, status, shared, current, named, *place = values
        entry_id, time_ms, branch, seq = place
        row = Row(number, uuid, base, entry_id, time_ms, branch, seq, None)
        row.live, row.root, row.version, row.status = bool(live), root, version, status
        row.shared, row.current, row.named = shared, bool(current), bool(named)
        found.append(row)
    return found


def write_rows(db: StateDb, kind: int, rows: Sequence[Row], *, new: bool) -> None:
    """Write whole rows; `new` ones are not there yet, which SQLite stores in half the time of replacing."""
    db.many(
        _WRITE[kind].format(verb="INSERT" if new else "INSERT OR REPLACE"),
        [
            (
                row.number,
                row.uuid,
                row.base,
                row.root,
                int(row.live),  # sqlite3 binds an int much faster than a bool
                row.version,
                row.status,
                row.shared,
                int(row.current),
                int(row.named),
                *(row.extra or ()),
            )
            for row in rows
        ],
    )


def insert_pending_annotations(
    db: StateDb, rows: Sequence[tuple[int, bytes, int, int, int | None, int, bytes]]
) -> None:
    """Write annotations of one revision each, which nobody has decided.

    Args:
        rows: (number, uuid, number again, status, status shared, number of the schema revision, body) of each.
    """
    db.many(_INSERT_PENDING, rows)


def known_uuids(db: StateDb, kind: int, uuids: Iterable[bytes]) -> set[bytes]:
    """Those of the uuids of which there is a revision."""
    return {uuid for (uuid,) in db.rows_in(f"SELECT uuid FROM {TABLES[kind]} WHERE uuid IN (??)", uuids)}


def update_rows(db: StateDb, kind: int, rows: Sequence[Row]) -> None:
    """Write what the fold decided of rows that are there."""
    db.many(_UPDATE[kind], [(*row.derived(), row.number) for row in rows])


def delete_row(db: StateDb, kind: int, number: int) -> None:
    """Take a revision out (its event was redacted)."""
    db.execute(f"DELETE FROM {TABLES[kind]} WHERE event_no = ?", (number,))
