"""What each node must show when the story is over, and whether it does."""

from __future__ import annotations

from typing import Any, NamedTuple

from demo_run.material import Material
from demo_run.person import DemoError, Person

_DIGITS = 16


class Finding(NamedTuple):
    """What one node showed: its person, their role, counts, and the State digest (hex)."""

    name: str
    role: str
    objects: int
    boxes: int
    pending: int
    rejected: int
    digest: str

    def row(self) -> list[str]:
        """As a row of the table."""
        counts = [f"{count:,}" for count in (self.objects, self.boxes, self.pending, self.rejected)]
        return [self.name, self.role, *counts, "as Anna corrected it", self.digest[:_DIGITS]]


class Expected:
    """What must have come of the story.

    Args:
        material: what went in.
        key: Anna's, in hex.
        corrected: the bodies that Anna proposed, by uuid of the annotation; all accepted, with one box she added.
        wrong: the body that Sam proposed for the first of them; rejected.
        reason: what Olga wrote when she rejected it.
    """

    def __init__(
        self, material: Material, key: str, corrected: dict[str, dict[str, Any]], wrong: dict[str, Any], reason: str
    ) -> None:
        self._material = material
        self._key = key
        self._corrected = corrected
        self._wrong = wrong
        self._reason = reason

    def check(self, person: Person) -> Finding:
        """Ask one person's node; DemoError where it shows anything else."""
        status = person.ask("status", "cells")
        boxes = self._material.boxes
        _demand(person.name, status, "objects", current=self._material.objects, pending=0, rejected=0)
        accepted = boxes + len(self._corrected) + 1  # corrections are versions more, of boxes that were there
        _demand(person.name, status, "annotations", current=boxes + 1, accepted=accepted, pending=0, rejected=1)
        self._check_corrected(person)
        self._check_rejected(person)
        counts = status["counts"]
        return Finding(
            person.name,
            status["role"] or "none",
            counts["objects"]["current"],
            counts["annotations"]["current"],
            status["pending"],
            counts["annotations"]["rejected"],
            status["state_digest"],
        )

    def _check_corrected(self, person: Person) -> None:
        """The current versions of the corrected boxes must be Anna's; the box that she added is current too."""
        anna_made = person.ask("list", "cells", "annotations", "--author", self._key)["annotations"]
        current = {each["uuid"]: each["body"] for each in anna_made if each["current"]}
        if len(current) != len(self._corrected) + 1 or not self._corrected.items() <= current.items():
            raise DemoError(f"{person.name}: the boxes are not as Anna corrected them: {anna_made}")

    def _check_rejected(self, person: Person) -> None:
        """Sam's version must be there, rejected, with the reason, and not current."""
        shown = person.ask("show", "cells", next(iter(self._corrected)))
        sams = [each for each in shown["versions"] if each["body"] == self._wrong]
        comments = [review["comment"] for each in sams for review in each["reviews"]]
        if [(each["status"], each["current"]) for each in sams] != [(["rejected"], False)] or comments != [
            self._reason
        ]:
            raise DemoError(f"{person.name}: Sam's change of {shown['uuid']} is not rejected with its reason: {sams}")


def check_start(who: str, status: dict[str, Any], material: Material) -> None:
    """All that was imported must be accepted, and its files here."""
    _demand(who, status, "objects", current=material.objects, accepted=material.objects, pending=0)
    _demand(who, status, "annotations", current=material.boxes, accepted=material.boxes, pending=0)
    content = status["content"]
    if (content["held"], content["missing"]) != (material.objects, 0):
        raise DemoError(f"{who}: all {material.objects} files should be here, but: {content}")


def compare(findings: list[Finding]) -> None:
    """All must show the same State; DemoError where they do not."""
    if len({each.digest for each in findings}) != 1:
        raise DemoError("the State digests differ: " + ", ".join(f"{each.name} {each.digest}" for each in findings))
    if len({each[2:] for each in findings}) != 1:
        raise DemoError(f"the nodes show different things: {findings}")


def _demand(who: str, status: dict[str, Any], kind: str, **counts: int) -> None:
    found = {view: status["counts"][kind][view] for view in counts}
    if found != counts:
        raise DemoError(f"{who}: there should be {kind} {counts}, but there are {found}")
