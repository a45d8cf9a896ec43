"""What an import or an export could not take along, and why: for the report at its end. It decides nothing.

Two kinds. A *problem* is a thing that was left out as a whole, with its place and the reason. *Not carried* is what a
thing that was taken lost on the way, because the other side has no word for it: counted by kind, with the first places.
Both lists are bounded, so that a report does not grow with the dataset; the counts go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gonk_node.core.limits import LOSS_KINDS_MAX, LOSS_LINES_MAX, LOSS_PLACES_MAX, LOSS_PROBLEMS_MAX
from gonk_node.state.strict_json import Problem

_OTHERS = "and more kinds of things"


@dataclass(frozen=True, slots=True)
class NotCarried:
    """Something that has no place on the other side, of a thing that is taken all the same.

    Attributes:
        place: where: the file and the place in it, or the object in the dataset.
        what: its kind, as a noun phrase that is the same for all of a kind, such as "holes of polygons".
    """

    place: str
    what: str


@dataclass(slots=True)
class LossKind:
    """How often one kind of thing was not carried, and where first."""

    what: str
    count: int = 0
    places: list[str] = field(default_factory=list)


class Loss:
    """The report of one import or export."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []  # the first LOSS_PROBLEMS_MAX
        self.problem_count = 0
        self._kinds: dict[str, LossKind] = {}

    def __bool__(self) -> bool:
        """Whether anything was lost."""
        return bool(self.problem_count or self._kinds)

    def __repr__(self) -> str:
        return f"Loss({list(self.lines())})"

    def left_out(self, place: str, what: str) -> None:
        """A whole thing was left out: `what` is a sentence that says why."""
        self.problem(Problem(place, what))

    def problem(self, problem: Problem) -> None:
        """The same, of a problem that was found elsewhere."""
        self.problem_count += 1
        if len(self.problems) < LOSS_PROBLEMS_MAX:
            self.problems.append(problem)

    def not_carried(self, place: str, what: str) -> None:
        """Something was not carried; arguments as of `NotCarried`."""
        if what not in self._kinds and len(self._kinds) >= LOSS_KINDS_MAX:
            what = _OTHERS
        kind = self._kinds.setdefault(what, LossKind(what))
        kind.count += 1
        if len(kind.places) < LOSS_PLACES_MAX:
            kind.places.append(place)

    def kinds(self) -> list[LossKind]:
        """What was not carried, by kind, in the order of their names."""
        return sorted(self._kinds.values(), key=lambda kind: kind.what)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data: `problems`, `problem_count`, `not_carried`."""
        return {
            "problems": [{"place": each.place, "what": each.what} for each in self.problems],
            "problem_count": self.problem_count,
            "not_carried": [{"what": each.what, "count": each.count, "places": each.places} for each in self.kinds()],
        }

    def lines(self) -> Iterator[str]:
        """The report for people, a line each; the texts may hold those of strangers."""
        shown = self.problems[:LOSS_LINES_MAX]
        for problem in shown:
            yield f"{problem.place}: {problem.what}"
        if self.problem_count > len(shown):
            yield f"and {self.problem_count - len(shown):,} problems more: --json lists them"
        for kind in self.kinds():
            often = "once" if kind.count == 1 else f"{kind.count:,} times, first"
            yield f"not carried: {kind.what} ({often}: {kind.places[0]})"
