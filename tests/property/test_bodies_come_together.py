"""Whatever bodies each of several replicas lacks: once each has synced with the next, all hold what any of them held."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.core.entry import Entry, without_bodies
from gonk_node.core.events import Profile
from gonk_node.sync.outputs import Synced
from kit.authors import TestAuthor
from kit.memory_log import MemoryLog
from kit.session_pair import Pair

EVENTS = 5
lacked = st.sets(st.integers(0, EVENTS - 1))


def _held(log: MemoryLog, entry: Entry) -> set[int]:
    return {index for index, body in enumerate(log.entries[entry.entry_id].bodies) if body is not None}


@settings(max_examples=60)
@given(st.lists(st.lists(lacked, min_size=3, max_size=3), min_size=2, max_size=4))
def test_replicas_complete_one_another(replicas: list[list[set[int]]]) -> None:
    root = TestAuthor("root")
    genesis = root.genesis()
    entries = [root.append(*(Profile(f"{number} {index}") for index in range(EVENTS))) for number in range(3)]
    logs = []
    for replica in replicas:
        logs.append(MemoryLog(root.dataset))
        parts = [without_bodies(entry, gone) for entry, gone in zip(entries, replica, strict=True)]
        logs[-1].ingest([genesis.record, *(part.record for part in parts)])
    wanted = [set(range(EVENTS)) - set.intersection(*gone) for gone in zip(*replicas, strict=True)]
    there = list(pairwise(logs))
    for one, other in there + there[::-1]:
        pair = Pair(one, other).run()
        assert pair.client.error is pair.server.error is None
        assert pair.client.synced in (Synced(True, True), Synced(True, None))
    for log in logs:
        assert [_held(log, entry) for entry in entries] == wanted
