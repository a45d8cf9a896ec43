"""Whether revisions that compete to be current say the same (rule A12): then there is nothing to be settled.

Two people who add one file, or import one file of annotations, apart from each other, make revisions that differ in nothing
but who signed them. It reads the State, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, OBJECT

_OBJECTS = "SELECT name, media_type, size, content_id, sha256 FROM objects WHERE event_no IN (??)"
_SCHEMAS = "SELECT body FROM schemas WHERE event_no IN (??)"
_ANNOTATIONS = (
    "SELECT t.root_no, t.body, s.uuid, s.body FROM annotations t LEFT JOIN schemas s ON s.event_no = t.schema_no"
    " WHERE t.event_no IN (??)"
)
_HANGS_ON = (
    "SELECT l.annotation_no, o.uuid, o.content_id FROM annotation_objects l JOIN objects o ON o.event_no = l.object_no"
    " WHERE l.annotation_no IN (??)"
)


def say_the_same(db: StateDb, kind: int, rivals: Sequence[int]) -> bool:
    """Whether the revisions of one entity with those local numbers say the same, but for what they are built on.

    Args:
        db: the State, with their rows and those of what they name.
        kind: OBJECT, ANNOTATION or SCHEMA.
        rivals: at least one.
    """
    if kind != ANNOTATION:
        return len(set(db.rows_in(_OBJECTS if kind == OBJECT else _SCHEMAS, rivals))) == 1
    rows = db.rows_in(_ANNOTATIONS, rivals)
    hangs_on: dict[int, set[tuple[bytes, bytes]]] = {}
    for root, uuid, content_id in db.rows_in(_HANGS_ON, {row[0] for row in rows}):
        hangs_on.setdefault(root, set()).add((uuid, content_id))
    return len({(frozenset(hangs_on.get(root, ())), *said) for root, *said in rows}) == 1
