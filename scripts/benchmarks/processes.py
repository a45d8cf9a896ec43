"""Child processes of the benchmark: a server that runs until it is let go, a client that does one job and reports.

A child is a module of this package that calls `run_role`; parent and child exchange one JSON object a line. A child reports
its own peak memory, because what the system tells of a child may count what its parent had before.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any

Facts = dict[str, Any]
_STATUS = Path("/proc/self/status")  # proc(5)
_ENDING_SECONDS = 30


class ChildError(Exception):
    """A child process ended without its report; what it wrote on stderr was shown."""


def _start(module: str, role: str, arguments: Mapping[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"{__package__}.{module}", role, json.dumps(arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _report(child: subprocess.Popen[str], what: str) -> Facts:
    line = child.stdout.readline() if child.stdout else ""
    if not line:
        raise ChildError(f"{what} ended with exit code {child.wait()}")
    facts: Facts = json.loads(line)
    return facts


@contextmanager
def server(module: str, role: str, **arguments: Any) -> Iterator[Facts]:
    """Run a child for the length of a `with` block; the block gets what it says once it serves."""
    with _start(module, role, arguments) as child:
        try:
            yield _report(child, f"{module} {role}")
        finally:
            if child.stdin:
                child.stdin.close()  # this tells it to end
            try:
                child.wait(_ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def job(module: str, role: str, **arguments: Any) -> Facts:
    """Run a child to its end; returns what it reports."""
    with _start(module, role, arguments) as child:
        facts = _report(child, f"{module} {role}")
        child.communicate()
    return facts


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has taken so far; 0 where the system does not tell (proc(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime


# --- on the child's side -------------------------------------------------------------------------------------


Server = Callable[..., AbstractAsyncContextManager[Facts]]
Job = Callable[..., Awaitable[Facts]]


def run_role(servers: Mapping[str, Server], jobs: Mapping[str, Job]) -> None:
    """What a child's module calls as its main program: the role and its arguments stand on the command line."""
    role, arguments = sys.argv[1], json.loads(sys.argv[2])
    if role in jobs:
        print(json.dumps(asyncio.run(_run_job(jobs[role], arguments))), flush=True)
    else:
        asyncio.run(_serve(servers[role], arguments))


async def _run_job(work: Job, arguments: Facts) -> Facts:
    before = peak_memory_bytes()
    facts = await work(**arguments)
    return {**facts, "memory_before": before, "memory_peak": peak_memory_bytes()}


async def _serve(serve: Server, arguments: Facts) -> None:
    async with serve(**arguments) as facts:
        print(json.dumps(facts), flush=True)
        await asyncio.to_thread(sys.stdin.read)  # ends when the parent lets go


def peak_memory_bytes() -> int:
    """The most memory that this process has had resident at any time."""
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes on macOS
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
