"""Bytes follow the State: what is redacted is erased and stays away, and may come back once the redaction counts no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gonk_node.core.entry import Entry, read_stored, without_bodies
from gonk_node.core.events import OWNER, AcceptGrant, Grant, Pin, Redact, Revoke
from gonk_node.core.outcome import Outcome
from gonk_node.replica.replica import Replica
from gonk_node.sync.messages import NeededBodies
from kit.authors import TestAuthor
from kit.history import object_create, ref


class World:
    """A replica, its root, an owner `anna`, and an object of root's."""

    def __init__(self, folder: Path) -> None:
        self.paths = folder / "log", folder / "state.db"
        self.root, self.anna = TestAuthor("root"), TestAuthor("anna")
        genesis = self.root.genesis()
        self.anna.dataset = genesis.entry_id
        Replica.make(self.paths[0], genesis.record, None)
        self.replica = Replica.open(*self.paths, b"i" * 16)
        self.object = self.root.append(object_create())
        granted = self.root.append(Grant(self.anna.author, OWNER, "anna"))
        self.accepted = self.anna.append(AcceptGrant(ref(granted)))
        self.take(self.object, granted, self.accepted)

    def take(self, *entries: Entry) -> list[Outcome]:
        return [each.outcome for each in self.replica.ingest([entry.record for entry in entries])]

    def redact(self) -> None:
        assert self.take(self.anna.append(Redact(ref(self.object), ""))) == [Outcome.INSERTED]

    def revoke(self) -> None:
        """Anna's redaction lies beyond the pin."""
        pin = Pin(self.anna.log_id, self.accepted.header.seq, self.accepted.entry_id)
        self.take(self.root.append(Revoke(self.anna.author, (pin,), "")))

    def reopen(self) -> None:
        self.replica.close()
        self.replica = Replica.open(*self.paths, b"i" * 16)

    @property
    def is_here(self) -> bool:
        record = self.replica.log.record_of(self.object.entry_id)
        return record is not None and read_stored(record).bodies[0] is not None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.replica.close()


def test_a_redacted_body_is_erased_not_asked_for_and_not_taken_again(world: World) -> None:
    world.redact()
    assert not world.is_here
    assert world.replica.view.incomplete() == []
    assert world.take(world.object) == [Outcome.DUPLICATE]
    assert not world.is_here


@pytest.mark.parametrize("restart", [False, True])
def test_a_body_comes_back_once_its_redaction_counts_no_more(world: World, restart: bool) -> None:
    before = world.replica.state_digest()
    world.redact()
    world.revoke()
    if restart:
        world.reopen()
    assert world.replica.view.incomplete() == [NeededBodies(world.object.entry_id, [0])]
    assert world.replica.state_digest() != before
    assert world.take(world.object) == [Outcome.COMPLETED]
    assert world.is_here
    assert world.replica.view.incomplete() == []
    assert world.replica.state_digest() == before


def test_a_body_that_comes_only_after_its_redaction_is_erased(tmp_path: Path) -> None:
    world = World(tmp_path)
    late = world.root.append(object_create(1))
    world.take(without_bodies(late, {0}))
    world.take(world.root.append(Redact(ref(late), "")))
    world.take(late)
    record = world.replica.log.record_of(late.entry_id)
    assert record is not None and read_stored(record).bodies == [None]
    world.replica.close()


def test_what_was_erased_here_is_not_in_doubt_and_what_was_never_seen_is(tmp_path: Path) -> None:
    world = World(tmp_path)
    unseen = world.root.append(object_create(1), object_create(2))
    world.take(without_bodies(unseen, {1}), world.root.append(Redact(ref(unseen, 1), "")))
    world.redact()
    assert world.replica.view.incomplete() == []
    assert world.replica.view.doubtful() == [NeededBodies(unseen.entry_id, [1])]
    assert world.take(unseen) == [Outcome.COMPLETED]
    assert world.replica.view.doubtful() == []
    world.reopen()
    assert world.replica.view.doubtful() == []
    world.replica.close()
