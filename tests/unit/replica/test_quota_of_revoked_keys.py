"""A revoked key is a stranger beyond its pins: quotas bound what it makes others store; what counts is never refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gonk_node.core.events import CONTRIBUTOR, Grant, Pin, Revoke, SchemaCreate
from gonk_node.core.outcome import Outcome
from gonk_node.replica.replica import Quota, Replica
from kit.authors import TestAuthor

QUOTA = Quota(bytes_per_key=30_000, bytes_total=50_000)
BODY = SchemaCreate("schema-large", b"x" * 10_000)


@pytest.fixture
def owner() -> TestAuthor:
    owner = TestAuthor("owner")
    owner.genesis()
    return owner


@pytest.fixture
def contributor(owner: TestAuthor) -> TestAuthor:
    return TestAuthor("contributor", owner.dataset)


@pytest.fixture
def replica(tmp_path: Path, owner: TestAuthor) -> Iterator[Replica]:
    genesis = owner.entries[0]
    Replica.make(tmp_path / "log", genesis.record, genesis.entry_id)
    replica = Replica.open(tmp_path / "log", tmp_path / "state.db", bytes(32), quota=QUOTA)
    yield replica
    replica.close()


def revoke(owner: TestAuthor, contributor: TestAuthor, replica: Replica, *pins: Pin) -> None:
    grant = owner.append(Grant(contributor.author, CONTRIBUTOR, "she"))
    end = owner.append(Revoke(contributor.author, pins, ""))
    assert {each.outcome for each in replica.ingest([grant.record, end.record])} == {Outcome.INSERTED}


def stored(replica: Replica, author: TestAuthor, count: int) -> int:
    """How many of that many more entries are let in, each coming alone."""
    entries = [author.append(BODY) for _ in range(count)]
    return sum(replica.ingest([entry.record])[0].outcome is Outcome.INSERTED for entry in entries)


def pin(author: TestAuthor) -> Pin:
    last = author.entries[-1]
    return Pin(author.log_id, last.header.seq, last.entry_id)


def test_what_follows_the_pin_counts_against_the_quota(
    owner: TestAuthor, contributor: TestAuthor, replica: Replica
) -> None:
    first = contributor.append(BODY)
    revoke(owner, contributor, replica, pin(contributor))
    replica.ingest([first.record])
    assert stored(replica, contributor, 10) == 2


def test_new_logs_count_against_the_quota(owner: TestAuthor, contributor: TestAuthor, replica: Replica) -> None:
    revoke(owner, contributor, replica)
    logs = [TestAuthor("contributor", owner.dataset, log=number) for number in range(10)]
    assert sum(stored(replica, log, 1) for log in logs) == 2


def test_a_pin_that_nobody_holds_opens_no_other_log(
    owner: TestAuthor, contributor: TestAuthor, replica: Replica
) -> None:
    revoke(owner, contributor, replica, Pin(bytes(8), 5, bytes(32)))
    assert len(replica.authority.awaited) == 1
    assert stored(replica, contributor, 10) == 2


def test_what_is_up_to_the_pin_is_let_in_whatever_the_quota(
    owner: TestAuthor, contributor: TestAuthor, replica: Replica
) -> None:
    entries = [contributor.append(BODY) for _ in range(8)]
    revoke(owner, contributor, replica, pin(contributor))
    assert {replica.ingest([entry.record])[0].outcome for entry in entries} == {Outcome.INSERTED}
    assert stored(replica, contributor, 10) == 2, "what counts is not counted against it"


def test_a_stranger_has_room_beside_what_counts_of_a_revoked_key(
    owner: TestAuthor, contributor: TestAuthor, replica: Replica
) -> None:
    entries = [contributor.append(BODY) for _ in range(8)]
    revoke(owner, contributor, replica, pin(contributor))
    replica.ingest([entry.record for entry in entries])
    assert stored(replica, TestAuthor("stranger", owner.dataset), 1) == 1
