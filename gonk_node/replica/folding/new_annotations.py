"""The short cut for most of what a log holds: annotations that are new, that nothing else names yet, and lack nothing.

Such an annotation is alone in its entity, so its fold needs nothing else and its row is made at once. All others go the long
way, by `collect` and `refold`, which would give these the same rows in three times the time. Writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Set
from operator import itemgetter
from typing import NamedTuple

from gonk_node.core.events import AnnotationCreate
from gonk_node.core.ids import EventRef
from gonk_node.replica.folding.place import Place
from gonk_node.store.state_rows import Row


class NewAnnotation(NamedTuple):
    """An annotation with its local event number, and with the number of its schema revision once that is known."""

    number: int
    uuid: bytes
    place: Place
    schema_no: int
    body: bytes

    def row(self) -> Row:
        """The same for the long way."""
        place = self.place
        extra = (self.schema_no, self.body)
        return Row(self.number, self.uuid, None, place.entry_id, place.time_ms, place.branch, place.seq, extra)


_new = tuple.__new__  # a third of the time of calling the class
_NUMBER, _UUID = itemgetter(0), itemgetter(1)


class NewAnnotations:
    """The annotations of one batch that may take the short cut, until something shows that they may not."""

    def __init__(self) -> None:
        self._taken: list[tuple[int, Place, AnnotationCreate]] = []
        self._ready: list[NewAnnotation] = []
        self.links: list[tuple[int, int]] = []  # (object revision, annotation) of those that are ready

    def take(self, number: int, place: Place, event: AnnotationCreate) -> None:
        """Take the create event of an annotation."""
        self._taken.append((number, place, event))

    def refs(self) -> set[EventRef]:
        """All that they refer to, with entry ids filled in."""
        found: set[EventRef] = set()
        for _, place, (_, schema, objects, _) in self._taken:
            found.add(schema if schema[0] else place.whole(schema))
            for each in objects:
                found.add(each if each[0] else place.whole(each))
        return found

    def among(self, numbers: Collection[int | None]) -> Iterator[tuple[int, bytes]]:
        """Number and uuid of those that are among the numbers."""
        wanted = set(numbers)
        if not wanted.isdisjoint(map(_NUMBER, self._taken)):
            yield from ((number, event.uuid) for number, _, event in self._taken if number in wanted)

    def resolve(
        self, schemas: Mapping[EventRef, int], objects: Mapping[EventRef, int]
    ) -> list[tuple[int, Place, AnnotationCreate]]:
        """Resolve what they refer to; returns those of which a reference leads nowhere.

        Args:
            schemas: the number of each schema revision that is referred to and held.
            objects: the same of object revisions.
        """
        unresolved = []
        for taken in self._taken:
            number, place, (uuid, schema, named, body) = taken
            schema_no = schemas.get(schema if schema[0] else place.whole(schema))
            found = [objects.get(each if each[0] else place.whole(each)) for each in named]
            if schema_no is None or None in found:
                unresolved.append(taken)
                continue
            self.links += [(object_no, number) for object_no in found if object_no is not None]
            self._ready.append(_new(NewAnnotation, (number, uuid, place, schema_no, body)))
        self._taken = []
        return unresolved

    def uuids(self) -> set[bytes]:
        """The annotations that are ready."""
        return set(map(_UUID, self._ready))

    def part(self, touched: Set[bytes]) -> tuple[list[NewAnnotation], list[NewAnnotation]]:
        """Those that are alone in their entity, and those that are not.

        Args:
            touched: uuids of annotations that are held, or that anything else in this batch is about.
        """
        counts = Counter(map(_UUID, self._ready))
        if len(counts) < len(self._ready):
            touched = touched | {uuid for uuid, count in counts.items() if count > 1}
        if touched.isdisjoint(counts):
            return self._ready, []
        return (
            [each for each in self._ready if each.uuid not in touched],
            [each for each in self._ready if each.uuid in touched],
        )
