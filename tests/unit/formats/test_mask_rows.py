"""Masks that are read row by row, as those that are read column by column, and back; and what makes that no trap."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.errors import InputFileError
from gonk_node.formats import rle

Rows = list[list[int]]
RUNS_MAX = 1 << 20


@st.composite
def pictures(draw: st.DrawFn) -> Rows:
    width = draw(st.integers(1, 7))
    return draw(st.lists(st.lists(st.integers(0, 1), min_size=width, max_size=width), min_size=1, max_size=7))


def runs_of(pixels: list[int]) -> list[int]:
    found = [len(list(run)) for _, run in groupby(pixels)]
    return [0, *found] if pixels[0] else found


def by_rows(picture: Rows) -> list[int]:
    return runs_of([pixel for row in picture for pixel in row])


def by_columns(picture: Rows) -> list[int]:
    return runs_of([row[x] for x in range(len(picture[0])) for row in picture])


@given(pictures(), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_a_part_read_by_rows_is_the_whole_read_by_columns(
    part: Rows, left: int, top: int, right: int, low: int
) -> None:
    width, height = left + len(part[0]) + right, top + len(part) + low
    empty = [[0] * width]
    whole = empty * top + [[0] * left + row + [0] * right for row in part] + empty * low
    made = rle.turned(
        by_rows(part),
        len(part[0]),
        new_length=height,
        shift=(left, top),
        total=width * height,
        runs_max=RUNS_MAX,
    )
    assert made == by_columns(whole)
    rle.check(made, height, width)
    box = rle.bounding_box(made, height)
    if box is not None:
        x, y, w, h = box
        again = rle.turned(made, height, new_length=w, shift=(-y, -x), total=w * h, runs_max=RUNS_MAX)
        assert again == by_rows([row[x : x + w] for row in whole[y : y + h]])


def turned(runs: list[int], width: int, height: int, runs_max: int = RUNS_MAX) -> list[int]:
    return rle.turned(runs, width, new_length=height, shift=(0, 0), total=width * height, runs_max=runs_max)


def test_few_runs_take_little_however_many_pixels_they_are() -> None:
    side = 2**31 - 1
    assert turned([0, side * side], side, side) == [0, side * side]
    assert turned([side * side - 1, 1], side, side) == [side * side - 1, 1]


def test_a_mask_that_becomes_too_many_runs_is_refused_before_they_are_made() -> None:
    side = 2**31 - 2
    with pytest.raises(InputFileError, match="more than 1,000 runs"):
        turned([side, side] * 10, side, 20, runs_max=1000)


def test_a_staircase_of_many_steps_is_two_runs_a_column() -> None:
    side = 20_000
    stairs = [run for step in range(side) for run in (step, side - step)][1:]  # row y from x = y on
    made = turned([0, *stairs], side, side)
    assert made[:6] == [0, 1, side - 1, 2, side - 2, 3]
    assert len(made) == 2 * side
