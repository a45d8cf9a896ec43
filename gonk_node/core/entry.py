"""The signed envelope around events: header, entry id, record; building one and taking one apart.

A record is what is stored and sent: the CBOR array `[header bytes, signature, [event bytes | [event hash], …]]`. The bytes
that came are the bytes that are kept: nothing here re-serialises a header or an event. Whether an entry is *true* is for
`verify`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gonk_node.core import codec, ids, limits
from gonk_node.core.codec import CodecError
from gonk_node.core.event_codec import decode_event, decode_stored_event, encode_event
from gonk_node.core.events import Event
from gonk_node.core.frequent import OneEvent, record_of_one
from gonk_node.core.keys import SIGNATURE_BYTES, Signer

SIGNATURE_DOMAIN = b"gonk-node/entry/1\0"
HEADER_FIELDS = 9
HEADER_BYTES_MAX = 256  # the largest header that the field lengths allow has 168


class Header(NamedTuple):
    """What is signed (spec section 3). Ids are bytes; `dataset` and `prev` are empty where there is none."""

    version: int
    dataset: bytes
    author: bytes
    log_id: bytes
    seq: int
    prev: bytes
    time_ms: int
    event_count: int
    events_hash: bytes


class Entry:
    """One decoded record. `bodies[i]` is the bytes of event i, or None where only its hash came (`hashes[i]`)."""

    __slots__ = ("_events", "bodies", "entry_id", "header", "header_bytes", "record", "signature", "withheld")

    def __init__(
        self,
        record: bytes,
        header: Header,
        header_bytes: bytes,
        signature: bytes,
        bodies: list[bytes | None],
        withheld: dict[int, bytes],
    ) -> None:
        self.record = record
        self.header = header
        self.header_bytes = header_bytes
        self.signature = signature
        self.bodies = bodies
        self.withheld = withheld
        self.entry_id = ids.hash_header(header_bytes)
        self._events: list[Event | None] | None = None

    @property
    def dataset(self) -> bytes:
        """The dataset it belongs to: its own id, for a genesis."""
        return self.header.dataset or self.entry_id

    def event_hashes(self) -> list[bytes]:
        """The hash of each event, in order: computed where the body is here, as sent where it is not."""
        return [
            ids.hash_event(body) if body is not None else self.withheld[index] for index, body in enumerate(self.bodies)
        ]

    def events(self) -> list[Event | None]:
        """The events, in order, None for a body that is not here; CodecError for a malformed one."""
        if self._events is None:
            self._events = [None if body is None else decode_event(body) for body in self.bodies]
        return self._events

    def stored_events(self) -> list[Event | None]:
        """The events of an entry read from this node's own log, without checking them anew."""
        if self._events is None:
            self._events = [None if body is None else decode_stored_event(body) for body in self.bodies]
        return self._events

    def __repr__(self) -> str:
        return f"<Entry {self.entry_id.hex()[:12]} seq {self.header.seq} of {len(self.bodies)} events>"


def _decode_header(data: bytes) -> Header:
    fields = codec.decode(data, depth_max=1)
    if type(fields) is not list or len(fields) != HEADER_FIELDS:
        raise CodecError(f"a header must be a list of {HEADER_FIELDS}")
    version, dataset, author, log_id, seq, prev, time_ms, event_count, events_hash = fields
    codec.check_int(version, "the protocol version", low=1, high=limits.PROTOCOL_VERSION)
    for value, what in ((dataset, "the dataset"), (prev, "prev")):
        if type(value) is not bytes or len(value) not in (0, ids.HASH_BYTES):
            raise CodecError(f"{what} must be 32 bytes, or empty")
    codec.check_bytes(author, "the author", ids.KEY_BYTES)
    codec.check_bytes(log_id, "the log id", ids.LOG_ID_BYTES)
    codec.check_int(seq, "seq")
    codec.check_int(time_ms, "the time")
    codec.check_int(event_count, "the event count", low=1, high=limits.EVENTS_PER_ENTRY_MAX)
    codec.check_bytes(events_hash, "the events hash", ids.HASH_BYTES)
    if (seq == 0) != (prev == b""):
        raise CodecError("prev must be empty at seq 0, and only there")
    if dataset == b"" and seq != 0:
        raise CodecError("only an entry at seq 0 can be a genesis")
    return Header(*fields)


def _entry_of_one(record: bytes, parts: OneEvent) -> Entry:
    return Entry(record, Header._make(parts.header), parts.header_bytes, parts.signature, [parts.body], {})


