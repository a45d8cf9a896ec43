"""Intervals on branches say the same as sets of ancestors, on forked logs made at random."""

from __future__ import annotations

import random

from gonk_node.core.events import AcceptGrant, Pin
from gonk_node.core.ids import EventRef
from gonk_node.state.positions import Act, Branch, Logs, Position, Spans

AUTHOR, LOG = b"a" * 32, b"l" * 8
ACCEPT = AcceptGrant(EventRef(bytes(32), 0))


class RandomLog:
    """One log with forks: each entry with its position, and its ancestors."""

    def __init__(self, rng: random.Random, count: int = 25) -> None:
        self.at: dict[bytes, Position] = {}
        self.ancestors: dict[bytes, set[bytes]] = {}
        self.branches: dict[int, Branch] = {}
        tips: dict[bytes, int] = {}
        for number in range(count):
            entry_id = number.to_bytes(32, "big")
            prev = rng.choice([None, *self.at]) if rng.random() < 0.2 else (list(self.at) or [None])[-1]
            if prev is not None and prev in tips:
                branch = tips.pop(prev)
            else:
                branch = len(self.branches) + 1
                parent = None if prev is None else self.at[prev]
                self.branches[branch] = Branch(AUTHOR, LOG, *((None, -1) if parent is None else parent))
            seq = 0 if prev is None else self.at[prev].seq + 1
            self.at[entry_id] = Position(branch, seq)
            self.ancestors[entry_id] = {entry_id} | (set() if prev is None else self.ancestors[prev])
            tips[entry_id] = branch
        self.logs = Logs(self.branches, self.at.get)

    def act(self, entry_id: bytes) -> Act:
        return Act(*self.at[entry_id], LOG, entry_id, 0, ACCEPT)

    def within(self, spans: Spans) -> set[bytes]:
        return {
            entry_id
            for entry_id, (branch, seq) in self.at.items()
            if branch in spans and spans[branch][0] <= seq <= spans[branch][1]
        }


def test_from_an_act_on_is_what_has_it_among_its_ancestors() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        log = RandomLog(rng)
        acts = set(rng.sample(list(log.at), 3))
        spans = log.logs.from_acts(AUTHOR, [log.act(entry_id) for entry_id in acts])
        expected = {entry_id for entry_id, before in log.ancestors.items() if before & acts}
        assert log.within(spans) == expected, f"seed {seed}"


def test_up_to_a_pin_are_its_ancestors() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        log = RandomLog(rng)
        pinned = rng.choice(list(log.at))
        limit = log.logs.up_to_pins(AUTHOR, [Pin(LOG, 0, pinned)], set())
        assert log.within({branch: (0, last) for branch, last in limit.items()}) == log.ancestors[pinned], (
            f"seed {seed}"
        )


def test_a_pin_that_is_not_held_is_awaited_and_keeps_nothing() -> None:
    log = RandomLog(random.Random(1))
    awaited: set[bytes] = set()
    assert log.logs.up_to_pins(AUTHOR, [Pin(LOG, 3, b"?" * 32)], awaited) == {}
    assert awaited == {b"?" * 32}


def test_a_pin_of_another_key_or_log_keeps_nothing() -> None:
    log = RandomLog(random.Random(1))
    entry_id = next(iter(log.at))
    awaited: set[bytes] = set()
    assert log.logs.up_to_pins(b"b" * 32, [Pin(LOG, 0, entry_id)], awaited) == {}
    assert log.logs.up_to_pins(AUTHOR, [Pin(b"m" * 8, 0, entry_id)], awaited) == {}
    assert awaited == set()


def test_all_of_an_author_is_every_branch() -> None:
    log = RandomLog(random.Random(2))
    assert log.within(log.logs.all_of(AUTHOR)) == set(log.at)
    assert log.logs.all_of(b"b" * 32) == {}
