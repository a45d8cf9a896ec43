"""Who sends entries without their bodies, each node others, or redacts what he withheld, cannot keep the nodes apart."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from gonk_node.core.entry import Entry, without_bodies
from gonk_node.core.events import CONTRIBUTOR, Event, Grant, Profile, Redact
from gonk_node.core.ids import EventRef
from kit.authors import TestAuthor
from kit.history import accept, object_create, ref
from kit.simulated_network import Node, Simulation
from kit.snapshot import snapshot

MINUTE_MS = 60_000


def _take(node: Node, *entries: Entry) -> None:
    node.log.ingest([entry.record for entry in entries], cited=True)


def _sync(sim: Simulation, one: Node, other: Node) -> None:
    """One session from beginning to end."""
    sim.connect(one, other)
    sim.run(sim.now + MINUTE_MS)
    sim.close_all()
    assert not sim.failures


def _assert_agreed(sim: Simulation) -> None:
    assert sim.agree()
    assert not any(sim.is_open(node) for node in sim.nodes)
    assert len({node.log.state_digest() for node in sim.nodes}) == 1
    first, *others = (snapshot(node.log.projection) for node in sim.nodes)
    assert all(other == first for other in others)
    assert all(synced.equal_states is not False for _, _, synced in sim.synced), "a false alarm"


@pytest.mark.parametrize("count", [2, 3, 5])
def test_nodes_that_lack_different_bodies_of_one_entry_complete_one_another(count: int) -> None:
    sim = Simulation(1, count)
    stranger = TestAuthor("stranger", sim.nodes[0].log.dataset)
    entry = stranger.append(*(object_create(number) for number in range(count)))
    accepted = sim.nodes[0].author.append(accept(*(EventRef(entry.entry_id, index) for index in range(count))))
    for index, node in enumerate(sim.nodes):
        _take(node, without_bodies(entry, set(range(count)) - {index}), accepted)
    there = list(pairwise(sim.nodes))
    for one, other in there + there[::-1]:
        _sync(sim, one, other)
    _assert_agreed(sim)
    assert all(None not in node.log.entries[entry.entry_id].bodies for node in sim.nodes)


def _review(proposal: EventRef) -> Event:
    return accept(proposal)


def _grant(_: EventRef) -> Event:
    return Grant(TestAuthor("somebody").author, CONTRIBUTOR, "somebody")


def _redacted_unseen(make: Callable[[EventRef], Event]) -> tuple[Simulation, Entry]:
    """An owner shows an event to node 0, and only its hash to node 1; then he redacts it. Both hold the same entries."""
    sim = Simulation(2, 2)
    one, other = sim.nodes
    proposal = TestAuthor("stranger", one.log.dataset).append(object_create())
    hidden = one.author.append(make(ref(proposal)))
    redact = one.author.append(Redact(ref(hidden), "never mind"))
    _take(one, proposal, hidden, redact)
    _take(other, proposal, without_bodies(hidden, {0}), redact)
    assert one.log.projection.db.one("SELECT honoured FROM redactions") == (0,)
    assert other.log.projection.db.one("SELECT honoured FROM redactions") == (1,)
    return sim, hidden


@pytest.mark.parametrize("later", [False, True], ids=["equal heads", "one has more"])
@pytest.mark.parametrize("make", [_review, _grant])
def test_what_cannot_be_redacted_is_not_hidden_by_withholding_and_redacting_it(
    make: Callable[[EventRef], Event], later: bool
) -> None:
    sim, hidden = _redacted_unseen(make)
    if later:
        _take(sim.nodes[0], sim.nodes[0].author.append(Profile("root")))
    _sync(sim, *sim.nodes)
    _assert_agreed(sim)
    assert None not in sim.nodes[1].log.entries[hidden.entry_id].bodies


def test_it_is_had_from_one_who_holds_it_in_a_session_that_is_live_already() -> None:
    sim = Simulation(3, 2)
    one, other = sim.nodes
    sim.connect(one, other)
    sim.run(MINUTE_MS)
    proposal = TestAuthor("stranger", one.log.dataset).append(object_create())
    hidden = one.author.append(accept(ref(proposal)))
    redact = one.author.append(Redact(ref(hidden), "never mind"))
    _take(other, proposal, without_bodies(hidden, {0}), redact)
    sim.write(one, proposal, hidden, redact)
    sim.run(sim.now + MINUTE_MS)
    _assert_agreed(sim)


def test_a_body_that_was_redacted_in_earnest_is_asked_for_and_missed_by_nobody() -> None:
    """A new clone cannot know of what kind it was; its State is the same, and nothing is open."""
    sim = Simulation(4, 2)
    one, other = sim.nodes
    thing = one.author.append(object_create())
    _take(one, thing, one.author.append(Redact(ref(thing), "wrong file")))
    _sync(sim, one, other)
    _sync(sim, one, other)
    _assert_agreed(sim)
    assert [node.log.entries[thing.entry_id].bodies for node in sim.nodes] == [[None], [None]]
    assert [bool(node.log.doubtful()) for node in sim.nodes] == [False, True]
    assert [synced.equal_states for _, _, synced in sim.synced] == [True] * 4
