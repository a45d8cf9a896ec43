"""What a program that trains on a dataset reads of a State: its objects, and the annotations that count on each.

The same as a release at these heads would list (rule A15) but for gonk's own objects, one object at a time. Read-only; bytes
of objects are elsewhere.
"""

from __future__ import annotations

from array import array

from gonk_node.formats import own_objects
from gonk_node.replica.reading.bodies import Bodies
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.state.conformance import Conformance
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import OBJECT, SCHEMA

_IS_SAMPLE = f"substr(media_type, 1, {len(own_objects.PREFIX)}) != '{own_objects.PREFIX}'"  # own_objects.is_own


class Samples:
    """The objects of one State that count, and their annotations. Thread-safe.

    Args:
        db: the State, the present one or a past one.
    """

    def __init__(self, db: StateDb) -> None:
        self.queries = Queries(db)
        self._db = db
        self._bodies = Bodies(self.queries)
        self._schemas: dict[int, Revision | None] = {}  # nothing of a schema revision changes

    def numbers(self) -> array[int]:
        """The local numbers of the current object revisions that are samples, in order of uuids; eight bytes each."""
        sql = f"SELECT event_no FROM objects WHERE current AND {_IS_SAMPLE} ORDER BY uuid"
        return array("q", [row[0] for row in self._db.rows(sql)])

    def contents(self) -> dict[str, int]:
        """The media types that samples have, in order, with the size in bytes of the smallest of each."""
        sql = f"SELECT media_type, min(size) FROM objects WHERE current AND {_IS_SAMPLE} GROUP BY media_type ORDER BY 1"
        return dict(self._db.rows(sql))

    def object(self, number: int) -> Revision | None:
        """The object revision of a local number."""
        return self.queries.by_number(OBJECT, number)

    def annotations(self, number: int) -> list[tuple[Revision, Revision]]:
        """The annotations of an object revision that are current and fit their schemas, in order of their uuids.

        Returns:
            (annotation, schema) each, one revision of both.
        """
        found = []
        for annotation in sorted(self.queries.hanging.current_annotations_on(number), key=lambda each: each.uuid):
            schema = None if annotation.schema_no is None else self._schema(annotation.schema_no)
            if schema is not None and self._bodies.conformance(annotation) is Conformance.VALID:
                found.append((annotation, schema))
        return found

    def _schema(self, number: int) -> Revision | None:
        if number not in self._schemas:
            found = self.queries.by_number(SCHEMA, number)
            if found is None:
                return None  # it may come yet
            self._schemas[number] = found
        return self._schemas[number]
