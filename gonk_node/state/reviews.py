"""Rule A8: what the reviews of one event decide.

Pure arithmetic over honoured votes; which reviews are honoured, and with which rank, is for `authority`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple


class Decided(IntEnum):
    """What reviews have decided of one event."""

    PENDING = 0
    ACCEPTED = 1
    REJECTED = 2


class Vote(NamedTuple):
    """One honoured review of the event in question. `number` names the review; `supersedes` the numbers it replaces."""

    number: int
    key: bytes
    rank: int
    accept: bool
    supersedes: tuple[int, ...]


class Decision(NamedTuple):
    """The decision, the rank of the highest accepting key, and whether any honoured accept names the event."""

    decided: Decided
    rank: int
    cited: bool


NO_RANK = 2**31  # below every rank
UNDECIDED = Decision(Decided.PENDING, NO_RANK, False)


def decide(votes: Iterable[Vote], approvals: int) -> Decision:
    """Decide one event (A8).

    Votes that an honoured review of the same event supersedes are dropped, where that review is by the same key or a
    higher-ranked one. A key left with both decisions abstains. If the highest-ranked vote that remains rejects, the event
    is rejected; else it is accepted once `approvals` distinct keys accept.
    """
    by_number = {vote.number: vote for vote in votes}
    if not by_number:
        return UNDECIDED
    if len(by_number) == 1:
        return _decide_alone(next(iter(by_number.values())), approvals)
    cited = any(vote.accept for vote in by_number.values())
    dropped = {
        number
        for vote in by_number.values()
        for number in vote.supersedes
        if number in by_number and (by_number[number].key == vote.key or vote.rank < by_number[number].rank)
    }
    stands: dict[bytes, Vote | None] = {}
    for number, vote in by_number.items():
        if number in dropped:
            continue
        other = stands.get(vote.key, vote)
        stands[vote.key] = vote if other is not None and other.accept == vote.accept else None
    remaining = [vote for vote in stands.values() if vote is not None]
    if not remaining:
        return Decision(Decided.PENDING, NO_RANK, cited)
    if not min(remaining, key=lambda vote: vote.rank).accept:
        return Decision(Decided.REJECTED, NO_RANK, cited)
    accepting = [vote.rank for vote in remaining if vote.accept]
    if len(accepting) < approvals:
        return Decision(Decided.PENDING, NO_RANK, cited)
    return Decision(Decided.ACCEPTED, min(accepting), cited)


def _decide_alone(vote: Vote, approvals: int) -> Decision:
    """The same for a single vote, the most frequent case."""
    if vote.number in vote.supersedes:
        return Decision(Decided.PENDING, NO_RANK, vote.accept)
    if not vote.accept:
        return Decision(Decided.REJECTED, NO_RANK, False)
    if approvals > 1:
        return Decision(Decided.PENDING, NO_RANK, True)
    return Decision(Decided.ACCEPTED, vote.rank, True)
