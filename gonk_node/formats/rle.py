"""Masks in run-length encoding: COCO's compressed text, the runs, area, bounding box, row by row. It decodes no pixels.

A mask of h rows and w columns is read column by column, from the top of each; runs of 0 and 1 alternate, beginning with 0.
The compressed text holds each run less the one two before it, from the fourth on, in groups of five bits, the lowest first,
each with 32 added where more follow, as characters from "0" on (maskApi.c of the COCO API).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


def turned(
    runs: Sequence[int], length: int, *, new_length: int, shift: tuple[int, int], total: int, runs_max: int
) -> list[int]:
    """The runs of a mask as it is read across its lines, perhaps in a larger or smaller picture. Takes memory for runs only.

    Args:
        runs: beginning with pixels that are not in it, along lines of `length` pixels.
        length: of a line, such as the width where it was read row by row.
        new_length: of the lines that are made, such as the height of the picture.
        shift: (a, b): what is in line y at x goes to line x + a at y + b. All of it has a place there.
        total: pixels of the picture that is made.
        runs_max: give up where more runs would come of it.

    Raises:
        InputFileError: it has more than that.
    """
    cuts: list[int] = []  # where pixels in it and others meet
    for first, behind, pixels in _across(runs, length):
        whole = len(pixels) == 2 and pixels[1] - pixels[0] == new_length  # lines: they are one run
        for line in range(first, first + 1 if whole else behind):
            start = (line + shift[0]) * new_length + shift[1]
            found = [start + pixel for pixel in pixels]
            if whole:
                found[1] += (behind - first - 1) * new_length
            if cuts and cuts[-1] == found[0]:  # it goes on from the end of the line before
                del cuts[-1], found[0]
            cuts += found
            if len(cuts) > runs_max:
                raise InputFileError(f"the mask has more than {runs_max:,} runs")
    ends = cuts if cuts and cuts[-1] == total else [*cuts, total]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def _across(runs: Sequence[int], length: int) -> Iterator[tuple[int, int, list[int]]]:
    """(x, a later x, every y at which the mask begins or ends in the columns between); `runs` are along the rows."""
    events: list[int] = []  # x << 32 | y: from x on, the columns change at y, or no longer do
    at = 0
    for index, run in enumerate(runs):
        if index % 2 and run:
            for left, right, top, bottom in _rectangles(at, at + run, length):
                events += [left << 32 | top, left << 32 | bottom, right << 32 | top, right << 32 | bottom]
        at += run
    events.sort()
    pixels: list[int] = []
    at = 0
    while at < len(events):
        x = events[at] >> 32
        changes: set[int] = set()
        while at < len(events) and events[at] >> 32 == x:
            changes ^= {events[at] & 0xFFFFFFFF}
            at += 1
        pixels = sorted(changes.symmetric_difference(pixels))
        if pixels:  # none behind the last event
            yield x, events[at] >> 32, pixels


def _rectangles(begin: int, end: int, length: int) -> Iterator[tuple[int, int, int, int]]:
    """left, right, top, bottom of the at most three rectangles that a run covers."""
    (top, left), (bottom, right) = divmod(begin, length), divmod(end - 1, length)
    right += 1
    if top == bottom:
        yield left, right, top, top + 1
        return
    if left:
        yield left, length, top, top + 1
        top += 1
    if right < length:
        yield 0, right, bottom, bottom + 1
        bottom -= 1
    if top <= bottom:
        yield 0, length, top, bottom + 1
