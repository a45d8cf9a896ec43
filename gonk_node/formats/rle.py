"""Masks in COCO's run-length encoding: the compressed text, the runs, area and bounding box. It decodes no pixels.

A mask of h rows and w columns is read column by column, from the top of each; runs of 0 and 1 alternate, beginning with 0.
The compressed text holds each run less the one two before it, from the fourth on, in groups of five bits, the lowest first,
each with 32 added where more follow, as characters from "0" on (maskApi.c of the COCO API).
"""

from __future__ import annotations

from collections.abc import Sequence

from gonk_node.errors import InputFileError

_CHARS_PER_RUN_MAX = 8  # 40 bits: more pixels than any image has


def decode(text: str) -> list[int]:
    """The runs of a compressed text.

    Raises:
        InputFileError: it is none.
    """
    runs: list[int] = []
    value = shift = 0
    for char in text:
        code = ord(char) - 48
        if not 0 <= code < 64:
            raise InputFileError(f"the mask has the character {char!r}, which no run-length encoding has")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            if shift >= 5 * _CHARS_PER_RUN_MAX:
                raise InputFileError("the mask has a run that is too long")
            continue
        if code & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise InputFileError("the mask breaks off in the middle of a run")
    return runs


def encode(runs: Sequence[int]) -> str:
    """The compressed text of runs."""
    chars: list[str] = []
    for index, run in enumerate(runs):
        value = run - runs[index - 2] if index > 2 else run
        while True:
            code = value & 31
            value >>= 5
            more = value != (-1 if code & 16 else 0)
            chars.append(chr((code | 32 if more else code) + 48))
            if not more:
                break
    return "".join(chars)


def check(runs: Sequence[int], height: int, width: int) -> None:
    """Refuse runs that are no mask of that size.

    Raises:
        InputFileError: a run is negative, or they do not cover the image exactly.
    """
    if any(run < 0 for run in runs):
        raise InputFileError("the mask has a run below zero")
    if sum(runs) != height * width:
        raise InputFileError(
            f"the mask covers {sum(runs)} pixels, the image of {width} x {height} has {height * width}"
        )


def area(runs: Sequence[int]) -> int:
    """How many pixels are in the mask."""
    return sum(runs[1::2])


def bounding_box(runs: Sequence[int], height: int) -> tuple[int, int, int, int] | None:
    """x, y, width and height of the smallest box around the mask, in pixels; None if it is empty."""
    left = top = None
    right = bottom = 0
    at = 0
    for index, run in enumerate(runs):
        if index % 2 and run:
            first, last = divmod(at, height), divmod(at + run - 1, height)
            left = first[0] if left is None else left
            right = last[0]
            whole_column = last[0] > first[0]
            above = 0 if whole_column else first[1]
            top = above if top is None else min(top, above)
            bottom = max(bottom, height - 1 if whole_column else last[1])
        at += run
    if left is None or top is None:
        return None
    return left, top, right - left + 1, bottom - top + 1
