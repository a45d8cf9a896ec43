"""The kinds of events and their fields (spec section 4): what happened, unsigned.

How they become bytes and are checked is `event_codec`; what an event means, and who may do it, is for `state`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from gonk_node.core.ids import EventRef

OWNER, REVIEWER, CONTRIBUTOR = 0, 1, 2  # roles of a grant
ROLE_NAMES = ("owner", "reviewer", "contributor")
ACCEPT, REJECT = 1, 2  # decisions of a review (Gonk's numbers)
PUBLIC, PRIVATE = 0, 1  # visibility of a dataset
SCHEMA_PREFIX = "schema-"


class Pin(NamedTuple):
    """The last entry of one log that still counts: its log id (8 bytes), sequence number and entry id (32 bytes)."""

    log_id: bytes
    seq: int
    entry_id: bytes


class ReleaseHead(NamedTuple):
    """One head of a release: author (32 bytes), log id (8 bytes), sequence number, entry id (32 bytes)."""

    author: bytes
    log_id: bytes
    seq: int
    entry_id: bytes


class DatasetCreate(NamedTuple):
    """The birth of a dataset; its author is the root owner. Only the first event of a genesis entry counts."""

    name: str
    description: str
    rules_version: int
    approvals: int
    visibility: int
    recovery_keys: tuple[bytes, ...]
    recovery_threshold: int
    nonce: bytes


class ReplaceRoot(NamedTuple):
    """A recovery key asks that `new_root` follow `old_root`, whose logs count up to `pins`."""

    old_root: bytes
    new_root: bytes
    pins: tuple[Pin, ...]


class Grant(NamedTuple):
    """An owner gives `key` a role."""

    key: bytes
    role: int
    display_name: str


class AcceptGrant(NamedTuple):
    """The holder of a key takes the role of that grant; what he writes from here on carries its authority."""

    grant: EventRef


class Revoke(NamedTuple):
    """An owner ends what `key` may do; of its logs, what lies at or before `pins` stands."""

    key: bytes
    pins: tuple[Pin, ...]
    reason: str


class ObjectCreate(NamedTuple):
    """A file enters the dataset."""

    uuid: bytes
    name: str
    media_type: str
    size: int
    content_id: bytes
    sha256: bytes


class ObjectUpdate(NamedTuple):
    """A new revision of an object, made from the revision `base`."""

    uuid: bytes
    base: EventRef
    name: str
    media_type: str
    size: int
    content_id: bytes
    sha256: bytes


class AnnotationCreate(NamedTuple):
    """An annotation of some object revisions, in the form that a schema revision describes."""

    uuid: bytes
    schema: EventRef
    objects: tuple[EventRef, ...]
    body: bytes


class AnnotationUpdate(NamedTuple):
    """A new revision of an annotation, made from the revision `base`; it hangs on the same objects."""

    uuid: bytes
    base: EventRef
    schema: EventRef
    body: bytes


class SchemaCreate(NamedTuple):
    """A schema enters the dataset; its UUID follows from its name."""

    name: str
    body: bytes


class SchemaUpdate(NamedTuple):
    """A new revision of a schema, made from the revision `base`."""

    name: str
    base: EventRef
    body: bytes


class Delete(NamedTuple):
    """A proposal to delete one revision (of a schema: to deprecate it)."""

    target: EventRef


class Review(NamedTuple):
    """A decision on exact events; `supersedes` names reviews that it replaces, for those of its events that they decide."""

    decision: int
    events: tuple[EventRef, ...]
    supersedes: tuple[EventRef, ...]
    comment: str


class ReleaseCreate(NamedTuple):
    """A named, checkable state of the dataset: heads, manifest hash, counts (objects, annotations, left out)."""

    tag: str
    notes: str
    heads: tuple[ReleaseHead, ...]
    manifest_hash: bytes
    counts: tuple[int, ...]


class Profile(NamedTuple):
    """The author says what he wants to be called."""

    display_name: str


class Redact(NamedTuple):
    """The body of an event is to be dropped, everywhere."""

    target: EventRef
    reason: str


class UnknownEvent(NamedTuple):
    """An event of a kind that this version does not know; `data` is its bytes, undecoded since nothing reads them."""

    kind: int
    data: bytes


Event: TypeAlias = (
    DatasetCreate
    | ReplaceRoot
    | Grant
    | AcceptGrant
    | Revoke
    | ObjectCreate
    | ObjectUpdate
    | AnnotationCreate
    | AnnotationUpdate
    | SchemaCreate
    | SchemaUpdate
    | Delete
    | Review
    | ReleaseCreate
    | Profile
    | Redact
    | UnknownEvent
)

AUTHORITY_KINDS = (ReplaceRoot, Grant, AcceptGrant, Revoke)
REVISION_KINDS = (
    ObjectCreate,
    ObjectUpdate,
    AnnotationCreate,
    AnnotationUpdate,
    SchemaCreate,
    SchemaUpdate,
)
# What an honoured redact may name: never what decides who may do what, nor what was decided.
REDACTABLE_KINDS = (*REVISION_KINDS, Delete, Profile)
