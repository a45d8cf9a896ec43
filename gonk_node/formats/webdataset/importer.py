"""WebDataset in: shards, which are tar files in which files that follow one another and have one key are a sample.

Format: https://github.com/webdataset/webdataset. The key of `a/b.seg.png` is `a/b`, all behind the first dot of its last part
says what the file is. Samples that gonk wrote (`export.shards.webdataset`) are told by `KEY.json`, and taken as they are;
what those of others become is in `foreign_sample`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gonk_node.core.limits import (
    CLASSES_FILE_BYTES_MAX,
    EXPORT_LABELS_MAX,
    JSONL_LINE_BYTES_MAX,
    WEBDATASET_MEMBERS_MAX,
)
from gonk_node.errors import InputFileError
from gonk_node.formats.file_part import FileOrPart, FilePart, read_part
from gonk_node.formats.jsonl import declared
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.object_lines import Line, ObjectLines, line, uuid_of
from gonk_node.formats.sample import Record
from gonk_node.formats.source_files import source_files
from gonk_node.formats.webdataset.foreign_sample import Member, OtherSamples, ShardSample
from gonk_node.formats.webdataset.tar_members import TarMember, read_tar
from gonk_node.state.strict_json import Problem

_SUFFIXES = (".tar", ".tar.gz", ".tgz")
_CLASSES = "classes.txt"
_KEY = re.compile(r"((?:.*/)?[^./][^./]*)\.([^/]+)", re.DOTALL)  # as webdataset has it
_META = re.compile(r"__[^/]*__(?:/|$)")  # webdataset passes over those
_OWN_FIELDS = frozenset({"uuid", "name", "media_type", "sha256", "annotations"})


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a shard, or all that are in a folder; see `sample.Importer`. What is damaged is told, and other shards are read.

    Raises:
        InputFileError: also if a folder of images is given: the files are in the shards.
    """
    if images is not None:
        raise InputFileError("shards have the files of their samples themselves", where=str(source))
    folder = source if source.is_dir() else source.absolute().parent
    reading = _Reading(OtherSamples(_classes(folder / _CLASSES), str(folder / _CLASSES)))
    files = source_files(source, _SUFFIXES)
    first = next(files)  # or there are none: then nothing is read
    yield from declared(folder)
    for file in itertools.chain([first], files):
        if isinstance(file, Problem):
            yield file
            continue
        try:
            yield from reading.shard(file)
        except InputFileError as error:
            if file == source and not reading.members:
                raise
            yield Problem(error.where or str(file), f"{error.what}; what follows there is left out")
    yield from reading.others.labels()


class _Open(NamedTuple):
    """The sample that is being read."""

    key: str
    members: list[Member]
    extensions: set[str]


class _Reading:
    def __init__(self, others: OtherSamples) -> None:
        self.others = others
        self.members = 0  # read so far
        self._objects = ObjectLines()

    def shard(self, file: Path) -> Iterator[Record]:
        """All samples of one shard. One that a damage cuts off is left out: what is missing of it cannot be told."""
        now = _Open("", [], set())
        for each in read_tar(file):
            self.members += 1
            if isinstance(each, Problem):
                yield each
                continue
            found = _KEY.fullmatch(each.name)
            if found is None or _META.match(each.name):
                yield NotCarried(f"{file}: {each.name[:200]}", "members of shards that belong to no sample")
                continue
            if found[1] != now.key:
                yield from self._sample(file, now)
                now = _Open(found[1], [], set())
            yield from _add(now, file, each, found[2].lower())
        yield from self._sample(file, now)

    def _sample(self, file: Path, found: _Open) -> Iterator[Record]:
        if not found.members:
            return
        sample = ShardSample(f"{file}: {found.key[:200]}", file.name, found.key, tuple(found.members))
        own = _own_line(sample)
        if own is None:
            yield from self.others.records(sample)
        else:
            parts = {member.name: member.part for member in sample.members}
            yield from self._objects.records(own, lambda name: _member(parts, name))


def _add(now: _Open, file: Path, member: TarMember, extension: str) -> Iterator[Problem]:
    place = f"{file}: {member.name[:200]}"
    if extension in now.extensions:
        yield Problem(place, f"its sample has a file .{extension[:40]} already; left out")
    elif len(now.members) >= WEBDATASET_MEMBERS_MAX:
        yield Problem(place, f"its sample has more than {WEBDATASET_MEMBERS_MAX} files; left out")
    else:
        now.extensions.add(extension)
        now.members.append(Member(extension, member.name, member.part))


def _own_line(sample: ShardSample) -> Line | None:
    """What gonk wrote of the sample; None where it is another's."""
    part = next((member.part for member in sample.members if member.extension == "json"), None)
    uuid = uuid_of(sample.key.rpartition("/")[2])
    if part is None or not uuid or part.size > JSONL_LINE_BYTES_MAX:
        return None
    found = line(read_part(part), sample.place)
    if isinstance(found, Problem) or not found.value.keys() >= _OWN_FIELDS or uuid_of(found.value["uuid"]) != uuid:
        return None
    return found


def _member(parts: dict[str, FilePart], name: str) -> FileOrPart:
    if name not in parts:
        raise InputFileError(f"the file {name[:80]!r} is not among those of its sample")
    return parts[name]


def _classes(file: Path) -> list[str] | None:
    """The names of the classes by their numbers, a line each; None where no file has them."""
    if not file.is_file():
        return None
    try:
        with file.open("rb") as stream:
            data = stream.read(CLASSES_FILE_BYTES_MAX + 1)
        lines = data.decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(f"cannot be read: {error}", where=str(file)) from error
    if len(data) > CLASSES_FILE_BYTES_MAX or len(lines) > EXPORT_LABELS_MAX + 1:
        what = f"has more than {CLASSES_FILE_BYTES_MAX:,} bytes, or {EXPORT_LABELS_MAX:,} classes"
        raise InputFileError(what, where=str(file))
    return [text.strip() for text in lines]
