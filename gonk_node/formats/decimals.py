"""Numbers of files as decimals, in and out: what is added to a number and taken away again leaves it as it was.

Sides of boxes are differences of decimal numbers: 20.35 - 10.1 is 10.25, as somebody meant, and in binary it is not. What has
up to 60 digits comes back exactly.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

from gonk_node.formats.sample import number

EXACT = Context(prec=60)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_NUMBER_CHARS_MAX = 128


def read(text: str) -> Decimal | None:
    """The number that a text is; None where it is none, or longer than any that means something."""
    return Decimal(text) if len(text) <= _NUMBER_CHARS_MAX and _NUMBER.fullmatch(text) else None


def exact(value: float) -> Decimal:
    """The number as it is written."""
    found = number(value)
    return Decimal(repr(value if found is None else found))


def plain(value: Decimal) -> str:
    """The shortest text of a number, without an exponent where it is no monster."""
    found = value.normalize(EXACT)
    return format(found, "f") if -30 < found.adjusted() < 30 else str(found)
