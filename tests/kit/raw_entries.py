"""Entries with something wrong in them: any header field, event or signature replaced, then signed as if all were well.

`draft()` is a correct second entry of a log; `change` one part of it and `record()` signs what came out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cbor2

from gonk_node.core.entry import Header, signed_bytes
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import Event, Profile
from gonk_node.core.ids import hash_event, hash_event_list
from gonk_node.core.keys import Signer
from kit.authors import FIRST_TIME_MS, TestAuthor

OWNER = TestAuthor("owner")
GENESIS = OWNER.genesis()
DATASET = GENESIS.entry_id


def head(major: int, argument: int) -> bytes:
    """The shortest head of a CBOR data item (RFC 8949 section 3)."""
    if argument < 24:
        return bytes([major << 5 | argument])
    width = next(width for width in (1, 2, 4, 8) if argument < 1 << 8 * width)
    return bytes([major << 5 | 24 + width.bit_length() - 1]) + argument.to_bytes(width, "big")


def array(*items: bytes) -> bytes:
    """A CBOR array of items that are encoded already."""
    return head(4, len(items)) + b"".join(items)


def byte_string(data: bytes) -> bytes:
    """A CBOR byte string."""
    return head(2, len(data)) + data


class Draft(NamedTuple):
    """An entry about to be signed; every part is CBOR already, so that every part can be wrong."""

    signer: Signer
    fields: dict[str, bytes]
    items: tuple[bytes, ...]

    def change(self, **values: Any) -> Draft:
        """Give header fields other values."""
        return self.change_encoding(**{name: cbor2.dumps(value) for name, value in values.items()})

    def change_encoding(self, **encodings: bytes) -> Draft:
        """Give header fields other bytes."""
        assert encodings.keys() <= self.fields.keys()
        return self._replace(fields={**self.fields, **encodings})

    def with_events(self, *events: Event | bytes) -> Draft:
        """Put in other events, as values or as bytes, and name them in the header."""
        bodies = [event if isinstance(event, bytes) else encode_event(event) for event in events]
        changed = self.change(event_count=len(bodies), events_hash=_events_hash(bodies))
        return changed._replace(items=tuple(byte_string(body) for body in bodies))

    def with_items(self, *items: bytes) -> Draft:
        """Put other things where the events stand, and leave the header as it is."""
        return self._replace(items=items)

    def withhold(self, *indexes: int) -> Draft:
        """Put the hashes of events in the place of their bodies."""
        items = list(self.items)
        for index in indexes:
            items[index] = array(byte_string(hash_event(cbor2.loads(items[index]))))
        return self.with_items(*items)

    @property
    def header_bytes(self) -> bytes:
        """The header as it will be signed."""
        return array(*self.fields.values())

    def sign(self, header_bytes: bytes | None = None) -> bytes:
        """The signature over the header, or over other bytes in its place."""
        return self.signer.sign(signed_bytes(self.header_bytes if header_bytes is None else header_bytes))

    def record(self, *, header_bytes: bytes | None = None, signature: bytes | None = None) -> bytes:
        """The whole record; given other header bytes, those are signed."""
        header_bytes = self.header_bytes if header_bytes is None else header_bytes
        signature = self.sign(header_bytes) if signature is None else signature
        return array(byte_string(header_bytes), byte_string(signature), array(*self.items))


def draft(*events: Event | bytes, author: TestAuthor = OWNER, seq: int = 1) -> Draft:
    """A correct entry of the dataset `DATASET`, the second of the owner's log unless told otherwise.

    Args:
        events: values or bytes; a profile where there are none.
        author: who signs; his log id stands in the header.
        seq: 0 for the first entry of a log; above 1, the entry before it is an invented one.
    """
    prev = b"" if seq == 0 else DATASET if author is OWNER and seq == 1 else bytes([seq % 256]) * 32
    return _draft(author, DATASET, seq, prev, events)


def genesis_draft(*events: Event | bytes, author: TestAuthor = OWNER) -> Draft:
    """A genesis, correct if its first event is a dataset.create."""
    return _draft(author, b"", 0, b"", events)


def following(prev: Header, prev_id: bytes, *events: Event | bytes, author: TestAuthor) -> Draft:
    """A correct successor of any entry."""
    return _draft(author, DATASET, prev.seq + 1, prev_id, events).change(time_ms=prev.time_ms + 1)


def _draft(author: TestAuthor, dataset: bytes, seq: int, prev: bytes, events: Sequence[Event | bytes]) -> Draft:
    values = Header(1, dataset, author.author, author.log_id, seq, prev, FIRST_TIME_MS + seq, 0, b"")
    fields = {name: cbor2.dumps(value) for name, value in values._asdict().items()}
    return Draft(author.signer, fields, ()).with_events(*(events or (Profile("Ann"),)))


def _events_hash(bodies: Sequence[bytes]) -> bytes:
    return hash_event_list(b"".join(hash_event(body) for body in bodies))
