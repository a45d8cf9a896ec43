"""Files into a dataset: their bytes into the content store, then one object proposed for each, many to an entry.

The content is on the disk before the object that names it is signed. What may be proposed is decided in `proposing`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from gonk_node.core.chunks import ContentInfo
from gonk_node.core.events import ObjectCreate
from gonk_node.core.ids import EventRef, uuid_text
from gonk_node.errors import ExistsError, GonkError, InputFileError, RefusedError, UsageError
from gonk_node.formats.file_part import FileOrPart, FilePart, open_file
from gonk_node.replica.signing.author import EVENTS_PER_ENTRY, Author
from gonk_node.replica.signing.proposing import Proposer, check_object_name
from gonk_node.store.content import ContentStore


class NewFile(NamedTuple):
    """A file to be added, or a part of one, with the name and media type that its object is to have."""

    path: FileOrPart
    name: str
    media_type: str


class Added(NamedTuple):
    """What became of one file.

    Attributes:
        file: as given.
        info: size, content id and SHA-256; None where it could not be read.
        uuid: of the new object; None where none was proposed.
        ref: the event that proposes it.
        error: why nothing was proposed.
    """

    file: NewFile
    info: ContentInfo | None = None
    uuid: bytes | None = None
    ref: EventRef | None = None
    error: GonkError | None = None


class Adder:
    """Adds files for one author."""

    def __init__(self, author: Author, content: ContentStore, *, random_uuid: bool = False) -> None:
        self.proposer = Proposer(author)
        self._author = author
        self._content = content
        self._random_uuid = random_uuid

    def add(self, files: Iterable[NewFile]) -> Iterator[Added]:
        """Add any number of files; yields what became of each, in order, once it is durable.

        Raises:
            DiskFullError, StorageError: what was yielded before stands; adding the same files again goes on from there.
        """
        remaining = iter(files)
        while batch := list(islice(remaining, EVENTS_PER_ENTRY)):
            yield from self._add_batch(batch)

    def _add_batch(self, files: Sequence[NewFile]) -> list[Added]:
        results = [self._checked(file) for file in files]
        readable = [at for at, result in enumerate(results) if result.error is None]
        for at, found in zip(readable, self._keep([files[at].path for at in readable]), strict=True):
            if isinstance(found, GonkError):
                results[at] = results[at]._replace(error=found)
            else:
                results[at] = results[at]._replace(info=found)
        events: dict[int, ObjectCreate] = {}
        taken: dict[bytes, str] = {}
        for at, (file, info, *_) in enumerate(results):
            if info is None:
                continue
            try:
                event = self._event(file, info, taken)
            except (RefusedError, UsageError) as error:
                results[at] = results[at]._replace(error=error)
            else:
                events[at] = event
                taken[event.uuid] = file.name
        refs = [ref for group in self._author.sign_many(events.values()) for ref in group]
        for (at, event), ref in zip(events.items(), refs, strict=True):
            results[at] = results[at]._replace(uuid=event.uuid, ref=ref)
        return results

    def _event(self, file: NewFile, info: ContentInfo, taken: dict[bytes, str]) -> ObjectCreate:
        event = self.proposer.object_create(file.name, file.media_type, info, random_uuid=self._random_uuid)
        if event.uuid in taken:
            raise ExistsError(
                f"the same content as {taken[event.uuid]!r}, given before", where=f"object {uuid_text(event.uuid)}"
            )
        return event

    def _checked(self, file: NewFile) -> Added:
        try:
            check_object_name(file.name)
        except UsageError as error:
            return Added(file, error=error)
        return Added(file)

    def _keep(self, paths: Sequence[FileOrPart]) -> list[ContentInfo | GonkError]:
        """Put files into the content store together; where one cannot be read, each by itself."""
        try:
            return list(self._content.put_files(_opened(paths)))
        except InputFileError:
            return [self._keep_one(path) for path in paths]

    def _keep_one(self, path: FileOrPart) -> ContentInfo | GonkError:
        try:
            return keep_file(self._content, path)
        except InputFileError as error:
            return error


def keep_file(content: ContentStore, path: FileOrPart) -> ContentInfo:
    """Put one file into the content store; InputFileError where it cannot be read, is a folder or no plain file."""
    return content.put_files(_opened([path]))[0]


def _opened(paths: Iterable[FileOrPart]) -> Iterator[BinaryIO]:
    """Each file, open until the next one is asked for."""
    for path in paths:
        with _open(path) as file:
            yield file


def _open(path: FileOrPart) -> BinaryIO:
    whole = path.file if isinstance(path, FilePart) else path
    if isinstance(whole, Path):
        if whole.is_dir():
            raise InputFileError(
                "is a folder", where=str(whole), hint=f"give the files in it: {shlex.quote(str(whole))}/*"
            )
        if whole.exists() and not whole.is_file():  # reading a pipe or a device might never end
            raise InputFileError("is no plain file", where=str(whole))
    try:
        return open_file(path)
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(whole)) from error
