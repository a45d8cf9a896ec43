"""What the runs of the HTTP benchmark gave: every measurement as one table, and those with a target as another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from .figures import FIGURE, RATIO, Figure, Target
from .http_gonk import PATCHED
from .http_measuring import FLOOR, GONK, NODE, PAGE, PAGE_FLOOR, Case
from .processes import Facts
from .results import Sample, Samples, aligned, number
from .sizes import HttpSizes

Run = Mapping[Case, Facts]

RATE, PERCENT, MS = "annotations/s", "%", "ms"
_PATCHED_GONK = "Gonk, re-validation patched out"
HTTP_FIGURES = (
    Figure("one client", "1 client, from 0 events", RATE, _PATCHED_GONK, Target(RATIO, True, 5)),
    Figure("some clients", "8 clients, from 0 events", RATE, _PATCHED_GONK, Target(RATIO, True, 20)),
    Figure("many clients", "64 clients, from 0 events", RATE, "bare aiohttp", Target(FIGURE, True, 500)),
    Figure("many events", "64 clients, from 100,000 events", RATE, "from 0 events", Target(RATIO, True, 0.8)),
    Figure(
        "successes",
        "succeeding, any number of clients",
        PERCENT,
        f"{_PATCHED_GONK}, 8 clients",
        Target(FIGURE, True, 100),
    ),
    Figure("page", "p99, page of 25 of 100,000 pending", MS, "bare aiohttp", Target(FIGURE, False, 50)),
)
_HEADINGS = (
    "what",
    "from events",
    "clients",
    "answers/s",
    "p50 ms",
    "p99 ms",
    "failing",
    "server's ms",
    "clients' share",
)


def samples_of(runs: Sequence[Run], sizes: HttpSizes) -> Samples:
    """The figures that have targets, a sample of each for each run."""
    one, some, many = sizes.clients
    few, most = sizes.events[0], sizes.events[-1]
    samples: Samples = {figure.name: [] for figure in HTTP_FIGURES}
    for run in runs:
        gonk = GONK[PATCHED]
        rate = {case: facts["rate"] for case, facts in run.items()}
        failed = max(facts["failed"] for case, facts in run.items() if case.what == NODE)
        found = {
            "one client": Sample(rate[Case(NODE, few, one)], rate[Case(gonk, 0, one)]),
            "some clients": Sample(rate[Case(NODE, few, some)], rate[Case(gonk, 0, some)]),
            "many clients": Sample(rate[Case(NODE, few, many)], rate[Case(FLOOR, None, many)]),
            "many events": Sample(rate[Case(NODE, most, many)], rate[Case(NODE, few, many)]),
            "successes": Sample(100 * (1 - failed), 100 * (1 - run[Case(gonk, 0, some)]["failed"])),
            "page": Sample(run[Case(PAGE, most, one)]["p99_ms"], run[Case(PAGE_FLOOR, None, one)]["p99_ms"]),
        }
        for name, sample in found.items():
            samples[name].append(sample)
    return samples


def details(runs: Sequence[Run]) -> str:
    """The table of all that was measured: medians over the runs, and of what failed the worst run."""
    return aligned(_HEADINGS, [_cells(case, [run[case] for run in runs]) for case in sorted(runs[0], key=_order)])


def details_json(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The same for other programs: every run."""
    return [{**case._asdict(), "runs": [dict(run[case]) for run in runs]} for case in sorted(runs[0], key=_order)]


def _cells(case: Case, found: Sequence[Facts]) -> tuple[str, ...]:
    def middle(name: str, factor: float = 1) -> str:
        values = [facts[name] for facts in found if facts.get(name) is not None]
        return number(factor * median(values)) if values else ""

    return (
        case.what,
        "" if case.events is None else f"{case.events:,}",
        str(case.clients),
        middle("rate"),
        middle("p50_ms"),
        middle("p99_ms"),
        f"{100 * max(facts['failed'] for facts in found):.0f} %",
        middle("server_cpu_ms"),
        f"{100 * median(facts['client_cpu'] for facts in found):.0f} %" if "client_cpu" in found[0] else "",
    )


def _order(case: Case) -> tuple[str, int, int]:
    return (_PLACES.get(case.what, case.what), case.events or 0, case.clients)


_PLACES = {NODE: "0", f"{NODE}, all one user": "1", PAGE: "2", PAGE_FLOOR: "3", FLOOR: "4"}
