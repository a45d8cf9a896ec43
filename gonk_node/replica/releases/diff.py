"""What differs between two past States: objects and annotations that a release of the one lists and the other's does not.

Goes through both manifests at one time, so memory does not grow with the dataset.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from gonk_node.replica.releases.manifest_items import manifest_items
from gonk_node.replica.releases.snapshot import Snapshot
from gonk_node.state.manifest import LeftOut, ListedAnnotation, ListedObject

Listed: TypeAlias = ListedObject | ListedAnnotation


class Difference(NamedTuple):
    """One object or annotation that differs: `before` is None where it was added, `after` where it was removed."""

    before: Listed | None
    after: Listed | None

    @property
    def change(self) -> str:
        """In a word: added, removed or changed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def item(self) -> Listed:
        """It, as it is afterwards where it is still there."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - one of them is there
        return found


def differences(before: Snapshot, after: Snapshot) -> Iterator[Difference]:
    """Objects, then annotations, by uuid; what is left out of a release counts as not in it."""
    ones, others = _listed(before), _listed(after)
    one, other = next(ones, None), next(others, None)
    while one is not None or other is not None:
        place, other_place = _place(one), _place(other)
        if place < other_place:
            yield Difference(one, None)
        elif other_place < place:
            yield Difference(None, other)
        elif one != other:
            yield Difference(one, other)
        one = next(ones, None) if place <= other_place else one
        other = next(others, None) if other_place <= place else other


def _listed(snapshot: Snapshot) -> Iterator[Listed]:
    for item in manifest_items(snapshot.db, snapshot.bodies):
        if not isinstance(item, LeftOut):
            yield item


def _place(item: Listed | None) -> tuple[int, bytes]:
    """Where it stands in a manifest; behind all others where there is none."""
    if item is None:
        return 2, b""
    return int(isinstance(item, ListedAnnotation)), item.uuid
