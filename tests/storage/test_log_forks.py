"""Forks: both branches are kept, proved, bounded, and read apart; compared with a plain model for random histories."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from gonk_node.core.entry import Entry
from gonk_node.core.heads import Head, locator_seqs
from gonk_node.core.limits import BRANCHES_PER_LOG_MAX, MIB
from gonk_node.core.outcome import Outcome
from gonk_node.core.verify import verify_entry
from gonk_node.store.log import LogStore
from kit.authors import TestAuthor

INSERTED, DECLINED = Outcome.INSERTED, Outcome.DECLINED


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogStore]:
    log = LogStore.create(tmp_path / "log", TestAuthor("owner").genesis(), map_bytes=8 * MIB)
    yield log
    problems = list(log.check())
    log.close()
    assert problems == []


def head(entry: Entry) -> Head:
    return Head(entry.header.author, entry.header.log_id, entry.header.seq, entry.entry_id)


def outcomes(log: LogStore, *entries: Entry, cited: frozenset[bytes] = frozenset()) -> list[Outcome]:
    return [ingested.outcome for ingested in log.append(entries, cited=cited)]


def test_both_branches_are_kept_and_read_apart(log: LogStore) -> None:
    ann = TestAuthor("ann", log.dataset)
    main = ann.chain(6)
    branch = ann.fork_chain(main[2], 5)
    mixed = main[:4] + branch[:2] + main[4:] + branch[2:]
    assert outcomes(log, *mixed) == [INSERTED] * 11
    assert set(log.leaves(ann.author, ann.log_id)) == {head(main[5]), head(branch[4])}
    for chain in (main, main[:3] + branch):
        plan = log.plan(chain[-1].entry_id, [])
        assert plan is not None
        assert plan.bytes == sum(len(entry.record) for entry in chain)
        assert log.read_range(plan, 0, bytes_max=MIB, count_max=99) == [entry.record for entry in chain]
    known_by_the_other = [entry.entry_id for entry in main]
    plan = log.plan(branch[4].entry_id, known_by_the_other)
    assert plan is not None
    assert (plan.first_seq, plan.entries) == (3, 5)
    assert log.is_ancestor(main[2].entry_id, branch[4].entry_id)
    assert not log.is_ancestor(main[3].entry_id, branch[4].entry_id)


def test_a_fork_is_proved_by_two_records(log: LogStore) -> None:
    ann = TestAuthor("ann", log.dataset)
    main = ann.chain(3)
    other = ann.fork(main[0])
    outcomes(log, *main, other)
    (fork,) = log.forks()
    assert (fork.author, fork.log_id, fork.seq) == (ann.author, ann.log_id, 1)
    first, second = (verify_entry(record, log.dataset) for record in fork.records)
    assert {first.entry_id, second.entry_id} == {main[1].entry_id, other.entry_id}


def test_two_first_entries_are_a_fork_too(log: LogStore) -> None:
    ann = TestAuthor("ann", log.dataset)
    assert outcomes(log, ann.append(), ann.fork(None)) == [INSERTED, INSERTED]
    assert [fork.seq for fork in log.forks()] == [0]


def test_the_proof_does_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    owner = TestAuthor("owner")
    genesis = owner.genesis()
    ann = TestAuthor("ann", genesis.entry_id)
    first = ann.append()
    branches = [ann.fork(first) for _ in range(5)]
    found = []
    for number in range(3):
        random.Random(number).shuffle(branches)
        log = LogStore.create(tmp_path / str(number), genesis, map_bytes=8 * MIB)
        outcomes(log, first, *branches)
        found.append(log.forks())
        log.close()
    assert found[0] == found[1] == found[2]


def test_branches_are_bounded_but_for_what_an_accept_cites(log: LogStore) -> None:
    ann = TestAuthor("ann", log.dataset)
    first = ann.append()
    branches = [ann.fork(first) for _ in range(BRANCHES_PER_LOG_MAX + 2)]
    expected = [INSERTED] * BRANCHES_PER_LOG_MAX + [DECLINED] * 2
    assert outcomes(log, first, *branches) == [INSERTED, *expected]
    assert outcomes(log, branches[-1]) == [DECLINED]
    assert outcomes(log, branches[-1], cited=frozenset({branches[-1].entry_id})) == [INSERTED]
    assert len(log.leaves(ann.author, ann.log_id)) == BRANCHES_PER_LOG_MAX + 1
    assert outcomes(log, ann.fork(branches[0])) == [INSERTED]  # a branch that exists may grow


class Model:
    """The same log as plain dictionaries."""

    def __init__(self) -> None:
        self.entries: dict[bytes, Entry] = {}

    def path(self, entry_id: bytes) -> list[Entry]:
        path = []
        while entry_id:
            path.append(self.entries[entry_id])
            entry_id = path[-1].header.prev
        return path[::-1]

    def leaves(self) -> set[Head]:
        followed = {entry.header.prev for entry in self.entries.values()}
        return {head(entry) for entry_id, entry in self.entries.items() if entry_id not in followed}


@pytest.mark.parametrize("seed", range(12))
def test_random_histories_match_a_plain_model(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    owner = TestAuthor("owner")
    genesis = owner.genesis()
    log = LogStore.create(tmp_path / "log", genesis, map_bytes=8 * MIB)
    model = Model()
    model.entries[genesis.entry_id] = genesis
    authors = [TestAuthor(name, genesis.entry_id) for name in ("a", "b")]
    for _ in range(12):
        batch = []
        for _ in range(rng.randrange(1, 12)):
            author = rng.choice(authors)
            own = [e for e in (*model.entries.values(), *batch) if e.header.author == author.author]
            at = own[-1] if own and rng.random() < 0.7 else rng.choice([*own, None])
            batch.append(author.fork(at))
        for entry, ingested in zip(batch, log.append(batch), strict=True):
            if ingested.outcome is INSERTED:
                model.entries[entry.entry_id] = entry
            else:
                assert ingested.outcome in (DECLINED, Outcome.GAP), seed
        compare(log, model, rng)
    assert list(log.check()) == [], seed
    log.close()


def compare(log: LogStore, model: Model, rng: random.Random) -> None:
    assert set(log.heads()) == model.leaves()
    ids = sorted(model.entries)
    for entry_id in rng.sample(ids, min(12, len(ids))):
        path = model.path(entry_id)
        assert log.locator(head(path[-1])) == [path[seq].entry_id for seq in locator_seqs(len(path) - 1)]
        known = rng.sample(ids, min(4, len(ids)))
        shared = [number for number, entry in enumerate(path) if entry.entry_id in known]
        rest = path[shared[-1] + 1 :] if shared else path
        plan = log.plan(entry_id, known)
        if not rest:
            assert plan is None
            continue
        assert plan is not None
        assert (plan.first_seq, plan.entries) == (rest[0].header.seq, len(rest))
        assert plan.bytes == sum(len(entry.record) for entry in rest)
        records = log.read_range(plan, plan.first_seq, bytes_max=MIB, count_max=999)
        assert records == [entry.record for entry in rest]
        other = rng.choice(ids)
        assert log.is_ancestor(other, entry_id) == (model.entries[other] in path)
