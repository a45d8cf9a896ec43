"""V7: an entry follows the one that it names: same author and log, next sequence number, later time."""

from __future__ import annotations

from gonk_node.core.entry import Entry
from kit.authors import TestAuthor
from kit.raw_entries import DATASET, Draft, following
from kit.verdicts import broken_rule

ANN, BEN = TestAuthor("Ann", DATASET), TestAuthor("Ben", DATASET)
FIRST, SECOND, THIRD = ANN.chain(3)


def after(prev: Entry, author: TestAuthor = ANN) -> Draft:
    return following(prev.header, prev.entry_id, author=author)


def test_v7_the_next_entry_is_accepted() -> None:
    for prev in (FIRST, SECOND, THIRD):
        assert broken_rule(after(prev).record(), prev=prev.header) is None
    assert broken_rule(FIRST.record) is None


def test_v7_a_gap_or_a_repeat_in_the_sequence_is_refused() -> None:
    for seq in (1, 2, 4, 2**53 - 1):
        assert broken_rule(after(THIRD).change(seq=seq).record(), prev=THIRD.header) == "V7"
    assert broken_rule(after(THIRD).change(seq=3).record(), prev=THIRD.header) is None


def test_v7_time_grows_by_a_millisecond_at_least() -> None:
    time = THIRD.header.time_ms
    for time_ms, rule in ((0, "V7"), (time - 1, "V7"), (time, "V7"), (time + 1, None), (2**53 - 1, None)):
        assert broken_rule(after(THIRD).change(time_ms=time_ms).record(), prev=THIRD.header) == rule


def test_v7_an_author_cannot_continue_the_log_of_another() -> None:
    assert broken_rule(after(THIRD, author=BEN).record(), prev=THIRD.header) == "V7"
    assert broken_rule(after(THIRD, author=BEN).change(log_id=ANN.log_id).record(), prev=THIRD.header) == "V7"


def test_v7_an_author_cannot_continue_one_of_his_logs_in_another() -> None:
    assert broken_rule(after(THIRD).change(log_id=bytes(8)).record(), prev=THIRD.header) == "V7"


def test_v7_two_successors_of_one_entry_are_both_valid() -> None:
    """A fork is no broken rule of either branch: both are signed, and both are kept."""
    branches = [ANN.fork(SECOND), ANN.fork(SECOND), THIRD]
    assert len({entry.entry_id for entry in branches}) == 3
    for entry in branches:
        assert broken_rule(entry.record, prev=SECOND.header) is None
