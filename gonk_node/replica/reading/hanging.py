"""Which annotations hang on which objects, by the rules A10 and A15: an annotation is about the bytes that it was made on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gonk_node.replica.reading.revision_rows import Revision, read_revision, select
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, OBJECT

_PAGE = 1000  # rows read at once

# Object revisions of the same object with the same content as that of a local number, itself among them.
ALIKE = (
    "(SELECT s.event_no FROM objects o JOIN objects s ON s.uuid = o.uuid AND s.content_id = o.content_id"
    " WHERE o.event_no = ?)"
)
# Annotations (their first revisions `r`) that hang on object revisions `c`: all that they name has a current revision with
# the content that it has itself, and of `c` that is the one (rule A15).
_HANGING_ON = (
    "objects c JOIN objects o ON o.uuid = c.uuid AND o.content_id = c.content_id"
    " JOIN annotation_objects l ON l.object_no = o.event_no"
    " JOIN annotations r ON r.event_no = l.annotation_no AND NOT EXISTS (SELECT 1 FROM annotation_objects m"
    " JOIN objects p ON p.event_no = m.object_no WHERE m.annotation_no = r.event_no AND NOT p.current AND NOT EXISTS"
    " (SELECT 1 FROM objects k WHERE k.uuid = p.uuid AND k.content_id = p.content_id AND k.current))"
)


class Hanging:
    """Questions about one State."""

    def __init__(self, db: StateDb) -> None:
        self._db = db

    def annotations_of(self, object_no: int) -> list[Revision]:
        """All revisions of the annotations that hang on an object revision, in order of arrival.

        Those count too that name another revision of the object with the same content.
        """
        rows = self._db.rows(
            f"{select(ANNOTATION)} JOIN annotation_objects l ON l.annotation_no = t.root_no"
            f" WHERE l.object_no IN {ALIKE} AND t.uuid IN (SELECT r.uuid FROM annotation_objects k JOIN annotations r"
            f" ON r.event_no = k.annotation_no WHERE k.object_no IN {ALIKE})"  # by index
            " GROUP BY t.event_no ORDER BY t.event_no",
            (object_no, object_no),
        )
        return [read_revision(ANNOTATION, row) for row in rows]

    def objects_of(self, root: int) -> list[Revision]:
        """The object revisions that the annotation of that create event hangs on."""
        rows = self._db.rows("SELECT object_no FROM annotation_objects WHERE annotation_no = ?", (root,))
        found = (self._object(row[0]) for row in rows)
        return [each for each in found if each is not None]

    def current_annotations_on(self, object_no: int) -> list[Revision]:
        """The current revisions of annotations that hang on a current object revision, as releases list them (A15)."""
        rows = self._db.rows(
            f"{select(ANNOTATION)} WHERE t.current AND (t.uuid, t.root_no) IN (SELECT r.uuid, r.event_no FROM {_HANGING_ON}"
            " WHERE c.event_no = ?)",  # by the index of uuids
            (object_no,),
        )
        return [read_revision(ANNOTATION, row) for row in rows]

    def current_bodies_on(self, objects: Iterable[int]) -> list[tuple[int, bytes, int, int, bytes]]:
        """The same of many objects, with little else: (the object's number, uuid, version, schema revision's number, body).

        One that names several revisions of an object with the same content comes as often.
        """
        return self._db.rows_in(
            f"SELECT c.event_no, t.uuid, t.version, t.schema_no, t.body FROM {_HANGING_ON}"
            " JOIN annotations t ON t.uuid = r.uuid AND t.root_no = r.event_no WHERE t.current AND c.event_no IN (??)",
            objects,
        )

    def schemas_named(self) -> list[int]:
        """The local numbers of the schema revisions that current annotations are of, ascending."""
        rows = self._db.rows(
            "SELECT DISTINCT schema_no FROM annotations WHERE current AND schema_no IS NOT NULL ORDER BY schema_no"
        )
        return [row[0] for row in rows]

    def current_count(self) -> int:
        """How many annotations are current, whatever they hang on."""
        row = self._db.one("SELECT count(*) FROM annotations WHERE current")
        return 0 if row is None else int(row[0])

    def current_elsewhere(self) -> Iterator[bytes]:
        """The uuids of current annotations that hang on no current object, or not with all that they name; in order."""
        yield from self._uuids(
            "SELECT t.uuid FROM annotations t WHERE t.current AND t.uuid > ? AND NOT EXISTS (SELECT 1 FROM"
            f" {_HANGING_ON} WHERE r.event_no = t.root_no AND c.current) ORDER BY t.uuid LIMIT {_PAGE}"
        )

    def current_on_several(self) -> list[bytes]:
        """The uuids of current annotations that hang on more than one object."""
        several = self._db.rows(
            "SELECT annotation_no FROM annotation_objects GROUP BY annotation_no HAVING count(*) > 1"
        )
        rows = self._db.rows_in(
            "SELECT t.uuid FROM annotations t JOIN annotation_objects l ON l.annotation_no = t.root_no"
            " JOIN objects o ON o.event_no = l.object_no WHERE t.current AND t.uuid IN (SELECT a.uuid FROM annotations a"
            " WHERE a.event_no IN (??)) GROUP BY t.uuid HAVING count(DISTINCT o.uuid) > 1",
            [row[0] for row in several],
        )
        return sorted(row[0] for row in rows)

    def _uuids(self, sql: str) -> Iterator[bytes]:
        after = b""
        while rows := self._db.rows(sql, (after,)):
            yield from (row[0] for row in rows)
            after = rows[-1][0]

    def _object(self, number: int) -> Revision | None:
        row = self._db.one(f"{select(OBJECT)} WHERE t.event_no = ?", (number,))
        return None if row is None else read_revision(OBJECT, row)
