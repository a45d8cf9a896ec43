"""Collects samples over several runs and shows their medians: as a table for people, or as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from .figures import FIGURES, Figure


class Sample(NamedTuple):
    """A figure and its baseline, measured one beside the other."""

    figure: float
    baseline: float


Samples = dict[str, list[Sample]]
"""By the name of a figure, one sample for each run."""


class Row(NamedTuple):
    """Medians over the runs; the ratio is the median of the runs' own ratios, since both sides share a run's luck."""

    figure: Figure
    value: float
    baseline: float
    ratio: float
    reached: bool | None

    @classmethod
    def of(cls, figure: Figure, samples: Sequence[Sample]) -> Row:
        """The row of at least one sample."""
        value = median(each.figure for each in samples)
        ratio = median(each.figure / each.baseline for each in samples)
        reached = None if figure.target is None else figure.target.reached(value, ratio)
        return cls(figure, value, median(each.baseline for each in samples), ratio, reached)

    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        target = self.figure.target
        return (
            self.figure.what,
            number(self.value),
            self.figure.unit,
            f"{number(self.baseline)}  {self.figure.baseline}",
            f"{self.ratio:.2f}",
            "" if target is None else target.text(self.figure.unit),
            {True: "yes", False: "NO", None: ""}[self.reached],
        )


HEADINGS = ("what", "figure", "unit", "baseline", "ratio", "target", "reached")
_NUMBER = re.compile(r"[0-9][0-9,.]*( %)?")


def rows(samples: Samples, figures: Sequence[Figure] = FIGURES) -> list[Row]:
    """The rows for which there are samples, in the order of the table of figures."""
    return [Row.of(figure, samples[figure.name]) for figure in figures if samples.get(figure.name)]


def number(value: float) -> str:
    """Three digits that count, or all of a whole number: 0.0412, 41.2, 12,345."""
    if value >= 1000:
        return f"{value:,.0f}"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 4
    return f"{value:.{digits}f}"


def table(lines: Sequence[Row]) -> str:
    """The table of figures."""
    return aligned(HEADINGS, [line.cells() for line in lines])


def aligned(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, aligned so that it can be read as it is; columns of numbers are so to the right."""
    grid = [headings, *lines]
    widths = [max(len(cells[column]) for cells in grid) for column in range(len(headings))]
    right = {at for at in range(len(headings)) if any(_NUMBER.fullmatch(cells[at]) for cells in lines)}
    texts = [
        "| " + " | ".join(_pad(cell, widths[at], right=at in right) for at, cell in enumerate(cells)) + " |"
        for cells in grid
    ]
    rule = "|" + "|".join("-" * (width + 1) + (":" if at in right else "-") for at, width in enumerate(widths)) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])


def as_json(lines: Sequence[Row], samples: Samples, machine: Mapping[str, object]) -> dict[str, object]:
    """All that was measured: the medians, and every sample as [figure, baseline]."""
    return {
        "machine": dict(machine),
        "figures": [
            {
                "name": line.figure.name,
                "what": line.figure.what,
                "unit": line.figure.unit,
                "figure": line.value,
                "baseline": line.baseline,
                "baseline_is": line.figure.baseline,
                "ratio": line.ratio,
                "target": None if line.figure.target is None else line.figure.target.text(line.figure.unit),
                "reached": line.reached,
                "samples": [list(sample) for sample in samples[line.figure.name]],
            }
            for line in lines
        ],
    }


def _pad(text: str, width: int, *, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)
