"""Which keys a new verdict on authority affects, so that nothing else is folded anew."""

from __future__ import annotations

from gonk_node.core.events import OWNER
from gonk_node.replica.folding.affected import changed_keys
from gonk_node.state.authority import Authority, RoleInfo

ANNA, BEN, NORA = (name * 8 for name in (b"anna", b"ben!", b"nora"))


def authority(**spans: dict[bytes, dict[int, tuple[int, int]]]) -> Authority:
    made = Authority(b"root" * 8, 1)
    for name, value in spans.items():
        setattr(made, name, value)
    return made


def ranked(*keys: bytes) -> dict[bytes, RoleInfo]:
    return {key: RoleInfo(key, OWNER, rank, "", True, False, None) for rank, key in enumerate(keys)}


def test_equal_verdicts_affect_nobody() -> None:
    one, other = (authority(owner_spans={ANNA: {1: (0, 5)}}) for _ in range(2))
    assert changed_keys(one, other, {1}) == (set(), set())


def test_a_key_whose_spans_differ_on_a_known_branch_is_affected() -> None:
    before = authority(owner_spans={ANNA: {1: (0, 5)}}, reviewer_spans={BEN: {2: (0, 5)}})
    after = authority(owner_spans={ANNA: {1: (0, 3)}}, vouched_spans={NORA: {3: (0, 5)}})
    assert changed_keys(before, after, {1, 2, 3}) == ({ANNA, BEN}, {NORA})


def test_a_branch_that_is_new_in_this_batch_affects_nothing_that_was_there_before() -> None:
    before = authority(owner_spans={ANNA: {1: (0, 5)}})
    after = authority(owner_spans={ANNA: {1: (0, 5), 2: (0, 5)}})
    assert changed_keys(before, after, {1}) == (set(), set())


def test_all_votes_are_counted_anew_where_the_order_of_ranks_changed_and_not_for_a_newcomer() -> None:
    before, after, more = (authority() for _ in range(3))
    before.roles, after.roles, more.roles = ranked(ANNA, BEN), ranked(BEN, ANNA), ranked(NORA, ANNA, BEN)
    assert changed_keys(before, after, set()) == ({ANNA, BEN}, set())
    assert changed_keys(before, more, set()) == (set(), set())
