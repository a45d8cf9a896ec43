"""What strangers may make this node store: bytes of each key and of all, and revisions of one entity.

Node-local and generous to what an owner accepted: quotas delay, they never make an entry invalid.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from gonk_node.core import limits
from gonk_node.core.entry import Entry, Header
from gonk_node.core.events import (
    AnnotationCreate,
    AnnotationUpdate,
    ObjectCreate,
    ObjectUpdate,
    SchemaCreate,
    SchemaUpdate,
)
from gonk_node.core.ids import schema_uuid
from gonk_node.replica.folding.projection import Projection
from gonk_node.state.positions import Spans
from gonk_node.store.log import LogStore
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA, TABLES


class Quota(NamedTuple):
    """How many bytes of records of unvouched keys this node holds for the dataset: of each key, and of all together."""

    bytes_per_key: int = limits.STRANGER_BYTES_PER_KEY
    bytes_total: int = limits.STRANGER_BYTES_TOTAL


class StrangerGate:
    """Counts bytes of unvouched keys against the quota. Quotas delay; they never make an entry invalid."""

    def __init__(self, log: LogStore, projection: Projection, quota: Quota, cited: bool) -> None:
        self._log = log
        self._projection = projection
        self._authority = projection.authority
        self._per_key = limits.CITED_BYTES_PER_KEY if cited else quota.bytes_per_key
        self._total = quota.bytes_total + (limits.CITED_BYTES_PER_KEY if cited else 0)
        self._used: dict[bytes, int] | None = None
        self._used_total = 0
        self._is_cited = cited
        self._revisions: Counter[tuple[int, bytes]] = Counter()  # let in here, of each entity

    def refuses(self, entry: Entry) -> bool:
        """Whether the entry is a stranger's and beyond the quota."""
        if self._is_welcome(entry.header):
            return False
        if not self._is_cited and self._crowds(entry):
            return True
        used = self._load()
        size = len(entry.record)
        return used.get(entry.header.author, 0) + size > self._per_key or self._used_total + size > self._total

    def count(self, entry: Entry) -> None:
        """Note that an entry is let in."""
        if self._used is not None and not self._is_welcome(entry.header):
            size = len(entry.record)
            self._used[entry.header.author] = self._used.get(entry.header.author, 0) + size
            self._used_total += size
            self._revisions.update(_entities_revised(entry))

    def _crowds(self, entry: Entry) -> bool:
        """Whether one entity would have more of strangers' revisions than it may.

        An entity is folded from all its revisions, each time one of them arrives: many strangers together could make
        every arrival dear.
        """
        for (kind, uuid), added in Counter(_entities_revised(entry)).items():
            table = TABLES[kind]
            held = self._projection.db.one(
                f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE uuid = ? AND shared IS NULL LIMIT ?)",
                (uuid, limits.STRANGER_REVISIONS_MAX),
            )
            if (held[0] if held else 0) + self._revisions[kind, uuid] + added > limits.STRANGER_REVISIONS_MAX:
                return True
        return False

    def _is_welcome(self, header: Header) -> bool:
        authority = self._authority
        if authority.role_now(header.author) is not None or not header.dataset:
            return True
        if header.author not in authority.vouched_spans:
            return False
        if not authority.within_pins(header.author, header.log_id, header.seq):
            return False  # a revoked key, beyond what its revokes let count
        if authority.awaited or not header.prev:
            return True  # how far it counts is only known once its pinned entries are here
        before = self._projection.index.locate(header.prev)
        return before is None or authority.vouched(header.author, before.branch, before.seq + 1)

    def _load(self) -> dict[bytes, int]:
        if self._used is None:
            authority = self._authority
            rows = self._projection.db.rows("SELECT author, bytes FROM authors")
            self._used = {
                author: size - (self._bytes_within(authority.cut_spans[author]) if author in authority.cut_spans else 0)
                for author, size in rows
                if author not in authority.vouched_spans or author in authority.cut_spans
            }
            self._used_total = sum(self._used.values())
        return self._used

    def _bytes_within(self, spans: Spans) -> int:
        """Of a revoked key's records: what still counts, and so is no stranger's."""
        sql = "SELECT coalesce(sum(bytes), 0) FROM entries WHERE branch_no = ? AND seq BETWEEN ? AND ?"
        found = [self._projection.db.one(sql, (branch, *span)) for branch, span in spans.items()]
        return sum(row[0] for row in found if row is not None)


def _entities_revised(entry: Entry) -> list[tuple[int, bytes]]:
    """Type and uuid of the entity of each create or update event."""
    found = []
    for event in entry.events():
        if isinstance(event, ObjectCreate | ObjectUpdate):
            found.append((OBJECT, event.uuid))
        elif isinstance(event, AnnotationCreate | AnnotationUpdate):
            found.append((ANNOTATION, event.uuid))
        elif isinstance(event, SchemaCreate | SchemaUpdate):
            found.append((SCHEMA, schema_uuid(entry.dataset, event.name)))
    return found
