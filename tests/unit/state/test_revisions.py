"""The tree of revisions of one entity, on trees made by hand and at random (rules A10 to A12)."""

from __future__ import annotations

import random

import pytest

from gonk_node.state.reviews import NO_RANK, Decided, Decision
from gonk_node.state.revisions import (
    CREATE_PENDING,
    DELETE_ACCEPTED,
    DELETE_PENDING,
    Deletion,
    Folded,
    Revision,
    fold_entity,
    fold_lone,
    views_of,
)

ACCEPTED = Decision(Decided.ACCEPTED, 1, True)
DECISIONS = (Decision(Decided.PENDING, NO_RANK, False), ACCEPTED, Decision(Decided.REJECTED, NO_RANK, False))


def revision(number: int, base: int | None = None, decision: Decision = ACCEPTED, **more: object) -> Revision:
    values = {"time_ms": number, "entry_id": bytes([number]) * 32, "index": 0, "live": True, "vouched": True}
    return Revision(number, base, decision=decision, **{**values, **more})  # type: ignore[arg-type]


def by_number(revisions: list[Revision]) -> dict[int, Folded]:
    return {folded.number: folded for folded in fold_entity(revisions).revisions}


@pytest.mark.parametrize("vouched", [True, False])
@pytest.mark.parametrize("decision", [*DECISIONS, Decision(Decided.PENDING, NO_RANK, True)])
def test_the_short_cut_for_one_event_says_what_the_tree_says(vouched: bool, decision: Decision) -> None:
    folded = fold_entity([revision(1, decision=decision, vouched=vouched)])
    assert list(folded.revisions) == [fold_lone(1, vouched, decision)]
    assert folded.conflict == ()


def test_an_entity_without_revisions_is_nothing() -> None:
    assert fold_entity([]) == ([], ())


def test_what_is_built_on_something_missing_or_waiting_takes_no_effect() -> None:
    found = by_number([revision(1, live=False), revision(2, 1), revision(3, 99), revision(4, 3)])
    assert [found[number].version for number in (1, 2, 3, 4)] == [None] * 4
    assert not any(folded.current or folded.named or folded.shared is not None for folded in found.values())


def test_versions_and_roots_follow_the_base_in_any_order() -> None:
    revisions = [revision(1), revision(2, 1), revision(3, 2), revision(4, 1), revision(5)]
    for seed in range(20):
        random.Random(seed).shuffle(revisions)
        found = by_number(revisions)
        assert {n: (f.version, f.root) for n, f in found.items()} == {
            1: (0, 1),
            2: (1, 1),
            3: (2, 1),
            4: (1, 1),
            5: (0, 5),
        }


def test_a_circle_of_bases_ends() -> None:
    found = by_number([revision(1, 2), revision(2, 3), revision(3, 1), revision(4, 4), revision(5, 1)])
    assert {folded.version for folded in found.values()} == {None}


def test_a_long_line_of_revisions_is_no_recursion() -> None:
    line = [revision(0), *(revision(0, None)._replace(number=n, base=n - 1) for n in range(1, 5000))]
    assert max(folded.version or 0 for folded in fold_entity(line).revisions) == 4999


def test_only_vouched_or_cited_deletions_are_shared() -> None:
    pending, accepted = DECISIONS[0], ACCEPTED
    strangers = revision(1, deletions=[Deletion(pending, vouched=False)])
    assert by_number([strangers])[1][2:4] == (DELETE_PENDING, 0)
    cited = revision(1, deletions=[Deletion(accepted, vouched=False), Deletion(pending, vouched=True)])
    assert by_number([cited])[1][2:4] == (DELETE_PENDING | DELETE_ACCEPTED, DELETE_PENDING | DELETE_ACCEPTED)


def test_rivals_are_ordered_by_rank_then_depth_then_time_then_id() -> None:
    def winner(*revisions: Revision) -> int:
        folded = fold_entity([revision(1, vouched=True), *revisions])
        assert len(folded.conflict) == 2
        return next(each.number for each in folded.revisions if each.current)

    assert winner(revision(2, 1), revision(3, 1, ACCEPTED._replace(rank=0))) == 3
    assert winner(revision(2, 1), revision(3, 1), revision(4, 2)) == 4
    assert winner(revision(2, 1, time_ms=50), revision(3, 1, time_ms=40)) == 2
    assert winner(revision(2, 1, time_ms=50), revision(3, 1, time_ms=50)) == 2
    same_entry = {"time_ms": 50, "entry_id": bytes(32)}
    assert winner(revision(2, 1, index=1, **same_entry), revision(3, 1, index=0, **same_entry)) == 3


def test_views_of_a_status() -> None:
    assert views_of(0) == ["accepted"]
    assert views_of(DELETE_PENDING) == ["pending", "accepted"]
    assert views_of(CREATE_PENDING | DELETE_ACCEPTED) == ["pending", "deleted"]
