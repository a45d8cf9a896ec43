"""Non-interference: what a revoked key, or fresh keys in its pay, write anywhere changes nobody else's standing.

For each seed: a random history, an honoured revoke of some key by one who outranks it, then a flood of entries by that key
and its puppets: new logs, forks, back-dated acts, late accepts of old grants, redactions, reviews, supersedes.
"""

from __future__ import annotations

from typing import Any

from gonk_node.core.entry import Entry
from gonk_node.core.events import OWNER, AcceptGrant, Grant, Revoke
from gonk_node.replica.folding.projection import Projection
from gonk_node.state.revisions import CREATE_PENDING, CREATE_REJECTED, DELETE_PENDING
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog
from kit.history import PEOPLE, RandomAuthors, World, key_of, pins_at, random_history, ref
from kit.snapshot import Snapshot, differences, snapshot

PUPPETS = ("puppet1", "puppet2")
FLOOD = 12  # entries


def test_nothing_that_a_revoked_key_or_its_puppets_write_counts_for_anybody_else(history_batch: range) -> None:
    revoked = 0
    for seed in history_batch:
        world, authors = random_history(seed)
        log = ArrivalLog(world.entries)
        projection = Projection(log, StateDb(None, world.dataset))
        projection.catch_up()
        victim = _revoke_somebody(world, authors, projection)
        if victim is None:
            continue
        log.add(world.entries[-1])
        projection.catch_up()
        before = snapshot(projection)
        if not before["positions"][world.entries[-1].entry_id][0]:
            continue  # the one who revokes was cut off there himself
        revoked += 1
        old = {entry.entry_id for entry in world.entries}

        for entry in _flood(authors, victim):
            log.add(entry)
        projection.catch_up()
        after = snapshot(projection)
        found, expected = _standing(after, old), _standing(before, old)
        assert found == expected, f"seed {seed}: {victim} interferes\n{differences(expected, found)}"
        bearing = [at for entry_id, at in after["positions"].items() if entry_id not in old and any(at[:3])]
        assert not bearing, f"seed {seed}: what {victim} wrote after the revoke counts"
    assert revoked >= len(history_batch) // 4, "too few histories put the rule to the test"


def _revoke_somebody(world: World, authors: RandomAuthors, projection: Projection) -> str | None:
    """One who may revokes one who has a role, at the ends of all his logs; the name, None where nobody can."""
    rng, authority = authors.rng, projection.authority
    name_of = {key_of(name): name for name in PEOPLE}
    replaced = projection.index.root_line.keys
    victims = [info for info in authority.ranked() if info.key not in replaced and not info.revoked]
    if not victims:
        return None
    victim = rng.choice(victims)
    for info in authority.ranked():
        if info.role != OWNER or info.key == victim.key or (victim.role == OWNER and info.rank > victim.rank):
            continue
        for (name, number), written in authors.of_log.items():
            end = projection.index.locate(written[-1].entry_id)
            if name == name_of[info.key] and end and authority.owns(info.key, end.branch, end.seq):
                pins = pins_at(*(logged[-1] for (n, _), logged in authors.of_log.items() if key_of(n) == victim.key))
                authors.of_log[name, number].append(
                    world.write(name, Revoke(victim.key, pins, ""), log=number, after=written[-1])
                )
                return name_of[victim.key]
    return None


def _flood(authors: RandomAuthors, victim: str) -> list[Entry]:
    """What a revoked key and its puppets try."""
    rng = authors.rng
    entries = []
    granted = authors.write(victim, *(Grant(key_of(name), OWNER, name) for name in PUPPETS), log=0)
    entries.append(granted)
    for index, name in enumerate(PUPPETS):
        entries.append(authors.write(name, AcceptGrant(ref(granted, index))))
    for found, event, _ in authors.of_kind.get(Grant, ()):
        if isinstance(event, Grant) and event.key == key_of(victim) and rng.random() < 0.5:
            entries.append(authors.write(victim, AcceptGrant(found), log=2))
    for _ in range(FLOOD):
        name = rng.choice((victim, victim, *PUPPETS))
        log = rng.choice((0, 1, 2))
        written = authors.of_log.get((name, log), [])
        if written and rng.random() < 0.3:
            written.append(rng.choice(written))  # goes on from there: a fork
        entries.append(authors.write(name, *(authors.event(name) for _ in range(rng.choice((1, 2)))), log=log))
    return entries


def _standing(found: Snapshot, old: set[bytes]) -> dict[str, Any]:
    """What must not change: the digest, all authority, and what was decided of events that were there before.

    That somebody asks for a deletion shows (delete-pending), and so does which of several pending revisions of one depth is
    shown under its version number.
    """
    standing: dict[str, Any] = {name: found[name] for name in ("digest", "root", "roles", "conflicts")}
    for table in ("objects", "annotations", "schemas"):
        standing[table] = {
            (*row[:6], row[6] & ~DELETE_PENDING, *row[7:9], row[9] or bool(row[6] & _UNDECIDED), *row[10:])
            for row in found[table]
            if row[0].entry_id in old
        }
    for table in ("deletions", "redactions", "annotation_objects", "profiles"):
        named_by = -1 if table == "annotation_objects" else 0
        standing[table] = {row for row in found[table] if row[named_by].entry_id in old}
    standing["positions"] = {entry_id: at for entry_id, at in found["positions"].items() if entry_id in old}
    return standing


_UNDECIDED = CREATE_PENDING | CREATE_REJECTED
