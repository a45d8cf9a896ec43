"""The strict codec: one encoding a value, a few types only, and nothing hostile costs memory or hangs."""

from __future__ import annotations

import gc
import random
import tracemalloc

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gonk_node.core import codec, limits
from gonk_node.core.codec import CodecError
from kit import strict_cbor
from kit.raw_entries import array, byte_string, head
from kit.strategies import plain_values

TAG_CONTENTS = (b"\x00", b"\x40", b"\x60", b"\x80", b"\x82\x00\x01", b"\xa0", b"\xc0\x00", b"\xf6")


def decode_plain(data: bytes) -> object:
    """What an unknown kind of event goes through."""
    value = codec.decode(data)
    codec.check_plain(value)
    return value


def verdict(data: bytes) -> object:
    try:
        return decode_plain(data)
    except CodecError:
        return CodecError


def expected_verdict(data: bytes) -> object:
    try:
        return strict_cbor.decode(data)
    except strict_cbor.RefusedError:
        return CodecError


@given(plain_values)
def test_a_value_survives_and_has_one_encoding(value: object) -> None:
    data = codec.encode(value)
    assert decode_plain(data) == value
    assert codec.encode(decode_plain(data)) == data
    assert codec.decode_stored(data) == value


@settings(max_examples=500)
@given(st.binary(max_size=40))
@example(b"\x81" * 6 + b"\x80")
@example(b"\x81" * 5 + b"\x80")
@example(b"\xf9\x7e\x00")
@example(b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff")
def test_random_bytes_get_the_verdict_of_a_second_decoder(data: bytes) -> None:
    assert verdict(data) == expected_verdict(data)


@settings(max_examples=500)
@given(plain_values, st.data())
def test_a_changed_byte_gets_the_verdict_of_a_second_decoder(value: object, data: st.DataObject) -> None:
    mutant = bytearray(codec.encode(value))
    place = data.draw(st.integers(0, len(mutant) - 1))
    mutant[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    assert verdict(bytes(mutant)) == expected_verdict(bytes(mutant))


def test_every_initial_byte_gets_the_verdict_of_a_second_decoder() -> None:
    for initial in range(256):
        for rest in (b"", b"\0", b"\x18", b"\x20", b"\xff" * 9, b"\0" * 9, b"a" * 30, b"\0" * 40):
            data = bytes([initial]) + rest
            assert verdict(data) == expected_verdict(data), data.hex()


def test_all_tags_of_two_bytes_are_refused_whatever_they_hold() -> None:
    for tag in range(1 << 16):
        for content in (b"\x00", b"\x40", b"\x80"):
            with pytest.raises(CodecError):
                codec.decode(head(6, tag) + content)


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("tag", [0, 2, 4, 5, 25, 28, 29, 30, 35, 43, 100, 255])
def test_a_tag_in_a_longer_form_is_refused(tag: int, width: int) -> None:
    spelled = bytes([0xC0 | 24 + width.bit_length() - 1]) + tag.to_bytes(width, "big")
    for content in TAG_CONTENTS:
        with pytest.raises(CodecError):
            codec.decode(spelled + content)


def test_random_tags_of_eight_bytes_are_refused() -> None:
    numbers = random.Random(1)
    for _ in range(5000):
        with pytest.raises(CodecError):
            codec.decode(head(6, numbers.getrandbits(numbers.choice((32, 48, 64)))) + b"\x80")


@pytest.mark.parametrize(
    "bomb",
    [
        b"\xd8\x1c\x81\xd8\x1d\x00",  # shared value that holds itself
        b"\x82\xd8\x1c\x80\xd8\x1d\x00",  # shared value, twice
        b"\xd9\x01\x00\x82\x63abc\xd8\x19\x00",  # string references
        b"\xc4\x82\x1a\x3b\x9a\xca\x00\x01",  # 1e1000000000
        b"\xc5\x82\x1a\x3b\x9a\xca\x00\x01",
    ],
    ids=["self-reference", "reference", "string reference", "decimal", "bigfloat"],
)
def test_tags_that_hang_a_re_encoding_or_a_conversion_are_refused(bomb: bytes) -> None:
    with pytest.raises(CodecError):
        codec.decode(bomb)


def test_lists_nest_as_deep_as_the_limit_says() -> None:
    for depth in (limits.CBOR_DEPTH_MAX, limits.CBOR_DEPTH_MAX + 1):
        for data in (b"\x81" * (depth - 1) + b"\x80", b"\x81" * depth + b"\x00"):
            assert (verdict(data) is CodecError) == (depth > limits.CBOR_DEPTH_MAX), data.hex()


def test_the_number_of_items_is_bounded_exactly() -> None:
    """The list itself is one item; its length does not matter, nor does that of strings in it."""
    for count in (limits.CBOR_ITEMS_MAX, limits.CBOR_ITEMS_MAX + 1):
        for item in (b"\x00", b"\x80", b"\x42ab", b"\x19\xff\xff", b"\x61a"):
            data = array(*[item] * (count - 1))
            assert (verdict(data) is CodecError) == (count > limits.CBOR_ITEMS_MAX)
            assert (expected_verdict(data) is CodecError) == (count > limits.CBOR_ITEMS_MAX)
    long = array(byte_string(bytes(limits.MIB)), head(3, limits.MIB) + b"a" * limits.MIB)
    assert decode_plain(long) == [bytes(limits.MIB), "a" * limits.MIB]


MANY = 4 * limits.MIB


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(head(4, MANY) + item * MANY, id=f"4 Mi times {item.hex()}")
        for item in (b"\x80", b"\xa0", b"\xe0", b"\x00", b"\x40", b"\x60")
    ]
    + [
        pytest.param(array(*[head(4, MANY // 4) + b"\x80" * (MANY // 4)] * 4), id="four lists of 1 Mi lists"),
        pytest.param(b"\x81" * MANY, id="4 Mi deep"),
        pytest.param(b"\x9a\xff\xff\xff\xff" + bytes(100), id="declares 2^32 items"),
        pytest.param(b"\x9b" + b"\xff" * 8 + bytes(100_000), id="declares 2^64 items"),
        pytest.param(b"\x5b\x7f" + b"\xff" * 7 + bytes(100), id="declares 2^63 bytes"),
        pytest.param(b"\x7b\x00\x00\x00\x10" + bytes(4) + bytes(100_000), id="declares 64 GiB of text"),
        pytest.param(b"\xbb" + b"\x0f" * 8 + bytes(100), id="declares a huge map"),
        pytest.param(head(5, 30_000) + b"".join(head(0, 2**61 * k % 2**64) + b"\0" for k in range(30_000)), id="map"),
    ],
)
def test_hostile_bytes_are_refused_in_little_memory(data: bytes) -> None:
    gc.collect()
    tracemalloc.start()
    try:
        assert verdict(data) is CodecError
        assert tracemalloc.get_traced_memory()[1] < 16 * limits.MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "value",
    [0.0, 1.5, float("inf"), True, False, {}, {"a": 1}, cbor2.undefined, cbor2.CBORSimpleValue(255), 2**53, -(2**53)],
    ids=repr,
)
def test_other_types_are_not_plain(value: object) -> None:
    for holder in (value, [value], [[1, [value]]]):
        assert verdict(cbor2.dumps(holder)) is CodecError


def test_field_checks_take_the_bounds_and_nothing_beyond() -> None:
    for good in (3, 7):
        assert codec.check_int(good, "it", low=3, high=7) == good
    for bad in (2, 8, True, "3", None, b"3", 3.0):
        with pytest.raises(CodecError, match="it must be an integer from 3 to 7"):
            codec.check_int(bad, "it", low=3, high=7)
    assert codec.check_bytes(b"ab", "it", 2) == b"ab"
    for wrong in (b"a", b"abc", "ab", [97, 98], None):
        with pytest.raises(CodecError, match="it must be 2 bytes"):
            codec.check_bytes(wrong, "it", 2)
