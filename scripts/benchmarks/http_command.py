"""`scripts/bench api`: runs the benchmark of the HTTP API several times, and prints or writes its tables."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from .document import HTTP_RESULTS, facts_of, write
from .http_gonk import Gonk
from .http_measuring import HttpBench
from .http_results import HTTP_FIGURES, Run, details, details_json, samples_of
from .machine import describe
from .processes import ChildError
from .results import as_json, rows, table
from .sizes import HTTP_FULL, HTTP_QUICK

_NO_GONK = "Gonk 0.1.4 was not run; its figures are of another machine with 2 processors of 2.5 GHz."


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench api", description="Measures the HTTP API of gonk serve under concurrent clients."
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that all of it works, measures little")
    parser.add_argument("--runs", type=int, metavar="N", help="how often; the tables have medians [3; with --quick 1]")
    parser.add_argument("--json", action="store_true", help="print everything measured as JSON instead of the tables")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md; for full runs")
    parser.add_argument("--folder", type=Path, help="where the stores go: a disk to be measured, 1 GB free")
    parser.add_argument(
        "--no-gonk",
        action="store_true",
        help="do not install and run Gonk 0.1.4, but show figures of another machine; --quick never does",
    )
    arguments = parser.parse_args(words)
    if arguments.runs is not None and arguments.runs < 1:
        parser.error("--runs must be at least 1")
    if arguments.write and (arguments.quick or arguments.json):
        parser.error("--write is for all figures at full size")
    return arguments


def main(words: Sequence[str]) -> int:
    """Run it; the exit code tells only whether it ran, since one slow moment should fail nothing."""
    arguments = _arguments(words)
    sizes = HTTP_QUICK if arguments.quick else HTTP_FULL
    count = arguments.runs or (1 if arguments.quick else 3)
    runs: list[Run] = []
    with TemporaryDirectory(prefix="gonk-bench-", dir=arguments.folder) as folder:
        machine = describe(Path(folder))
        gonk = None if arguments.quick or arguments.no_gonk else _gonk(Path(folder))
        for number in range(1, count + 1):
            began = time.perf_counter()
            runs.append(dict(HttpBench(Path(folder), sizes, gonk).run()))
            print(f"run {number} of {count}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    machine["load_after"] = os.getloadavg()[0]
    samples = samples_of(runs, sizes)
    lines = rows(samples, HTTP_FIGURES)
    if arguments.json:
        found = {**as_json(lines, samples, machine), "gonk_was_run": gonk is not None, "details": details_json(runs)}
        print(json.dumps(found, indent=2))
        return 0
    notes = facts_of(machine, count) + ("" if gonk else f"{_NO_GONK}\n")
    block = f"{notes}\n{table(lines)}\n\n{details(runs)}\n"
    if arguments.write:
        write(block, HTTP_RESULTS)
    else:
        print(block + ("small sizes measure little\n" if arguments.quick else ""), end="")
    return 0


def _gonk(folder: Path) -> Gonk | None:
    try:
        return Gonk(folder / "gonk")
    except ChildError as error:
        print(f"{error}\n{_NO_GONK}", file=sys.stderr)
        return None
