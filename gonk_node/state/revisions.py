"""Rules A10 to A12: the revisions of one entity (object, annotation or schema) form a tree; which of them is current.

Reads that entity's events and nothing else. Version = depth in the tree. Statuses are Gonk's: each revision holds a set of
create-pending, create-rejected, delete-pending, delete-accepted, and "pending", "accepted", "rejected", "deleted" are views
of that set, which overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gonk_node.state.reviews import UNDECIDED, Decision

CREATE_PENDING, CREATE_REJECTED, DELETE_PENDING, DELETE_ACCEPTED = 1, 2, 4, 8

# Views: name -> (bits of which one must be set, bits of which none may be set)
VIEWS: dict[str, tuple[int, int]] = {
    "pending": (CREATE_PENDING | DELETE_PENDING, 0),
    "accepted": (0, CREATE_PENDING | CREATE_REJECTED | DELETE_ACCEPTED),
    "rejected": (CREATE_REJECTED, 0),
    "deleted": (DELETE_ACCEPTED, 0),
}


def views_of(status: int) -> list[str]:
    """The names of the views that a status set is in (several can hold at once)."""
    return [name for name, (some, none) in VIEWS.items() if (not some or status & some) and not status & none]


class Deletion(NamedTuple):
    """A delete event that names the revision: what reviews decided, and whether its author is vouched for."""

    decision: Decision
    vouched: bool


class Revision(NamedTuple):
    """One create or update event. `base` is a local number, None for a root; `live` is false while it waits for something."""

    number: int
    base: int | None
    time_ms: int
    entry_id: bytes
    index: int  # type: ignore[assignment]  # the field's name in the spec; tuple.index is not used
    live: bool
    vouched: bool
    decision: Decision = UNDECIDED
    deletions: Sequence[Deletion] = ()


class Folded(NamedTuple):
    """What the fold says of one revision; `version` is None while it takes no effect (it waits, or hangs on what does).

    `shared` is the status counted in the State digest, None where the revision is not part of it.
    """

    number: int
    version: int | None
    status: int
    shared: int | None
    current: bool
    named: bool  # it is the one that answers to (uuid, version)
    root: int | None  # the create event that it descends from


class FoldedEntity(NamedTuple):
    """The revisions of one entity, folded, and the numbers of those that compete to be current (A12), if several do."""

    revisions: Sequence[Folded]
    conflict: tuple[int, ...]


# By `Decided`: pending, accepted, rejected.
_CREATE = (CREATE_PENDING, 0, CREATE_REJECTED)
_DELETE = (DELETE_PENDING, DELETE_ACCEPTED, 0)


def _statuses(revision: Revision) -> tuple[int, int | None]:
    """A10: the status set, and its part that every node holds (vouched for, or cited by an honoured accept)."""
    status = shared = _CREATE[revision.decision.decided]
    for deletion in revision.deletions:
        bit = _DELETE[deletion.decision.decided]
        status |= bit
        if deletion.vouched or deletion.decision.cited:
            shared |= bit
    return status, shared if revision.vouched or revision.decision.cited else None


def fold_lone(number: int, vouched: bool, decision: Decision) -> Folded:
    """The fold of an entity of one live create event that nobody asks to delete: most of what an import brings."""
    status = _CREATE[decision.decided]
    return Folded(number, 0, status, status if vouched or decision.cited else None, not status, True, number)


def fold_entity(revisions: Sequence[Revision]) -> FoldedEntity:
    """Fold all create and update events of one entity.

    Args:
        revisions: in any order, each number once; deletions attached.

    Returns:
        The same answer for the same set, in the order given.
    """
    by_number = {revision.number: revision for revision in revisions}
    versions, roots = _versions(by_number)
    statuses = {number: _statuses(revision) for number, revision in by_number.items()}
    accepted = {
        number
        for number, version in versions.items()
        if version is not None and not statuses[number][0] & (CREATE_PENDING | CREATE_REJECTED | DELETE_ACCEPTED)
    }
    leaves = _leaves(accepted, by_number)
    current = min(leaves, key=lambda n: _preference(by_number[n], versions[n] or 0), default=None)
    named = _named(by_number, versions, statuses)
    folded = [
        Folded(
            number,
            versions[number],
            statuses[number][0],
            statuses[number][1] if versions[number] is not None else None,
            number == current,
            number in named,
            roots[number],
        )
        for number in by_number
    ]
    return FoldedEntity(folded, tuple(sorted(leaves)) if len(leaves) > 1 else ())


def _versions(
    revisions: dict[int, Revision],
) -> tuple[dict[int, int | None], dict[int, int | None]]:
    """Depth and root of each revision; None where it, or something it is built on, is not live or not here."""
    versions: dict[int, int | None] = {}
    roots: dict[int, int | None] = {}
    for number in revisions:
        path: dict[int, None] = {}
        at: int | None = number
        while at is not None and at in revisions and at not in versions and at not in path:
            path[at] = None
            at = revisions[at].base
        depth = -1 if at is None else versions.get(at)
        root = None if at is None else roots.get(at)
        for each in reversed(path):
            depth = depth + 1 if depth is not None and revisions[each].live else None
            root = each if revisions[each].base is None else root
            versions[each] = depth
            roots[each] = root if depth is not None else None
    return versions, roots


def _leaves(accepted: set[int], revisions: dict[int, Revision]) -> set[int]:
    """A11: the accepted, undeleted revisions on which no other accepted, undeleted one is built."""
    built_on: set[int] = set()
    for number in accepted:
        base = revisions[number].base
        while base is not None and base in revisions and base not in built_on:
            built_on.add(base)
            base = revisions[base].base
    return accepted - built_on


def _preference(revision: Revision, version: int) -> tuple[int, int, int, bytes, int]:
    """A12: higher-ranked reviewer first, then deeper, then later, then lower id."""
    return (revision.decision.rank, -version, -revision.time_ms, revision.entry_id, revision.index)


def _named(
    revisions: dict[int, Revision], versions: dict[int, int | None], statuses: dict[int, tuple[int, int | None]]
) -> set[int]:
    """A12: which revision answers to each version number: an accepted one first, then the first by (time, id).

    Accepted and undeleted goes before accepted and deleted; so nobody takes the place of what was accepted.
    """
    best: dict[int, tuple[int, int, bytes, int, int]] = {}
    for number, version in versions.items():
        if version is None:
            continue
        revision, status = revisions[number], statuses[number][0]
        order = 2 if status & (CREATE_PENDING | CREATE_REJECTED) else int(bool(status & DELETE_ACCEPTED))
        key = (order, revision.time_ms, revision.entry_id, revision.index, number)
        if version not in best or key < best[version]:
            best[version] = key
    return {key[-1] for key in best.values()}
