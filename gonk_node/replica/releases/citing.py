"""What a release says of itself for files that cite it: read from its event, the genesis, and the State at its heads.

All of it is the same on every node. Whose objects and annotations are in a release is counted by revisions: those that it
lists, and the accepted ones that these were made from, so who drew a box is named beside who moved it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gonk_node.core.limits import CITED_CREATORS_MAX
from gonk_node.formats.export.citing.release_facts import Person, ReleaseFacts
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.releases.releases import Release
from gonk_node.replica.releases.snapshot import Snapshot
from gonk_node.replica.replica import Replica
from gonk_node.state import release_notes
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, OBJECT, TABLES

_NOT_ACCEPTED = 1 | 2 | 8  # of a status: create-pending, create-rejected, delete-accepted
_MADE = (
    "WITH RECURSIVE made (event_no, base_no, status) AS ("
    "SELECT event_no, base_no, status FROM {table} WHERE current{which}"
    " UNION ALL SELECT r.event_no, r.base_no, r.status FROM made m JOIN {table} r ON r.event_no = m.base_no)"
    " SELECT b.author, count(*) FROM made m JOIN entries e ON e.lsn = m.event_no >> 12 JOIN branches b USING (branch_no)"
    f" WHERE m.status & {_NOT_ACCEPTED} = 0 GROUP BY b.author"
)


def release_facts(replica: Replica, release: Release, snapshot: Snapshot) -> ReleaseFacts:
    """The facts of a release.

    Args:
        replica: of its dataset.
        release: as its owner signed it.
        snapshot: the State at its heads, which was verified.

    Raises:
        StorageError, DamagedStoreError: the State cannot be read.
    """
    genesis = replica.projection.index.genesis
    counts = _contributions(snapshot)
    ordered = sorted(counts, key=lambda key: (-counts[key], key))
    return ReleaseFacts(
        dataset=replica.dataset,
        name=genesis.name,
        about=genesis.description,
        tag=release.tag,
        notes=release_notes.parse(release.notes),
        time_ms=release.time_ms,
        publisher=_person(snapshot.queries, release.author),
        creators=tuple(_person(snapshot.queries, key) for key in ordered[:CITED_CREATORS_MAX]),
        unnamed=len(ordered[CITED_CREATORS_MAX:]),
        manifest_hash=release.summary.hash,
        entry=release.ref.entry_id,
        event=release.event,
        objects=release.summary.objects,
        annotations=release.summary.annotations,
    )


def _person(queries: Queries, key: bytes) -> Person:
    return Person(key, queries.display_name(key) or "")


def _contributions(snapshot: Snapshot) -> dict[bytes, int]:
    """How many revisions of what is in the release each key signed; none has 0."""
    counts: Counter[bytes] = Counter()
    for kind in (OBJECT, ANNOTATION):
        counts.update(dict(snapshot.db.rows(_MADE.format(table=TABLES[kind], which=""))))
    counts.subtract(_of_annotations(snapshot.db, (each.uuid for each in snapshot.left_out())))
    return {key: count for key, count in counts.items() if count > 0}


def _of_annotations(db: StateDb, uuids: Iterable[bytes]) -> Counter[bytes]:
    counts: Counter[bytes] = Counter()
    for key, count in db.rows_in(_MADE.format(table=TABLES[ANNOTATION], which=" AND uuid IN (??)"), uuids):
        counts[key] += count
    return counts
