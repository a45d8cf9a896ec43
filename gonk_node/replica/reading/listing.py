"""Lists of objects, annotations and schemas in pages, by status and author, as Gonk's HTTP API gives them. Read-only.

Only what has a version is listed; what waits for something is not. An identifier (uuid, version) has the status of the
revision that answers to it; it is also pending while a rival of that one is, so that nothing which can be reviewed is out of
sight.

Pages of versions are walked by entity, so that a cursor, which is a uuid, names one place and every walk ends:

- a version's place is that of its entity, and an entity's is the arrival of the first of its versions that is listed;
- all listed versions of one entity stand together, by version, and no page ends among them: it may be longer than asked;
- `after` goes on behind that entity; if none of its versions is listed any more, behind the arrival of its first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from gonk_node.replica.reading.hanging import ALIKE
from gonk_node.state.revisions import VIEWS
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import SCHEMA, TABLES

T = TypeVar("T")
_FIRST = bytes(16)  # no uuid is smaller


class Entity(NamedTuple):
    """An object, annotation or schema: its uuid, how many versions it has (of any status), and a schema's name."""

    uuid: bytes
    versions: int
    name: str | None = None


class Version(NamedTuple):
    """One version of it."""

    uuid: bytes
    version: int
    name: str | None = None


class Page(NamedTuple, Generic[T]):
    """Some rows, and the cursor of the next page; None: these are the last."""

    rows: list[T]
    after: bytes | None = None


class Filter(NamedTuple):
    """What is listed: a status (a name of `state.revisions.VIEWS`) and whose revisions (a public key); None: all."""

    view: str | None = None
    author: bytes | None = None

    def clause(self, alias: str) -> tuple[str, tuple[Any, ...]]:
        """The condition on a row of a table of revisions, and its parameters."""
        some, none = (0, 0) if self.view is None else VIEWS[self.view]
        terms = [f"{alias}.version IS NOT NULL"]
        terms += [f"{alias}.status & {some}"] if some else []
        terms += [f"NOT {alias}.status & {none}"] if none else []
        terms += [f"{alias}.named"] if self.view != "pending" else []
        if self.author is None:
            return " AND ".join(terms), ()
        terms.append(
            f"(SELECT e.branch_no FROM entries e WHERE e.lsn = {alias}.event_no >> 12)"
            " IN (SELECT b.branch_no FROM branches b WHERE b.author = ?)"
        )
        return " AND ".join(terms), (self.author,)


ALL = Filter()


class Listing:
    """The lists of one State."""

    def __init__(self, db: StateDb) -> None:
        self._db = db

    def versions(self, kind: int, wanted: Filter, after: bytes | None, limit: int) -> Page[Version]:
        """Versions, entity by entity in order of arrival.

        Args:
            kind: OBJECT, ANNOTATION or SCHEMA.
            wanted: which ones.
            after: uuid of the last row of the page before; nothing follows one that is unknown. None: from the beginning.
            limit: rows; more where the versions of the last entity need them.
        """
        heads = self._heads(kind, wanted, after, limit)
        clause, parameters = wanted.clause("t")
        name = "t.name" if kind == SCHEMA else "NULL"
        found = self._db.rows_in(
            f"SELECT DISTINCT t.uuid, t.version, {name} FROM {TABLES[kind]} t WHERE {clause} AND t.uuid IN (??)",
            heads,
            parameters,
        )
        groups: dict[bytes, list[Version]] = {uuid: [] for uuid in heads}
        for row in found:
            groups[row[0]].append(Version(*row))
        rows: list[Version] = []
        for place, (uuid, group) in enumerate(groups.items()):
            rows += sorted(group)
            if len(rows) >= limit:
                return Page(rows, uuid if place + 1 < len(heads) else None)
        return Page(rows)

    def entities(self, kind: int, wanted: Filter, after: bytes | None, limit: int) -> Page[Entity]:
        """Entities that have a version which is wanted, in the order of `versions`; arguments as there."""
        heads = self._heads(kind, wanted, after, limit)
        page = heads[:limit]
        counts = {each.uuid: each for each in self._counted(kind, page)}
        rows = [counts[uuid] for uuid in page if uuid in counts]
        return Page(rows, page[-1] if len(heads) > limit else None)

    def schemas(self, wanted: Filter, after: bytes | None, limit: int | None) -> Page[Entity]:
        """Schemas that have a version which is wanted, by uuid; limit None: all of them."""
        clause, parameters = wanted.clause("t")
        rows = self._db.rows(
            f"SELECT DISTINCT t.uuid FROM schemas t WHERE t.uuid > ? AND {clause} ORDER BY t.uuid LIMIT ?",
            (after or _FIRST, *parameters, -1 if limit is None else limit + 1),
        )
        page = [row[0] for row in rows][:limit]
        return Page(sorted(self._counted(SCHEMA, page)), page[-1] if len(rows) > len(page) else None)

    def entity(self, kind: int, uuid: bytes) -> Entity | None:
        """One entity; None where nothing of that type has that uuid and a version."""
        return next(iter(self._counted(kind, [uuid])), None)

    def annotations_on(self, object_no: int) -> list[Entity]:
        """The annotations that hang on the object revision of that local event number, or on one alike, by uuid."""
        rows = self._db.rows(
            "SELECT t.uuid, max(t.version) + 1 FROM annotations t WHERE t.version IS NOT NULL AND t.uuid IN"
            " (SELECT r.uuid FROM annotation_objects l JOIN annotations r ON r.event_no = l.annotation_no"
            f"  WHERE l.object_no IN {ALIKE} AND r.version IS NOT NULL) GROUP BY t.uuid ORDER BY t.uuid",
            (object_no,),
        )
        return [Entity(*row) for row in rows]

    def _heads(self, kind: int, wanted: Filter, after: bytes | None, limit: int) -> list[bytes]:
        """The uuids of the next entities, one more than `limit` where there are so many."""
        place = 0 if after is None else self._place(kind, wanted, after)
        if place is None:
            return []
        clause, parameters = wanted.clause("t")
        earlier, same = wanted.clause("o")
        table = TABLES[kind]
        rows = self._db.rows(
            f"SELECT t.uuid FROM {table} t WHERE t.event_no > ? AND {clause} AND NOT EXISTS (SELECT 1 FROM"
            f" {table} o WHERE o.uuid = t.uuid AND +o.event_no < t.event_no AND {earlier})"  # +: by uuid, not by number
            " ORDER BY t.event_no LIMIT ?",
            (place, *parameters, *same, limit + 1),
        )
        return [row[0] for row in rows]

    def _place(self, kind: int, wanted: Filter, uuid: bytes) -> int | None:
        """Where an entity stands in a list: the local number of an event; None where it is not known."""
        for each in (wanted, ALL):
            clause, parameters = each.clause("t")
            row = self._db.one(
                f"SELECT min(t.event_no) FROM {TABLES[kind]} t WHERE t.uuid = ? AND {clause}", (uuid, *parameters)
            )
            if row is not None and row[0] is not None:
                return int(row[0])
        return None

    def _counted(self, kind: int, uuids: Sequence[bytes]) -> list[Entity]:
        """Those of the uuids that have versions, with their number."""
        name = "max(t.name)" if kind == SCHEMA else "NULL"
        rows = self._db.rows_in(
            f"SELECT t.uuid, max(t.version) + 1, {name} FROM {TABLES[kind]} t"
            " WHERE t.version IS NOT NULL AND t.uuid IN (??) GROUP BY t.uuid",
            uuids,
        )
        return [Entity(*row) for row in rows]
