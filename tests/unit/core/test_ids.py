"""Ids: every hash has a context of its own, UUIDs are well formed, text forms are read strictly."""

from __future__ import annotations

import uuid

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.core import ids
from gonk_node.core.ids import EventRef
from gonk_node.errors import UsageError
from kit.strategies import hashes


def hash_of_manifest(data: bytes) -> bytes:
    return ids.hash_manifest_lines([data[:3], data[3:]])


HASHES = {
    ids.hash_header: "gonk-node 2026 v1 entry header",
    ids.hash_event: "gonk-node 2026 v1 event",
    ids.hash_event_list: "gonk-node 2026 v1 event list",
    ids.hash_heads: "gonk-node 2026 v1 heads",
    ids.hash_chunk_list: "gonk-node 2026 v1 chunk list",
    hash_of_manifest: "gonk-node 2026 v1 manifest",
    ids.hash_handshake: "gonk-node 2026 v1 handshake transcript",
}


@given(st.binary())
def test_each_hash_is_blake3_under_its_own_context(data: bytes) -> None:
    digests = {function(data) for function in HASHES} | {blake3(data).digest()}
    assert len(digests) == len(HASHES) + 1
    for function, context in HASHES.items():
        assert function(data) == blake3(data, derive_key_context=context).digest()


@given(hashes(), hashes(), hashes(16))
def test_derived_uuids_are_of_version_8_and_follow_from_all_they_name(
    dataset: bytes, content: bytes, key: bytes
) -> None:
    name = content.hex()
    made = {
        ids.object_uuid(dataset, content),
        ids.object_uuid(content[::-1] + b"\0", dataset),
        ids.schema_uuid(dataset, name),
        ids.schema_uuid(dataset, name + "a"),
        ids.imported_annotation_uuid(dataset, key, key),
        ids.event_uuid(EventRef(dataset, 0)),
        ids.event_uuid(EventRef(dataset, 1)),
    }
    assert len(made) == 7
    for value in made:
        read = uuid.UUID(bytes=value)
        assert read.version == 8
        assert read.variant == uuid.RFC_4122


@given(hashes(), st.integers(0, 4095))
def test_the_uuid_of_an_event_can_be_read_back(entry_id: bytes, index: int) -> None:
    start, tail, found = ids.split_event_uuid(ids.event_uuid(EventRef(entry_id, index)))
    assert found == index
    assert entry_id.startswith(start)
    assert len(start) == 6
    assert int.from_bytes(entry_id[6:14], "big") >> 2 == tail


def test_logs_of_different_installations_datasets_and_authors_differ() -> None:
    one, two = bytes(32), bytes([1]) * 32
    made = {ids.log_id_for(a, b, c) for a in (one, two) for b in (one, two) for c in (one, two)}
    assert len(made) == 8
    assert {len(value) for value in made} == {ids.LOG_ID_BYTES}


@given(hashes(16))
def test_a_uuid_survives_its_text(value: bytes) -> None:
    text = ids.uuid_text(value)
    assert text == text.lower()
    assert len(text) == 36
    assert ids.parse_uuid(text) == ids.parse_uuid(text.upper()) == ids.parse_uuid(text.replace("-", "")) == value


@given(hashes())
def test_a_hash_survives_its_text(value: bytes) -> None:
    assert ids.parse_hash(value.hex()) == ids.parse_hash(value.hex().upper()) == value


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "zz" * 32, "00 " * 32, " " + "00" * 32, "é" * 64])
def test_text_that_is_no_whole_hash_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="whole entry id") as caught:
        ids.parse_hash(text, "entry id")
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "0", "00" * 15, "00" * 17, "g" * 32])
def test_text_that_is_no_uuid_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        ids.parse_uuid(text)
    assert caught.value.hint