def decode_record(record: bytes) -> Entry:
    """Take a record apart; its events are decoded later, by `Entry.events`.

    Args:
        record: bytes as received, at most `limits.ENTRY_BYTES_MAX`.

    Raises:
        CodecError: it is not a record; the message says why.
    """
    frequent = record_of_one(record)
    if frequent is not None:
        return _entry_of_one(record, frequent)
    parts = codec.decode(record, depth_max=3)
    if type(parts) is not list or len(parts) != 3:
        raise CodecError("a record must be [header, signature, events]")
    header_bytes, signature, items = parts
    if type(header_bytes) is not bytes or len(header_bytes) > HEADER_BYTES_MAX:
        raise CodecError(f"a header must be at most {HEADER_BYTES_MAX} bytes")
    codec.check_bytes(signature, "a signature", SIGNATURE_BYTES)
    if type(items) is not list or len(items) > limits.EVENTS_PER_ENTRY_MAX:
        raise CodecError(f"events must be a list of at most {limits.EVENTS_PER_ENTRY_MAX}")
    withheld: dict[int, bytes] = {}
    for index, item in enumerate(items):
        if type(item) is not bytes:
            if type(item) is not list or len(item) != 1:
                raise CodecError(f"event {index} must be bytes, or a list of its hash")
            withheld[index] = codec.check_bytes(item[0], f"the hash of event {index}", ids.HASH_BYTES)
    bodies = [None if index in withheld else item for index, item in enumerate(items)] if withheld else items
    return Entry(record, _decode_header(header_bytes), header_bytes, signature, bodies, withheld)


def read_stored(record: bytes) -> Entry:
    """Take apart a record of this node's own log, which was verified when it was stored."""
    frequent = record_of_one(record)
    if frequent is not None:
        return _entry_of_one(record, frequent)
    header_bytes, signature, items = codec.decode_stored(record)
    withheld = {index: item[0] for index, item in enumerate(items) if type(item) is list}
    bodies = [None if index in withheld else item for index, item in enumerate(items)] if withheld else items
    return Entry(record, Header(*codec.decode_stored(header_bytes)), header_bytes, signature, bodies, withheld)


def signed_bytes(header_bytes: bytes) -> bytes:
    """What the signature is made over: the domain string and the header as it is."""
    return SIGNATURE_DOMAIN + header_bytes


def build_entry(
    signer: Signer,
    *,
    dataset: bytes,
    log_id: bytes,
    prev: Header | None,
    prev_id: bytes,
    time_ms: int,
    events: Sequence[Event],
) -> Entry:
    """Sign events into the next entry of a log.

    Args:
        signer: whose key signs.
        dataset: the dataset id, or empty for a genesis.
        log_id: the log's id, 8 bytes.
        prev: the header of the log's last entry, None for the first.
        prev_id: the id of `prev`, empty for the first.
        time_ms: milliseconds since 1970 (UTC), already greater than prev's.
        events: 1 to 4096 of them.

    Raises:
        CodecError: an event is malformed, or the entry would break a size limit.
    """
    bodies: list[bytes | None] = [encode_event(event) for event in events]
    hashes = b"".join([ids.hash_event(body) for body in bodies if body is not None])
    header = Header(
        limits.PROTOCOL_VERSION,
        dataset,
        signer.author,
        log_id,
        0 if prev is None else prev.seq + 1,
        prev_id,
        time_ms,
        len(bodies),
        ids.hash_event_list(hashes),
    )
    header_bytes = codec.encode(list(header))
    signature = signer.sign(signed_bytes(header_bytes))
    return assemble(header_bytes, signature, bodies, {})


def assemble(header_bytes: bytes, signature: bytes, bodies: list[bytes | None], withheld: dict[int, bytes]) -> Entry:
    """Make the record of a header, its signature and the bodies that are here; the rest stand as their hashes."""
    items = [[withheld[index]] if body is None else body for index, body in enumerate(bodies)]
    return decode_record(codec.encode([header_bytes, signature, items]))


def without_bodies(entry: Entry, indexes: set[int]) -> Entry:
    """The same entry with the bodies of those events replaced by their hashes (erasure)."""
    hashes = entry.event_hashes()
    bodies = [None if index in indexes else body for index, body in enumerate(entry.bodies)]
    withheld = {index: hashes[index] for index, body in enumerate(bodies) if body is None}
    return assemble(entry.header_bytes, entry.signature, bodies, withheld)


def with_bodies_of(entry: Entry, other: Entry) -> Entry:
    """The same entry with the bodies that `other`, a verified record of the same entry id, has and it has not."""
    bodies = [mine if mine is not None else theirs for mine, theirs in zip(entry.bodies, other.bodies, strict=True)]
    withheld = {index: entry.withheld[index] for index, body in enumerate(bodies) if body is None}
    return assemble(entry.header_bytes, entry.signature, bodies, withheld)
