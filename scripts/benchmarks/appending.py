"""Measures the write path of one node: entries signed, stored, flushed and folded one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from .baselines import BareLmdb
from .material import Annotator, new_dataset, new_node, open_node
from .results import Sample
from .sizes import GROUP, Sizes

_TURNS = 5  # of both sides in one run, so that a slow moment of the disk meets both


def append_one(folder: Path, sizes: Sizes) -> Iterator[tuple[str, Sample]]:
    """One run of entries of one event."""
    yield "append one", _against_lmdb(folder, sizes.appends, 1)


def append_grouped(folder: Path, sizes: Sizes) -> Iterator[tuple[str, Sample]]:
    """One run of entries of many events."""
    yield "append grouped", _against_lmdb(folder, sizes.grouped_appends, GROUP)


def _against_lmdb(parent: Path, flushes: int, group: int) -> Sample:
    """Events per second of the node, and puts per second of LMDB, with a flush after each `group`."""
    with TemporaryDirectory(dir=parent) as folder:
        home = new_node(Path(folder) / "node")
        dataset = new_dataset(home)
        bare = BareLmdb(Path(folder) / "bare")
        with open_node(home) as node:
            annotator = Annotator(node, dataset)
            groups = [annotator.annotations(group) for _ in range(flushes)]
            size = len(next(annotator.records(group, group))) // group
            turn = -(-flushes // _TURNS)
            seconds = raw = 0.0
            for start in range(0, flushes, turn):
                turn_groups = groups[start : start + turn]
                began = time.perf_counter()
                for events in turn_groups:
                    annotator.sign(events)
                between = time.perf_counter()
                for _ in turn_groups:
                    bare.put([bytes(size)] * group)
                seconds += between - began
                raw += time.perf_counter() - between
        bare.close()
    return Sample(flushes * group / seconds, flushes * group / raw)
