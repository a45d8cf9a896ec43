"""Signing, the signature check, the key check and the self-test that a node runs before it starts."""

from __future__ import annotations

import pytest
from nacl.exceptions import UnavailableError

from gonk_node.core import edge_cases, keys
from gonk_node.core.keys import (
    Signer,
    author_text,
    fingerprint,
    is_valid_author,
    parse_author,
    verify_signature,
)
from gonk_node.errors import UnsafeLibraryError, UsageError

SEED = bytes(range(32))


@pytest.fixture
def signer() -> Signer:
    return Signer.from_seed(SEED)


def test_a_signature_verifies_under_its_author_and_message_only(signer: Signer) -> None:
    signature = signer.sign(b"message")
    assert len(signature) == 64
    assert verify_signature(signer.author, b"message", signature)
    assert not verify_signature(signer.author, b"massage", signature)
    assert not verify_signature(Signer.from_seed(bytes(32)).author, b"message", signature)


def test_the_empty_message_can_be_signed(signer: Signer) -> None:
    assert verify_signature(signer.author, b"", signer.sign(b""))


def test_every_flipped_bit_of_a_signature_is_refused(signer: Signer) -> None:
    signature = signer.sign(b"message")
    for bit in range(512):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not verify_signature(signer.author, b"message", bytes(flipped)), bit


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_of_the_wrong_length_is_refused_and_never_read_past_its_end(signer: Signer, length: int) -> None:
    key = (signer.author * 2)[:length]
    assert not verify_signature(key, b"message", signer.sign(b"message"))
    assert not is_valid_author(key)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_the_wrong_length_is_refused(signer: Signer, length: int) -> None:
    signature = signer.sign(b"message")
    assert not verify_signature(signer.author, b"message", (signature + b"m")[:length])


def test_message_bytes_cannot_move_into_the_signature(signer: Signer) -> None:
    signature = signer.sign(b"message")
    assert not verify_signature(signer.author, b"essage", signature + b"m")


def test_a_signer_shows_its_author_and_never_its_seed(signer: Signer) -> None:
    for shown in (repr(signer), str(signer), f"{signer!r:>99}"):
        assert signer.author.hex() in shown
        assert SEED.hex() not in shown
        assert repr(SEED)[2:-1] not in shown


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_of_the_wrong_length_is_a_programming_error(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Signer.from_seed(bytes(length))


def test_a_key_survives_its_text_form(signer: Signer) -> None:
    text = author_text(signer.author)
    assert len(text) == 64
    assert text == text.lower()
    assert parse_author(text) == parse_author(text.upper()) == signer.author
    assert text.startswith(fingerprint(signer.author))
    assert len(fingerprint(signer.author)) == 8


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "03a1 " * 16, "00" * 32, "01" + "00" * 31, "ff" * 33])
def test_text_that_is_no_usable_key_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_author(text)
    assert caught.value.hint


def test_the_key_check_forgets_old_keys_rather_than_grow_without_bound() -> None:
    assert is_valid_author.cache_info().maxsize


def test_the_self_test_passes_with_the_library_that_is_installed() -> None:
    edge_cases.self_test()


def test_a_lax_signature_check_keeps_a_node_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    accepted_elsewhere = {case.signature for case in edge_cases.SPECCHECK if case.what.startswith("S = 0")}
    honest_check = keys.verify_signature

    def lax(author: bytes, message: bytes, signature: bytes) -> bool:
        return signature in accepted_elsewhere or honest_check(author, message, signature)

    monkeypatch.setattr(keys, "verify_signature", lax)
    with pytest.raises(UnsafeLibraryError, match="S = 0") as caught:
        edge_cases.self_test()
    assert caught.value.exit_code == 4


def test_a_signature_check_that_refuses_all_keeps_a_node_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keys, "verify_signature", lambda *_: False)
    with pytest.raises(UnsafeLibraryError, match="honest"):
        edge_cases.self_test()


def test_a_key_check_that_misses_the_subgroup_keeps_a_node_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in libsodium before the fix of CVE-2025-69277."""
    monkeypatch.setattr(keys, "is_valid_author", lambda key: is_valid_author(key) or key.hex().startswith("ea5ef840"))
    with pytest.raises(UnsafeLibraryError, match="point of order 2"):
        edge_cases.self_test()


def test_a_libsodium_without_the_key_check_keeps_a_node_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unavailable(_: bytes) -> bool:
        raise UnavailableError("minimal build")

    monkeypatch.setattr(keys, "is_valid_author", unavailable)
    with pytest.raises(UnsafeLibraryError, match="minimal build"):
        edge_cases.self_test()


def test_signing_that_differs_keeps_a_node_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys.Signer, "sign", lambda *_: bytes(64))
    with pytest.raises(UnsafeLibraryError, match="signing"):
        edge_cases.self_test()
