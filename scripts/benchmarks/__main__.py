"""Command line of the benchmark: runs the measurements in turn, several times, and prints one table."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from . import formats_command, http_command
from .document import render, write
from .machine import describe
from .measurements import MEASUREMENTS, Bench
from .results import Samples, as_json, rows
from .sizes import FULL, QUICK

_EPILOG = (
    "scripts/bench api measures the HTTP API, scripts/bench formats imports and exports; each has options of its own: "
    "scripts/bench api --help"
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures gonk-node beside raw baselines.", epilog=_EPILOG
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that all of it works, measures little")
    parser.add_argument("--runs", type=int, metavar="N", help="how often; the table has medians [3; with --quick 1]")
    parser.add_argument(
        "--only", action="append", choices=MEASUREMENTS, metavar="NAME", help=f"only: {', '.join(MEASUREMENTS)}"
    )
    parser.add_argument("--json", action="store_true", help="print everything measured as JSON instead of the table")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md; for full runs")
    parser.add_argument("--folder", type=Path, help="where the stores go: a disk to be measured, 4 GB free")
    arguments = parser.parse_args()
    if arguments.runs is not None and arguments.runs < 1:
        parser.error("--runs must be at least 1")
    if arguments.write and (arguments.quick or arguments.only or arguments.json):
        parser.error("--write is for all figures at full size")
    return arguments


def main() -> int:
    """Run the benchmark; the exit code tells only whether it ran, since one slow moment should fail nothing."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the folder is removed
    if sys.argv[1:2] == ["api"]:
        return http_command.main(sys.argv[2:])
    if sys.argv[1:2] == ["formats"]:
        return formats_command.main(sys.argv[2:])
    arguments = _arguments()
    names = arguments.only or list(MEASUREMENTS)
    runs = arguments.runs or (1 if arguments.quick else 3)
    samples: Samples = {}
    with TemporaryDirectory(prefix="gonk-bench-", dir=arguments.folder) as folder:
        machine = describe(Path(folder))
        bench = Bench(Path(folder), QUICK if arguments.quick else FULL)
        for run in range(1, runs + 1):
            for name in names:
                began = time.perf_counter()
                for figure, sample in MEASUREMENTS[name](bench):
                    samples.setdefault(figure, []).append(sample)
                print(f"run {run} of {runs}: {name}, {time.perf_counter() - began:.0f} s", file=sys.stderr)
    machine["load_after"] = os.getloadavg()[0]
    lines = rows(samples)
    if arguments.json:
        print(json.dumps(as_json(lines, samples, machine), indent=2))
        return 0
    block = render(lines, machine, runs)
    if arguments.write:
        write(block)
    else:
        print(block + ("small sizes measure little\n" if arguments.quick else ""), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
