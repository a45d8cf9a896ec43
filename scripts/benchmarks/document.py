"""Puts the results of a run into docs/performance.md, each table between its own marks; the prose is written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from .results import Row, table

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
RESULTS = ("<!-- results: scripts/bench --write -->", "<!-- end of results -->")
FORMATS_RESULTS = ("<!-- formats results: scripts/bench formats --write -->", "<!-- end of formats results -->")
HTTP_RESULTS = ("<!-- HTTP results: scripts/bench api --write -->", "<!-- end of HTTP results -->")
_FACTS = (
    "{processor}, {cores} cores, {memory} of memory, {system}, {file_system}; "
    "Python {python}, {libraries}, SQLite {sqlite}."
)
_WHEN = "{date}, medians of {runs}; load average {load_before:.1f} before and {load_after:.1f} after."


def facts_of(machine: Mapping[str, object], runs: int) -> str:
    """What was measured on, and when: two lines."""
    count = "one run" if runs == 1 else f"{runs} runs"
    when = _WHEN.format(date=datetime.now(UTC).date().isoformat(), runs=count, **machine)
    return f"{_FACTS.format(**machine)}\n{when}\n"


def render(lines: Sequence[Row], machine: Mapping[str, object], runs: int) -> str:
    """The block: what was measured on, when, and the table."""
    return f"{facts_of(machine, runs)}\n{table(lines)}\n"


def write(block: str, marks: tuple[str, str] = RESULTS) -> None:
    """Replace what stands between the marks; ValueError where they are not there."""
    head, begin, rest = DOCUMENT.read_text(encoding="utf-8").partition(marks[0])
    _, end, tail = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"{DOCUMENT} has no marks for the results")
    DOCUMENT.write_text(f"{head}{begin}\n{block}{end}{tail}", encoding="utf-8")
