"""The messages of the sync protocol: their fields, the bounds of each field, and how they become bytes and back.

A frame is the strict CBOR array `[number, kind, field, …]` (spec section 9.2). This module says what is well formed;
when a message may come is for `transitions`, and what follows from it for the two halves of a session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from gonk_node.core import codec, limits
from gonk_node.core.codec import CodecError
from gonk_node.core.heads import Head
from gonk_node.core.ids import HASH_BYTES, KEY_BYTES, LOG_ID_BYTES
from gonk_node.core.keys import SIGNATURE_BYTES

NONCE_BYTES = 32
INSTANCE_BYTES = 16
TOKEN_SECONDS_MAX = 24 * 3600

# Why a side closes. The text beside it is for people; programs look at the number.
CLOSE_DONE, CLOSE_NO_DATASET, CLOSE_BUSY, CLOSE_WRONG_KEY, CLOSE_BROKEN, CLOSE_INVALID = range(6)
CLOSE_CODE_MAX = 255


class NeededRange(NamedTuple):
    """A head that is asked for, and entries of its log that are held already."""

    head_id: bytes
    known: list[bytes]


class Group(NamedTuple):
    """Records of one log in order of seq, on the way to the head that was asked for or is pushed."""

    head: Head
    records: list[bytes]


class ClientHello(NamedTuple):
    """Handshake 1: who dials, which key he expects, which protocol versions he speaks."""

    nonce: bytes
    versions: list[int]
    server_key: bytes
    client_key: bytes


class ServerHello(NamedTuple):
    """Handshake 2: the version chosen, and the server's signature over the transcript."""

    nonce: bytes
    version: int
    signature: bytes


class ClientProof(NamedTuple):
    """Handshake 3: the dataset meant, the client's signature, and an author key with its own (or both empty)."""

    dataset: bytes
    signature: bytes
    author: bytes
    author_signature: bytes


class Close(NamedTuple):
    """The end: a number and a line for people."""

    code: int
    reason: str


class Hello(NamedTuple):
    """What a side holds, in short, and how far it has taken the other's log already.

    `open_count` counts the entries that it misses or holds without all bodies. `cursor_instance` is empty where it
    has no cursor. `state_digest` is empty where its State is not at hand.
    """

    dataset: bytes
    instance: bytes
    last_lsn: int
    heads_digest: bytes
    state_digest: bytes
    open_count: int
    cursor_instance: bytes
    cursor_lsn: int


class NeededBodies(NamedTuple):
    """An entry of which bodies are asked for: those of its events at these indexes, ascending."""

    entry_id: bytes
    indexes: list[int]


class Heads(NamedTuple):
    """A page of leaves that are newer than the other's cursor; `last` ends a portion, which is then answered."""

    heads: list[Head]
    last: int


class Need(NamedTuple):
    """Send these; `last` ends the answer to a portion of heads."""

    ranges: list[NeededRange]
    last: int


class Want(NamedTuple):
    """Where are these entries, which an accept cites?"""

    entry_ids: list[bytes]


class Found(NamedTuple):
    """Positions of entries that were wanted."""

    heads: list[Head]


class NeedBodies(NamedTuple):
    """Send these entries, each if one of the bodies that the asker lacks is held."""

    entries: list[NeededBodies]


class Missing(NamedTuple):
    """Of what was asked for, these are not held here (or none of the bodies asked for)."""

    entry_ids: list[bytes]


class Skip(NamedTuple):
    """Stop sending what leads to these heads."""

    head_ids: list[bytes]


class Announce(NamedTuple):
    """How much this side will have sent, in this session, when it has sent all that is planned now."""

    entries: int
    events: int
    bytes: int


class Records(NamedTuple):
    """Entries as they are stored."""

    groups: list[Group]


class Ack(NamedTuple):
    """Bytes of records taken so far in this session: durable, or declined."""

    bytes: int


class Delivered(NamedTuple):
    """All that this side held up to its arrival number `lsn` was sent, or was not asked for."""

    lsn: int


class Done(NamedTuple):
    """What this side holds after all was taken; fields as in `Hello`."""

    heads_digest: bytes
    state_digest: bytes
    open_count: int


class Token(NamedTuple):
    """Lets the client fetch content over HTTPS for so many seconds."""

    token: bytes
    seconds: int


class Ping(NamedTuple):
    """Still here."""


Message: TypeAlias = (
    ClientHello | ServerHello | ClientProof | Close | Hello | Heads | Need | Want | Found | NeedBodies | Missing
    | Skip | Announce | Records | Ack | Delivered | Done | Token | Ping
)  # fmt: skip

_Check: TypeAlias = Callable[[Any], Any]


def _int(low: int = 0, high: int = limits.INT_MAX) -> _Check:
    return lambda value: codec.check_int(value, "an integer", low=low, high=high)


def _bytes(*lengths: int) -> _Check:
    def check(value: Any) -> bytes:
        if type(value) is not bytes or len(value) not in lengths:
            raise CodecError(f"a byte string must have {' or '.join(map(str, lengths))} bytes")
        return value

    return check


def _list(item: _Check, most: int) -> _Check:
    def check(value: Any) -> list[Any]:
        if type(value) is not list or len(value) > most:
            raise CodecError(f"a list must have at most {most} items")
        return [item(each) for each in value]

    return check


def _tuple(make: Callable[..., Any], *fields: _Check) -> _Check:
    def check(value: Any) -> Any:
        if type(value) is not list or len(value) != len(fields):
            raise CodecError(f"a list must have {len(fields)} items")
        return make(*[field(each) for field, each in zip(fields, value, strict=True)])

    return check


