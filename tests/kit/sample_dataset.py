"""A dataset to load samples from, with a release; and what workers do with it (importable where they are spawned)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

from gonk_node import Dataset, Sample
from kit.command_line import Gonk

IMAGES = 5


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x80" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make(folder: Path) -> Gonk:
    """A node with `cells`: five images 10 to 14 pixels wide, a box on each but the last; all of that is release v1.0."""
    gonk = Gonk(folder).with_dataset()
    paths = [gonk.file(f"{number}.png", png(10 + number, 10)) for number in range(IMAGES)]
    gonk.ok("add", "cells", *paths)
    for number in range(IMAGES - 1):
        gonk.annotate(f"{number}.png", {"label": "WBC", "x": number, "y": 2, "w": 3, "h": 4.5})
    gonk.accept_all()
    gonk.ok("release", "create", "cells", "v1.0")
    return gonk


def told(sample: Sample) -> tuple[str, bytes, list[Any]]:
    """What a worker found in a sample."""
    return sample.name, sample.bytes(), [each.body for each in sample.annotations]


def all_told(dataset: Dataset) -> list[tuple[str, bytes, list[Any]]]:
    """What a worker found in a whole dataset."""
    return [told(sample) for sample in dataset]


def unchanged(batch: list[Any]) -> list[Any]:
    """A `collate_fn` that leaves a batch as it is."""
    return batch
