"""What a COCO file has said so far, by the ids in it; and what an id is. It reads nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeAlias

from blake3 import blake3

from gonk_node.formats.coco.bodies import Category
from gonk_node.formats.compact import NamedTexts
from gonk_node.formats.repeats import Repeats
from gonk_node.formats.sample import number
from gonk_node.state.strict_json import Json

_IDS = ("id", "image_id", "category_id")
_HASHED = 1 << 62  # this bit is set in the numbers of ids that are too large, or texts
Id: TypeAlias = int | str


@dataclass(slots=True)
class Known:
    """What the file has said so far, by the ids in it."""

    file: str
    folders: NamedTexts = field(default_factory=NamedTexts)  # of images, also of files before: of their subsets
    categories: dict[Id, Category] = field(default_factory=dict)
    fields: dict[str, dict[str, Json]] = field(default_factory=dict)  # of categories, by name, as in the file
    uses: Counter[Id] = field(default_factory=Counter)  # annotations of each image, by its id
    images: dict[Id, str | None] = field(default_factory=dict)  # id -> name; None: left out, and said so
    names: NamedTexts = field(default_factory=NamedTexts)  # of files: the place of the first image with that name
    annotations: Repeats = field(default_factory=Repeats)  # their ids
    repeated: set[int] = field(default_factory=set)  # those of several annotations, once the first of these was taken
    schemas: set[str] = field(default_factory=set)  # that annotations of categories have

    def is_taken(self, source_id: Id) -> bool:
        """Whether an annotation before has that id; ask once for each annotation, after all were added."""
        number = number_of(source_id)
        if not self.annotations.repeated(number):
            return False
        taken = number in self.repeated
        self.repeated.add(number)
        return taken

    def at(self, *path: str | int) -> str:
        """The place of that path in the file."""
        return f"{self.file}: " + "".join(f"/{step}" for step in path)


def number_of(source_id: Id) -> int:
    """A number of 63 bits for an id, the same for the same id, so that many can be held in little memory."""
    if isinstance(source_id, int) and 0 <= source_id < _HASHED:
        return source_id
    return _HASHED | int.from_bytes(blake3(repr(source_id).encode()).digest(8), "big") >> 2


def id_of(value: Json) -> Id | None:
    """The value as an id: 7.0, as tables with gaps write it, is 7. None where it is none."""
    found = number(value) if isinstance(value, float) else value
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def with_ids(fields: dict[str, Json]) -> dict[str, Json]:
    """The fields, with ids as `id_of` has them."""
    ids = {name: found for name in _IDS if name in fields and (found := id_of(fields[name])) is not None}
    return {**fields, **ids}
