"""The log: what becomes of each entry, what can be asked of it, and that it survives being closed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from gonk_node.core.entry import Entry, Header, without_bodies
from gonk_node.core.events import Profile
from gonk_node.core.heads import Head, Range, locator_seqs
from gonk_node.core.limits import META_VALUE_BYTES_MAX, MIB
from gonk_node.core.outcome import Outcome
from gonk_node.core.verify import verify_entry
from gonk_node.errors import ExistsError, NotFoundError, StorageError, UsageError
from gonk_node.store import log_meta
from gonk_node.store.env import Environment
from gonk_node.store.log import LogStore
from kit.authors import FIRST_TIME_MS, TestAuthor
from kit.local_log import append_local

INSERTED, DUPLICATE, COMPLETED = Outcome.INSERTED, Outcome.DUPLICATE, Outcome.COMPLETED
GAP, DECLINED, INVALID = Outcome.GAP, Outcome.DECLINED, Outcome.INVALID


@dataclasses.dataclass
class World:
    """A log that its owner created, and an annotator who has not written yet."""

    path: Path
    owner: TestAuthor
    ann: TestAuthor
    log: LogStore

    def outcomes(self, *entries: Entry) -> list[Outcome]:
        return [ingested.outcome for ingested in self.log.append(entries)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    owner = TestAuthor("owner")
    genesis = owner.genesis()
    log = LogStore.create(tmp_path / "log", genesis, map_bytes=8 * MIB)
    world = World(tmp_path / "log", owner, TestAuthor("ann", genesis.entry_id), log)
    yield world
    problems = list(world.log.check())
    world.log.close()
    assert problems == []


def head(entry: Entry) -> Head:
    return Head(entry.header.author, entry.header.log_id, entry.header.seq, entry.entry_id)


def test_a_new_log_holds_its_genesis(world: World) -> None:
    genesis = world.owner.entries[0]
    assert world.log.dataset == genesis.entry_id
    assert (world.log.last_lsn(), world.log.heads()) == (1, [head(genesis)])
    assert world.log.record_of(genesis.entry_id) == genesis.record
    with pytest.raises(ExistsError):
        LogStore.create(world.path, genesis)


def test_entries_get_arrival_numbers_in_order_and_are_there_after_reopening(world: World) -> None:
    entries = world.ann.chain(5)
    assert [ingested.lsn for ingested in world.log.append(entries)] == [2, 3, 4, 5, 6]
    instance = world.log.instance
    world.log.close()
    world.log = LogStore.open(world.path)
    assert world.log.instance == instance
    assert world.log.last_lsn() == 6
    scanned = world.log.scan(1, count_max=100, bytes_max=MIB)
    assert scanned == [(number + 2, entry.record) for number, entry in enumerate(entries)]
    for entry in entries:
        assert world.log.header_of(entry.entry_id) == entry.header
        assert world.log.head_of(entry.entry_id) == head(entry)


def test_the_same_entry_again_is_a_duplicate_also_within_a_batch(world: World) -> None:
    first, second = world.ann.chain(2)
    assert world.outcomes(first, first, second) == [INSERTED, DUPLICATE, INSERTED]
    assert world.outcomes(second, first) == [DUPLICATE, DUPLICATE]
    assert world.log.last_lsn() == 3


def test_an_entry_without_the_one_before_it_is_a_gap(world: World) -> None:
    first, second, third = world.ann.chain(3)
    assert world.outcomes(third, second, first) == [GAP, GAP, INSERTED]
    assert world.outcomes(third, second) == [GAP, INSERTED]
    assert not world.log.has(third.entry_id)


@pytest.mark.parametrize("time_ms", [FIRST_TIME_MS - 1, FIRST_TIME_MS])
def test_v7_time_must_grow(world: World, time_ms: int) -> None:
    world.outcomes(world.ann.append(time_ms=FIRST_TIME_MS))
    late = world.ann.append(time_ms=time_ms)
    (ingested,) = world.log.append([late])
    assert ingested.outcome is INVALID
    assert "V7" in str(ingested.error)
    assert not world.log.has(late.entry_id)


def test_v7_an_entry_may_not_follow_another_log(world: World) -> None:
    foreign = world.owner.entries[0]
    wrong = world.ann.sign(foreign, [Profile("ann")])
    assert world.outcomes(wrong) == [INVALID]


def test_v7_a_sequence_number_may_not_be_left_out(world: World) -> None:
    first = world.ann.append()
    skipping = world.ann.sign_after(first.header._replace(seq=1), first.entry_id)
    assert world.outcomes(first, skipping) == [INSERTED, INVALID]


def test_bad_entries_of_a_batch_do_not_keep_out_good_ones(world: World) -> None:
    good = world.ann.chain(3)
    orphan = TestAuthor("other", world.log.dataset)
    assert world.outcomes(good[0], orphan.chain(2)[1], good[1], good[2]) == [INSERTED, GAP, INSERTED, INSERTED]


def test_a_batch_without_anything_new_costs_no_arrival_number(world: World) -> None:
    assert world.outcomes() == []
    assert world.log.last_lsn() == 1


# --- bodies --------------------------------------------------------------------------------------------------------


def three_events(author: TestAuthor) -> Entry:
    return author.append(*(Profile(f"body number {number}") for number in range(3)))


def test_missing_bodies_are_taken_over_when_they_come(world: World) -> None:
    whole = three_events(world.ann)
    later = world.ann.chain(2)
    assert world.outcomes(without_bodies(whole, {0, 2}), *later) == [INSERTED] * 3
    assert world.outcomes(without_bodies(whole, {2})) == [COMPLETED]
    assert world.log.record_of(whole.entry_id) == without_bodies(whole, {2}).record
    assert world.outcomes(without_bodies(whole, {0})) == [COMPLETED]
    assert world.log.record_of(whole.entry_id) == whole.record
    assert world.outcomes(without_bodies(whole, {1}), whole) == [DUPLICATE, DUPLICATE]
    plan = world.log.plan(later[-1].entry_id, [])
    assert plan is not None
    assert plan.bytes == sum(len(entry.record) for entry in world.ann.entries)


def test_bodies_come_within_the_same_batch(world: World) -> None:
    whole = three_events(world.ann)
    after = world.ann.append()
    assert world.outcomes(without_bodies(whole, {0, 1, 2}), after, whole) == [INSERTED, INSERTED, COMPLETED]


def test_an_erased_body_is_gone_and_does_not_come_back(world: World) -> None:
    whole = three_events(world.ann)
    branch = world.ann.fork_chain(whole, 2)
    world.outcomes(whole, *world.ann.chain(2), *branch)
    assert world.log.erase(whole.entry_id, {1})
    assert not world.log.erase(whole.entry_id, {1})
    stored = world.log.record_of(whole.entry_id)
    assert stored is not None
    assert b"body number 1" not in stored
    assert verify_entry(stored, world.log.dataset).bodies[1] is None
    assert world.outcomes(whole) == [DUPLICATE]
    assert world.log.record_of(whole.entry_id) == stored
    world.log.allow_bodies(whole.entry_id, {1})
    assert world.outcomes(whole) == [COMPLETED]
    assert world.log.record_of(whole.entry_id) == whole.record


def test_other_bodies_still_come_to_an_entry_with_an_erased_one(world: World) -> None:
    whole = three_events(world.ann)
    world.outcomes(without_bodies(whole, {0, 1}))
    assert not world.log.erase(whole.entry_id, {1})  # it was not here; now it must not come
    assert world.outcomes(whole) == [COMPLETED]
    assert world.log.record_of(whole.entry_id) == without_bodies(whole, {1}).record


def test_erasing_what_is_not_there_is_refused(world: World) -> None:
    entry = world.ann.append()
    with pytest.raises(NotFoundError):
        world.log.erase(entry.entry_id, {0})
    world.outcomes(entry)
    with pytest.raises(UsageError):
        world.log.erase(entry.entry_id, {1})


# --- this node's own entries -----------------------------------------------------------------------------------------


def test_local_entries_follow_the_tip(world: World) -> None:
    ann = world.ann
    for number in range(3):
        ingested, entry = append_local(world.log, ann.author, ann.log_id, ann.sign_after)
        assert (ingested.outcome, ingested.lsn, entry.header.seq) == (INSERTED, number + 2, number)
        assert world.log.record_of(entry.entry_id) == entry.record


def test_local_entries_go_on_from_the_deepest_leaf_of_a_fork(world: World) -> None:
    ann = world.ann
    world.outcomes(*ann.chain(3))
    branch = ann.fork_chain(ann.entries[0], 4)
    world.outcomes(*branch)
    _, entry = append_local(world.log, ann.author, ann.log_id, ann.sign_after)
    assert entry.header.prev == branch[-1].entry_id


def test_a_local_entry_that_does_not_fit_is_an_error_and_not_stored(world: World) -> None:
    def build(prev: Header | None, prev_id: bytes) -> Entry:
        return world.ann.sign_after(None if prev is None else prev._replace(time_ms=0), prev_id, time_ms=1)

    append_local(world.log, world.ann.author, world.ann.log_id, build)
    with pytest.raises(StorageError, match="INVALID"):
        append_local(world.log, world.ann.author, world.ann.log_id, build)
    assert world.log.last_lsn() == 2


def test_a_builder_that_fails_leaves_the_log_as_it_was(world: World) -> None:
    def fail(prev: Header | None, prev_id: bytes) -> Entry:
        raise UsageError("no")

    with pytest.raises(UsageError):
        append_local(world.log, world.ann.author, world.ann.log_id, fail)
    assert world.log.last_lsn() == 1


# --- reading ---------------------------------------------------------------------------------------------------------


def test_heads_are_the_ends_of_all_logs(world: World) -> None:
    world.outcomes(*world.ann.chain(3))
    world.outcomes(world.owner.append())
    assert set(world.log.heads()) == {head(world.ann.entries[-1]), head(world.owner.entries[-1])}
    assert world.log.heads_since(4) == [head(world.owner.entries[-1])]
    assert world.log.heads_since(5) == []
    assert world.log.leaves(world.ann.author, world.ann.log_id) == [head(world.ann.entries[-1])]
    assert world.log.leaves(world.ann.author, b"elsewher") == []


def test_a_locator_names_ancestors_at_doubling_distances(world: World) -> None:
    entries = world.ann.chain(40)
    world.outcomes(*entries)
    for entry in (entries[0], entries[1], entries[22], entries[39]):
        expected = [entries[seq].entry_id for seq in locator_seqs(entry.header.seq)]
        assert world.log.locator(head(entry)) == expected
    assert world.log.locator(head(world.ann.append())) == []


def test_a_plan_begins_after_the_latest_known_ancestor(world: World) -> None:
    entries = world.ann.chain(10)
    world.outcomes(*entries)
    ids = [entry.entry_id for entry in entries]
    sizes = [len(entry.record) for entry in entries]
    ann = world.ann
    assert world.log.plan(ids[9], []) == Range(ann.author, ann.log_id, 0, 9, ids[9], 10, 10, sum(sizes))
    known = [ids[2], b"\0" * 32, ids[6], world.log.dataset, ids[4]]
    assert world.log.plan(ids[9], known) == Range(ann.author, ann.log_id, 7, 9, ids[9], 3, 3, sum(sizes[7:]))
    assert world.log.plan(ids[5], [ids[5]]) is None
    assert world.log.plan(ids[5], [ids[8]]) == Range(ann.author, ann.log_id, 0, 5, ids[5], 6, 6, sum(sizes[:6]))
    assert world.log.plan(b"\0" * 32, []) is None


def test_a_range_is_read_in_parts(world: World) -> None:
    entries = world.ann.chain(10)
    world.outcomes(*entries)
    records = [entry.record for entry in entries]
    plan = world.log.plan(entries[8].entry_id, [entries[1].entry_id])
    assert plan is not None
    assert world.log.read_range(plan, 2, bytes_max=MIB, count_max=100) == records[2:9]
    assert world.log.read_range(plan, 4, bytes_max=MIB, count_max=3) == records[4:7]
    assert world.log.read_range(plan, 4, bytes_max=1, count_max=3) == records[4:5]
    two = len(records[5]) + len(records[6])
    assert world.log.read_range(plan, 5, bytes_max=two, count_max=9) == records[5:7]
    assert world.log.read_range(plan, 9, bytes_max=MIB, count_max=9) == []


def test_a_scan_gives_at_least_one(world: World) -> None:
    world.outcomes(*world.ann.chain(4))
    assert [lsn for lsn, _ in world.log.scan(0, count_max=3, bytes_max=MIB)] == [1, 2, 3]
    assert [lsn for lsn, _ in world.log.scan(2, count_max=9, bytes_max=1)] == [3]
    assert world.log.scan(5, count_max=9, bytes_max=MIB) == []


def test_an_ancestor_is_at_or_before(world: World) -> None:
    entries = world.ann.chain(4)
    world.outcomes(*entries)
    first, _, third, last = (entry.entry_id for entry in entries)
    assert world.log.is_ancestor(first, last)
    assert world.log.is_ancestor(third, third)
    assert not world.log.is_ancestor(last, third)
    assert not world.log.is_ancestor(world.log.dataset, last)
    assert not world.log.is_ancestor(b"\0" * 32, last)


def test_totals_of_an_author(world: World) -> None:
    entries = world.ann.chain(3)
    world.outcomes(*entries)
    assert world.log.author_totals(world.ann.author) == (3, sum(len(entry.record) for entry in entries))
    assert world.log.author_totals(b"\0" * 32) == (0, 0)


def test_small_values_are_kept_for_other_layers(world: World) -> None:
    assert world.log.meta_get(b"cursor/peer") is None
    world.log.meta_put(b"cursor/peer", b"12")
    assert world.log.meta_get(b"cursor/peer") == b"12"
    world.log.meta_put(b"cursor/peer", None)
    assert world.log.meta_get(b"cursor/peer") is None
    with pytest.raises(UsageError):
        world.log.meta_put(b"log/dataset", b"mine")
    with pytest.raises(UsageError):
        world.log.meta_put(b"large", bytes(META_VALUE_BYTES_MAX + 1))


def test_a_log_of_another_format_is_refused(tmp_path: Path) -> None:
    owner = TestAuthor("owner")
    LogStore.create(tmp_path / "log", owner.genesis(), map_bytes=8 * MIB).close()
    tables = ("entries", "ids", "chain", "heads", "forks", "authors", "erased", "meta")
    env = Environment.open(tmp_path / "log", tables, map_bytes=8 * MIB)
    env.write(lambda txn: log_meta.put(txn, env.tables["meta"], log_meta.FORMAT_KEY, b"\0" * 7 + b"\2"))
    env.close()
    with pytest.raises(StorageError, match="another version"):
        LogStore.open(tmp_path / "log")
