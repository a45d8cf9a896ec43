"""The events of Gonk 0.1.4, as its files hold them, and the bytes that its hash chain is made of.

Where the files are is for `folder`; what becomes of an event in a dataset here is for the importer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias
from uuid import UUID

from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.errors import InputFileError
from gonk_node.state.strict_json import Json

CREATE, UPDATE, DELETE = 1, 2, 4  # Gonk's numbers for actions
ACCEPT, REJECT = 1, 2  # for decisions
ADD, REMOVE = 1, 2  # for what is done with owners
SHA256 = 1  # and for the hash
_U64_MAX = 2**64 - 1
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-fA-F]*")


class Identifier(NamedTuple):
    """One version of an object, a schema (an object to Gonk) or an annotation: 16 bytes, and a number from 0."""

    uuid: bytes
    version: int

    def __str__(self) -> str:
        return f"{UUID(bytes=self.uuid)}.{self.version}"


class GonkObject(NamedTuple):
    """One version of an object or schema; its bytes are in the depot. The hash is SHA-256, 32 bytes."""

    id: Identifier
    name: str
    media_type: str
    size: int
    sha256: bytes

    @property
    def is_schema(self) -> bool:
        """Whether Gonk takes it for a schema."""
        return self.name.startswith(SCHEMA_PREFIX)


class GonkAnnotation(NamedTuple):
    """One version of an annotation; its body is in the depot."""

    id: Identifier
    schema: Identifier
    size: int
    sha256: bytes


class ObjectMade(NamedTuple):
    """An object or schema was created or updated."""

    object: GonkObject
    is_update: bool


class AnnotationMade(NamedTuple):
    """An annotation was created on those object versions, or updated (no objects are named then)."""

    annotation: GonkAnnotation
    objects: tuple[Identifier, ...]
    is_update: bool


class Deleted(NamedTuple):
    """The deletion of one version was asked for."""

    target: Identifier
    is_annotation: bool


class Reviewed(NamedTuple):
    """The event of that uuid was accepted or rejected."""

    event: bytes
    is_accept: bool


class OwnerChanged(NamedTuple):
    """Somebody became an owner, or is no more."""

    owner: str
    is_removal: bool


What: TypeAlias = ObjectMade | AnnotationMade | Deleted | Reviewed | OwnerChanged


class GonkEvent(NamedTuple):
    """One event.

    Attributes:
        uuid: of the event.
        timestamp: as it stands there: ISO 8601 in UTC; no more than a text, since it is hashed as one.
        author: the name of a user; Gonk's chain does not cover it.
        integrity: the hash, 32 bytes, of that of the event before and `hashed(event)`.
        what: happened.
    """

    uuid: bytes
    timestamp: str
    author: str
    integrity: bytes
    what: What


def read_event(value: Json) -> GonkEvent:
    """The event that a parsed JSON file holds; InputFileError where it is none."""
    if not isinstance(value, dict):
        raise InputFileError("it is no JSON object")
    name = _text(value, "type")
    reader = _READERS.get(name)
    if reader is None:
        raise InputFileError(f"events of the type {name[:60]!r} are not known")
    timestamp, author = _text(value, "timestamp"), _text(value, "author")
    integrity = _hex(value, "integrity")
    return GonkEvent(read_uuid(value, "uuid"), timestamp, author, integrity, reader(value))


def hashed(event: GonkEvent) -> bytes:
    """What of an event its hash covers: everything but the author, without any lengths between."""
    return event.uuid + event.timestamp.encode() + _hashed_part(event.what)


def _hashed_part(what: What) -> bytes:
    match what:
        case ObjectMade(made, is_update):
            return _byte(UPDATE if is_update else CREATE) + _object_bytes(made)
        case AnnotationMade(made, objects, is_update):
            names = b"".join(_id_bytes(each) for each in objects)
            return _byte(UPDATE if is_update else CREATE) + names + _annotation_bytes(made)
        case Deleted(target):
            return _byte(DELETE) + _id_bytes(target)
        case Reviewed(event, is_accept):
            return _byte(ACCEPT if is_accept else REJECT) + event
        case OwnerChanged(owner, is_removal):
            return owner.encode() + _byte(REMOVE if is_removal else ADD)


def _id_bytes(identifier: Identifier) -> bytes:
    return identifier.uuid + _u64(identifier.version)


def _object_bytes(made: GonkObject) -> bytes:
    texts = made.name.encode() + made.media_type.encode()
    return _id_bytes(made.id) + texts + _u64(made.size) + _byte(SHA256) + made.sha256


def _annotation_bytes(made: GonkAnnotation) -> bytes:
    return _id_bytes(made.id) + _id_bytes(made.schema) + _u64(made.size) + _byte(SHA256) + made.sha256


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _byte(number: int) -> bytes:
    return bytes((number,))


# --- reading --------------------------------------------------------------------------------------------


def read_uuid(value: dict[str, Json], name: str) -> bytes:
    """A UUID in the one form that Gonk writes, as 16 bytes: it is made a path of."""
    text = _text(value, name)
    if not _UUID.fullmatch(text):
        raise InputFileError(f"{name!r} is no UUID of 36 lower-case characters")
    return bytes.fromhex(text.replace("-", ""))


def _object_made(value: dict[str, Json]) -> ObjectMade:
    made = _part(value, "object")
    is_update = _number(value, "action", (CREATE, UPDATE)) == UPDATE
    read = GonkObject(_id(made), _text(made, "name"), _text(made, "format"), _size(made), _sha256(made))
    return ObjectMade(read, is_update)


def _annotation_made(value: dict[str, Json]) -> AnnotationMade:
    made = _part(value, "annotation")
    is_update = _number(value, "action", (CREATE, UPDATE)) == UPDATE
    objects = value.get("object_identifiers", [])
    if not isinstance(objects, list) or not all(isinstance(each, dict) for each in objects):
        raise InputFileError("'object_identifiers' is no list of identifiers")
    read = GonkAnnotation(_id(made), _id(_part(made, "schema")), _size(made), _sha256(made))
    return AnnotationMade(read, () if is_update else tuple(_id(each) for each in objects), is_update)


def _deleted(name: str) -> Callable[[dict[str, Json]], Deleted]:
    def read(value: dict[str, Json]) -> Deleted:
        _number(value, "action", (DELETE,))
        return Deleted(_id(_part(value, name)), name.startswith("annotation"))

    return read


def _reviewed(value: dict[str, Json]) -> Reviewed:
    return Reviewed(read_uuid(value, "event_uuid"), _number(value, "decision", (ACCEPT, REJECT)) == ACCEPT)


def _owner_changed(value: dict[str, Json]) -> OwnerChanged:
    return OwnerChanged(_text(value, "owner"), _number(value, "owner_action", (ADD, REMOVE)) == REMOVE)


_READERS: dict[str, Callable[[dict[str, Json]], What]] = {
    "ObjectCreateEvent": _object_made,
    "ObjectUpdateEvent": _object_made,
    "ObjectDeleteEvent": _deleted("object_identifier"),
    "AnnotationCreateEvent": _annotation_made,
    "AnnotationUpdateEvent": _annotation_made,
    "AnnotationDeleteEvent": _deleted("annotation_identifier"),
    "ReviewAcceptEvent": _reviewed,
    "ReviewRejectEvent": _reviewed,
    "OwnerAddEvent": _owner_changed,
    "OwnerRemoveEvent": _owner_changed,
}


def _part(value: dict[str, Json], name: str) -> dict[str, Json]:
    part = value.get(name)
    if not isinstance(part, dict):
        raise InputFileError(f"it has no {name!r}")
    return part


def _text(value: dict[str, Json], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text:
        raise InputFileError(f"it has no {name!r}")
    return text


def _number(value: dict[str, Json], name: str, allowed: tuple[int, ...] = ()) -> int:
    number = value.get(name)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _U64_MAX:
        raise InputFileError(f"{name!r} is no number")
    if allowed and number not in allowed:
        raise InputFileError(f"{name!r} is {number}, which means nothing there")
    return number


def _id(value: dict[str, Json]) -> Identifier:
    return Identifier(read_uuid(value, "uuid"), _number(value, "version"))


def _size(value: dict[str, Json]) -> int:
    _number(value, "hash_type", (SHA256,))
    return _number(value, "size")


def _hex(value: dict[str, Json], name: str) -> bytes:
    text = _text(value, name)
    if len(text) % 2 or not _HEX.fullmatch(text):
        raise InputFileError(f"{name!r} is not written in hex digits")
    return bytes.fromhex(text)


def _sha256(value: dict[str, Json]) -> bytes:
    digest = _hex(value, "hash")
    if len(digest) != 32:
        raise InputFileError("'hash' has not 32 bytes")
    return digest
