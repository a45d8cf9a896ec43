"""How events become bytes, and what is well formed: one row of a table for each kind (spec section 4).

An event is a flat CBOR array `[kind, field, …]`. An unknown kind decodes to `UnknownEvent`: stored, forwarded, inert.
Nothing here knows what an event means.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from gonk_node.core import codec, limits
from gonk_node.core.codec import CodecError
from gonk_node.core.events import (
    ACCEPT,
    CONTRIBUTOR,
    PRIVATE,
    REJECT,
    SCHEMA_PREFIX,
    AcceptGrant,
    AnnotationCreate,
    AnnotationUpdate,
    DatasetCreate,
    Delete,
    Event,
    Grant,
    ObjectCreate,
    ObjectUpdate,
    Pin,
    Profile,
    Redact,
    ReleaseCreate,
    ReleaseHead,
    ReplaceRoot,
    Review,
    Revoke,
    SchemaCreate,
    SchemaUpdate,
    UnknownEvent,
)
from gonk_node.core.frequent import annotation_create
from gonk_node.core.ids import EventRef

# --- field checks: each takes what CBOR gave and returns what the event holds, or raises CodecError ------------

Check: TypeAlias = Callable[[Any], Any]
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_INDEX_MAX = limits.EVENTS_PER_ENTRY_MAX - 1


def _integer(what: str, low: int = 0, high: int = limits.INT_MAX) -> Check:
    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise CodecError(f"{what} must be an integer from {low} to {high}")
        return value

    return check


def _fixed(what: str, length: int) -> Check:
    def check(value: Any) -> bytes:
        if type(value) is not bytes or len(value) != length:
            raise CodecError(f"{what} must be {length} bytes")
        return value

    return check


def _text(what: str, bytes_max: int, *, empty: bool = True) -> Check:
    def check(value: Any) -> str:
        if type(value) is not str:
            raise CodecError(f"{what} must be text")
        if len(value) > bytes_max or len(value.encode()) > bytes_max:
            raise CodecError(f"{what} is longer than {bytes_max} bytes")
        if not value and not empty:
            raise CodecError(f"{what} must not be empty")
        return value

    return check


def _name(what: str, *, empty: bool = False) -> Check:
    text = _text(what, limits.NAME_BYTES_MAX, empty=empty)

    def check(value: Any) -> str:
        value = text(value)
        if _CONTROL.search(value):
            raise CodecError(f"{what} holds a control character")
        return str(value)

    return check


def _schema_name(value: Any) -> str:
    name = _SCHEMA_TEXT(value)
    if not name.startswith(SCHEMA_PREFIX) or len(name) == len(SCHEMA_PREFIX) or "/" in name:
        raise CodecError(f"a schema's name must be {SCHEMA_PREFIX!r} and more, without a slash")
    return str(name)


def _body(bytes_max: int) -> Check:
    def check(value: Any) -> bytes:
        if type(value) is not bytes or len(value) > bytes_max:
            raise CodecError(f"a body must be at most {bytes_max} bytes")
        return value

    return check


def _ref(value: Any) -> EventRef:
    if type(value) is not list or len(value) != 2:
        raise CodecError("a reference must be [entry id, index]")
    entry_id, index = value
    if type(entry_id) is not bytes or len(entry_id) not in (0, 32):
        raise CodecError("a reference's entry id must be 32 bytes, or empty")
    if type(index) is not int or not 0 <= index <= _INDEX_MAX:
        raise CodecError(f"a reference's index must be from 0 to {_INDEX_MAX}")
    return _as_ref(value)


def _as_ref(value: Any) -> EventRef:
    return tuple.__new__(EventRef, value)  # half the time of EventRef(*value), and every event has some


def _list(what: str, item: Check, low: int, high: int) -> Check:
    def check(value: Any) -> tuple[Any, ...]:
        if type(value) is not list or not low <= len(value) <= high:
            raise CodecError(f"{what} must be a list of {low} to {high}")
        return tuple([item(each) for each in value])

    return check


def _tuple(what: str, make: Callable[[Any], Any], *fields: Check) -> Check:
    def check(value: Any) -> Any:
        if type(value) is not list or len(value) != len(fields):
            raise CodecError(f"{what} must be a list of {len(fields)}")
        return make([field(each) for field, each in zip(fields, value, strict=True)])

    return check


def _ascending(what: str, check_list: Check) -> Check:
    def check(value: Any) -> tuple[Any, ...]:
        items: tuple[Any, ...] = check_list(value)
        if any(first >= second for first, second in pairwise(items)):
            raise CodecError(f"{what} must ascend, without repeats")
        return items

    return check


def _pins(value: Any) -> tuple[Pin, ...]:
    pins = _PIN_LIST(value)
    if any(first.log_id >= second.log_id for first, second in pairwise(pins)):
        raise CodecError("pins must ascend by log id, one for each log")
    return tuple(pins)


_SCHEMA_TEXT = _name("a schema's name")
_UUID = _fixed("a uuid", 16)
_KEY = _fixed("a key", 32)
_HASH = _fixed("a hash", 32)
_LOG_ID = _fixed("a log id", 8)
_SEQ = _integer("a sequence number")
_REASON = _text("a reason", limits.COMMENT_BYTES_MAX)
_BODY = _body(limits.EVENT_BYTES_MAX)
_SCHEMA_BODY = _body(limits.SCHEMA_BYTES_MAX)
_PIN_LIST = _list("pins", _tuple("a pin", Pin._make, _LOG_ID, _SEQ, _HASH), 0, limits.HEADS_PER_EVENT_MAX)
_RELEASE_HEADS = _ascending(
    "heads",
    _list(
        "heads",
        _tuple("a head", ReleaseHead._make, _KEY, _LOG_ID, _SEQ, _HASH),
        1,
        limits.HEADS_PER_EVENT_MAX,
    ),
)
_OBJECT_FIELDS = (
    _name("an object's name"),
    _name("a media type"),
    _integer("a size", high=limits.OBJECT_BYTES_MAX),
    _HASH,
    _HASH,
)


class Kind(NamedTuple):
    """One row of the table: the number on the wire, the name for people, the class, and the check of each field."""

    number: int
    name: str
    make: Callable[..., Event]
    checks: tuple[Check, ...]


KINDS: tuple[Kind, ...] = (
    Kind(
        0,
        "dataset.create",
        DatasetCreate,
        (
            _name("a dataset's name"),
            _text("a description", limits.COMMENT_BYTES_MAX),
            _integer("the rules version", low=1),
            _integer("the approvals needed", low=1, high=limits.APPROVALS_MAX),
            _integer("the visibility", high=PRIVATE),
            _ascending("recovery keys", _list("recovery keys", _KEY, 0, limits.RECOVERY_KEYS_MAX)),
            _integer("the recovery threshold", high=limits.RECOVERY_KEYS_MAX),
            _fixed("a nonce", 16),
        ),
    ),
    Kind(1, "replace-root", ReplaceRoot, (_KEY, _KEY, _pins)),
    Kind(2, "grant", Grant, (_KEY, _integer("a role", high=CONTRIBUTOR), _name("a name", empty=True))),
    Kind(3, "accept-grant", AcceptGrant, (_ref,)),
    Kind(4, "revoke", Revoke, (_KEY, _pins, _REASON)),
    Kind(5, "object.create", ObjectCreate, (_UUID, *_OBJECT_FIELDS)),
    Kind(6, "object.update", ObjectUpdate, (_UUID, _ref, *_OBJECT_FIELDS)),
    Kind(
        7,
        "annotation.create",
        AnnotationCreate,
        (_UUID, _ref, _list("objects", _ref, 1, limits.REFS_PER_ANNOTATION_MAX), _BODY),
    ),
    Kind(8, "annotation.update", AnnotationUpdate, (_UUID, _ref, _ref, _BODY)),
    Kind(9, "schema.create", SchemaCreate, (_schema_name, _SCHEMA_BODY)),
    Kind(10, "schema.update", SchemaUpdate, (_schema_name, _ref, _SCHEMA_BODY)),
    Kind(11, "delete", Delete, (_ref,)),
    Kind(
        12,
        "review",
        Review,
        (
            _integer("a decision", low=ACCEPT, high=REJECT),
            _list("reviewed events", _ref, 1, limits.REFS_PER_REVIEW_MAX),
            _list("superseded reviews", _ref, 0, limits.REFS_PER_REVIEW_MAX),
            _text("a comment", limits.COMMENT_BYTES_MAX),
        ),
    ),
    Kind(
        13,
        "release.create",
        ReleaseCreate,
        (
            _name("a tag"),
            _text("notes", limits.COMMENT_BYTES_MAX),
            _RELEASE_HEADS,
            _HASH,
            _list("counts", _integer("a count"), 3, 3),
        ),
    ),
    Kind(14, "profile", Profile, (_name("a name"),)),
    Kind(15, "redact", Redact, (_ref, _REASON)),
)
_BY_CLASS: dict[type, Kind] = {kind.make: kind for kind in KINDS}  # type: ignore[misc]


def kind_name(event: Event) -> str:
    """The name of an event's kind for people, such as `annotation.create`."""
    return f"unknown.{event.kind}" if isinstance(event, UnknownEvent) else _BY_CLASS[type(event)].name


