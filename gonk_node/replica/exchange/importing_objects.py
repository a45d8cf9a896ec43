"""What the images of a source became in the dataset: an object for each name, or why there is none; some 60 bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gonk_node.core.ids import EventRef
from gonk_node.core.plural import with_its
from gonk_node.formats.compact import NameTable
from gonk_node.state.strict_json import Problem

_UUID = 16  # bytes


class Target(NamedTuple):
    """An object in the dataset.

    Attributes:
        uuid: of the object.
        ref: the revision that annotations of the source are made on.
    """

    uuid: bytes
    ref: EventRef


@dataclass(slots=True)
class Unusable:
    """An image or schema that cannot be used, and how many annotations that costs."""

    place: str
    what: str
    annotations: int = 0

    def problem(self) -> Problem:
        """The same for the report."""
        lost = with_its(self.annotations, "annotation")
        return Problem(self.place, f"{self.what}; left out{lost}")


class ImportedObjects:
    """By the names that images have in the source."""

    def __init__(self) -> None:
        self._names = NameTable()
        self._uuids = bytearray()  # these three by the numbers of the names
        self._entries = array("I")
        self._indices = array("I")
        self._entry_ids: list[bytes] = []  # each once, as long as those of one entry come together
        self._unusable: dict[int, Unusable] = {}
        self._last: tuple[str, Target | Unusable | None] = ("", None)  # annotations of an image mostly come together

    def add(self, name: str, found: Target | Unusable) -> None:
        """Say what an image is; what was said of one of that name before does not hold any more."""
        self._last = ("", None)
        number = self._names.add(name)
        if number == len(self._entries):
            self._uuids += bytes(_UUID)
            self._entries.append(0)
            self._indices.append(0)
        self._unusable.pop(number, None)
        if isinstance(found, Unusable):
            self._unusable[number] = found
            return
        if not self._entry_ids or self._entry_ids[-1] != found.ref.entry_id:
            self._entry_ids.append(found.ref.entry_id)
        self._uuids[number * _UUID : (number + 1) * _UUID] = found.uuid
        self._entries[number] = len(self._entry_ids) - 1
        self._indices[number] = found.ref.index

    def get(self, name: str) -> Target | Unusable | None:
        """What the image of that name is; None where none was named so."""
        if self._last[0] != name or self._last[1] is None:
            self._last = (name, self._get(name))
        return self._last[1]

    def unusable(self) -> Iterator[Unusable]:
        """All that cannot be used, in order."""
        yield from self._unusable.values()

    def _get(self, name: str) -> Target | Unusable | None:
        number = self._names.get(name)
        if number is None:
            return None
        if number in self._unusable:
            return self._unusable[number]
        ref = EventRef(self._entry_ids[self._entries[number]], self._indices[number])
        return Target(bytes(self._uuids[number * _UUID : (number + 1) * _UUID]), ref)
