"""What undoing some of the events of one entity takes, within the rules of the tree of revisions (A10 to A12).

A revision that stands is undone by deleting it: what it was built on is then current again. An accepted deletion cannot be
taken back by a proposal; what it deleted is proposed once more, as a new revision built on it. Pure; signs nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple


class Node(NamedTuple):
    """One revision of the entity.

    Attributes:
        number: names it.
        base: of the revision that it was made from; None for a first one, or where that is not held.
        accepted: whether its creation is.
        chosen: whether its creation is to be undone.
        deletions: for each accepted deletion of it, whether that is to be undone.
    """

    number: int
    base: int | None
    accepted: bool
    chosen: bool
    deletions: tuple[bool, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether it is accepted and not deleted."""
        return self.accepted and not self.deletions

    @property
    def would_stand(self) -> bool:
        """Whether it would be, had what is to be undone not been."""
        return self.accepted and not self.chosen and all(self.deletions)


class Undoing(NamedTuple):
    """What to do, by the numbers of revisions.

    Attributes:
        delete: to be deleted.
        restore: to be proposed once more, built on itself; None: nothing.
        built_on: not to be undone, since the other revision, which stands and is to stay, was built on it.
        outdone: deleted by what is to be undone, and not to be restored, since the other revision counts now.
    """

    delete: list[int]
    restore: int | None
    built_on: dict[int, int]
    outdone: dict[int, int]


def undo(nodes: Sequence[Node]) -> Undoing:
    """Plan the undoing of the chosen events of one entity; `nodes` are all its revisions, in any order."""
    by_number = {node.number: node for node in nodes}
    unwanted = {node.number for node in nodes if node.stands and node.chosen}
    kept_by: dict[int, int] = {}
    for node in reversed(nodes):
        if node.stands and not node.chosen:
            for number in _walk(node.number, by_number, kept_by):
                kept_by[number] = node.number
    built_on = {number: kept_by[number] for number in sorted(unwanted & kept_by.keys())}
    leaves = leaves_of({node.number for node in nodes if node.would_stand}, by_number)
    lost = sorted(number for number in leaves if not by_number[number].stands)
    standing = sorted(leaves - set(lost))
    if len(leaves) == 1 and lost:
        return Undoing(sorted(unwanted - built_on.keys()), lost[0], built_on, {})
    outdone = {number: (standing or [other for other in lost if other != number])[0] for number in lost}
    return Undoing(sorted(unwanted - built_on.keys()), None, built_on, outdone)


def leaves_of(numbers: set[int], nodes: dict[int, Node]) -> set[int]:
    """Those of the revisions that no other of them is built on."""
    built_on: set[int] = set()
    for number in numbers:
        for base in _walk(number, nodes, built_on):
            built_on.add(base)
    return numbers - built_on


def _walk(number: int, nodes: dict[int, Node], seen: Container[int]) -> Iterator[int]:
    """The revisions that one is built on, the nearest first, up to one that was seen: what that is built on was, too.

    The caller adds each to `seen` as it comes, so that all walks of a tree together take no longer than the tree is large.
    """
    base = nodes[number].base
    while base is not None and base in nodes and base not in seen:
        yield base
        base = nodes[base].base
