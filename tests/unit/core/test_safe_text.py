"""Texts of strangers: what of them is harmful, and what may be printed, is the same whatever Unicode Python knows."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from gonk_node.core.safe_text import is_printable, printable, safe

ASSIGNED = [char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) != "Cn"]


def test_of_the_characters_that_python_knows_the_same_are_printable() -> None:
    assert [char for char in ASSIGNED if is_printable(char) != char.isprintable()] == []


def test_what_is_harmful_is_dropped_and_breaks_become_blanks() -> None:
    harmful = [char for char in ASSIGNED if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert {char for char in ASSIGNED if safe(char) == ""} == {*harmful} - {"\n", "\t"}
    assert safe("a\n\tb\u202ec") == "a  bc"


@pytest.mark.parametrize("later", ["\U0001fae8", "\U0001fadc", "\U00010efd", "\U0003fff0"])
def test_what_only_later_versions_of_unicode_know_is_a_character_like_others(later: str) -> None:
    assert is_printable(f"{later}.png") and safe(later) == later and printable(later, "_") == later


@pytest.mark.parametrize(
    "never", ["\ufdd0", "\uffff", "\U0001fffe", "\U0010ffff", "\U000e0fff", "\u2065", "\U0001343a"]
)
def test_what_never_is_printed_is_not_so_either(never: str) -> None:
    assert not is_printable(f"a{never}") and printable(f"a{never}b", "_") == "a_b"
