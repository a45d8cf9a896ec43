"""What the verification rules say of a record: accepted, or the one rule that it breaks."""

from __future__ import annotations

from gonk_node.core.entry import Entry, Header
from gonk_node.core.verify import check_chain, verify_entry
from gonk_node.errors import InvalidEntryError
from kit.raw_entries import DATASET


def broken_rule(record: bytes, *, dataset: bytes | None = DATASET, prev: Header | None = None) -> str | None:
    """The number of the first rule that a record breaks, None where it breaks none; any other error is a bug.

    Args:
        record: the bytes as received.
        dataset: the dataset that it must belong to, None for any.
        prev: the header of the entry before it, where that is held.
    """
    try:
        check_chain(verify_entry(record, dataset), prev)
    except InvalidEntryError as error:
        assert str(error).endswith(f"(rule {error.rule})")
        assert error.where
        return error.rule
    return None


def accepted(record: bytes, *, dataset: bytes | None = DATASET) -> Entry:
    """The entry of a record that must pass V1 to V6, with the very bytes that came."""
    entry = verify_entry(record, dataset)
    assert entry.record == record
    return entry
