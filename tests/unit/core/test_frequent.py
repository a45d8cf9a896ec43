"""The fast decoders of the frequent shapes take only what the strict decoders take, and give the same value."""

from __future__ import annotations

from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings

from gonk_node.core import codec, entry, event_codec, limits
from gonk_node.core.codec import CodecError
from gonk_node.core.entry import Entry
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import AnnotationCreate, Event, Profile
from gonk_node.core.frequent import OneEvent, annotation_create, record_of_one
from gonk_node.core.ids import EventRef
from kit import strategies
from kit.mutants import mutate
from kit.raw_entries import DATASET, array, byte_string, draft, head

CASES = 4000  # of each seed
EDGES = (1, 1, 1, 1, 0, 23, 24, 255, 256, 4095, 4096, 65_535, 65_536, 2**32 - 1, 2**32)  # where heads grow
UUID, HASH = b"\xcd" * 16, b"\xab" * 32
HERE, THERE = EventRef(b"", 4095), EventRef(HASH, 24)
ANNOTATIONS = [
    AnnotationCreate(UUID, schema, (target,), body)
    for schema, target in ((HERE, THERE), (THERE, HERE), (EventRef(HASH, 0), EventRef(HASH, 256)))
    for body in (b"", b"{}", b'{"label":"RBC"}' * 2, b"\n" * 300, b"x" * 65_535)
]


def strict_event(data: bytes, stored: bool = False) -> Event | None:
    """What the strict decoder makes of it, without the fast one; None where it refuses."""
    with patch.object(event_codec, "annotation_create", lambda _: None):
        try:
            return event_codec.decode_stored_event(data) if stored else event_codec.decode_event(data)
        except CodecError:
            return None


def strict_record(record: bytes, stored: bool = False) -> Entry | None:
    with patch.object(entry, "record_of_one", lambda _: None):
        try:
            return entry.read_stored(record) if stored else entry.decode_record(record)
        except CodecError:
            return None


def exactly(value: Any) -> Any:
    """The value with its types, all the way down: named tuples equal plain ones, and True equals 1."""
    return type(value), tuple(map(exactly, value)) if isinstance(value, tuple | list) else value


def agree_on_event(data: bytes) -> bool:
    """Check that what the fast decoder makes of it is what the strict ones do; whether it took it."""
    fast = annotation_create(data)
    if fast is not None:
        assert exactly(fast) == exactly(strict_event(data)) == exactly(strict_event(data, stored=True)), data.hex()
    return fast is not None


def agree_on_record(record: bytes) -> bool:
    fast = record_of_one(record)
    if fast is not None:
        for strict in (strict_record(record), strict_record(record, stored=True)):
            assert strict is not None, record.hex()
            assert strict.bodies == [fast.body] and strict.withheld == {}
            found = OneEvent(tuple(strict.header), strict.header_bytes, strict.signature, fast.body)
            assert exactly(fast) == exactly(found), record.hex()
    return fast is not None


