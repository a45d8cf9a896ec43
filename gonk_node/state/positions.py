"""Positions in logs: which entries come before or after which, also where a log forks.

A log is a tree of branches; on each branch sequence numbers are dense. So "at or before this entry" and "at or after it"
are one interval of sequence numbers per branch. Branch numbers are local names: nothing that nodes must agree on may
depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from gonk_node.core.events import Event, Pin
from gonk_node.core.ids import EventRef
from gonk_node.core.limits import INT_MAX

END = INT_MAX  # "and everything after": larger than any sequence number that counts

Spans = dict[int, tuple[int, int]]  # branch -> first and last sequence number, both included


class Branch(NamedTuple):
    """A stretch of one log without forks: whose, which log, and where it leaves its parent branch (None: at seq 0)."""

    author: bytes
    log_id: bytes
    parent: int | None
    parent_seq: int


class Position(NamedTuple):
    """Where an entry is."""

    branch: int
    seq: int


class Act(NamedTuple):
    """One event together with where it was written."""

    branch: int
    seq: int
    log_id: bytes
    entry_id: bytes
    index: int  # type: ignore[assignment]  # the field's name in the spec; tuple.index is not used
    event: Event

    @property
    def ref(self) -> EventRef:
        """The event's own reference."""
        return EventRef(self.entry_id, self.index)

    def resolved(self, ref: EventRef) -> EventRef:
        """A reference that this event makes, with "this same entry" filled in."""
        return ref if ref.entry_id else EventRef(self.entry_id, ref.index)

    def order(self) -> tuple[int, bytes, bytes, int]:
        """A total order of one author's events that is the same on every node."""
        return (self.seq, self.log_id, self.entry_id, self.index)


class Logs:
    """The shape of all logs: branches by number, and a way to find an entry."""

    def __init__(self, branches: Mapping[int, Branch], locate: Callable[[bytes], Position | None]) -> None:
        self.branches = branches
        self.locate = locate
        self._of_author: dict[bytes, list[int]] = {}
        for number, branch in branches.items():
            self._of_author.setdefault(branch.author, []).append(number)

    def all_of(self, author: bytes) -> Spans:
        """Every position of every log of an author."""
        return dict.fromkeys(self._of_author.get(author, ()), (0, END))

    def from_acts(self, author: bytes, acts: Iterable[Act]) -> Spans:
        """The positions that are, or follow in their own log, one of those events of the author."""
        first: dict[int, int] = {}
        for act in acts:
            first[act.branch] = min(first.get(act.branch, END), act.seq)
        spans: Spans = {}
        for number in self._of_author.get(author, ()):
            start = self._start(number, first)
            if start is not None:
                spans[number] = (start, END)
        return spans

    def _start(self, number: int, first: Mapping[int, int]) -> int | None:
        branch = self.branches[number]
        child_of, left_at = branch.parent, branch.parent_seq
        while child_of is not None:  # an ancestor before the fork point has begun already?
            if first.get(child_of, END) <= left_at:
                return 0
            parent = self.branches[child_of]
            child_of, left_at = parent.parent, parent.parent_seq
        return first.get(number)

    def up_to_pins(self, author: bytes, pins: Iterable[Pin], awaited: set[bytes]) -> dict[int, int]:
        """For each branch, the last sequence number at or before the pins; a branch that is not there has none.

        A pinned entry that is not held lets nothing of its log count until it comes (fail closed); its id is added to
        `awaited`.
        """
        limit: dict[int, int] = {}
        for pin in pins:
            position = self.locate(pin.entry_id)
            if position is None:
                awaited.add(pin.entry_id)
                continue
            branch = self.branches[position.branch]
            if (branch.author, branch.log_id) != (author, pin.log_id):
                continue
            limit[position.branch] = position.seq
            while branch.parent is not None:
                limit[branch.parent] = branch.parent_seq
                branch = self.branches[branch.parent]
        return limit
