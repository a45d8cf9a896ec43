"""Undoing some events of one entity leads to what would be current without them, or says why it does not."""

from __future__ import annotations

from time import process_time

from hypothesis import example, given
from hypothesis import strategies as st

from gonk_node.state.undoing import Node, leaves_of, undo


def test_an_accepted_creation_is_deleted() -> None:
    assert undo([Node(1, None, True, True)]).delete == [1]


def test_what_is_not_accepted_or_deleted_already_needs_nothing() -> None:
    for node in (Node(1, None, False, True), Node(1, None, True, True, (False,)), Node(1, None, True, False)):
        assert undo([node]) == ([], None, {}, {})


def test_an_update_is_deleted_and_what_it_was_made_from_stays() -> None:
    assert undo([Node(1, None, True, False), Node(2, 1, True, True)]) == ([2], None, {}, {})


def test_a_chain_of_chosen_updates_is_deleted_whole() -> None:
    assert undo([Node(1, None, True, False), Node(2, 1, True, True), Node(3, 2, True, True)]).delete == [2, 3]


def test_what_others_built_on_is_kept_also_through_a_chosen_one() -> None:
    nodes = [Node(1, None, True, True), Node(2, 1, True, True), Node(3, 2, True, False)]
    assert undo(nodes) == ([], None, {1: 3, 2: 3}, {})


def test_a_chosen_update_on_what_is_kept_is_deleted() -> None:
    assert undo([Node(1, None, True, True), Node(2, 1, True, False), Node(3, 2, True, True)]) == ([3], None, {1: 2}, {})


def test_a_concurrent_update_of_others_stays_and_the_chosen_one_goes() -> None:
    assert undo([Node(1, None, True, False), Node(2, 1, True, True), Node(3, 1, True, False)]).delete == [2]


def test_what_was_deleted_is_restored_unless_somebody_else_deleted_it_too() -> None:
    assert undo([Node(1, None, True, False, (True,))]).restore == 1
    assert undo([Node(1, None, True, False, (True, False))]) == ([], None, {}, {})


def test_of_several_deleted_versions_the_last_is_restored() -> None:
    assert undo([Node(1, None, True, False, (True,)), Node(2, 1, True, False, (True,))]).restore == 2


def test_an_own_creation_that_was_deleted_is_not_restored() -> None:
    assert undo([Node(1, None, True, True, (True,))]) == ([], None, {}, {})


def test_what_was_deleted_is_not_restored_over_what_counts_now() -> None:
    nodes = [Node(1, None, True, False), Node(2, 1, True, False, (True,)), Node(3, 1, True, False)]
    assert undo(nodes) == ([], None, {}, {2: 3})
    assert undo([*nodes[:2], Node(3, 2, True, False)]) == ([], None, {}, {})  # built on it: restored already


def test_a_long_line_of_versions_takes_no_longer_than_it_is() -> None:
    count = 20_000
    for chosen in (0, count - 1):  # the first, on which all others are built; the last
        nodes = [Node(number, number - 1 if number else None, True, number == chosen) for number in range(count)]
        begun = process_time()
        found = undo(nodes)
        assert process_time() - begun < 2, "with a walk for each of them it took a minute"
        assert (found.delete, found.built_on) == (([], {0: count - 1}) if chosen == 0 else ([chosen], {}))


@st.composite
def trees(draw: st.DrawFn) -> list[Node]:
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 7))):
        base = draw(st.none() | st.integers(0, number - 1)) if number else None
        deletions = tuple(draw(st.lists(st.booleans(), max_size=2)))
        nodes.append(Node(number, base, draw(st.booleans()), draw(st.booleans()), deletions))
    return nodes


@given(trees())
@example(
    [Node(0, None, True, False), Node(1, None, True, False), Node(2, 0, True, False, (True,))]
)  # 0 and 1 before and after
def test_once_all_is_accepted_what_would_have_been_current_is(nodes: list[Node]) -> None:
    plan = undo(nodes)
    by_number = {node.number: node for node in nodes}
    before = leaves_of({node.number for node in nodes if node.stands}, by_number)
    wished = leaves_of({node.number for node in nodes if node.would_stand}, by_number)
    deleted = set(plan.delete)
    assert all(by_number[number].chosen and by_number[number].stands for number in deleted)
    standing = {node.number for node in nodes if node.stands} - deleted
    if plan.restore is not None:
        copy = Node(len(nodes), plan.restore, True, False)
        by_number[copy.number] = copy
        standing.add(copy.number)
        wished = wished - {plan.restore} | {copy.number}
    after = leaves_of(standing, by_number)
    if not plan.outdone:
        assert after == wished
    else:  # nothing comes back: of what would stand, what stands now too
        assert after == leaves_of({node.number for node in nodes if node.would_stand and node.stands}, by_number)
        assert plan.outdone.keys() <= wished and not before & plan.outdone.keys()


@given(trees())
def test_undoing_again_finds_nothing_to_do(nodes: list[Node]) -> None:
    plan = undo(nodes)
    again = [
        node._replace(deletions=(*node.deletions, False)) if node.number in plan.delete else node for node in nodes
    ]
    if plan.restore is not None:
        again.append(Node(len(nodes), plan.restore, True, False))
    repeated = undo(again)
    assert (repeated.delete, repeated.restore) == ([], None)
