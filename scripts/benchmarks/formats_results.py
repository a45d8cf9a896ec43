"""What the runs of the benchmark of formats gave: the figures that have targets, and every format as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from .figures import FIGURE, RATIO, VERIFY, Figure, Target
from .formats_measuring import IN, OUT, OUT_ALONE, Case
from .processes import Facts
from .results import Sample, Samples, aligned, number
from .sizes import MB, FormatSizes

Run = Mapping[Case, Facts]

_RATE = "annotations/s"
_RAW_JSON = "bodies through json alone"
FORMATS_FIGURES = (
    Figure("coco in", "import of COCO, State ready", _RATE, VERIFY, Target(FIGURE, True, 15_000)),
    Figure("coco alone", "export of COCO, annotations alone", _RATE, _RAW_JSON, Target(FIGURE, True, 50_000)),
    Figure("coco out", "export of COCO, with its images", _RATE, _RAW_JSON, Target(FIGURE, True, 50_000)),
    Figure(
        "memory in", "peak memory of an import, the format that grows most", "MB", "a tenth", Target(RATIO, False, 1.3)
    ),
    Figure(
        "memory out", "peak memory of an export, the format that grows most", "MB", "a tenth", Target(RATIO, False, 1.3)
    ),
)
_HEADINGS = ("format", "annotations", "objects", "out/s", "in/s", "objects out/s", "objects in/s", "MB out", "MB in")


def samples_of(runs: Sequence[Run], sizes: FormatSizes) -> Samples:
    """The figures that have targets, a sample of each for each run."""
    samples: Samples = {}
    for run in runs:
        for name, way, baseline in (
            ("coco in", IN, "verify_rate"),
            ("coco alone", OUT_ALONE, "json_rate"),
            ("coco out", OUT, "json_rate"),
        ):
            facts = run.get(Case("coco", way, sizes.many))
            if facts is not None:
                sample = Sample(facts["annotations"] / facts["seconds"], facts[baseline])
                samples.setdefault(name, []).append(sample)
        for name, way in (("memory in", IN), ("memory out", OUT)):
            grown = [
                Sample(facts["peak"] / MB, run[case._replace(annotations=sizes.few)]["peak"] / MB)
                for case, facts in run.items()
                if case.way == way and case.annotations == sizes.many
            ]
            if grown:
                samples.setdefault(name, []).append(max(grown, key=lambda each: each.figure / each.baseline))
    return samples


def details(runs: Sequence[Run]) -> str:
    """A row for each format and size, with the medians over the runs."""
    lines = []
    for case in runs[0]:
        if case.way != OUT:
            continue
        out, back = ([run[each] for run in runs if each in run] for each in (case, case._replace(way=IN)))
        lines.append(
            (
                case.format_name,
                f"{case.annotations:,}",
                f"{out[0]['objects']:,}",
                _rate(out, "annotations"),
                _rate(back, "annotations"),
                _rate(out, "objects"),
                _rate(back, "objects"),
                _memory(out),
                _memory(back),
            )
        )
    return aligned(_HEADINGS, lines)


def details_json(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Every measurement of every run."""
    return [{**case._asdict(), "runs": [run[case] for run in runs if case in run]} for case in runs[0]]


def _rate(facts: Sequence[Facts], what: str) -> str:
    return number(median(each[what] / each["seconds"] for each in facts)) if facts else ""


def _memory(facts: Sequence[Facts]) -> str:
    return number(median(each["peak"] for each in facts) / MB) if facts else ""
