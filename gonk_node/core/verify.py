"""The verification rules V1 to V7 (spec section 5): what is true of an entry's bytes, for ever and on every node.

Each rule is a function; `verify_entry` runs V1 to V6 in order, and V7 needs the entry before it. Who may do what is not
judged here, and neither is whether what an event refers to is held: that would make a verdict depend on arrival.
"""

from __future__ import annotations

from gonk_node.core import limits
from gonk_node.core.codec import CodecError
from gonk_node.core.entry import Entry, Header, decode_record, signed_bytes
from gonk_node.core.events import DatasetCreate
from gonk_node.core.ids import hash_event_list
from gonk_node.core.keys import is_valid_author, verify_signature
from gonk_node.errors import InvalidEntryError


def verify_entry(record: bytes, dataset: bytes | None, *, signed: bool = False) -> Entry:
    """Decode a record and verify everything that can be told from it alone.

    Args:
        record: the bytes as received.
        dataset: the id of the dataset that it must belong to; None takes any (the genesis of a clone).
        signed: `is_signed` said so of these very bytes already.

    Returns:
        The entry, its events decoded.

    Raises:
        InvalidEntryError: the first rule that it breaks, in the order V1 to V6.
    """
    check_size(record)
    entry = check_encoding(record)
    check_author(entry)
    if not signed:
        check_signature(entry)
    check_events_hash(entry)
    check_dataset(entry, dataset)
    return entry


def is_signed(record: bytes) -> bool:
    """Whether a record can be taken apart and keeps V4: the dear part of `verify_entry`, for doing it ahead."""
    try:
        entry = decode_record(record)
    except CodecError:
        return False
    return _signature_fits(entry)


def place(entry: Entry) -> str:
    """Where an error happened, for people: which author, log and seq the entry claims."""
    header = entry.header
    return f"entry {entry.entry_id.hex()[:12]} (author {header.author.hex()[:8]}, seq {header.seq})"


def check_size(record: bytes) -> None:
    """V1: a record is at most 4 MiB; the bounds inside it are checked as it is decoded."""
    if len(record) > limits.ENTRY_BYTES_MAX:
        raise InvalidEntryError(
            "V1", f"an entry of {len(record)} bytes; at most {limits.ENTRY_BYTES_MAX} are allowed", where="a record"
        )


def check_encoding(record: bytes) -> Entry:
    """V1 and V2: strict CBOR, exact types, lengths and ranges, in the record, its header and each event."""
    try:
        entry = decode_record(record)
    except CodecError as error:
        raise InvalidEntryError("V2", str(error), where="a record") from None
    for index, body in enumerate(entry.bodies):
        if body is not None and len(body) > limits.EVENT_BYTES_MAX:
            raise InvalidEntryError(
                "V1",
                f"event {index} has {len(body)} bytes; at most {limits.EVENT_BYTES_MAX} are allowed",
                where=place(entry),
            )
    try:
        entry.events()
    except CodecError as error:
        raise InvalidEntryError("V2", f"an event is malformed: {error}", where=place(entry)) from None
    return entry


def check_author(entry: Entry) -> None:
    """V3: the author is a point of prime order in canonical form (small-order keys verify forgeries)."""
    if not is_valid_author(entry.header.author):
        raise InvalidEntryError("V3", "the author is no valid Ed25519 key", where=place(entry))


def check_signature(entry: Entry) -> None:
    """V4: libsodium's verification, over the domain string and the header as received."""
    if not _signature_fits(entry):
        raise InvalidEntryError("V4", "the signature does not fit the header", where=place(entry))


def _signature_fits(entry: Entry) -> bool:
    return verify_signature(entry.header.author, signed_bytes(entry.header_bytes), entry.signature)


def check_events_hash(entry: Entry) -> None:
    """V5: the header names the events that came: their count, and the hash of their hashes."""
    if entry.header.event_count != len(entry.bodies):
        raise InvalidEntryError(
            "V5", f"{len(entry.bodies)} events where the header says {entry.header.event_count}", where=place(entry)
        )
    if hash_event_list(b"".join(entry.event_hashes())) != entry.header.events_hash:
        raise InvalidEntryError("V5", "the events are not those that were signed", where=place(entry))


def check_dataset(entry: Entry, dataset: bytes | None) -> None:
    """V6: it belongs to this dataset; a genesis begins with dataset.create, held in the clear."""
    if dataset is not None and entry.dataset != dataset:
        raise InvalidEntryError(
            "V6", f"it belongs to dataset {entry.dataset.hex()[:12]}, not {dataset.hex()[:12]}", where=place(entry)
        )
    if entry.header.dataset == b"" and not isinstance(entry.events()[0], DatasetCreate):
        raise InvalidEntryError("V6", "a genesis must begin with dataset.create", where=place(entry))


def check_chain(entry: Entry, prev: Header | None) -> None:
    """V7: it follows `prev`, the header of the entry that it names: same log, next seq, a later time.

    Args:
        entry: an entry that passed V1 to V6.
        prev: the header of the held entry whose id is `entry.header.prev`; None for an entry at seq 0.
    """
    header = entry.header
    if prev is None:
        return
    if (header.author, header.log_id) != (prev.author, prev.log_id):
        raise InvalidEntryError("V7", "the entry before it is of another log", where=place(entry))
    if header.seq != prev.seq + 1:
        raise InvalidEntryError("V7", f"it follows seq {prev.seq}", where=place(entry))
    if header.time_ms <= prev.time_ms:
        raise InvalidEntryError("V7", "its time is not later than that of the entry before it", where=place(entry))
