"""Authority is folded again only where an arrival may change it; what is kept in between equals a fold of everything.

For each seed: a random history, then what a revoked key and strangers write in new logs and forks, entry by entry in a random
order, some bodies last. After each entry, the verdict kept is compared with that of a node that starts anew.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from gonk_node.core.entry import Entry, without_bodies
from gonk_node.core.events import AcceptGrant, Grant, Revoke
from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog, shuffled
from kit.history import PEOPLE, RandomAuthors, World, key_of, random_history, ref

EVERY = 25  # seeds: each arrival is folded twice


def test_the_verdict_that_is_kept_equals_a_fold_of_all_that_is_held(history_batch: range) -> None:
    kept = folded = 0
    for seed in history_batch:
        if seed % EVERY:
            continue
        rng = random.Random(f"verdict {seed}")
        world, authors = random_history(seed)
        for _ in range(10):
            _act(world, authors, rng)
        log = ArrivalLog([world.genesis])
        db = StateDb(None, world.dataset)
        projection = Projection(log, db)
        projection.catch_up()
        for entry in _arrivals(world.entries, rng):
            before = projection.authority
            completed = log.add(entry)
            projection.catch_up(recheck_withheld=completed)
            anew = Projection(log, db)
            anew.catch_up()
            where = f"seed {seed}, entry {entry}, {entry.stored_events()}"
            assert projection.authority == anew.authority, where
            assert projection.index.root_line == anew.index.root_line, where
            if projection.authority is before:
                kept += 1
            else:
                folded += 1
    assert kept > folded > 0, "too few arrivals put the rule to the test"


def _arrivals(entries: Sequence[Entry], rng: random.Random) -> Iterator[Entry]:
    """All entries in a random order, some without their bodies, which come at the end."""
    late = []
    for entry in shuffled(entries, rng):
        if entry.header.dataset and rng.random() < 0.1:
            late.append(entry)
            entry = without_bodies(entry, set(range(len(entry.bodies))))
        yield entry
    yield from late


def _act(world: World, authors: RandomAuthors, rng: random.Random) -> None:
    """Somebody grants, accepts or revokes, in one of his logs or a new one, whether or not he may."""
    name, other = rng.choice(PEOPLE), rng.choice(PEOPLE)
    grants = [
        ref(entry, index)
        for entry in world.entries
        for index, event in enumerate(entry.stored_events())
        if isinstance(event, Grant) and event.key == key_of(name)
    ]
    choices = [Grant(key_of(other), rng.randrange(3), other), Revoke(key_of(name), authors.pins(name), "")]
    choices.append(Revoke(key_of(other), authors.pins(other), ""))
    choices += [AcceptGrant(rng.choice(grants))] * 2 if grants else []
    authors.write(name, rng.choice(choices), log=rng.choice((0, 1, 2, 3)))
