"""Counts in the words of people. It says nothing about what is counted."""

from __future__ import annotations


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 object", "1,000 objects"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def with_its(count: int, one: str) -> str:
    """What goes along, behind a sentence: ", with its 2 annotations", ", with its annotation"; nothing for none."""
    if not count:
        return ""
    return f", with its {one if count == 1 else plural(count, one)}"
