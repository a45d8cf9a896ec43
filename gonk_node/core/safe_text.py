"""Texts of strangers, made harmless before a person or another program reads them. It knows no terminal and no format."""

from __future__ import annotations

import unicodedata

_HARMFUL = frozenset(
    ("Cc", "Cf", "Cs", "Zl", "Zp")
)  # control, bidi and other format characters, half characters, breaks


def safe(text: str, chars_max: int | None = None) -> str:
    """The text on one line, without characters that steer a terminal or turn the direction of writing.

    Args:
        text: anything, also from strangers.
        chars_max: longer texts are cut, and show it.
    """
    if not text.isascii() or not text.isprintable():
        text = "".join(
            " " if char in "\n\t" else char
            for char in text
            if char in "\n\t" or unicodedata.category(char) not in _HARMFUL
        )
    return text if chars_max is None or len(text) <= chars_max else text[: chars_max - 1] + "…"


def safe_lines(text: str) -> str:
    """The same of a text of several lines, which stay; without blank ones at its ends."""
    return "\n".join(safe(line).rstrip() for line in text.split("\n")).strip("\n")
