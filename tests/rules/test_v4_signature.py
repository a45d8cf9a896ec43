"""V4: the signature is the author's, over the domain string and the header as it came, by libsodium's verdict."""

from __future__ import annotations

import pytest

from gonk_node.core.entry import SIGNATURE_DOMAIN
from kit.authors import TestAuthor
from kit.raw_entries import GENESIS, OWNER, draft
from kit.verdicts import broken_rule

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032 section 5.1
ENTRY = draft()
HEADER = ENTRY.header_bytes
SIGNATURE = ENTRY.sign()


def test_v4_the_right_signature_is_accepted() -> None:
    assert broken_rule(ENTRY.record(signature=SIGNATURE)) is None


def test_v4_every_changed_bit_of_the_signature_is_refused() -> None:
    for bit in range(512):
        changed = bytearray(SIGNATURE)
        changed[bit // 8] ^= 1 << bit % 8
        assert broken_rule(ENTRY.record(signature=bytes(changed))) == "V4"


WRONG = {
    "zeros": bytes(64),
    "of another author": TestAuthor("Ben").signer.sign(SIGNATURE_DOMAIN + HEADER),
    "of another entry": GENESIS.signature,
    "without the domain": OWNER.signer.sign(HEADER),
    "under the domain without its zero byte": OWNER.signer.sign(SIGNATURE_DOMAIN[:-1] + HEADER),
    "under another version's domain": OWNER.signer.sign(b"gonk-node/entry/2\0" + HEADER),
    "under a handshake's domain": OWNER.signer.sign(b"gonk-node/handshake/1/author\0" + HEADER),
    "over the whole record": OWNER.signer.sign(SIGNATURE_DOMAIN + ENTRY.record()),
    "over one byte more": OWNER.signer.sign(SIGNATURE_DOMAIN + HEADER + b"\0"),
    "halves swapped": SIGNATURE[32:] + SIGNATURE[:32],
}


@pytest.mark.parametrize("signature", WRONG.values(), ids=WRONG)
def test_v4_other_signatures_are_refused(signature: bytes) -> None:
    assert broken_rule(ENTRY.record(signature=signature)) == "V4"


@pytest.mark.parametrize("times", [1, 2, 7])
def test_v4_a_malleable_twin_is_refused(times: int) -> None:
    s = int.from_bytes(SIGNATURE[32:], "little") + times * GROUP_ORDER
    assert broken_rule(ENTRY.record(signature=SIGNATURE[:32] + s.to_bytes(32, "little"))) == "V4"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", bytes(32)),
        ("author", TestAuthor("Ben").author),
        ("log_id", bytes(8)),
        ("seq", 2),
        ("prev", bytes(32)),
        ("time_ms", 1_700_000_000_002),
        ("event_count", 2),
        ("events_hash", bytes(32)),
    ],
)
def test_v4_no_field_of_the_header_can_be_changed_without_the_key(field: str, value: object) -> None:
    assert broken_rule(ENTRY.change(**{field: value}).record(signature=SIGNATURE)) == "V4"
