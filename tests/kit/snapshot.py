"""What a State says, in a form that is free of local numbers: equal for two nodes exactly if all their answers are."""

from __future__ import annotations

from typing import Any

from gonk_node.core.ids import EventRef
from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_schema import ENTITY_NAMES, TABLES, split_number

_OWN = ("name, media_type, size, content_id, sha256", "schema_no, body", "name, body")
# table -> (columns, positions of those that hold event numbers)
_TABLES: dict[str, tuple[str, tuple[int, ...]]] = {
    "annotation_objects": ("object_no, annotation_no", (0, 1)),
    "deletions": ("event_no, target_no, entity_type, uuid, decided", (0, 1)),
    "reviews": ("event_no, decision, comment", (0,)),
    "votes": ("target_no, review_no", (0, 1)),
    "supersedes": ("review_no, superseded_no", (0, 1)),
    "acts": ("event_no", (0,)),
    "releases": ("event_no, tag", (0,)),
    "profiles": ("event_no, author, display_name", (0,)),
    "redactions": ("event_no, target_entry, target_index, honoured", (0,)),
    "withheld": ("event_no", (0,)),
    "conflicts": ("entity_type, uuid, rivals", ()),
}

Snapshot = dict[str, Any]


def snapshot(projection: Projection) -> Snapshot:
    """Every table of the State, the digest, and what each key may do at each entry."""
    db = projection.db
    ids = dict(db.rows("SELECT lsn, entry_id FROM entries"))

    def name(number: int | None) -> EventRef | int | None:
        if number is None or number < 0:
            return number
        lsn, index = split_number(number)
        return EventRef(ids[lsn], index)

    found: Snapshot = {"digest": projection.state_digest()}
    for kind, table in enumerate(TABLES):
        columns = "event_no, base_no, root_no, uuid, live, version, status, shared, current, named"
        numbers = (0, 1, 2, 10) if ENTITY_NAMES[kind] == "annotation" else (0, 1, 2)
        found[table] = _rows(db.rows(f"SELECT {columns}, {_OWN[kind]} FROM {table}"), numbers, name)
    for table, (columns, numbers) in _TABLES.items():
        found[table] = _rows(db.rows(f"SELECT {columns} FROM {table}"), numbers, name)
    found["entries"] = _rows(
        db.rows(
            "SELECT e.entry_id, b.author, b.log_id, e.seq, e.time_ms, e.event_count"
            " FROM entries e JOIN branches b USING (branch_no)"
        ),
        (),
        name,
    )
    found["tips"] = set(projection.index.tips())
    return found | authority_snapshot(projection)


def authority_snapshot(projection: Projection) -> Snapshot:
    """The roles, and for each entry: (an owner's, rank of its reviews, vouched for, not cut off)."""
    authority = projection.authority
    places = {}
    rows = "SELECT e.entry_id, b.author, e.branch_no, e.seq FROM entries e JOIN branches b USING (branch_no)"
    for entry_id, author, branch, seq in projection.db.rows(rows):
        places[entry_id] = (
            authority.owns(author, branch, seq),
            authority.review_rank(author, branch, seq),
            authority.vouched(author, branch, seq),
            authority.uncut(author, branch, seq),
        )
    return {"root": authority.root, "roles": authority.ranked(), "positions": places}


def _rows(rows: list[tuple[Any, ...]], numbers: tuple[int, ...], name: Any) -> set[tuple[Any, ...]]:
    return {tuple([name(value) if at in numbers else value for at, value in enumerate(row)]) for row in rows}


def differences(one: Snapshot, other: Snapshot) -> str:
    """What differs, for a failure message; empty where nothing does."""
    lines = []
    for table in sorted(one.keys() | other.keys()):
        a, b = one.get(table), other.get(table)
        if a == b:
            continue
        if isinstance(a, dict) and isinstance(b, dict):
            a, b = list(a.items()), list(b.items())
        if isinstance(a, list | set) and isinstance(b, list | set):
            lines += [f"{table} - {row!r}" for row in a if row not in b][:5]
            lines += [f"{table} + {row!r}" for row in b if row not in a][:5]
        else:
            lines.append(f"{table}: {a!r} / {b!r}")
    return "\n".join(lines)
