"""Which files an export holds: one by one where they are few, and as sets where there is one for each sample.

For programs that are told of them (`export.citing.croissant`). Bounded: what it holds does not grow with the dataset.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from gonk_node.core.limits import INVENTORY_FILES_MAX
from gonk_node.formats import media_types
from gonk_node.formats.safe_names import split_extension

ANY_FOLDER = "*"
"""For files that are in folders of whatever name."""


class WrittenFile(NamedTuple):
    """One file: its path with "/", size in bytes, and SHA-256 (32 bytes)."""

    path: str
    size: int
    sha256: bytes

    @property
    def media_type(self) -> str:
        """By the end of its name."""
        return media_types.by_suffix(split_extension(self.path)[1])


@dataclass(slots=True)
class FileSet:
    """The files of one media type below one folder.

    Attributes:
        folder: its path; ANY_FOLDER for all folders, "" for the top one.
        media_type: of each, by the end of its name; `media_types.ANY` for all that are of no known type.
        suffixes: the ends of their names that there are, of a known type.
        files: how many.
        bytes: of all of them.
    """

    folder: str
    media_type: str
    suffixes: set[str] = field(default_factory=set)
    files: int = 0
    bytes: int = 0


class Inventory:
    """What was written so far."""

    def __init__(self) -> None:
        self._files: list[WrittenFile] = []
        self._sets: dict[tuple[str, str], FileSet] = {}
        self._sets_of_files: dict[tuple[str, str], FileSet] = {}  # the single ones, for when they are too many

    def add(self, file: WrittenFile, part_of: str) -> None:
        """Take note of a file.

        Args:
            file: it.
            part_of: the folder of which all files are told as sets; "" for a file that is told by itself.
        """
        if part_of:
            _count(self._sets, file, part_of)
            return
        _count(self._sets_of_files, file, file.path.rpartition("/")[0].partition("/")[0])
        if len(self._files) <= INVENTORY_FILES_MAX:
            self._files.append(file)

    def files(self) -> list[WrittenFile]:
        """The single files, in order of their paths; none where they are more than INVENTORY_FILES_MAX."""
        return [] if len(self._files) > INVENTORY_FILES_MAX else sorted(self._files)

    def sets(self) -> list[FileSet]:
        """The sets, in order of folder and media type; those of single files that are too many among them."""
        found = dict(self._sets)
        for key, more in self._sets_of_files.items() if len(self._files) > INVENTORY_FILES_MAX else ():
            both = [more, *filter(None, [found.get(key)])]
            suffixes = set[str]().union(*(each.suffixes for each in both))
            found[key] = FileSet(*key, suffixes, sum(each.files for each in both), sum(each.bytes for each in both))
        return [found[key] for key in sorted(found)]


def _count(sets: dict[tuple[str, str], FileSet], file: WrittenFile, folder: str) -> None:
    kind = file.media_type
    found = sets.setdefault((folder, kind), FileSet(folder, kind))
    found.files += 1
    found.bytes += file.size
    if kind != media_types.ANY:
        found.suffixes.add(split_extension(file.path)[1])
