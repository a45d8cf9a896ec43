"""What the figures were measured on: processor, memory, versions, file system, load."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib import metadata
from pathlib import Path

import lmdb

_LIBRARIES = ("aiohttp", "PyNaCl", "cbor2", "lmdb", "blake3")
_MOUNTS = Path("/proc/mounts")  # proc(5)
_CPU = Path("/proc/cpuinfo")
_MEMORY = Path("/proc/meminfo")


def describe(folder: Path) -> dict[str, object]:
    """Facts of this machine; `folder` is where the stores of the benchmark are."""
    return {
        "processor": _line(_CPU, "model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory": _memory(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES),
        "lmdb": ".".join(map(str, lmdb.version())),
        "sqlite": sqlite3.sqlite_version,
        "file_system": _file_system(folder.resolve()),
        "load_before": os.getloadavg()[0],
    }


def _memory() -> str:
    kib = _line(_MEMORY, "MemTotal").split(" ")[0]  # proc(5): "16384000 kB", and kB means KiB
    return f"{int(kib) / 2**20:.0f} GiB" if kib else "unknown"


def _line(path: Path, name: str) -> str:
    """The first value of that name in a file of `name: value` lines; empty where there is none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _file_system(folder: Path) -> str:
    """The kind of file system that a folder is on, where the system tells; a tmpfs flushes nothing."""
    try:
        mounts = [line.split() for line in _MOUNTS.read_text().splitlines()]
    except OSError:
        return "unknown"
    around = [mount for mount in mounts if folder.is_relative_to(mount[1])]
    return max(around, key=lambda mount: len(mount[1]))[2]
