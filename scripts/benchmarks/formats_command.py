"""`scripts/bench formats`: runs the benchmark of imports and exports several times, and prints or writes its tables."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from gonk_node.formats.export import EXPORTERS

from .document import FORMATS_RESULTS, facts_of, write
from .formats_measuring import FormatsBench
from .formats_results import FORMATS_FIGURES, Run, details, details_json, samples_of
from .machine import describe
from .results import as_json, rows, table
from .sizes import FORMATS_FULL, FORMATS_QUICK


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench formats", description="Measures imports and exports in every format, and their memory."
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that all of it works, measures little")
    parser.add_argument("--runs", type=int, metavar="N", help="how often; the tables have medians [3; with --quick 1]")
    parser.add_argument("--only", choices=sorted(EXPORTERS), metavar="FORMAT", help="only this one")
    parser.add_argument("--json", action="store_true", help="print everything measured as JSON instead of the tables")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md; for full runs")
    parser.add_argument("--folder", type=Path, help="where the stores and files go: a disk to be measured, 2 GB free")
    arguments = parser.parse_args(words)
    if arguments.runs is not None and arguments.runs < 1:
        parser.error("--runs must be at least 1")
    if arguments.write and (arguments.quick or arguments.only or arguments.json):
        parser.error("--write is for all formats at full size")
    return arguments


def main(words: Sequence[str]) -> int:
    """Run it; the exit code tells only whether it ran, since one slow moment should fail nothing."""
    arguments = _arguments(words)
    sizes = FORMATS_QUICK if arguments.quick else FORMATS_FULL
    count = arguments.runs or (1 if arguments.quick else 3)
    runs: list[Run] = []
    with TemporaryDirectory(prefix="gonk-bench-", dir=arguments.folder) as folder:
        machine = describe(Path(folder))
        for number in range(1, count + 1):
            began = time.perf_counter()
            runs.append(dict(FormatsBench(Path(folder), sizes, arguments.only).run()))
            print(f"run {number} of {count}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    machine["load_after"] = os.getloadavg()[0]
    samples = samples_of(runs, sizes)
    lines = rows(samples, FORMATS_FIGURES)
    if arguments.json:
        print(json.dumps({**as_json(lines, samples, machine), "details": details_json(runs)}, indent=2))
        return 0
    block = f"{facts_of(machine, count)}\n{table(lines)}\n\n{details(runs)}\n"
    if arguments.write:
        write(block, FORMATS_RESULTS)
    else:
        print(block + ("small sizes measure little\n" if arguments.quick else ""), end="")
    return 0
