"""What is measured and what is to be reached: the one table of figures. Measures nothing itself."""

from __future__ import annotations

from typing import NamedTuple

RATIO, FIGURE = "ratio", "figure"  # what a target is about: the figure over its baseline, or the figure itself


class Target(NamedTuple):
    """A bound on a figure, or on its ratio to the baseline; `at_least` says on which side of it is good."""

    of: str
    at_least: bool
    bound: float

    def reached(self, figure: float, ratio: float) -> bool:
        """Whether a result keeps the bound."""
        value = ratio if self.of == RATIO else figure
        return value >= self.bound if self.at_least else value <= self.bound

    def text(self, unit: str) -> str:
        """As the table shows it: `>= 2x`, `<= 300 MB`."""
        sign = ">=" if self.at_least else "<="
        return f"{sign} {self.bound:g}x" if self.of == RATIO else f"{sign} {self.bound:,g} {unit}"


class Figure(NamedTuple):
    """One row of the table that the benchmark prints.

    Attributes:
        name: what a measurement calls it.
        what: for people.
        unit: of the figure and of its baseline.
        baseline: what the baseline is.
        target: what is to be reached, if anything.
    """

    name: str
    what: str
    unit: str
    baseline: str
    target: Target | None = None


VERIFY = "PyNaCl verify"
STREAM = "aiohttp TLS stream into LMDB"
EVENTS, PER_EVENT, MB_PER_SECOND = "events/s", "bytes/event", "MB/s"

FIGURES = (
    Figure("append one", "append, one event an entry, each flushed", EVENTS, "LMDB put and flush"),
    Figure("append grouped", "append, 1,000 events an entry, each flushed", EVENTS, "LMDB puts, flush every 1,000"),
    Figure("import", "import of a COCO file, State ready", EVENTS, VERIFY),
    Figure("clone 1000", "clone, entries of 1,000 events, State ready", EVENTS, VERIFY, Target(RATIO, True, 2)),
    Figure("clone 1", "clone, entries of one event, State ready", EVENTS, VERIFY, Target(RATIO, True, 0.6)),
    Figure("sync", "sync of few new entries into many", "s", "bare TLS request", Target(FIGURE, False, 0.5)),
    Figure("content small", "content, many files of 100 KB", MB_PER_SECOND, STREAM, Target(RATIO, True, 0.5)),
    Figure("content large", "content, one large file", MB_PER_SECOND, STREAM, Target(RATIO, True, 0.5)),
    Figure("rebuild 1000", "rebuild of the State, entries of 1,000", EVENTS, VERIFY, Target(FIGURE, True, 30_000)),
    Figure("rebuild 1", "rebuild of the State, entries of one", EVENTS, VERIFY, Target(FIGURE, True, 30_000)),
    Figure("release", "release verified, all in it accepted", EVENTS, VERIFY, Target(FIGURE, True, 30_000)),
    Figure("log size 1000", "log on disk, entries of 1,000", PER_EVENT, "the records alone"),
    Figure("log size 1", "log on disk, entries of one", PER_EVENT, "the records alone"),
    Figure("State size 1000", "State on disk, entries of 1,000", PER_EVENT, "the records alone"),
    Figure("State size 1", "State on disk, entries of one", PER_EVENT, "the records alone"),
    Figure("memory 1000", "peak memory of a clone, entries of 1,000", "MB", "before it", Target(FIGURE, False, 300)),
    Figure("memory 1", "peak memory of a clone, entries of one", "MB", "before it", Target(FIGURE, False, 300)),
    Figure("memory content", "peak memory of the large file", "MB", "before it", Target(FIGURE, False, 300)),
)
