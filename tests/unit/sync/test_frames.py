"""Frames: every message survives the wire, and nothing else gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.core import codec, limits
from gonk_node.core.heads import Head
from gonk_node.errors import ProtocolError
from gonk_node.sync import messages as wire
from gonk_node.sync.channel import Channel

H = bytes(range(32))
HEAD = Head(H, b"logidlog", 7, H)
EXAMPLES: list[wire.Message] = [
    wire.ClientHello(H, [1, 2], H, H),
    wire.ServerHello(H, 1, H + H),
    wire.ClientProof(H, H + H, b"", b""),
    wire.ClientProof(H, H + H, H, H + H),
    wire.Close(wire.CLOSE_BROKEN, "why"),
    wire.Hello(H, H[:16], 3, H, b"", 0, b"", 0),
    wire.Hello(H, H[:16], 3, H, H, 2, H[:16], 9),
    wire.Heads([HEAD, HEAD], 0),
    wire.Heads([], 1),
    wire.Need([wire.NeededRange(H, [H, H]), wire.NeededRange(H, [])], 1),
    wire.Want([H]),
    wire.Found([HEAD]),
    wire.NeedBodies([wire.NeededBodies(H, [0, 4095]), wire.NeededBodies(H, [])]),
    wire.Missing([H]),
    wire.Skip([H]),
    wire.Announce(1, 2, 3),
    wire.Records([wire.Group(HEAD, [b"record", b"another"])]),
    wire.Ack(5),
    wire.Delivered(0),
    wire.Done(H, b"", 1),
    wire.Token(H, 600),
    wire.Ping(),
]
each_message = pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)


def opened() -> Channel:
    channel = Channel()
    channel.open()
    return channel


def test_there_is_an_example_of_every_message() -> None:
    assert {type(message) for message in EXAMPLES} == set(wire.Message.__args__)


@each_message
def test_a_message_survives_the_wire(message: wire.Message) -> None:
    assert opened().decode(opened().encode(message)) == message


@pytest.mark.parametrize("each", [[4096], [-1], [0] * 4097])
def test_indexes_beyond_the_bounds_are_refused(each: list[int]) -> None:
    with pytest.raises(ProtocolError):
        opened().decode(opened().encode(wire.NeedBodies([wire.NeededBodies(H, each)])))


def test_too_many_bodies_in_one_message_are_refused() -> None:
    fits = [wire.NeededBodies(H, list(range(4096)))] * 4
    assert opened().decode(opened().encode(wire.NeedBodies(fits)))
    with pytest.raises(ProtocolError):
        opened().decode(opened().encode(wire.NeedBodies([*fits, wire.NeededBodies(H, [0])])))


@each_message
def test_a_truncated_frame_is_refused(message: wire.Message) -> None:
    frame = opened().encode(message)
    for length in range(len(frame)):
        with pytest.raises(ProtocolError):
            opened().decode(frame[:length])


@each_message
def test_a_frame_with_more_or_fewer_fields_is_refused(message: wire.Message) -> None:
    parts = codec.decode(opened().encode(message))
    for changed in ([*parts, 0], parts[:-1]):
        with pytest.raises(ProtocolError):
            opened().decode(codec.encode(changed))


@each_message
def test_a_field_of_another_type_is_refused(message: wire.Message) -> None:
    parts = codec.decode(opened().encode(message))
    for index in range(len(parts)):
        for value in (None, -1, "x" * 600, b"odd", [None], 2**60):
            with pytest.raises(ProtocolError):
                opened().decode(codec.encode([*parts[:index], value, *parts[index + 1 :]]))


@each_message
def test_a_flipped_bit_makes_another_message_or_is_refused(message: wire.Message) -> None:
    frame = opened().encode(message)
    for place in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[place // 8] ^= 1 << place % 8
        try:
            changed = opened().decode(bytes(damaged))
        except ProtocolError:
            continue
        if not isinstance(changed, wire.Close):  # its text is cleaned
            assert opened().encode(changed) == damaged, "two encodings of one message"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_protocol_error(data: bytes) -> None:
    try:
        opened().decode(data)
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    "message",
    [
        wire.ClientHello(H, [1] * 17, H, H),
        wire.Heads([HEAD] * 1025, 0),
        wire.Need([wire.NeededRange(H, [])] * 1025, 0),
        wire.Need([wire.NeededRange(H, [H] * 1025)], 0),
        wire.Need([wire.NeededRange(H, [H] * 1000)] * 17, 0),
        wire.Want([H] * 1025),
        wire.Records([]),
        wire.Records([wire.Group(HEAD, [])]),
        wire.Records([wire.Group(HEAD, [b""])]),
        wire.Records([wire.Group(HEAD, [b"r"] * 513)] * 2),
        wire.Close(256, ""),
        wire.Token(H, 10**6),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_list_or_number_beyond_its_bound_is_refused(message: wire.Message) -> None:
    with pytest.raises(ProtocolError):
        opened().decode(opened().encode(message))


def test_a_larger_record_than_an_entry_may_be_is_refused_and_the_largest_is_not() -> None:
    largest = wire.Records([wire.Group(HEAD, [bytes(limits.ENTRY_BYTES_MAX)])])
    assert opened().decode(opened().encode(largest)) == largest
    with pytest.raises(ProtocolError):
        opened().decode(opened().encode(wire.Records([wire.Group(HEAD, [bytes(limits.ENTRY_BYTES_MAX + 1)])])))


def test_before_the_handshake_is_over_frames_are_small() -> None:
    frame = Channel().encode(wire.Close(0, ""))
    with pytest.raises(ProtocolError, match="at most 65536"):
        Channel().decode(frame + bytes(limits.HANDSHAKE_BYTES_MAX))


def test_after_it_a_frame_is_bounded_too() -> None:
    with pytest.raises(ProtocolError, match="at most"):
        opened().decode(bytes(limits.FRAME_BYTES_MAX + 1))


@pytest.mark.parametrize("order", [[0, 0], [1], [0, 2], [1, 0]], ids=["repeated", "lost", "skipped", "reordered"])
def test_frames_are_taken_once_each_in_order(order: list[int]) -> None:
    sender, receiver = opened(), opened()
    frames = [sender.encode(wire.Ack(number)) for number in range(3)]
    with pytest.raises(ProtocolError, match="lost, repeated or reordered"):
        for number in order:
            receiver.decode(frames[number])


def test_a_reason_cannot_steer_a_terminal() -> None:
    message = opened().decode(opened().encode(wire.Close(1, "a\x1b[2Jb\u202ec\n")))
    assert message == wire.Close(1, "a?[2Jb?c?")
