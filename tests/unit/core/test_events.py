"""Events become bytes and come back; what is malformed is refused with the field named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.core import codec, limits
from gonk_node.core import events as ev
from gonk_node.core.codec import CodecError
from gonk_node.core.event_codec import KINDS, decode_event, decode_stored_event, encode_event, kind_name
from gonk_node.core.ids import EventRef
from kit import strategies, strict_cbor

REF = EventRef(bytes(32), 0)


@given(strategies.events)
def test_an_event_survives_its_bytes(event: ev.Event) -> None:
    data = encode_event(event)
    decoded = decode_event(data)
    assert decoded == event
    assert type(decoded) is type(event)
    assert decode_stored_event(data) == event
    assert encode_event(decoded) == data


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(data=st.data())
def test_every_kind_survives_its_bytes(kind: Any, data: st.DataObject) -> None:
    event = data.draw(strategies.events_of(kind.make))
    encoded = encode_event(event)
    assert decode_event(encoded) == event
    assert kind_name(event) == kind.name
    assert strict_cbor.decode(encoded) == codec.decode(encoded)


@given(strategies.events, st.data())
def test_a_changed_byte_gives_another_event_or_a_codec_error(event: ev.Event, data: st.DataObject) -> None:
    mutant = bytearray(encode_event(event))
    place = data.draw(st.integers(0, len(mutant) - 1))
    mutant[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    try:
        decoded = decode_event(bytes(mutant))
    except CodecError:
        return
    assert encode_event(decoded) == bytes(mutant)


def test_kinds_are_numbered_by_their_place_in_the_table() -> None:
    assert [kind.number for kind in KINDS] == list(range(len(KINDS)))
    assert len({kind.name for kind in KINDS}) == len({kind.make for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert len(kind.checks) == len(kind.make._fields)  # type: ignore[attr-defined]


@given(strategies.known_events, st.data())
def test_a_field_more_or_less_is_refused(event: Any, data: st.DataObject) -> None:
    fields = codec.decode(encode_event(event))
    for wrong in (fields[:-1], [*fields, None], [*fields, fields[-1]]):
        with pytest.raises(CodecError, match=f"{kind_name(event)} must have"):
            decode_event(codec.encode(wrong))


@given(strategies.known_events, st.data())
def test_a_field_of_another_type_is_refused(event: Any, data: st.DataObject) -> None:
    fields = codec.decode(encode_event(event))
    place = data.draw(st.integers(1, len(fields) - 1))
    for wrong in (None, {}, True, 1.5, -1, 2**53, [[]], [None]):
        with pytest.raises(CodecError):
            decode_event(codec.encode([*fields[:place], wrong, *fields[place + 1 :]]))


@pytest.mark.parametrize("data", [b"\x80", b"\x00", b"\x40", b"\xf6", b"\x81\x20", b"\x81\x40", b"\x81\xf6", b""])
def test_an_event_must_be_a_list_that_begins_with_its_kind(data: bytes) -> None:
    with pytest.raises(CodecError):
        decode_event(data)


def test_an_unknown_kind_is_kept_as_it_came_and_named_by_its_number() -> None:
    data = codec.encode([len(KINDS), b"x", [None, -5], "text"])
    event = decode_event(data)
    assert event == ev.UnknownEvent(len(KINDS), data)
    assert kind_name(event) == f"unknown.{len(KINDS)}"


@pytest.mark.parametrize("kind", [-1, 2**53, 1.0, "0", None, True])
def test_a_kind_must_be_an_integer_of_the_format(kind: object) -> None:
    with pytest.raises(CodecError):
        decode_event(codec.encode([kind]))


@pytest.mark.parametrize("character", [*map(chr, range(0x20)), "\x7f"])
def test_names_hold_no_control_characters(character: str) -> None:
    with pytest.raises(CodecError, match="control character"):
        encode_event(ev.Profile(f"a{character}b"))


def test_comments_may_have_lines() -> None:
    event = ev.Redact(REF, "first\nsecond\ttab")
    assert decode_event(encode_event(event)) == event


def test_length_of_text_counts_in_bytes_of_utf_8() -> None:
    longest = "é" * (limits.NAME_BYTES_MAX // 2)
    assert decode_event(encode_event(ev.Profile(longest))) == ev.Profile(longest)
    with pytest.raises(CodecError, match="longer than 1024 bytes"):
        encode_event(ev.Profile(longest + "e"))


@pytest.mark.parametrize("name", ["schema-", "schema", "Schema-a", "a", "", "schema-a/b", "schema-a\n", " schema-a"])
def test_a_schema_is_named_with_its_prefix(name: str) -> None:
    with pytest.raises(CodecError):
        encode_event(ev.SchemaCreate(name, b""))


def test_lone_surrogates_cannot_be_encoded() -> None:
    with pytest.raises(CodecError, match="lone surrogates"):
        encode_event(ev.Profile("\ud800"))
    with pytest.raises(CodecError):
        decode_event(b"\x82\x0e\x63\xed\xa0\x80")