def encode_event(event: Event) -> bytes:
    """The bytes of an event: strict CBOR, checked as a receiver would check them (CodecError where it is malformed)."""
    if isinstance(event, UnknownEvent):
        data = event.data
    else:
        data = codec.encode([_BY_CLASS[type(event)].number, *event])
    decode_event(data)
    return data


def decode_event(data: bytes) -> Event:
    """Decode and check the bytes of one event; CodecError says which field is wrong and why."""
    return annotation_create(data) or _from_list(codec.decode(data), data)


def decode_stored_event(data: bytes) -> Event:
    """Decode an event that was verified when it was stored; the frequent kinds without checking them again."""
    annotation = annotation_create(data)
    if annotation is not None:
        return annotation
    value = codec.decode_stored(data)
    shape = _STORED_SHAPES.get(value[0])
    return _from_list(value, data) if shape is None else shape(value)


def _refs(values: Any) -> tuple[EventRef, ...]:
    return tuple([_as_ref(value) for value in values])


_STORED_SHAPES: dict[int, Callable[[Any], Event]] = {
    5: lambda v: ObjectCreate._make(v[1:]),
    7: lambda v: AnnotationCreate(v[1], _as_ref(v[2]), _refs(v[3]), v[4]),
    8: lambda v: AnnotationUpdate(v[1], _as_ref(v[2]), _as_ref(v[3]), v[4]),
    12: lambda v: Review(v[1], _refs(v[2]), _refs(v[3]), v[4]),
}


def _from_list(value: Any, data: bytes) -> Event:
    if type(value) is not list or not value:
        raise CodecError("an event must be a list that begins with its kind")
    number = codec.check_int(value[0], "an event's kind")
    if number >= len(KINDS):
        codec.check_plain(value)
        return UnknownEvent(number, data)
    kind = KINDS[number]
    checks = kind.checks
    if len(value) != len(checks) + 1:
        raise CodecError(f"{kind.name} must have {len(checks)} fields, not {len(value) - 1}")
    return kind.make(*[check(field) for check, field in zip(checks, value[1:], strict=True)])
