"""Revisions as they are read from `state.db`: one type for objects, annotations and schemas, and the SQL that gives it.

Which revisions are asked for is up to `queries`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gonk_node.core.ids import EventRef, event_uuid, uuid_text
from gonk_node.errors import UsageError
from gonk_node.state.revisions import VIEWS, views_of
from gonk_node.store.state_schema import ANNOTATION, ENTITY_NAMES, OBJECT, TABLES, split_number

_COLUMNS = (
    "t.name, t.media_type, t.size, t.content_id, t.sha256",
    "t.schema_no, t.body",
    "t.name, t.body",
)


class Revision(NamedTuple):
    """One revision of an object, annotation or schema, with what only its own type has (None elsewhere)."""

    number: int
    kind: int
    uuid: bytes
    version: int | None
    status: int
    current: bool
    named: bool
    vouched: bool
    base: int | None
    root: int | None
    ref: EventRef
    author: bytes
    time_ms: int
    name: str | None = None
    media_type: str | None = None
    size: int | None = None
    content_id: bytes | None = None
    sha256: bytes | None = None
    schema_no: int | None = None
    body: bytes | None = None

    @property
    def views(self) -> list[str]:
        """The statuses that it has, for people; several at once are possible, and "waiting" stands alone."""
        return views_of(self.status) if self.version is not None else ["waiting"]

    @property
    def event(self) -> str:
        """The UUID of the event that made it, as text."""
        return uuid_text(event_uuid(self.ref))

    @property
    def type_name(self) -> str:
        """The type for people: object, annotation or schema."""
        return ENTITY_NAMES[self.kind]

    @property
    def a_type(self) -> str:
        """The same with its article, for sentences: "an object"."""
        return f"{'an' if self.type_name[0] in 'ao' else 'a'} {self.type_name}"


class Proposal(NamedTuple):
    """A pending event that a reviewer may decide: the revision it makes, or (deletion) the one it would delete."""

    ref: EventRef
    number: int
    author: bytes
    time_ms: int
    is_deletion: bool
    revision: Revision


def select(kind: int) -> str:
    """The beginning of a query for revisions of a type: `t` is its table, `e` the entries, `b` the branches."""
    return (
        "SELECT t.event_no, t.uuid, t.version, t.status, t.current, t.named, t.shared, t.base_no, t.root_no,"
        f" e.entry_id, b.author, e.time_ms, {_COLUMNS[kind]} FROM {TABLES[kind]} t"
        " JOIN entries e ON e.lsn = t.event_no >> 12 JOIN branches b ON b.branch_no = e.branch_no"
    )


def read_revision(kind: int, row: Sequence[Any]) -> Revision:
    """The revision in a row that `select(kind)` gave."""
    number, uuid, version, status, current, named, shared, base, root, entry_id, author, time_ms, *own = row
    ref = EventRef(entry_id, split_number(number)[1])
    common = (number, kind, uuid, version, status, bool(current), bool(named), shared is not None, base, root, ref)
    if kind == OBJECT:
        return Revision(*common, author, time_ms, *own)
    if kind == ANNOTATION:
        return Revision(*common, author, time_ms, schema_no=own[0], body=own[1])
    return Revision(*common, author, time_ms, name=own[0], body=own[1])


def view_clause(view: str | None) -> str:
    """The end of a query for revisions that have a status; UsageError where there is no such status."""
    if view is None:
        return ""
    if view == "current":
        return " AND t.current"
    if view == "waiting":
        return " AND t.version IS NULL"
    view = "deleted" if view == "deprecated" else view
    if view not in VIEWS:
        raise UsageError(
            f"there is no status {view!r}", hint=f"one of {', '.join(VIEWS)}, deprecated (schemas), current, waiting"
        )
    some, none = VIEWS[view]
    clause = " AND t.version IS NOT NULL"
    if some:
        clause += f" AND t.status & {some}"
    return clause + (f" AND NOT t.status & {none}" if none else "")
