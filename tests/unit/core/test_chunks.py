"""Content ids: one hash for a file, and a list of chunks that any stranger may send."""

from __future__ import annotations

import hashlib

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.core import chunks
from gonk_node.core.chunks import ContentHasher
from gonk_node.core.limits import CHUNK_BYTES, OBJECT_BYTES_MAX
from gonk_node.errors import ContentMismatchError, InputFileError

SIZE = 2 * CHUNK_BYTES + 5
IDS = [bytes([number]) * 32 for number in range(3)]
LIST = chunks.encode_chunk_list(SIZE, IDS)
CONTENT_ID = chunks.content_id_of(SIZE, IDS)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, SIZE])
def test_a_file_is_cut_into_chunks_and_hashed_in_one_pass(size: int) -> None:
    data = bytes(size)
    pieces = [data[start : start + CHUNK_BYTES] for start in range(0, size, CHUNK_BYTES)] or [b""]
    hasher = ContentHasher()
    for piece in pieces:
        if piece:
            assert hasher.add(piece) == chunks.chunk_id(piece)
    info = hasher.finish()
    assert info.size == size
    assert info.sha256 == hashlib.sha256(data).digest()
    assert info.content_id == chunks.content_id_of(size, [chunks.chunk_id(piece) for piece in pieces])
    assert chunks.chunk_count(size) == len(pieces)
    assert [chunks.chunk_length(size, index) for index in range(len(pieces))] == list(map(len, pieces))


def test_a_file_of_one_chunk_has_the_plain_hash_of_its_bytes() -> None:
    hasher = ContentHasher()
    hasher.add(b"cells")
    assert hasher.finish().content_id == blake3(b"cells").digest()
    assert ContentHasher().finish().content_id == blake3(b"").digest()


def test_a_larger_file_has_the_hash_of_its_chunk_list() -> None:
    assert SIZE.to_bytes(8, "big") + b"".join(IDS) == LIST
    assert blake3(LIST, derive_key_context="gonk-node 2026 v1 chunk list").digest() == CONTENT_ID
    assert blake3(LIST).digest() != CONTENT_ID  # the list is no file of that id


def test_a_chunk_list_is_read_back() -> None:
    assert chunks.decode_chunk_list(LIST, CONTENT_ID, SIZE) == IDS


@given(st.binary(max_size=3), st.integers(0, len(LIST)), st.integers(0, 3))
def test_a_changed_chunk_list_is_refused(inserted: bytes, place: int, removed: int) -> None:
    changed = LIST[:place] + inserted + LIST[place + removed :]
    if changed != LIST:
        with pytest.raises(ContentMismatchError):
            chunks.decode_chunk_list(changed, CONTENT_ID, SIZE)


@pytest.mark.parametrize(
    "size",
    [-1, 0, 1, CHUNK_BYTES, SIZE - 1, SIZE + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 1, OBJECT_BYTES_MAX + 1, 2**63],
)
def test_a_chunk_list_for_a_file_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ContentMismatchError):
        chunks.decode_chunk_list(LIST, CONTENT_ID, size)


def test_a_size_in_the_list_other_than_the_declared_one_is_refused_even_if_it_hashes() -> None:
    lying = chunks.encode_chunk_list(SIZE - 1, IDS)
    with pytest.raises(ContentMismatchError, match="does not match"):
        chunks.decode_chunk_list(lying, chunks.hash_chunk_list(lying), SIZE)


def test_a_chunk_is_checked_against_its_id() -> None:
    chunks.verify_chunk(b"cells", blake3(b"cells").digest())
    with pytest.raises(ContentMismatchError, match="do not match"):
        chunks.verify_chunk(b"cells!", blake3(b"cells").digest())


def test_a_file_beyond_the_limit_is_refused_while_it_is_read() -> None:
    hasher = ContentHasher()
    hasher.size = OBJECT_BYTES_MAX
    with pytest.raises(InputFileError, match="at most"):
        hasher.add(b"x")