class Raw:
    """Bytes in the frequent shapes, in which each head may be longer than needed, and each length or number wrong."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def annotation(self) -> bytes:
        parts = self.head(4, 5), self.number(7), self.string(16), self.ref(), self.head(4, 1), self.ref()
        return b"".join(parts) + self.string(0, 5, 23, 24, 255, 256, 300) + self.end()

    def record(self) -> bytes:
        ids = [self.string(32) for _ in range(4)]
        times = self.number(2**32, 2**32 - 1, 2**40, 2**53 - 1, 2**53)
        fields = self.number(1), *ids[:2], self.string(8), self.number(*EDGES), ids[2], times, self.number(1), ids[3]
        header = self.head(4, 9) + b"".join(fields) + self.end()
        event = self.head(4, 1) + self.string(0, 23, 24, 150, 256)
        return self.head(4, 3) + self.head(2, self.nearly(len(header))) + header + self.string(64) + event + self.end()

    def ref(self) -> bytes:
        return self.head(4, 2) + self.string(0, 32) + self.number(*EDGES)

    def string(self, *lengths: int) -> bytes:
        data = self._random.randbytes(self._random.choice(lengths))
        return self.head(2, self.nearly(len(data))) + data

    def number(self, *choices: int) -> bytes:
        return self.head(0, self._random.choice(choices))

    def head(self, major: int, argument: int) -> bytes:
        """Mostly the shortest head, which alone is strict."""
        if self._random.randrange(20):
            return head(major, argument)
        code, width = self._random.choice([(24, 1), (25, 2), (26, 4), (27, 8)])
        return bytes([major << 5 | code]) + (argument % (1 << 8 * width)).to_bytes(width, "big")

    def nearly(self, length: int) -> int:
        return max(0, length + self._random.choice((0,) * 40 + (-1, 1)))

    def end(self) -> bytes:
        return self._random.choice((b"",) * 20 + (b"\0",))


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=lambda each: f"{len(each.body)} bytes")
def test_annotations_of_one_object_are_taken(annotation: AnnotationCreate) -> None:
    assert agree_on_event(encode_event(annotation))


@pytest.mark.parametrize("seq", [2, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1])
@pytest.mark.parametrize("annotation", ANNOTATIONS[:4])
def test_records_of_one_event_are_taken(annotation: AnnotationCreate, seq: int) -> None:
    assert agree_on_record(draft(annotation, seq=seq).record())


@given(strategies.events)
@settings(max_examples=500)
def test_no_event_of_any_kind_comes_out_differently(event: Event) -> None:
    data = encode_event(event)
    assert agree_on_event(data) == (isinstance(event, AnnotationCreate) and len(event.objects) == 1)


@pytest.mark.parametrize("seed", range(4))
def test_an_annotation_with_any_heads_is_judged_alike(seed: int) -> None:
    raw = Raw(seed)
    taken = sum(agree_on_event(raw.annotation()) for _ in range(CASES))
    assert CASES // 20 < taken < CASES


@pytest.mark.parametrize("seed", range(4))
def test_a_record_with_any_heads_is_judged_alike(seed: int) -> None:
    raw = Raw(seed)
    taken = sum(agree_on_record(raw.record()) for _ in range(CASES))
    assert CASES // 20 < taken < CASES


@pytest.mark.parametrize("seed", range(4))
def test_mutants_of_annotations_are_judged_alike(seed: int) -> None:
    random = Random(seed)
    valid = [encode_event(annotation) for annotation in ANNOTATIONS if len(annotation.body) < 1000]
    mutants = [mutate(random.choice(valid), random, random.choice(valid)) for _ in range(CASES)]
    taken = sum(map(agree_on_event, mutants))
    assert taken > CASES // 20  # a changed uuid is none the worse


@pytest.mark.parametrize("seed", range(4))
def test_mutants_of_records_are_judged_alike(seed: int) -> None:
    random = Random(seed)
    valid = [draft(annotation, seq=seq).record() for annotation in ANNOTATIONS[:4] for seq in (1, 2, 24, 70_000)]
    mutants = [mutate(random.choice(valid), random, random.choice(valid)) for _ in range(CASES)]
    taken = sum(map(agree_on_record, mutants))
    assert taken > CASES // 20


def test_what_is_rarer_is_left_to_the_strict_decoders() -> None:
    two_objects = AnnotationCreate(UUID, HERE, (HERE, THERE), b"{}")
    long = AnnotationCreate(UUID, HERE, (THERE,), bytes(65_536))
    rarer = draft(two_objects, Profile("Ann")), draft(Profile("Ann"), seq=0), draft(Profile("Ann")).withhold(0)
    for event in (two_objects, long, Profile("Ann")):
        assert annotation_create(encode_event(event)) is None
        assert event_codec.decode_event(encode_event(event)) == event
    for each in rarer:
        assert record_of_one(each.record()) is None
        assert entry.decode_record(each.record()).dataset == DATASET


@pytest.mark.parametrize("length", range(4))
def test_the_first_bytes_alone_are_no_record(length: int) -> None:
    assert record_of_one(draft(ANNOTATIONS[0]).record()[:length]) is None


def test_a_header_that_is_cut_off_is_no_record() -> None:
    header = draft(ANNOTATIONS[0]).header_bytes
    assert record_of_one(b"\x83\x58" + bytes([len(header) + 1]) + header) is None
    assert record_of_one(array(byte_string(header), codec.encode(bytes(64)))) is None


def test_every_index_that_an_event_may_have_is_known() -> None:
    for index in range(limits.EVENTS_PER_ENTRY_MAX):
        assert agree_on_event(encode_event(AnnotationCreate(UUID, EventRef(b"", index), (THERE,), b"{}")))
