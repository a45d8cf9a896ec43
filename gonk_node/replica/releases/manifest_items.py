"""Reads from a State what a manifest lists: objects, then annotations, each in order of uuid, page by page.

What the lines look like is `state.manifest`; whether a body fits its schema is asked of `bodies`.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from gonk_node.replica.reading.bodies import Bodies
from gonk_node.state.conformance import Conformance
from gonk_node.state.manifest import NONCONFORMING, OBJECT_LEFT_OUT, Item, LeftOut, ListedAnnotation, ListedObject
from gonk_node.store.state_db import StateDb

_PAGE = 2000  # rows read at once
_OBJECTS = (
    "SELECT uuid, version, name, media_type, size, content_id, sha256 FROM objects"
    " WHERE current AND uuid > ? ORDER BY uuid LIMIT ?"
)
_ANNOTATIONS = (
    "SELECT uuid, version, root_no, schema_no, body FROM annotations WHERE current AND uuid > ? ORDER BY uuid LIMIT ?"
)
_HANGS_ON = (
    "SELECT DISTINCT l.annotation_no, o.uuid, c.version FROM annotation_objects l"
    " JOIN objects o ON o.event_no = l.object_no"
    " LEFT JOIN objects c ON c.uuid = o.uuid AND c.content_id = o.content_id AND c.current"
    " WHERE l.annotation_no IN (??) ORDER BY o.uuid"
)


class _Schema(NamedTuple):
    name: str
    version: int | None
    uuid: bytes
    sha256: bytes


def manifest_items(db: StateDb, bodies: Bodies) -> Iterator[Item]:
    """Every item of the manifest of that State, in order; `bodies` are its schemas."""
    after = b""
    while rows := db.rows(_OBJECTS, (after, _PAGE)):
        for row in rows:
            yield ListedObject._make(row)
        after = rows[-1][0]
    yield from _Annotations(db, bodies).all()


class _Annotations:
    """The current annotations of one State."""

    def __init__(self, db: StateDb, bodies: Bodies) -> None:
        self._db = db
        self._bodies = bodies
        self._schemas: dict[int, _Schema] = {}

    def all(self) -> Iterator[Item]:
        """Each of them, or that it is left out."""
        after = b""
        while rows := self._db.rows(_ANNOTATIONS, (after, _PAGE)):
            hangs_on: dict[int, list[tuple[bytes, int]]] = {}
            elsewhere: set[int] = set()
            for root, uuid, version in self._db.rows_in(_HANGS_ON, {row[2] for row in rows}):
                hangs_on.setdefault(root, []).append((uuid, version))
                if version is None:
                    elsewhere.add(root)
            for row in rows:
                yield self._item(row, hangs_on.get(row[2], []), row[2] in elsewhere)
            after = rows[-1][0]

    def _item(self, row: tuple[Any, ...], hangs_on: list[tuple[bytes, int]], is_elsewhere: bool) -> Item:
        uuid, version, _, schema_no, body = row
        if self._bodies.verdict(schema_no, body) is not Conformance.VALID:
            return LeftOut(uuid, version, NONCONFORMING)
        if is_elsewhere or not hangs_on:
            return LeftOut(uuid, version, OBJECT_LEFT_OUT)
        schema = self._schemas.get(schema_no)
        if schema is None:
            schema = self._schemas[schema_no] = self._schema(schema_no)
        return ListedAnnotation(uuid, version, *schema, tuple(hangs_on), sha256(body).digest())

    def _schema(self, number: int) -> _Schema:
        row = self._db.one("SELECT name, version, uuid, body FROM schemas WHERE event_no = ?", (number,))
        name, version, uuid, body = row or ("", None, bytes(16), b"")
        return _Schema(name, version, uuid, sha256(body).digest())
