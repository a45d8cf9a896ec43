"""Past States: asked like the present one, kept as a few files, folded anew where what they stand on has changed."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from gonk_node.core.limits import SNAPSHOTS_KEPT_MAX
from gonk_node.errors import NotFoundError, NotHeldError, ReleaseError
from gonk_node.replica.folding import projection
from gonk_node.replica.releases import snapshot as snapshot_module
from gonk_node.replica.releases.snapshot import LogUpTo, heads_at_time, snapshot_at
from gonk_node.replica.replica import Replica
from kit import local_replica
from kit.authors import TestAuthor
from kit.history import object_create, schema_create


@pytest.fixture
def replica(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Replica:
    monkeypatch.setattr(snapshot_module, "SNAPSHOT_MEMORY_EVENTS_MAX", 0)
    return local_replica.make(tmp_path)


def files(replica: Replica) -> list[str]:
    assert replica.db.path is not None
    return sorted(path.name for path in (replica.db.path.parent / "at").glob("*.db"))


def test_at_the_present_heads_it_is_the_present_state(replica: Replica) -> None:
    local_replica.furnish(replica)
    with snapshot_at(replica, replica.log.heads()) as snapshot:
        assert snapshot.state_digest() == replica.state_digest()
        assert snapshot.events == 5
    with snapshot_at(replica, []) as snapshot:
        assert snapshot.events == 1, "the genesis is always part of it"


def test_it_is_folded_once_and_again_only_where_that_is_asked(replica: Replica) -> None:
    local_replica.furnish(replica)
    heads = replica.log.heads()
    steps: list[tuple[int, int]] = []
    for fresh in (False, False, True):
        with snapshot_at(
            replica, heads, fresh=fresh, progress=lambda done, total: steps.append((done, total))
        ) as taken:
            taken.summary()
            if len(steps) < 3:
                taken.db.execute("UPDATE meta SET value = ? WHERE key = 'manifest'", ("00" * 32 + " 7 8 9",))
            else:
                assert taken.summary()[1:] == (0, 0, 0), "a fresh one believes nothing that was kept"
    assert len(files(replica)) == 1


def test_who_reads_one_reads_on_while_it_is_folded_anew(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an export does, or a program that trains, while somebody verifies the release."""
    monkeypatch.setattr(projection, "EVENTS_PER_BATCH", 1)
    local_replica.furnish(replica)
    heads = replica.log.heads()
    counts: list[int] = []
    with snapshot_at(replica, heads) as reading:

        def count(_lsn: int, _last: int) -> None:
            counts.append(reading.queries.counts()["objects"]["pending"])

        for _ in range(2):
            snapshot_at(replica, heads, fresh=True, progress=count).close()
        count(0, 0)
    assert len(counts) >= 3
    assert set(counts) == {3}
    assert len(files(replica)) == 1


def test_few_are_kept_those_that_were_used_last(replica: Replica) -> None:
    owner = local_replica.author(replica, "owner")
    made = []
    for number in range(SNAPSHOTS_KEPT_MAX + 2):
        owner.sign([object_create(number, f"o{number}")])
        heads = replica.log.heads()
        made.append(heads)
        snapshot_at(replica, heads).close()
        snapshot_at(replica, made[0]).close()
    kept = files(replica)
    assert len(kept) == SNAPSHOTS_KEPT_MAX
    snapshot_at(replica, made[0]).close()
    assert files(replica) == kept, "the first was used each time"


def test_a_damaged_file_is_made_anew(replica: Replica) -> None:
    local_replica.furnish(replica)
    heads = replica.log.heads()
    with snapshot_at(replica, heads) as snapshot:
        digest = snapshot.state_digest()
    assert replica.db.path is not None
    (replica.db.path.parent / "at" / files(replica)[0]).write_bytes(b"no database" * 1000)
    with snapshot_at(replica, heads) as snapshot:
        assert snapshot.state_digest() == digest


def test_a_small_one_leaves_no_file(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_module, "SNAPSHOT_MEMORY_EVENTS_MAX", 100)
    snapshot_at(replica, replica.log.heads()).close()
    assert files(replica) == []


def test_a_fork_is_followed_to_the_branch_that_is_named(replica: Replica) -> None:
    sam = TestAuthor("sam", replica.dataset)
    trunk, left = sam.append(object_create(1, "one")), sam.append(object_create(2, "two"))
    right = sam.fork(trunk, object_create(3, "three"))
    replica.ingest([trunk.record, left.record, right.record])
    names = {
        head.entry_id: {each.name for each in snapshot_at(replica, [head]).queries.page(0)}
        for head in replica.log.leaves(sam.author, sam.log_id)
    }
    assert names == {left.entry_id: {"one", "two"}, right.entry_id: {"one", "three"}}
    with snapshot_at(replica, replica.log.leaves(sam.author, sam.log_id)) as snapshot:
        assert {each.name for each in snapshot.queries.page(0)} == {"one", "two", "three"}


def test_heads_that_are_not_held_are_told(replica: Replica) -> None:
    (head,) = replica.log.heads()
    with pytest.raises(NotHeldError, match="not on this node"):
        snapshot_at(replica, [head._replace(entry_id=bytes(32))])
    for wrong in (head._replace(seq=9), head._replace(log_id=bytes(8))):
        with pytest.raises(ReleaseError, match="it names an entry as"):
            snapshot_at(replica, [wrong])


def test_at_a_time_each_log_is_as_far_as_its_author_had_written(replica: Replica) -> None:
    began = replica.log.header_of(replica.dataset)
    assert began is not None
    sam = TestAuthor("sam", replica.dataset)
    written = [sam.append(object_create(n, f"o{n}"), time_ms=began.time_ms + 10 * n) for n in range(1, 4)]
    beside = sam.sign(written[0], [schema_create()], time_ms=began.time_ms + 15)
    replica.ingest([entry.record for entry in (*written, beside)])

    def at(offset: int) -> set[bytes]:
        return {head.entry_id for head in heads_at_time(replica, began.time_ms + offset)}

    assert at(9) == {replica.dataset}
    assert written[0].entry_id in at(14)
    assert at(15) >= {replica.dataset, beside.entry_id}
    assert at(25) >= {written[1].entry_id, beside.entry_id}
    assert at(10**6) >= {head.entry_id for head in replica.log.heads()}
    with pytest.raises(NotFoundError, match="did not exist yet"):
        heads_at_time(replica, began.time_ms - 1)
    with snapshot_at(replica, heads_at_time(replica, began.time_ms + 20)) as snapshot:
        assert [each.name for each in snapshot.queries.page(0)] == ["o1", "o2"]


def test_the_part_of_a_log_is_read_as_a_log(replica: Replica) -> None:
    owner = local_replica.author(replica, "owner")
    for number in range(8):
        owner.sign([object_create(number, "x")])
    part = LogUpTo(replica.log, array("Q", [1, 3, 4, 7]))
    whole = dict(replica.log.scan(0, count_max=100, bytes_max=10**6))
    read: list[tuple[int, bytes]] = []
    while found := part.scan(read[-1][0] if read else 0, count_max=2, bytes_max=10**6):
        assert len(found) <= 2
        read += found
    assert read == [(lsn, whole[lsn]) for lsn in (1, 3, 4, 7)]
    assert part.last_lsn() == 7
    assert part.record(4) == whole[4]
    assert part.record(5) is None
    assert part.record(8) is None
