"""The State digest: a sum that does not know order, from which items can be taken out again."""

from __future__ import annotations

import random

from blake3 import blake3

from gonk_node.state import digest

ITEM = (1, b"u" * 16, b"e" * 32, 4095, 8)


def total(items: list[int]) -> int:
    result = digest.EMPTY_SUM
    for item in items:
        result = digest.add(result, item)
    return result


def test_an_item_is_as_the_spec_says() -> None:
    data = b"\x01" + b"u" * 16 + b"e" * 32 + b"\x0f\xff" + b"\x08"
    stretched = blake3(data, derive_key_context="gonk-node 2026 v1 state item").digest(length=512)
    assert digest.item(*ITEM) == int.from_bytes(stretched, "big")


def test_each_field_of_an_item_matters() -> None:
    others = [
        (0, *ITEM[1:]),
        (1, b"v" * 16, *ITEM[2:]),
        (*ITEM[:2], b"f" * 32, *ITEM[3:]),
        (*ITEM[:3], 0, 8),
        (*ITEM[:4], 0),
    ]
    assert len({digest.item(*each) for each in [ITEM, *others]}) == 6


def test_order_does_not_matter_and_items_can_be_taken_out() -> None:
    items = [digest.item(0, bytes(16), bytes(32), index, 0) for index in range(50)]
    shuffled = random.Random(1).sample(items, len(items))
    assert total(items) == total(shuffled)
    assert total([*items, *(-item for item in shuffled)]) == digest.EMPTY_SUM
    assert total([-items[0], *items]) == total(items[1:])


def test_many_items_are_summed_as_one_by_one() -> None:
    revisions = [(bytes([index]) * 16, bytes([index // 7]) * 32, index, index % 16) for index in range(50)]
    assert digest.sum_of(2, revisions) == sum(digest.item(2, *revision) for revision in revisions)
    assert digest.sum_of(2, []) == digest.EMPTY_SUM


def test_a_multiset_counts_how_often() -> None:
    item = digest.item(*ITEM)
    assert digest.digest_of(total([item, item])) != digest.digest_of(total([item]))


def test_the_digest_is_that_of_the_sum_as_512_bytes() -> None:
    assert digest.digest_of(0) == blake3(bytes(512)).digest()
    assert len(digest.sum_to_bytes(digest.add(0, -1))) == 512
    assert digest.digest_of(digest.add(0, -1)) == blake3(b"\xff" * 512).digest()
