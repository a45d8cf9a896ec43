"""Rules V1 to V7 a second time, from the text of docs/spec sections 2 to 5, the field tables of section 4 included.

It shares no code with `gonk_node`: its own CBOR, its own Ed25519, the tables as the page has them. An oracle for tests.
"""

from __future__ import annotations

from typing import Any

from blake3 import blake3

from kit import reference_ed25519, spec_tables, strict_cbor

_HEADER_TYPES = ("integer 1..1", "", "bytes 32", "bytes 8", "integer", "", "integer", "integer 1..4096", "bytes 32")


class BrokenRuleError(Exception):
    """The entry breaks a rule; the argument is its number."""


def _hash(context: str, data: bytes) -> bytes:
    return blake3(data, derive_key_context=f"gonk-node 2026 v1 {context}").digest()


def entry_id(header_bytes: bytes) -> bytes:
    """The id of an entry."""
    return _hash("entry header", header_bytes)


def event_hash(body: bytes) -> bytes:
    """The hash of an event."""
    return _hash("event", body)


def verify(record: bytes, dataset: bytes | None, prev: list[Any] | None) -> bytes:
    """The id of an entry that passes; `BrokenRuleError` with the number of the first rule that it breaks.

    Args:
        record: bytes as received.
        dataset: the dataset that it is offered to, None for any.
        prev: the nine values of the header of the entry before it; None leaves out V7.
    """
    _require("V1", len(record) <= 4_194_304)
    try:
        header_bytes, signature, items = _shape(record)
        header = _header(header_bytes)
        _require("V1", all(isinstance(item, list) or len(item) <= 1_048_576 for item in items))
        events = [None if isinstance(item, list) else _event(item) for item in items]
    except strict_cbor.RefusedError:
        raise BrokenRuleError("V2") from None
    _, of, author, log_id, seq, _, time_ms, count, events_hash = header
    _require("V3", reference_ed25519.is_valid_author(author))
    _require("V4", reference_ed25519.verify(author, b"gonk-node/entry/1\0" + header_bytes, signature))
    hashes = [item[0] if isinstance(item, list) else event_hash(item) for item in items]
    _require("V5", len(items) == count and _hash("event list", b"".join(hashes)) == events_hash)
    _require("V6", dataset is None or (of or entry_id(header_bytes)) == dataset)
    _require("V6", of != b"" or (events[0] is not None and events[0][0] == 0))
    if prev is not None:
        _require("V7", (author, log_id, seq - 1) == (prev[2], prev[3], prev[4]) and time_ms > prev[6])
    return entry_id(header_bytes)


def event_is_well_formed(body: bytes) -> bool:
    """Whether the bytes of one event pass V2."""
    try:
        return bool(_event(body))
    except strict_cbor.RefusedError:
        return False


def _require(rule: str, holds: bool) -> None:
    if not holds:
        raise BrokenRuleError(rule)


def _well_formed(holds: bool) -> None:
    if not holds:
        raise strict_cbor.RefusedError


def _shape(record: bytes) -> tuple[bytes, bytes, list[Any]]:
    parts: Any = strict_cbor.decode(record)
    _well_formed(type(parts) is list and len(parts) == 3)
    header_bytes, signature, items = parts
    _well_formed(spec_tables.fits("bytes 0..256", header_bytes) and spec_tables.fits("bytes 64", signature))
    _well_formed(type(items) is list and len(items) <= 4096)
    for item in items:
        _well_formed(type(item) is bytes or spec_tables.fits("list 1..1 of bytes 32", item))
    return header_bytes, signature, items


def _header(data: bytes) -> list[Any]:
    fields: Any = strict_cbor.decode(data)
    _well_formed(type(fields) is list and len(fields) == len(_HEADER_TYPES))
    for type_, value in zip(_HEADER_TYPES, fields, strict=True):
        _well_formed(spec_tables.fits(type_, value) if type_ else type(value) is bytes and len(value) in (0, 32))
    _well_formed((fields[4] == 0) == (fields[5] == b"") and (fields[1] != b"" or fields[4] == 0))
    return list(fields)


def _event(body: bytes) -> list[Any]:
    fields: Any = strict_cbor.decode(body)
    _well_formed(type(fields) is list and len(fields) > 0 and spec_tables.fits("integer", fields[0]))
    known = {kind.number: kind for kind in spec_tables.kinds()}.get(fields[0])
    if known is not None:
        _well_formed(len(fields) == len(known.fields) + 1)
        for (_, type_), value in zip(known.fields, fields[1:], strict=True):
            _well_formed(spec_tables.fits(type_, value))
    return list(fields)
