"""What reviews decide, on votes made by hand (rule A8 over whole histories is in tests/rules)."""

from __future__ import annotations

import itertools

from gonk_node.state.reviews import NO_RANK, UNDECIDED, Decided, Decision, Vote, decide


def vote(number: int, key: bytes, rank: int, accept: bool, *supersedes: int) -> Vote:
    return Vote(number, key, rank, accept, supersedes)


def test_no_votes_leave_an_event_undecided() -> None:
    assert decide([], 1) == UNDECIDED


def test_the_rank_of_a_decision_is_that_of_the_highest_who_accepts() -> None:
    votes = [vote(1, b"b", 5, True), vote(2, b"a", 3, True), vote(3, b"c", 9, False)]
    assert decide(votes, 2) == Decision(Decided.ACCEPTED, 3, True)


def test_too_few_accepts_leave_it_pending_without_a_rank() -> None:
    assert decide([vote(1, b"a", 3, True)], 2) == Decision(Decided.PENDING, NO_RANK, True)


def test_a_rejected_event_is_cited_where_somebody_accepts_it() -> None:
    votes = [vote(1, b"a", 1, False), vote(2, b"b", 2, True)]
    assert decide(votes, 1) == Decision(Decided.REJECTED, NO_RANK, True)
    assert not decide(votes[:1], 1).cited


def test_the_order_of_votes_does_not_matter() -> None:
    votes = [
        vote(1, b"a", 1, False),
        vote(2, b"a", 1, True, 1),
        vote(3, b"b", 2, False),
        vote(4, b"b", 2, True),
        vote(5, b"c", 3, True, 2),
    ]
    decisions = {decide(order, 2) for order in itertools.permutations(votes)}
    assert decisions == {Decision(Decided.ACCEPTED, 1, True)}


def test_one_vote_is_decided_as_among_many() -> None:
    for accept, supersedes, approvals in itertools.product((True, False), ((), (1,), (7,)), (1, 2)):
        alone = vote(1, b"a", 1, accept, *supersedes)
        dropped = vote(2, b"b", 2, False, 2)  # supersedes itself: says nothing
        assert decide([alone], approvals) == decide([alone, dropped], approvals)
