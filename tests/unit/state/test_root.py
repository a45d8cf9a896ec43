"""The line of roots (rule A5), from replace-root events alone."""

from __future__ import annotations

import itertools

from gonk_node.core.events import PUBLIC, DatasetCreate, ReplaceRoot
from gonk_node.state.positions import Act
from gonk_node.state.root import RootLine, fold_root

FIRST, SECOND, THIRD = (bytes([number]) * 32 for number in (1, 2, 3))
SAFES = tuple(bytes([number]) * 32 for number in (11, 12, 13))


def line(threshold: int, *signed: tuple[bytes, ReplaceRoot]) -> RootLine:
    genesis = DatasetCreate("cells", "", 1, 1, PUBLIC, SAFES, threshold, bytes(16))
    acts: dict[bytes, list[Act]] = {}
    for number, (key, event) in enumerate(signed):
        acts.setdefault(key, []).append(Act(1, number, bytes(8), number.to_bytes(32, "big"), 0, event))
    return fold_root(FIRST, genesis, acts)


def test_without_replacements_the_first_root_stays() -> None:
    assert line(1) == RootLine((FIRST,), {}, frozenset(SAFES), disputed=False)


def test_the_threshold_counts_keys_and_not_signatures() -> None:
    event = ReplaceRoot(FIRST, SECOND, ())
    assert line(2, (SAFES[0], event), (SAFES[0], event)).keys == (FIRST,)
    assert line(2, (SAFES[0], event), (SAFES[1], event)).keys == (FIRST, SECOND)


def test_more_keys_than_there_are_can_be_asked_for_and_then_nothing_counts() -> None:
    event = ReplaceRoot(FIRST, SECOND, ())
    assert line(16, *((key, event) for key in SAFES)).keys == (FIRST,)


def test_the_line_never_comes_back_to_a_key_that_was_root() -> None:
    back = [ReplaceRoot(FIRST, SECOND, ()), ReplaceRoot(SECOND, FIRST, ()), ReplaceRoot(SECOND, SECOND, ())]
    assert line(1, *((SAFES[0], event) for event in back)).keys == (FIRST, SECOND)


def test_a_dispute_is_decided_alike_in_any_order_and_told() -> None:
    rivals = [(SAFES[0], ReplaceRoot(FIRST, new, ())) for new in (THIRD, SECOND)]
    lines = {line(1, *order).keys for order in itertools.permutations(rivals)}
    assert lines == {(FIRST, SECOND)}
    assert line(1, *rivals).disputed


def test_keys_that_the_genesis_does_not_name_have_no_say() -> None:
    assert line(1, (FIRST, ReplaceRoot(FIRST, SECOND, ()))).keys == (FIRST,)
