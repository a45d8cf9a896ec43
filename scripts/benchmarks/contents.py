"""Measures content transfer between two processes: many small files, and one large one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from gonk_node.core.chunks import ContentInfo
from gonk_node.core.limits import CHUNK_BYTES
from gonk_node.store.content import ContentStore

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
    """The content of a sender, made once; each run fetches it anew."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        folder.mkdir()
        self._folder = folder
        self._sizes = sizes
        store = ContentStore.create(folder / "content")
        small = [_RandomFile(seed, sizes.small_file_bytes) for seed in range(sizes.small_files)]
        self._small = self._wanted("small", store.put_files(small))
        self._large = self._wanted("large", [store.put_file(_RandomFile(-1, sizes.large_file_bytes))])
        store.close()

    def _wanted(self, name: str, infos: list[ContentInfo]) -> Path:
        path = self._folder / f"wanted-{name}"
        path.write_text("".join(f"{info.content_id.hex()} {info.size}\n" for info in infos))
        return path

    def small_files(self) -> Measured:
        """One run of many small files."""
        sizes = self._sizes
        seconds, _ = self._receive(self._small)
        raw = self._raw(sizes.small_files, sizes.small_file_bytes)
        megabytes = sizes.small_files * sizes.small_file_bytes / MB
        yield "content small", Sample(megabytes / seconds, megabytes / raw)

    def large_file(self) -> Measured:
        """One run of one large file, and the memory that it took."""
        sizes = self._sizes
        seconds, memory = self._receive(self._large)
        raw = self._raw(sizes.large_file_bytes // CHUNK_BYTES, CHUNK_BYTES)
        megabytes = sizes.large_file_bytes / MB
        yield "content large", Sample(megabytes / seconds, megabytes / raw)
        yield "memory content", memory

    def _receive(self, wanted: Path) -> tuple[float, Sample]:
        """Seconds, and peak memory (MB) of the receiver."""
        tls = str(self._folder / "tls.pem")
        with (
            TemporaryDirectory(dir=self._folder) as folder,
            server("content_ends", "serve", folder=str(self._folder / "content"), tls=tls) as peer,
        ):
            facts = job("content_ends", "receive", folder=f"{folder}/content", wanted=str(wanted), **peer)
        return facts["seconds"], Sample(facts["memory_peak"] / MB, facts["memory_before"] / MB)

    def _raw(self, count: int, size: int) -> float:
        """Seconds of the baseline."""
        with (
            TemporaryDirectory(dir=self._folder) as folder,
            server("raw_stream", "serve", folder=str(self._folder)) as peer,
        ):
            facts = job("raw_stream", "fetch", count=count, size=size, folder=f"{folder}/raw", **peer)
        return float(facts["seconds"])
