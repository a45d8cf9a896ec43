"""V3: the author is a point of the main subgroup of edwards25519, in its one encoding."""

from __future__ import annotations

import pytest

from gonk_node.core import edge_cases
from gonk_node.core.edge_cases import EdgeCase
from gonk_node.core.entry import signed_bytes
from gonk_node.core.keys import verify_signature
from kit.authors import TestAuthor
from kit.raw_entries import draft
from kit.verdicts import broken_rule

BAD_AUTHORS = [case for case in edge_cases.EDGE_CASES if not case.valid_author]
PRIME = 2**255 - 19
# No point of the curve has y = 2; the other spells y = 3 with the prime of the field added.
OFF_THE_CURVE = (2).to_bytes(32, "little")
ABOVE_THE_PRIME = (PRIME + 3).to_bytes(32, "little")


def test_v3_an_honest_key_is_accepted() -> None:
    for name in ("Ann", "Ben", "Cy"):
        assert broken_rule(draft(author=TestAuthor(name)).record()) is None


@pytest.mark.parametrize("case", BAD_AUTHORS, ids=lambda case: case.what)
def test_v3_keys_on_which_libraries_differ_are_refused(case: EdgeCase) -> None:
    assert broken_rule(draft().change(author=case.author).record(signature=case.signature)) == "V3"


@pytest.mark.parametrize("key", [OFF_THE_CURVE, ABOVE_THE_PRIME, b"\xff" * 32, bytes(32)], ids=bytes.hex)
def test_v3_bytes_that_are_no_point_in_its_one_encoding_are_refused(key: bytes) -> None:
    assert broken_rule(draft().change(author=key).record()) == "V3"


def test_v3_comes_before_the_signature() -> None:
    """Under the neutral point, S = 0 and R = the neutral point sign everything, for a verifier without V3."""
    neutral = b"\x01" + bytes(31)
    entry = draft().change(author=neutral)
    assert not verify_signature(neutral, signed_bytes(entry.header_bytes), neutral + bytes(32))
    assert broken_rule(entry.record(signature=neutral + bytes(32))) == "V3"
