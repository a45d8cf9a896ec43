"""V2: records, headers and events are strict CBOR of exact shape, types, lengths and ranges."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

from gonk_node.core import limits
from gonk_node.core.event_codec import KINDS
from gonk_node.core.events import Profile
from gonk_node.core.ids import hash_event
from kit.raw_entries import GENESIS, array, byte_string, draft, genesis_draft, head
from kit.verdicts import accepted, broken_rule

# One value of the data model in spellings that a lax decoder takes for it.
LAX_SPELLINGS = {
    "1-byte length for a short text": b"\x82\x0e\x78\x01a",
    "2-byte length": b"\x82\x0e\x79\x00\x01a",
    "4-byte length": b"\x82\x0e\x7a\x00\x00\x00\x01a",
    "8-byte length": b"\x82\x0e\x7b" + bytes(7) + b"\x01a",
    "1-byte kind": b"\x82\x18\x0e\x61a",
    "2-byte kind": b"\x82\x19\x00\x0e\x61a",
    "8-byte kind": b"\x82\x1b" + bytes(7) + b"\x0e\x61a",
    "1-byte array length": b"\x98\x02\x0e\x61a",
    "4-byte array length": b"\x9a\x00\x00\x00\x02\x0e\x61a",
    "indefinite array": b"\x9f\x0e\x61a\xff",
    "indefinite text": b"\x82\x0e\x7f\x61a\xff",
    "tagged text": b"\x82\x0e\xd8\x20\x61a",
    "self-described CBOR": b"\xd9\xd9\xf7\x82\x0e\x61a",
    "encoded CBOR item": b"\xd8\x18\x44\x82\x0e\x61a",
    "kind as bignum": b"\x82\xc2\x41\x0e\x61a",
    "kind as float": b"\x82\xf9\x4b\x00\x61a",
    "trailing byte": b"\x82\x0e\x61a\x00",
    "trailing copy": b"\x82\x0e\x61a\x82\x0e\x61a",
    "cut short": b"\x82\x0e\x61",
    "empty": b"",
}


def test_v2_the_strict_spelling_is_accepted() -> None:
    assert accepted(draft(b"\x82\x0e\x61a").record()).events() == [Profile("a")]


@pytest.mark.parametrize("body", LAX_SPELLINGS.values(), ids=LAX_SPELLINGS)
def test_v2_an_event_has_one_spelling(body: bytes) -> None:
    assert broken_rule(draft(body).record()) == "V2"


@pytest.mark.parametrize("tag", [0, 1, 2, 3, 4, 5, 21, 24, 25, 28, 29, 30, 32, 256, 258, 55799, 2**32])
def test_v2_tags_are_refused_in_known_and_unknown_kinds(tag: int) -> None:
    for content in (b"\x61a", b"\x41a", b"\x00", b"\x81\x00"):
        assert broken_rule(draft(b"\x82\x0e" + head(6, tag) + content).record()) == "V2"
        assert broken_rule(draft(b"\x82\x18\x63" + head(6, tag) + content).record()) == "V2"


@pytest.mark.parametrize(
    "item",
    [
        *(b"\xf4", b"\xf5", b"\xf7", b"\xe0", b"\xf8\xff"),  # booleans, undefined, simple values
        *(b"\xf9\x3c\x00", b"\xf9\x7e\x00", b"\xfb" + bytes(8)),  # floats
        *(b"\xa0", b"\xa1\x61a\x01"),  # maps
        *(head(0, 2**53), head(1, 2**53 - 1), head(0, 2**64 - 1), head(1, 2**64 - 1), b"\x18\x17"),  # integers
        *(b"\x61\xff", b"\x63\xed\xa0\x80", b"\x62\xc0\x80", b"\x64\xf4\x90\x80\x80"),  # text
        *(b"\x9f\xff", b"\xff", b"\x1c"),
    ],
    ids=bytes.hex,
)
def test_v2_an_unknown_kind_holds_nothing_outside_the_data_model(item: bytes) -> None:
    assert broken_rule(draft(b"\x82\x18\x63" + item).record()) == "V2"
    assert broken_rule(draft(b"\x82\x18\x63\x81\x81" + item).record()) == "V2"


def test_v2_an_unknown_kind_may_hold_all_of_the_data_model() -> None:
    fields = [99, 2**53 - 1, -(2**53 - 1), b"", b"x" * 300, "é\0", None, [[[[["deep"]]]]]]
    accepted(draft(cbor2.dumps(fields)).record())
    accepted(draft(cbor2.dumps([len(KINDS)])).record())
    accepted(draft(cbor2.dumps([2**53 - 1])).record())


def test_v2_depth_counts_empty_lists_too() -> None:
    depth = limits.CBOR_DEPTH_MAX
    accepted(draft(b"\x82\x18\x63" + b"\x81" * (depth - 2) + b"\x80").record())
    assert broken_rule(draft(b"\x82\x18\x63" + b"\x81" * (depth - 1) + b"\x80").record()) == "V2"


def test_v2_an_event_has_at_most_65_536_items() -> None:
    for items, rule in ((limits.CBOR_ITEMS_MAX, None), (limits.CBOR_ITEMS_MAX + 1, "V2")):
        body = array(head(0, 99), *[b"\x80"] * (items - 2))
        assert broken_rule(draft(body).record()) == rule


@pytest.mark.parametrize("length", [0, 1, 2, 4], ids="{} parts".format)
def test_v2_a_record_has_three_parts(length: int) -> None:
    entry = draft()
    parts = [byte_string(entry.header_bytes), byte_string(entry.sign()), array(*entry.items), b"\xf6"]
    assert broken_rule(array(*parts[:length])) == "V2"


WRONG_PARTS = {
    "header as list": (0, array(*draft().fields.values())),
    "header as text": (0, b"\x60"),
    "header of 257 bytes": (0, byte_string(bytes(257))),
    "empty header": (0, b"\x40"),
    "header null": (0, b"\xf6"),
    "signature of 63 bytes": (1, byte_string(bytes(63))),
    "signature of 65 bytes": (1, byte_string(bytes(65))),
    "signature empty": (1, b"\x40"),
    "signature as list": (1, array(*[b"\x00"] * 64)),
    "events as bytes": (2, byte_string(draft().items[0])),
    "events null": (2, b"\xf6"),
    "events as map": (2, b"\xa0"),
    "event as text": (2, array(b"\x60")),
    "event null": (2, array(b"\xf6")),
    "event as integer": (2, array(b"\x00")),
    "event as list": (2, array(array(b"\x0e", b"\x61a"))),
    "hash of 31 bytes": (2, array(array(byte_string(bytes(31))))),
    "hash of 33 bytes": (2, array(array(byte_string(bytes(33))))),
    "two hashes": (2, array(array(byte_string(bytes(32)), byte_string(bytes(32))))),
    "no hash": (2, array(b"\x80")),
    "hash in two lists": (2, array(array(array(byte_string(bytes(32)))))),
    "4097 events": (2, array(*[byte_string(b"\x82\x0e\x61a")] * 4097)),
}


@pytest.mark.parametrize(("place", "part"), WRONG_PARTS.values(), ids=WRONG_PARTS)
def test_v2_each_part_of_a_record_has_its_type(place: int, part: bytes) -> None:
    entry = draft()
    parts = [byte_string(entry.header_bytes), byte_string(entry.sign()), array(*entry.items)]
    parts[place] = part
    assert broken_rule(array(*parts)) == "V2"


def test_v2_a_record_has_one_spelling() -> None:
    record = draft().record()
    assert broken_rule(record) is None
    assert broken_rule(record + b"\x00") == "V2"
    assert broken_rule(record[:-1]) == "V2"
    assert broken_rule(b"\x98\x03" + record[1:]) == "V2"
    assert broken_rule(b"\x9f" + record[1:] + b"\xff") == "V2"
    assert broken_rule(b"\xd9\xd9\xf7" + record) == "V2"
    assert broken_rule(b"") == "V2"


WRONG_HEADER_FIELDS: list[tuple[str, Any]] = [
    ("version", 0),
    ("version", 2),
    ("version", "1"),
    ("dataset", bytes(31)),
    ("dataset", bytes(33)),
    ("dataset", None),
    ("dataset", "a" * 32),
    ("author", bytes(31)),
    ("author", bytes(33)),
    ("author", b""),
    ("log_id", bytes(7)),
    ("log_id", bytes(9)),
    ("log_id", 5),
    ("seq", -1),
    ("seq", 2**53),
    ("seq", 1.0),
    ("seq", True),
    ("seq", None),
    ("prev", bytes(31)),
    ("prev", None),
    ("time_ms", -1),
    ("time_ms", 2**53),
    ("time_ms", 1.7e12),
    ("time_ms", 2**64),
    ("event_count", 0),
    ("event_count", -1),
    ("event_count", 4097),
    ("event_count", None),
    ("events_hash", bytes(31)),
    ("events_hash", b""),
    ("events_hash", "a" * 32),
]


@pytest.mark.parametrize(("field", "value"), WRONG_HEADER_FIELDS, ids=str)
def test_v2_each_header_field_has_its_type_and_range(field: str, value: Any) -> None:
    assert broken_rule(draft().change(**{field: value}).record()) == "V2"


def test_v2_a_header_has_nine_fields_in_one_spelling() -> None:
    entry = draft()
    fields = list(entry.fields.values())
    for header in (
        array(*fields[:-1]),
        array(*fields, b"\xf6"),
        array(),
        b"\xa0",
        b"\x01",
        entry.header_bytes + b"\x00",
        entry.header_bytes[:-1],
        b"\x98\x09" + entry.header_bytes[1:],
        b"\x9f" + entry.header_bytes[1:] + b"\xff",
    ):
        assert broken_rule(entry.record(header_bytes=header)) == "V2"
    for spelling in (b"\x18\x01", b"\x19\x00\x01", b"\xc2\x41\x01", b"\xf9\x3c\x00", b"\xf5"):
        assert broken_rule(entry.change_encoding(seq=spelling).record()) == "V2"


def test_v2_prev_is_empty_at_seq_0_and_only_there() -> None:
    assert broken_rule(draft(seq=0).record()) is None
    assert broken_rule(draft(seq=0).change(prev=bytes(32)).record()) == "V2"
    assert broken_rule(draft(seq=1).change(prev=b"").record()) == "V2"
    assert broken_rule(draft(seq=1).change(seq=0).record()) == "V2"


def test_v2_only_an_entry_at_seq_0_has_no_dataset() -> None:
    assert broken_rule(draft(seq=1).change(dataset=b"").record(), dataset=None) == "V2"
    assert broken_rule(genesis_draft(GENESIS.bodies[0] or b"").record(), dataset=None) is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_v2_no_kind_is_empty_and_no_field_of_it_is_optional(kind: Any) -> None:
    for count in (0, len(kind.checks) - 1, len(kind.checks) + 1):
        assert broken_rule(draft(cbor2.dumps([kind.number, *[None] * count])).record()) == "V2"


@pytest.mark.parametrize("body", [b"\x80", b"\x00", b"\x60", b"\xf6", b"\x81\x20", b"\x81\xf6", b"\xa1\x61a\x00"])
def test_v2_an_event_is_a_list_that_begins_with_its_kind(body: bytes) -> None:
    assert broken_rule(draft(body).record()) == "V2"


def test_v2_a_withheld_body_is_not_looked_at() -> None:
    entry = draft(b"not even CBOR", Profile("Ann"))
    assert broken_rule(entry.record()) == "V2"
    withheld = accepted(entry.withhold(0).record())
    assert withheld.events() == [None, Profile("Ann")]
    assert withheld.withheld == {0: hash_event(b"not even CBOR")}
