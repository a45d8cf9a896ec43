"""Measures two nodes in two processes, from clone to rebuild: the State, the disk and the memory of the receiver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

from gonk_node.home import Home

from .baselines import between_verifications
from .material import Annotator, make_sender, new_node, open_node
from .processes import Facts, job, server
from .results import Sample
from .sizes import MB, Sizes

Measured = Iterator[tuple[str, Sample]]
_BLOCK_BYTES = 512  # stat(2): what st_blocks counts in


class Cloning:
    """A sender with many annotations in entries of one size, made once; each run clones it anew.

    Args:
        folder: for both nodes; must not exist.
        sizes: of the benchmark.
        events: annotations of the sender.
        per_entry: annotations in one entry.
        label: ends the names of the figures.
    """

    def __init__(self, folder: Path, sizes: Sizes, *, events: int, per_entry: int, label: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._sizes = sizes
        self._events = events
        self._label = label
        self._sender = make_sender(folder / "sender", events, per_entry)
        self._synced: Home | None = None

    def clone(self) -> Measured:
        """One clone into a new node, up to its State, and what that node then has on its disk."""
        with TemporaryDirectory(dir=self._folder) as folder:
            home = new_node(Path(folder) / "receiver")
            with self._serving() as peer, between_verifications(self._sizes.baseline_seconds) as around:
                facts = self._clone(home, peer)
            memory = Sample(facts["memory_peak"] / MB, facts["memory_before"] / MB)
            yield f"clone {self._label}", Sample(self._events / facts["seconds"], around.rate)
            yield f"memory {self._label}", memory
            yield from self._disk(home)

    def rebuild(self) -> Measured:
        """One rebuild of the sender's State."""
        with between_verifications(self._sizes.baseline_seconds) as around:
            facts = job("node_ends", "rebuild", home=str(self._sender.home.root), dataset=self._sender.dataset.hex())
        yield f"rebuild {self._label}", Sample(self._events / facts["seconds"], around.rate)

    def sync(self) -> Measured:
        """One sync of new entries of one event each, into a node that has all the others."""
        home = self._synced
        if home is None:
            home = self._synced = new_node(self._folder / "synced")
            with self._serving() as peer:
                self._clone(home, peer)
        with open_node(self._sender.home) as node:
            annotator = Annotator(node, self._sender.dataset)
            annotator.take_in(self._sizes.synced, 1)
            size = len(next(annotator.records(1, 1)))
        with self._serving() as peer:
            facts = job("node_ends", "sync", home=str(home.root), **peer)
        with TemporaryDirectory(dir=self._folder) as folder, server("raw_stream", "serve", folder=folder) as peer:
            raw = job("raw_stream", "fetch", count=self._sizes.synced, size=size, folder=f"{folder}/raw", **peer)
        yield "sync", Sample(facts["seconds"], raw["seconds"])

    def _clone(self, home: Home, peer: Facts) -> Facts:
        return job("node_ends", "clone", home=str(home.root), **peer)

    def _serving(self) -> AbstractContextManager[Facts]:
        return server("node_ends", "serve", home=str(self._sender.home.root), dataset=self._sender.dataset.hex())

    def _disk(self, home: Home) -> Measured:
        folder = home.dataset(self._sender.dataset)
        with open_node(home) as node:
            log = node.replica(self._sender.dataset.hex()).log
            records = sum(len(record) for _, record in log.scan(0, count_max=10**9, bytes_max=10**12))
        for name, path in (("log size", folder.log), ("State size", folder.state_db)):
            size = sum(each.stat().st_blocks * _BLOCK_BYTES for each in _files(path))
            yield f"{name} {self._label}", Sample(size / self._events, records / self._events)


def _files(path: Path) -> list[Path]:
    return list(path.iterdir()) if path.is_dir() else [path]
