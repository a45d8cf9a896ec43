"""V5: the events are those that the header names, in number, order and content."""

from __future__ import annotations

from blake3 import blake3

from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import Profile
from gonk_node.core.ids import hash_event, hash_event_list
from kit.raw_entries import array, byte_string, draft
from kit.verdicts import broken_rule

A, B, C = (encode_event(Profile(name)) for name in "abc")
ENTRY = draft(A, B)
ITEM_A, ITEM_B, ITEM_C = (byte_string(body) for body in (A, B, C))
HASH_A, HASH_B = (array(byte_string(hash_event(body))) for body in (A, B))


def test_v5_the_signed_events_are_accepted_as_bodies_or_as_hashes() -> None:
    for items in ((ITEM_A, ITEM_B), (HASH_A, ITEM_B), (ITEM_A, HASH_B), (HASH_A, HASH_B)):
        assert broken_rule(ENTRY.with_items(*items).record()) is None


def test_v5_other_events_are_refused() -> None:
    for items in ((ITEM_A, ITEM_C), (ITEM_B, ITEM_A), (ITEM_A, ITEM_A), (HASH_B, HASH_A), (HASH_A, ITEM_C)):
        assert broken_rule(ENTRY.with_items(*items).record()) == "V5"


def test_v5_events_cannot_be_left_out_or_added() -> None:
    for items in ((), (ITEM_A,), (HASH_A,), (ITEM_A, ITEM_B, ITEM_C), (ITEM_A, ITEM_B, HASH_B)):
        assert broken_rule(ENTRY.with_items(*items).record()) == "V5"


def test_v5_the_count_in_the_header_must_agree() -> None:
    for count in (1, 3, 4096):
        assert broken_rule(ENTRY.change(event_count=count).record()) == "V5"


def test_v5_the_hash_in_the_header_is_that_of_the_hashes_under_their_contexts() -> None:
    hashes = hash_event(A) + hash_event(B)
    assert broken_rule(ENTRY.change(events_hash=hash_event_list(hashes)).record()) is None
    for wrong in (
        bytes(32),
        hash_event_list(A + B),
        hash_event(hashes),
        blake3(hashes).digest(),
        hash_event_list(blake3(A).digest() + blake3(B).digest()),
        hash_event_list(hash_event(B) + hash_event(A)),
    ):
        assert broken_rule(ENTRY.change(events_hash=wrong).record()) == "V5"
