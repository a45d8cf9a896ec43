"""Decodes the two shapes that nearly all bytes of a dataset have: a record of one event, and an annotation of one object.

It may exist only because it decides nothing: what it takes, the strict decoders (`entry`, `event_codec`) take too and give
the same value, which a property test holds; whatever else comes, malformed or merely rarer, it leaves to them by returning
None. They alone refuse, and say why. It is four times as fast, since each shape is one regular expression over the bytes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gonk_node.core import codec, limits
from gonk_node.core.events import AnnotationCreate
from gonk_node.core.ids import EventRef

# Heads of data items (RFC 8949 section 3). These patterns also take longer forms than needed, which are refused below:
# by looking up an index in the table of shortest forms, or by comparing with the shortest head for that length.
_INDEX = rb"([\x00-\x17]|\x18.|\x19..)"
_SEQ = rb"([\x00-\x17]|\x18.|\x19..|\x1a.{4})"
_BYTES_HEAD = rb"([\x40-\x57]|\x58.|\x59..)"
_HASH = rb"\x58\x20(.{32})"
_REF = rb"\x82(?:\x40|" + _HASH + rb")" + _INDEX

_ANNOTATION = re.compile(rb"\x85\x07\x50(.{16})" + _REF + rb"\x81" + _REF + _BYTES_HEAD, re.DOTALL)
# The fields of `entry.Header`: version 1, one event; neither a genesis nor the first entry of a log, which lack ids.
_HEADER = re.compile(
    rb"\x89\x01" + 2 * _HASH + rb"\x48(.{8})" + _SEQ + _HASH + rb"\x1b(\x00[\x00-\x1f].{6})\x01" + _HASH,
    re.DOTALL,
)
_AFTER_HEADER = re.compile(rb"\x58\x40(.{64})\x81" + _BYTES_HEAD, re.DOTALL)
_RECORD_START = b"\x83\x58"  # a list of three, the first of them bytes, their length in the next byte
_HEADER_START = 3

_INDEXES = {codec.encode(index): index for index in range(limits.EVENTS_PER_ENTRY_MAX)}
_SEQ_MIN = {1: 1, 2: 24, 3: 2**8, 5: 2**16}  # the smallest that needs so many bytes; 0 is the first of a log
_TIME_MIN = 2**32  # shorter forms are for smaller numbers; the pattern bounds it by 2^53 - 1

_new = tuple.__new__  # a third of the time of calling the class


class OneEvent(NamedTuple):
    """A record of one event, taken apart; `header` holds the fields of `entry.Header` in their order."""

    header: tuple[int, bytes, bytes, bytes, int, bytes, int, int, bytes]
    header_bytes: bytes
    signature: bytes
    body: bytes


def annotation_create(data: bytes) -> AnnotationCreate | None:
    """The annotation of one object in the bytes of an event; None for anything else, well formed or not."""
    match = _ANNOTATION.match(data)
    if match is None:
        return None
    uuid, schema_id, schema_index, object_id, object_index, head = match.groups()
    schema_number, object_number = _INDEXES.get(schema_index), _INDEXES.get(object_index)
    body = data[match.end() :]
    if schema_number is None or object_number is None or head != _bytes_head(len(body)):
        return None
    schema: EventRef = _new(EventRef, (schema_id or b"", schema_number))
    target: EventRef = _new(EventRef, (object_id or b"", object_number))
    return _new(AnnotationCreate, (uuid, schema, (target,), body))


def record_of_one(record: bytes) -> OneEvent | None:
    """A record of one event that is here, not the first of its log; None for anything else, well formed or not.

    What is in the event is not looked at.
    """
    if len(record) <= _HEADER_START or not record.startswith(_RECORD_START):
        return None
    header_end = _HEADER_START + record[_HEADER_START - 1]
    match = _HEADER.fullmatch(record, _HEADER_START, header_end)
    after = _AFTER_HEADER.match(record, header_end)
    if match is None or after is None:
        return None
    dataset, author, log_id, seq_code, prev, time_bytes, events_hash = match.groups()
    signature, head = after.groups()
    seq = int.from_bytes(seq_code[1:] or seq_code, "big")
    time_ms = int.from_bytes(time_bytes, "big")
    body = record[after.end() :]
    if seq < _SEQ_MIN[len(seq_code)] or time_ms < _TIME_MIN or head != _bytes_head(len(body)):
        return None
    fields = (1, dataset, author, log_id, seq, prev, time_ms, 1, events_hash)
    return _new(OneEvent, (fields, record[_HEADER_START:header_end], signature, body))


def _bytes_head(length: int) -> bytes:
    """The shortest head of a byte string of that length; empty, which no head is, for a length beyond these shapes."""
    if length < 24:
        return bytes((0x40 + length,))
    if length < 2**8:
        return bytes((0x58, length))
    return b"\x59" + length.to_bytes(2, "big") if length < 2**16 else b""
