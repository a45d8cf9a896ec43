"""Where a dataset stands on this node: how much it holds, what waits, what is wrong, and the digests to compare by."""

from __future__ import annotations

from typing import NamedTuple

from gonk_node.core.entry import read_stored
from gonk_node.core.heads import Head, heads_digest
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.replica import Replica
from gonk_node.state.digest import digest_of
from gonk_node.store.state_db import StateDb


class ForkFound(NamedTuple):
    """Two entries at one place of a log, which its author signed both."""

    author: bytes
    log_id: bytes
    seq: int
    entries: tuple[bytes, bytes]


class Standing(NamedTuple):
    """What `standing_of` found.

    Attributes:
        entries, events: held.
        heads: the last entry of each log (of a forked one, of each branch).
        heads_digest, state_digest: the same on two nodes that hold the same entries (32 bytes).
        counts: how many revisions have each status, by table.
        pending: how many revisions wait for a decision.
        conflicts: how many entities have accepted revisions that compete.
        forks: logs that somebody went on with in two ways.
        withheld: events of which only the hash is here, though nobody redacted them.
        replaced_roots: keys that were root before.
        is_root_disputed: whether recovery keys signed two replacements of one root.
    """

    entries: int
    events: int
    heads: list[Head]
    heads_digest: bytes
    state_digest: bytes
    counts: dict[str, dict[str, int]]
    pending: int
    conflicts: int
    forks: list[ForkFound]
    withheld: int
    replaced_roots: tuple[bytes, ...]
    is_root_disputed: bool


def standing_of(replica: Replica, db: StateDb) -> Standing:
    """Look at a replica; `db` is its State, by whichever connection. Counts every revision, so not for an event loop."""
    queries = Queries(db)
    counts = queries.counts()
    entries, events = queries.totals()
    heads = replica.log.heads()
    root_line = replica.projection.index.root_line
    forks = [
        ForkFound(fork.author, fork.log_id, fork.seq, (_entry_id(fork.records[0]), _entry_id(fork.records[1])))
        for fork in replica.log.forks()
    ]
    return Standing(
        entries,
        events,
        heads,
        heads_digest(heads),
        digest_of(int.from_bytes(db.meta("digest_sum"), "big")),
        counts,
        sum(views["pending"] for views in counts.values()),
        queries.conflict_count(),
        forks,
        len(replica.projection.missing_bodies()),
        tuple(root_line.keys[:-1]),
        root_line.disputed,
    )


class Undecided(NamedTuple):
    """What people are still to decide: proposals of keys with a role, and of others; entities in conflict."""

    members: int
    strangers: int
    conflicts: int


def undecided(replica: Replica) -> Undecided:
    """Count what waits for people."""
    queries = Queries(replica.db)
    waiting = queries.pending_by_author()
    members = sum(count for author, count in waiting.items() if replica.authority.role_now(author) is not None)
    return Undecided(members, sum(waiting.values()) - members, queries.conflict_count())


def _entry_id(record: bytes) -> bytes:
    return read_stored(record).entry_id
