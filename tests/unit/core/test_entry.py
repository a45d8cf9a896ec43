"""Building entries, taking them apart, dropping and restoring bodies: the id and the verdict never change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.core import limits
from gonk_node.core.codec import CodecError
from gonk_node.core.entry import Entry, decode_record, read_stored, with_bodies_of, without_bodies
from gonk_node.core.events import Profile, Review
from gonk_node.core.ids import EventRef
from gonk_node.core.verify import check_chain, verify_entry
from kit import strategies
from kit.authors import TestAuthor
from kit.raw_entries import DATASET, GENESIS, OWNER, draft

some_events = st.lists(strategies.events, min_size=1, max_size=5)


def author() -> TestAuthor:
    return TestAuthor("ann", DATASET)


@given(st.lists(some_events, min_size=1, max_size=3))
def test_a_log_verifies_entry_by_entry(batches: list[list[object]]) -> None:
    writer = author()
    previous: Entry | None = None
    for number, events in enumerate(batches):
        entry = writer.append(*events)  # type: ignore[arg-type]
        verified = verify_entry(entry.record, DATASET)
        check_chain(verified, None if previous is None else previous.header)
        assert verified.entry_id == entry.entry_id
        assert verified.header == entry.header
        assert verified.header.seq == number
        assert verified.events() == events
        assert verified.record == entry.record
        previous = verified


def test_a_genesis_is_its_own_dataset() -> None:
    assert GENESIS.header.dataset == b""
    assert GENESIS.dataset == GENESIS.entry_id
    assert verify_entry(GENESIS.record, None).entry_id == verify_entry(GENESIS.record, DATASET).entry_id == DATASET


@given(some_events, st.data())
def test_an_entry_without_bodies_keeps_its_id_and_verifies(events: list[object], data: st.DataObject) -> None:
    whole = author().append(*events)  # type: ignore[arg-type]
    dropped = data.draw(st.sets(st.integers(0, len(events) - 1)))
    part = verify_entry(without_bodies(whole, dropped).record, DATASET)
    assert part.entry_id == whole.entry_id
    assert part.signature == whole.signature
    assert part.header_bytes == whole.header_bytes
    assert part.events() == [None if index in dropped else event for index, event in enumerate(events)]
    assert part.event_hashes() == whole.event_hashes()
    assert sorted(part.withheld) == sorted(dropped)


@given(some_events, st.data())
def test_two_parts_make_a_whole(events: list[object], data: st.DataObject) -> None:
    whole = author().append(*events)  # type: ignore[arg-type]
    indexes = st.sets(st.integers(0, len(events) - 1))
    mine, theirs = data.draw(indexes), data.draw(indexes)
    joined = with_bodies_of(without_bodies(whole, mine), without_bodies(whole, theirs))
    assert joined.record == without_bodies(whole, mine & theirs).record
    assert verify_entry(joined.record, DATASET).entry_id == whole.entry_id


@given(some_events, st.data())
def test_a_stored_record_reads_as_it_was_verified(events: list[object], data: st.DataObject) -> None:
    whole = author().append(*events)  # type: ignore[arg-type]
    record = without_bodies(whole, data.draw(st.sets(st.integers(0, len(events) - 1)))).record
    stored, verified = read_stored(record), verify_entry(record, DATASET)
    assert stored.stored_events() == verified.events()
    for name in ("entry_id", "header", "header_bytes", "signature", "bodies", "withheld", "record", "dataset"):
        assert getattr(stored, name) == getattr(verified, name)


def test_the_signature_is_not_in_the_id() -> None:
    entry = decode_record(draft().record())
    other = decode_record(draft().record(signature=bytes(64)))
    assert other.entry_id == entry.entry_id


def test_events_in_another_order_make_another_entry() -> None:
    first, second = Profile("a"), Profile("b")
    ids = {OWNER.fork(GENESIS, *events).entry_id for events in ((first, second), (second, first), (first,))}
    assert len(ids) == 3


def test_an_entry_cannot_be_built_without_events_or_with_too_many() -> None:
    for count in (0, limits.EVENTS_PER_ENTRY_MAX + 1):
        with pytest.raises(CodecError, match="event"):
            decode_record(draft().with_events(*[Profile("x")] * count).record())
    with pytest.raises(CodecError, match="event"):
        author().append(*[Profile("x")] * (limits.EVENTS_PER_ENTRY_MAX + 1))


def test_a_review_can_decide_a_whole_entry() -> None:
    refs = tuple(EventRef(DATASET, index) for index in range(limits.EVENTS_PER_ENTRY_MAX))
    entry = author().append(Review(1, refs, (), ""))
    assert verify_entry(entry.record, DATASET).events() == [Review(1, refs, (), "")]


def test_an_entry_shows_what_it_is() -> None:
    assert repr(GENESIS) == f"<Entry {GENESIS.entry_id.hex()[:12]} seq 0 of 1 events>"
