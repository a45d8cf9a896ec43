"""Texts of strangers, made harmless before a person or another program reads them. It knows no terminal and no format.

Which characters are harmful or unprintable stands here, and is not asked of Python, each version of which knows more: files
that cite or export a release must not differ by that. What is not assigned yet counts as printable.
"""

from __future__ import annotations

import re

# Unicode's categories Cc, Cf, Cs, Zl and Zp: control, bidi and other format characters, half characters, breaks; and what it
# keeps free for more of those (Default_Ignorable_Code_Point).
_HARMFUL = (
    r"\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_BLANK = r"\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"  # Zs, but for the one of ASCII
_OWN_USE = r"\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff"  # Co, and what never is a character
_LAST_OF_PLANES = "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(1, 15))  # nor are these
_HARMFUL_CHAR = re.compile(f"[{_HARMFUL}]")
_UNPRINTABLE_CHAR = re.compile(f"[{_HARMFUL}{_BLANK}{_OWN_USE}{_LAST_OF_PLANES}]")


def safe(text: str, chars_max: int | None = None) -> str:
    """The text on one line, without characters that steer a terminal or turn the direction of writing.

    Args:
        text: anything, also from strangers.
        chars_max: longer texts are cut, and show it.
    """
    if not text.isascii() or not text.isprintable():
        text = _HARMFUL_CHAR.sub("", text.replace("\n", " ").replace("\t", " "))
    return text if chars_max is None or len(text) <= chars_max else text[: chars_max - 1] + "…"


def safe_lines(text: str) -> str:
    """The same of a text of several lines, which stay; without blank ones at its ends."""
    return "\n".join(safe(line).rstrip() for line in text.split("\n")).strip("\n")


def is_printable(text: str) -> bool:
    """Whether the text has neither harmful characters nor blanks of any sort but the usual one; "" is printable."""
    return _UNPRINTABLE_CHAR.search(text) is None


def printable(text: str, instead: str) -> str:
    """The text with another one in the place of each character that is not printable."""
    return _UNPRINTABLE_CHAR.sub(instead, text)
