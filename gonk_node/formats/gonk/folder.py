"""The folder in which Gonk 0.1.4 keeps one dataset: its log as a linked list of files, its bytes in a depot.

Only reads, and follows no link out of the folder. `rk/head` and `rk/tail` name the first and last event; an event is in
`rk/events/a/b/c/<uuid>`, by the first three digits of its uuid, and names the next one; the bytes of version 2 of something
are in `depot/a/b/c/<uuid>.2`. Gonk's `state.db` is derived, and not looked at.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from gonk_node.core.limits import CHUNK_BYTES, IMPORTED_EVENT_BYTES_MAX
from gonk_node.errors import InputFileError, NonconformingError, VerificationError
from gonk_node.formats.gonk.event import GonkEvent, Identifier, hashed, read_event, read_uuid
from gonk_node.state.strict_json import Json, Problem, canonical, parse

_UUID_CHARS = 36


class ReadEvent(NamedTuple):
    """An event, the place it was read from, and all that its file holds, parsed."""

    event: GonkEvent
    place: str
    value: dict[str, Json]

    @property
    def line(self) -> bytes:
        """Its line in a copy of the log: canonical JSON without the name of the next one, and a line feed."""
        return canonical({name: member for name, member in self.value.items() if name != "next"}) + b"\n"


class GonkFolder:
    """One dataset of Gonk's: `root/datasets/NAME` of a Gonk server.

    Raises:
        InputFileError: it is no such folder.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._root = path.resolve(strict=True)
        except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links, before Python 3.13
            raise InputFileError("there is no such folder", where=str(path)) from error
        self.path = path
        self._inside: set[str] = set()  # folders below it that are no links
        if not (self._root / "rk" / "events").is_dir():
            raise InputFileError(
                "is no dataset of Gonk: it has no folder rk/events",
                where=str(path),
                hint="give the folder of one dataset: root/datasets/NAME",
            )

    # --- the log ----------------------------------------------------------------------------------------

    def events(self) -> Iterator[ReadEvent]:
        """All events from head to tail, each verified to follow the one before.

        Raises:
            VerificationError: an event is missing, is none, is in the log twice, does not have the hash that follows from
                the one before, or the last one is not the tail. Those that were yielded before it are of no worth then.
        """
        at = self._named("head")
        tail = self._named("tail")
        if at is None or tail is None:
            if at is not None or tail is not None:
                raise _broken("only one of rk/head and rk/tail is there", str(self.path))
            return
        before, seen = b"", set[bytes]()
        last = at
        while at is not None:
            read, following = self._event(at)
            if at in seen:
                raise _broken("the log comes back to this event, so it has no end", read.place)
            seen.add(at)
            if hashlib.sha256(before + hashed(read.event)).digest() != read.event.integrity:
                raise _broken("its hash does not follow from its contents and the event before it", read.place)
            before, last = read.event.integrity, at
            yield read
            at = following
        if last != tail:
            raise _broken(f"the log ends here, but rk/tail says that it ends with {UUID(bytes=tail)}", _place(last))

    def loose(self, known: set[bytes]) -> list[Problem]:
        """Files of events that are not in the log, whose uuids are `known`: Gonk lost them when two clients wrote at once."""
        found = []
        for file in (self._root / "rk" / "events").glob("*/*/*/*"):
            try:
                is_known = read_uuid({"uuid": file.name}, "uuid") in known
            except InputFileError:
                is_known = False
            if not is_known:
                found.append(file.relative_to(self._root).as_posix())
        return [
            Problem(place, "is not part of the log, since no event links to it; left out") for place in sorted(found)
        ]

    def _named(self, name: str) -> bytes | None:
        if not (self._root / "rk" / name).exists():
            return None
        text = self._read(f"rk/{name}", _UUID_CHARS + 1).decode(errors="replace").strip()
        try:
            return read_uuid({name: text}, name)
        except InputFileError as error:
            raise _broken(error.what, f"rk/{name}") from error

    def _event(self, uuid: bytes) -> tuple[ReadEvent, bytes | None]:
        place = _place(uuid)
        data = self._read(place, IMPORTED_EVENT_BYTES_MAX)
        try:
            value = parse(data)
            event = read_event(value)
            following = None if value.get("next") is None else read_uuid(value, "next")
        except (InputFileError, NonconformingError) as error:
            raise _broken(f"is no event of Gonk: {error.what}", place) from error
        if event.uuid != uuid:
            raise _broken("holds an event with another uuid", place)
        return ReadEvent(event, place, value), following

    # --- the depot --------------------------------------------------------------------------------------

    def content(self, of: Identifier) -> Path:
        """The file with the bytes of one version; InputFileError where it is missing, or no file of this folder."""
        try:
            return self._file(content_place(of))
        except FileNotFoundError as error:
            raise InputFileError("its bytes are missing in the depot", where=content_place(of)) from error

    def check(self, of: Identifier, size: int, sha256: bytes) -> Path:
        """The file with those bytes, read once and found to have that size and hash; InputFileError where it has not."""
        path, place = self.content(of), content_place(of)
        digest, length = hashlib.sha256(), 0
        try:
            with path.open("rb") as file:
                while piece := file.read(CHUNK_BYTES):
                    digest.update(piece)
                    length += len(piece)
        except OSError as error:
            raise InputFileError(f"cannot be read: {error.strerror}", where=place) from error
        if length != size:
            raise InputFileError(f"has {length:,} bytes, but its event says {size:,}", where=place)
        if digest.digest() != sha256:
            raise InputFileError("does not have the hash that its event says", where=place)
        return path

    def bytes_of(self, of: Identifier, size: int, sha256: bytes) -> bytes:
        """The same, as bytes; for what is known to be small."""
        path = self.check(of, size, sha256)
        try:
            return path.read_bytes()
        except OSError as error:
            raise InputFileError(f"cannot be read: {error.strerror}", where=content_place(of)) from error

    # --- files ------------------------------------------------------------------------------------------

    def _file(self, place: str) -> Path:
        """A file below this folder; InputFileError where it or a folder above it is a link, FileNotFoundError."""
        path = self._root / place
        above = place[: place.rindex("/")]
        try:
            if above not in self._inside:
                if path.parent.resolve(strict=True) != path.parent:
                    raise InputFileError("is in a folder that is a link, which may lead out of this one", where=place)
                self._inside.add(above)
            if not stat.S_ISREG(path.lstat().st_mode):
                raise InputFileError("is no file, or a link, which may lead out of the folder", where=place)
        except FileNotFoundError:
            raise
        except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links, before Python 3.13
            raise InputFileError(f"cannot be read: {error}", where=place) from error
        return path

    def _read(self, place: str, bytes_max: int) -> bytes:
        """A file of the log, whole."""
        try:
            with self._file(place).open("rb") as file:
                data = file.read(bytes_max + 1)
        except FileNotFoundError as error:
            raise _broken("is missing", place) from error
        except InputFileError as error:
            raise _broken(error.what, place) from error
        except OSError as error:
            raise InputFileError(f"cannot be read: {error.strerror}", where=place) from error
        if len(data) > bytes_max:
            raise _broken(f"has more than {bytes_max:,} bytes", place)
        return data


def content_place(of: Identifier) -> str:
    """Where the bytes of one version are, below the folder."""
    name = str(of)
    return f"depot/{name[0]}/{name[1]}/{name[2]}/{name}"


def _place(uuid: bytes) -> str:
    name = str(UUID(bytes=uuid))
    return f"rk/events/{name[0]}/{name[1]}/{name[2]}/{name}"


def _broken(what: str, place: str) -> VerificationError:
    return VerificationError(
        what, where=place, hint="nothing was imported; copy the folder again while Gonk is stopped"
    )
