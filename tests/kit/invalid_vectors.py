"""The golden entries that every node must refuse, each for the one rule that it names.

`scripts/add_vectors.py` writes them to tests/vectors/entries/invalid. A case may be added; one that was committed never
changes. All are signed by the key that they name unless they say otherwise, so that nothing but the named fault is wrong.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Any

from gonk_node.core import edge_cases, limits
from gonk_node.core import events as ev
from gonk_node.core.codec import encode
from gonk_node.core.entry import SIGNATURE_DOMAIN
from gonk_node.core.event_codec import encode_event
from gonk_node.core.ids import hash_event, hash_event_list
from gonk_node.core.keys import Signer
from kit import reference_ed25519
from kit.authors import TestAuthor
from kit.raw_entries import (
    DATASET,
    GENESIS,
    OWNER,
    Draft,
    array,
    byte_string,
    draft,
    following,
    genesis_draft,
    head,
)
from kit.valid_vectors import FILE, HASH, HEADS, KEY, PINS, REF, UUID, Vector

_GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032 section 5.1
_ENTRY = draft()
_HEADER = _ENTRY.header_bytes
_SIGNATURE = _ENTRY.sign()
_PARTS = (byte_string(_HEADER), byte_string(_SIGNATURE), array(*_ENTRY.items))
_NAME = b"\x61a"
_KIND_99 = b"\x82\x18\x63"  # a list of two that begins with the kind 99
_LARGE = b"\x00" * limits.EVENT_BYTES_MAX
_REF = list(REF)
_A, _B = encode_event(ev.Profile("a")), encode_event(ev.Profile("b"))
_CREATE = ev.DatasetCreate("cells", "", 1, 1, ev.PUBLIC, (), 0, bytes(16))


def _hash_item(data: bytes) -> bytes:
    return array(byte_string(data))


def _small_order(number: int) -> Draft:
    return draft().change(author=edge_cases.SMALL_ORDER[number].author)


# --- V1 -------------------------------------------------------------------------------------------------------

_V1 = {
    "record-too-large": ("a record of 4 MiB and a byte", bytes(limits.ENTRY_BYTES_MAX + 1)),
    "event-too-large": (
        "an event of 1 MiB and a byte",
        draft(array(head(0, 99), byte_string(_LARGE[7:]))).record(),
    ),
}

# --- V2: CBOR. The event stands in a record that is right in all else. -------------------------------------------

_PROFILES = {  # spellings of [14, "a"]
    "kind-1-byte": b"\x82\x18\x0e" + _NAME,
    "kind-2-byte": b"\x82\x19\x00\x0e" + _NAME,
    "kind-4-byte": b"\x82\x1a\x00\x00\x00\x0e" + _NAME,
    "kind-8-byte": b"\x82\x1b" + bytes(7) + b"\x0e" + _NAME,
    "kind-bignum": b"\x82\xc2\x41\x0e" + _NAME,
    "kind-half-float": b"\x82\xf9\x4b\x00" + _NAME,
    "kind-double": b"\x82\xfb\x40\x2c" + bytes(6) + _NAME,
    "array-length-1-byte": b"\x98\x02\x0e" + _NAME,
    "array-length-8-byte": b"\x9b" + bytes(7) + b"\x02\x0e" + _NAME,
    "array-indefinite": b"\x9f\x0e" + _NAME + b"\xff",
    "text-length-1-byte": b"\x82\x0e\x78\x01a",
    "text-length-4-byte": b"\x82\x0e\x7a\x00\x00\x00\x01a",
    "text-indefinite": b"\x82\x0e\x7f" + _NAME + b"\xff",
    "text-as-bytes": b"\x82\x0e\x41a",
    "trailing-byte": b"\x82\x0e" + _NAME + b"\x00",
    "cut-short": b"\x82\x0e\x62a",
    "empty": b"",
    "self-described": b"\xd9\xd9\xf7\x82\x0e" + _NAME,
    "text-not-utf-8": b"\x82\x0e\x62\xc3\x28",
    "text-overlong-utf-8": b"\x82\x0e\x62\xc0\xaf",
    "text-lone-surrogate": b"\x82\x0e\x63\xed\xa0\x80",
    "text-beyond-unicode": b"\x82\x0e\x64\xf4\x90\x80\x80",
    "text-huge-length": b"\x82\x0e\x7b\x7f" + b"\xff" * 7 + b"a",
    "array-huge-length": b"\x9b" + b"\xff" * 8 + b"\x0e",
    "array-4-gi": b"\x9a\xff\xff\xff\xff\x0e" + _NAME,
    "map-instead": b"\xa1\x0e" + _NAME,
    "reserved-head": b"\x82\x0e\x1c",
    "break-alone": b"\x82\x0e\xff",
}
_UNKNOWN = {  # put into an event of kind 99, which may hold anything of the data model
    "float": b"\xf9\x3c\x00",
    "float-nan": b"\xf9\x7e\x00",
    "float-integral": b"\xfb\x3f\xf0" + bytes(6),
    "false": b"\xf4",
    "true": b"\xf5",
    "undefined": b"\xf7",
    "simple-0": b"\xe0",
    "simple-255": b"\xf8\xff",
    "simple-two-byte-null": b"\xf8\x16",
    "map-empty": b"\xa0",
    "map": b"\xa1\x61a\x01",
    "map-duplicate-keys": b"\xa2\x61a\x01\x61a\x02",
    "integer-2-53": head(0, 2**53),
    "integer-minus-2-53": head(1, 2**53 - 1),
    "integer-2-64-minus-1": head(0, 2**64 - 1),
    "integer-not-shortest": b"\x18\x17",
    "integer-9-bytes-zero": b"\x1b" + bytes(8),
    "bytes-indefinite": b"\x5f\x41a\xff",
    "bytes-length-not-shortest": b"\x58\x17" + bytes(23),
    "bytes-huge-length": b"\x5b\x00\x00\x00\x10" + bytes(4) + b"a",
    "lists-too-deep": b"\x81" * 5 + b"\x80",
    "lists-a-million-deep": b"\x81" * 1_000_000,
    **{f"tag-{tag}": head(6, tag) + b"\x61a" for tag in (0, 1, 21, 24, 30, 32, 37, 55799, 2**32)},
    "tag-2-bignum": b"\xc2\x41\x01",
    "tag-3-bignum": b"\xc3\x41\x01",
    "tag-4-decimal": b"\xc4\x82\x1a\x3b\x9a\xca\x00\x01",
    "tag-25-string-reference": b"\xd9\x01\x00\x82\x63abc\xd8\x19\x00",
    "tag-28-shared": b"\xd8\x1c\x80",
    "tag-28-29-cycle": b"\xd8\x1c\x81\xd8\x1d\x00",
    "tag-29-reference": b"\xd8\x1d\x00",
    "tag-256-string-space": b"\xd9\x01\x00\x80",
    "tag-258-set": b"\xd9\x01\x02\x80",
}
_RECORDS = {
    "trailing-byte": b"\x83" + b"".join(_PARTS) + b"\x00",
    "cut-short": b"\x83" + b"".join(_PARTS)[:-1],
    "array-length-not-shortest": b"\x98\x03" + b"".join(_PARTS),
    "array-indefinite": b"\x9f" + b"".join(_PARTS) + b"\xff",
    "tagged": b"\xd9\xd9\xf7" + array(*_PARTS),
    "empty": b"",
    "two-parts": array(*_PARTS[:2]),
    "four-parts": array(*_PARTS, b"\xf6"),
    "header-as-list": array(array(*_ENTRY.fields.values()), *_PARTS[1:]),
    "header-257-bytes": array(byte_string(bytes(257)), *_PARTS[1:]),
    "signature-63-bytes": array(_PARTS[0], byte_string(_SIGNATURE[:-1]), _PARTS[2]),
    "signature-65-bytes": array(_PARTS[0], byte_string(_SIGNATURE + b"\x00"), _PARTS[2]),
    "events-not-a-list": array(*_PARTS[:2], _ENTRY.items[0]),
    "event-as-list": array(*_PARTS[:2], array(b"\x82\x0e" + _NAME)),
    "event-as-text": array(*_PARTS[:2], array(b"\x61a")),
    "event-null": array(*_PARTS[:2], array(b"\xf6")),
    "hash-31-bytes": array(*_PARTS[:2], array(_hash_item(bytes(31)))),
    "hash-twice": array(*_PARTS[:2], array(array(byte_string(bytes(32)), byte_string(bytes(32))))),
    "4097-events": draft(*[_A] * 4097).record(),
    "too-many-items": array(*_PARTS[:2], head(4, 66_000) + b"\x80" * 66_000),
}
_HEADERS: dict[str, dict[str, Any]] = {
    "version-0": {"version": 0},
    "version-2": {"version": 2},
    "dataset-31-bytes": {"dataset": DATASET[:-1]},
    "dataset-null": {"dataset": None},
    "author-33-bytes": {"author": OWNER.author + b"\0"},
    "author-empty": {"author": b""},
    "log-id-7-bytes": {"log_id": bytes(7)},
    "log-id-as-integer": {"log_id": 1},
    "seq-negative": {"seq": -1},
    "seq-2-53": {"seq": 2**53},
    "seq-float": {"seq": 1.5},
    "seq-true": {"seq": True},
    "prev-31-bytes": {"prev": bytes(31)},
    "prev-null": {"prev": None},
    "prev-at-seq-0": {"seq": 0},
    "no-prev-at-seq-1": {"prev": b""},
    "genesis-at-seq-1": {"dataset": b""},
    "time-negative": {"time_ms": -1},
    "time-2-53": {"time_ms": 2**53},
    "time-bignum": {"time_ms": 2**64},
    "no-events": {"event_count": 0},
    "event-count-4097": {"event_count": 4097},
    "events-hash-empty": {"events_hash": b""},
    "events-hash-as-text": {"events_hash": "a" * 32},
}
_HEADER_BYTES = {
    "eight-fields": array(*list(_ENTRY.fields.values())[:-1]),
    "ten-fields": array(*_ENTRY.fields.values(), b"\xf6"),
    "trailing-byte": _HEADER + b"\x00",
    "map": b"\xa0",
    "array-length-not-shortest": b"\x98\x09" + _HEADER[1:],
    "seq-not-shortest": _ENTRY.change_encoding(seq=b"\x18\x01").header_bytes,
    "seq-tagged": _ENTRY.change_encoding(seq=b"\xc2\x41\x01").header_bytes,
}

# --- V2: fields of events ------------------------------------------------------------------------------------------

_PIN_LISTS = [[pin.log_id, pin.seq, pin.entry_id] for pin in PINS]
_HEAD_LISTS = [[item.author, item.log_id, item.seq, item.entry_id] for item in HEADS]
_FIELDS: dict[str, list[Any]] = {
    "none-not-even-a-kind": [],
    "kind-negative": [-1],
    "kind-2-53": [2**53],
    "kind-null": [None],
    "missing": [2, KEY, 1],
    "added": [2, KEY, 1, "Ben", None],
    "create-no-name": [0, "", "", 1, 1, 0, [], 0, bytes(16)],
    "create-rules-0": [0, "a", "", 0, 1, 0, [], 0, bytes(16)],
    "create-approvals-0": [0, "a", "", 1, 0, 0, [], 0, bytes(16)],
    "create-approvals-65": [0, "a", "", 1, 65, 0, [], 0, bytes(16)],
    "create-visibility-2": [0, "a", "", 1, 1, 2, [], 0, bytes(16)],
    "create-recovery-unsorted": [0, "a", "", 1, 1, 0, [b"\x02" * 32, b"\x01" * 32], 1, bytes(16)],
    "create-recovery-twice": [0, "a", "", 1, 1, 0, [b"\x01" * 32, b"\x01" * 32], 1, bytes(16)],
    "create-recovery-17": [0, "a", "", 1, 1, 0, [bytes([n]) * 32 for n in range(17)], 1, bytes(16)],
    "create-nonce-15-bytes": [0, "a", "", 1, 1, 0, [], 0, bytes(15)],
    "grant-key-31-bytes": [2, KEY[:-1], 1, "Ben"],
    "grant-role-3": [2, KEY, 3, "Ben"],
    "grant-role-text": [2, KEY, "owner", "Ben"],
    "revoke-pins-unsorted": [4, KEY, _PIN_LISTS[::-1], ""],
    "revoke-pins-same-log": [4, KEY, [_PIN_LISTS[0], [*_PIN_LISTS[0][:1], 9, HASH]], ""],
    "revoke-pin-of-two": [4, KEY, [_PIN_LISTS[0][:2]], ""],
    "revoke-pins-null": [4, KEY, None, ""],
    "replace-root-pins-unsorted": [1, KEY, KEY, _PIN_LISTS[::-1]],
    "object-uuid-15-bytes": [5, UUID[:-1], *FILE],
    "object-uuid-as-text": [5, "00010203-0405-0607-0809-0a0b0c0d0e0f", *FILE],
    "object-no-name": [5, UUID, "", *FILE[1:]],
    "object-name-with-line-feed": [5, UUID, "a\nb", *FILE[1:]],
    "object-name-with-delete": [5, UUID, "a\x7f", *FILE[1:]],
    "object-name-1025-bytes": [5, UUID, "é" * 512 + "e", *FILE[1:]],
    "object-no-media-type": [5, UUID, FILE[0], "", *FILE[2:]],
    "object-size-negative": [5, UUID, *FILE[:2], -1, *FILE[3:]],
    "object-size-beyond-256-gib": [5, UUID, *FILE[:2], limits.OBJECT_BYTES_MAX + 1, *FILE[3:]],
    "object-no-sha256": [5, UUID, *FILE[:4], b""],
    "annotation-no-objects": [7, UUID, _REF, [], b"{}"],
    "annotation-1025-objects": [7, UUID, _REF, [_REF] * 1025, b"{}"],
    "annotation-body-as-text": [7, UUID, _REF, [_REF], "{}"],
    "annotation-schema-null": [7, UUID, None, [_REF], b"{}"],
    "reference-of-one": [11, [DATASET]],
    "reference-of-three": [11, [DATASET, 0, 0]],
    "reference-31-bytes": [11, [DATASET[:-1], 0]],
    "reference-index-4096": [11, [DATASET, 4096]],
    "reference-index-negative": [11, [DATASET, -1]],
    "reference-null": [11, None],
    "schema-name-without-prefix": [9, "boxes", b"{}"],
    "schema-name-only-prefix": [9, "schema-", b"{}"],
    "schema-name-with-slash": [9, "schema-a/b", b"{}"],
    "schema-65537-bytes": [9, "schema-a", bytes(limits.SCHEMA_BYTES_MAX + 1)],
    "review-decision-0": [12, 0, [_REF], [], ""],
    "review-decision-3": [12, 3, [_REF], [], ""],
    "review-of-nothing": [12, 1, [], [], ""],
    "review-of-4097": [12, 1, [_REF] * 4097, [], ""],
    "review-comment-4097-bytes": [12, 1, [_REF], [], "x" * 4097],
    "release-no-tag": [13, "", "", _HEAD_LISTS, HASH, [1, 2, 3]],
    "release-no-heads": [13, "v1", "", [], HASH, [1, 2, 3]],
    "release-heads-unsorted": [13, "v1", "", _HEAD_LISTS[::-1], HASH, [1, 2, 3]],
    "release-head-twice": [13, "v1", "", [_HEAD_LISTS[0]] * 2, HASH, [1, 2, 3]],
    "release-two-counts": [13, "v1", "", _HEAD_LISTS, HASH, [1, 2]],
    "release-count-negative": [13, "v1", "", _HEAD_LISTS, HASH, [1, 2, -3]],
    "profile-empty": [14, ""],
    "profile-as-bytes": [14, b"Ann"],
    "redact-reason-null": [15, _REF, None],
}

# --- V3 to V7 ------------------------------------------------------------------------------------------------------

_S = int.from_bytes(_SIGNATURE[32:], "little")


def _odd_signature(r: int, torsion: bytes) -> bytes:
    """A signature that a lax verifier accepts: R is rB plus a point of small order."""
    seed = bytes(range(32))
    author = Signer.from_seed(seed).author
    secret = bytearray(sha512(seed).digest()[:32])  # the scalar of RFC 8032 section 5.1.5
    secret[0] &= 248
    secret[31] = secret[31] & 127 | 64
    point = reference_ed25519.multiply(r, reference_ed25519.BASE)
    small = reference_ed25519.decode(torsion)
    assert small is not None
    encoded = reference_ed25519.encode(reference_ed25519.add(point, small))
    message = SIGNATURE_DOMAIN + _ODD.header_bytes
    h = int.from_bytes(sha512(encoded + author + message).digest(), "little")
    return encoded + ((r + h * int.from_bytes(secret, "little")) % _GROUP_ORDER).to_bytes(32, "little")


_ODD = draft().change(author=Signer.from_seed(bytes(range(32))).author)
_NEUTRAL = b"\x01" + bytes(31)
_ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
_V3 = {
    **{f"small-order-{number}": _small_order(number) for number in range(len(edge_cases.SMALL_ORDER))},
    "mixed-order": draft().change(author=edge_cases.HONEST_AND_TWINS[-1].author),
    "off-the-curve": draft().change(author=(2).to_bytes(32, "little")),
    "not-canonical": draft().change(author=(2**255 - 19 + 3).to_bytes(32, "little")),
}
_V4 = {
    "bit-flipped": bytes([_SIGNATURE[0] ^ 1]) + _SIGNATURE[1:],
    "zeros": bytes(64),
    "s-plus-l": _SIGNATURE[:32] + (_S + _GROUP_ORDER).to_bytes(32, "little"),
    "of-another-author": TestAuthor("Ben").signer.sign(SIGNATURE_DOMAIN + _HEADER),
    "of-another-entry": GENESIS.signature,
    "without-domain": OWNER.signer.sign(_HEADER),
    "domain-of-version-2": OWNER.signer.sign(b"gonk-node/entry/2\0" + _HEADER),
    "over-the-id": OWNER.signer.sign(SIGNATURE_DOMAIN + DATASET),
}
_ODD_SIGNATURES = {"r-neutral": (0, _NEUTRAL), "r-small-order": (0, _ORDER_8), "r-mixed-order": (12345, _ORDER_8)}
_TWO = draft(_A, _B)
_ITEMS = {
    "event-changed": (byte_string(_A), byte_string(encode_event(ev.Profile("c")))),
    "events-swapped": (byte_string(_B), byte_string(_A)),
    "event-missing": (byte_string(_A),),
    "events-missing": (),
    "event-added": (byte_string(_A), byte_string(_B), byte_string(_B)),
    "withheld-hash-wrong": (byte_string(_A), _hash_item(bytes(32))),
    "withheld-plain-bytes": (byte_string(_A), _hash_item((_B * 11)[:32])),
}
_V5_HEADERS: dict[str, dict[str, Any]] = {
    "count-too-low": {"event_count": 1},
    "count-too-high": {"event_count": 3},
    "hash-of-other-events": {"events_hash": bytes(32)},
    "hash-over-bodies": {"events_hash": hash_event_list(_A + _B)},
    "hash-with-the-context-of-events": {"events_hash": hash_event(hash_event(_A) + hash_event(_B))},
}
_ELSEWHERE = TestAuthor("elsewhere").genesis()
_V6 = {
    "other-dataset": (draft().change(dataset=_ELSEWHERE.entry_id).record(), DATASET),
    "other-genesis": (_ELSEWHERE.record, DATASET),
    "genesis-without-dataset-create": (genesis_draft(ev.Profile("Ann")).record(), None),
    "genesis-with-dataset-create-second": (genesis_draft(ev.Profile("Ann"), _CREATE).record(), None),
    "genesis-with-dataset-create-withheld": (genesis_draft(_CREATE).withhold(0).record(), None),
}
_SECOND = OWNER.sign(GENESIS, [ev.Profile("second")])
_NEXT = following(_SECOND.header, _SECOND.entry_id, author=OWNER)
_V7 = {
    "seq-gap": _NEXT.change(seq=3),
    "seq-repeated": _NEXT.change(seq=1),
    "time-equal": _NEXT.change(time_ms=_SECOND.header.time_ms),
    "time-earlier": _NEXT.change(time_ms=0),
    "other-log": _NEXT.change(log_id=bytes(8)),
    "other-author": following(_SECOND.header, _SECOND.entry_id, author=TestAuthor("Ben")).change(log_id=OWNER.log_id),
}


_V2: dict[str, tuple[str, dict[str, bytes]]] = {  # what is wrong in general, then the records
    "event": ('the event [14, "a"], spelled wrongly', {n: draft(body).record() for n, body in _PROFILES.items()}),
    "cbor": ("in an event of an unknown kind", {n: draft(_KIND_99 + x).record() for n, x in _UNKNOWN.items()}),
    "field": ("fields of an event", {n: draft(encode(fields)).record() for n, fields in _FIELDS.items()}),
    "record": ("record", _RECORDS),
    "header": (
        "header",
        {name: draft().change(**values).record() for name, values in _HEADERS.items()}
        | {name: draft().record(header_bytes=data) for name, data in _HEADER_BYTES.items()},
    ),
    "items": ("an event", {"65537": draft(array(head(0, 99), *[b"\x80"] * 65_535)).record()}),
}


def _v2() -> dict[str, Vector]:
    return {
        f"v2-{group}-{name}": Vector(f"{what}: {_words(name)}", record, rule="V2")
        for group, (what, records) in _V2.items()
        for name, record in records.items()
    }


def _others() -> dict[str, Vector]:
    vectors = {f"v1-{name}": Vector(what, record, rule="V1") for name, (what, record) in _V1.items()}
    for name, entry in _V3.items():
        vectors[f"v3-{name}"] = Vector(f"author: {_words(name)}", entry.record(), rule="V3")
    for name, signature in _V4.items():
        vectors[f"v4-{name}"] = Vector(f"signature: {_words(name)}", _ENTRY.record(signature=signature), rule="V4")
    for name, (r, small) in _ODD_SIGNATURES.items():
        record = _ODD.record(signature=_odd_signature(r, small))
        vectors[f"v4-{name}"] = Vector(f"signature by its own author: {_words(name)}", record, rule="V4")
    for name, items in _ITEMS.items():
        vectors[f"v5-{name}"] = Vector(f"events: {_words(name)}", _TWO.with_items(*items).record(), rule="V5")
    for name, values in _V5_HEADERS.items():
        vectors[f"v5-{name}"] = Vector(f"header: {_words(name)}", _TWO.change(**values).record(), rule="V5")
    for name, (record, dataset) in _V6.items():
        vectors[f"v6-{name}"] = Vector(f"dataset: {_words(name)}", record, dataset, rule="V6")
    for name, entry in _V7.items():
        what = f"after the second entry of a log: {_words(name)}"
        vectors[f"v7-{name}"] = Vector(what, entry.record(), prev=_SECOND.header, rule="V7")
    return vectors


def _words(name: str) -> str:
    return name.replace("-", " ")


def invalid() -> dict[str, Vector]:
    """Every golden entry that must be refused, by the name of its file."""
    return _v2() | _others()