def _reason(value: Any) -> str:
    if type(value) is not str or len(value) > limits.REASON_CHARS_MAX:
        raise CodecError(f"a text must have at most {limits.REASON_CHARS_MAX} characters")
    # It ends up on somebody's terminal, where control characters are commands.
    return "".join(character if character.isprintable() else "?" for character in value)


def _record(value: Any) -> bytes:
    if type(value) is not bytes or not 0 < len(value) <= limits.ENTRY_BYTES_MAX:
        raise CodecError(f"a record must have 1 to {limits.ENTRY_BYTES_MAX} bytes")
    return value


_hash = _bytes(HASH_BYTES)
_signature = _bytes(SIGNATURE_BYTES)
_flag = _int(0, 1)
_ids = _list(_hash, limits.IDS_PER_MESSAGE_MAX)
_head = _tuple(Head, _bytes(KEY_BYTES), _bytes(LOG_ID_BYTES), _int(), _hash)
_heads = _list(_head, limits.HEADS_PER_MESSAGE_MAX)
_needed = _tuple(NeededRange, _hash, _list(_hash, limits.KNOWN_PER_NEED_MAX))
_index = _int(0, limits.EVENTS_PER_ENTRY_MAX - 1)
_bodies = _tuple(NeededBodies, _hash, _list(_index, limits.EVENTS_PER_ENTRY_MAX))
_group = _tuple(Group, _head, _list(_record, limits.BATCH_RECORDS_MAX))

# kind: the message and the check of each of its fields
_KINDS: dict[int, tuple[Callable[..., Message], tuple[_Check, ...]]] = {
    1: (
        ClientHello,
        (_bytes(NONCE_BYTES), _list(_int(1), limits.VERSIONS_OFFERED_MAX), _bytes(KEY_BYTES), _bytes(KEY_BYTES)),
    ),
    2: (ServerHello, (_bytes(NONCE_BYTES), _int(1), _signature)),
    3: (ClientProof, (_hash, _signature, _bytes(0, KEY_BYTES), _bytes(0, SIGNATURE_BYTES))),
    4: (Close, (_int(0, CLOSE_CODE_MAX), _reason)),
    10: (
        Hello,
        (
            *(_hash, _bytes(INSTANCE_BYTES), _int(), _hash, _bytes(0, HASH_BYTES), _int()),
            *(_bytes(0, INSTANCE_BYTES), _int()),
        ),
    ),
    11: (Heads, (_heads, _flag)),
    12: (Need, (_list(_needed, limits.NEEDS_PER_MESSAGE_MAX), _flag)),
    13: (Want, (_ids,)),
    14: (Found, (_heads,)),
    15: (NeedBodies, (_list(_bodies, limits.IDS_PER_MESSAGE_MAX),)),
    16: (Missing, (_ids,)),
    17: (Skip, (_ids,)),
    18: (Announce, (_int(), _int(), _int())),
    19: (Records, (_list(_group, limits.BATCH_RECORDS_MAX),)),
    20: (Ack, (_int(),)),
    21: (Delivered, (_int(),)),
    22: (Done, (_hash, _bytes(0, HASH_BYTES), _int())),
    23: (Token, (_bytes(limits.CONTENT_TOKEN_BYTES), _int(1, TOKEN_SECONDS_MAX))),
    24: (Ping, ()),
}
_KIND_OF = {make: kind for kind, (make, _) in _KINDS.items()}


def encode_message(number: int, message: Message) -> bytes:
    """The frame of a message that is well formed."""
    return codec.encode([number, _KIND_OF[type(message)], *message])


def decode_message(frame: bytes) -> tuple[int, Message]:
    """Read a frame: its number and its message.

    Raises:
        CodecError: not strict CBOR, an unknown kind, or a field of wrong type, length or range.
    """
    parts = codec.decode(frame)
    if type(parts) is not list or len(parts) < 2:
        raise CodecError("a frame must be [number, kind, field, …]")
    number = codec.check_int(parts[0], "the number of a frame")
    if type(parts[1]) is not int or parts[1] not in _KINDS:
        raise CodecError("an unknown kind of message")
    make, checks = _KINDS[parts[1]]
    message: Message = _tuple(make, *checks)(parts[2:])
    _check_sums(message)
    return number, message


def _check_sums(message: Message) -> None:
    """Bounds over a whole message, beyond those of its fields."""
    if isinstance(message, Need) and _total(item.known for item in message.ranges) > limits.KNOWN_PER_MESSAGE_MAX:
        raise CodecError(f"more than {limits.KNOWN_PER_MESSAGE_MAX} known ids")
    if isinstance(message, NeedBodies) and _total(item.indexes for item in message.entries) > (
        limits.BODIES_PER_MESSAGE_MAX
    ):
        raise CodecError(f"more than {limits.BODIES_PER_MESSAGE_MAX} bodies")
    if isinstance(message, Records):
        if not all(group.records for group in message.groups) or not message.groups:
            raise CodecError("a group without records")
        if _total(group.records for group in message.groups) > limits.BATCH_RECORDS_MAX:
            raise CodecError(f"more than {limits.BATCH_RECORDS_MAX} records")


def _total(lists: Any) -> int:
    return sum(map(len, lists))


def ids_in_pages(entry_ids: Sequence[bytes]) -> list[list[bytes]]:
    """Split ids into lists that one message may hold."""
    size = limits.IDS_PER_MESSAGE_MAX
    return [list(entry_ids[start : start + size]) for start in range(0, len(entry_ids), size)]
