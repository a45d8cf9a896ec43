"""Measures content transfer between two nodes that have the same entries: many small files, and one large one."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from gonk_node.core.events import ObjectCreate
from gonk_node.core.ids import object_uuid
from gonk_node.core.limits import CHUNK_BYTES
from gonk_node.replica.content.contents import ALL

from .material import Sender, new_dataset, new_node, open_node
from .processes import job, server
from .results import Sample
from .sizes import MB, Sizes

Measured = Iterator[tuple[str, Sample]]


class _RandomFile(io.BytesIO):
    """A file of random bytes that is nowhere: each read makes the next."""

    def __init__(self, seed: int, size: int) -> None:
        super().__init__()
        self._random = Random(seed)
        self._left = size

    def read(self, size: int | None = -1) -> bytes:
        size = self._left if size is None or size < 0 else min(size, self._left)
        self._left -= size
        return self._random.randbytes(size)


class Contents:
    """Two senders whose objects have content, made once; each run fetches that anew, into a node that has the entries."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        folder.mkdir()
        self._folder = folder
        self._sizes = sizes
        small = [_RandomFile(seed, sizes.small_file_bytes) for seed in range(sizes.small_files)]
        self._small = _make_sender(folder / "small", small)
        self._large = _make_sender(folder / "large", [_RandomFile(-1, sizes.large_file_bytes)])

    def small_files(self) -> Measured:
        """One run of many small files."""
        sizes = self._sizes
        seconds, _ = self._receive(self._small, sizes.small_files)
        raw = self._raw(sizes.small_files, sizes.small_file_bytes)
        megabytes = sizes.small_files * sizes.small_file_bytes / MB
        yield "content small", Sample(megabytes / seconds, megabytes / raw)

    def large_file(self) -> Measured:
        """One run of one large file, and the memory that it took."""
        sizes = self._sizes
        seconds, memory = self._receive(self._large, 1)
        raw = self._raw(sizes.large_file_bytes // CHUNK_BYTES, CHUNK_BYTES)
        megabytes = sizes.large_file_bytes / MB
        yield "content large", Sample(megabytes / seconds, megabytes / raw)
        yield "memory content", memory

    def _receive(self, sender: Sender, files: int) -> tuple[float, Sample]:
        """Seconds of a sync that fetches all content, and peak memory (MB) of the receiver."""
        with TemporaryDirectory(dir=self._folder) as folder:
            home = str(new_node(Path(folder) / "receiver").root)
            with server("node_ends", "serve", home=str(sender.home.root), dataset=sender.dataset.hex()) as peer:
                job("node_ends", "clone", home=home, **peer)
                facts = job("node_ends", "sync", home=home, policy=ALL, **peer)
        if facts["files"] != files:
            raise ValueError(f"{facts['files']} of {files} files came")
        return facts["seconds"], Sample(facts["memory_peak"] / MB, facts["memory_before"] / MB)

    def _raw(self, count: int, size: int) -> float:
        """Seconds of the baseline."""
        with (
            TemporaryDirectory(dir=self._folder) as folder,
            server("raw_stream", "serve", folder=str(self._folder)) as peer,
        ):
            facts = job("raw_stream", "fetch", count=count, size=size, folder=f"{folder}/raw", **peer)
        return float(facts["seconds"])


def _make_sender(root: Path, files: Sequence[_RandomFile]) -> Sender:
    """A node with a dataset that has an object for each file."""
    home = new_node(root)
    dataset = new_dataset(home)
    with open_node(home) as node:
        events = [
            ObjectCreate(object_uuid(dataset, info.content_id), f"file-{number}", "image/png", *info)
            for number, info in enumerate(node.content.put_files(files))
        ]
        node.replica(dataset.hex()).sign(node.signer(), events)
    return Sender(home, dataset)
