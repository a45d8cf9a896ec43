"""How much is measured: the sizes that the documented figures are made with, and small ones that only show that it works."""

from __future__ import annotations

from typing import NamedTuple

KB, MB, MIB = 10**3, 10**6, 2**20
GROUP = 1000  # events in one entry, where many are in one


class Sizes(NamedTuple):
    """Numbers of events, files and bytes of one benchmark."""

    appends: int
    grouped_appends: int
    images: int
    boxes: int
    released: int
    cloned: int
    cloned_one_by_one: int
    synced: int
    small_files: int
    small_file_bytes: int
    large_file_bytes: int
    baseline_seconds: float


FULL = Sizes(
    appends=500,
    grouped_appends=50,
    images=200,
    boxes=20_000,
    released=50_000,
    cloned=100_000,
    cloned_one_by_one=100_000,
    synced=100,
    small_files=1000,
    small_file_bytes=100 * KB,
    large_file_bytes=512 * MIB,
    baseline_seconds=1.0,
)
QUICK = Sizes(
    appends=10,
    grouped_appends=2,
    images=5,
    boxes=200,
    released=2000,
    cloned=2000,
    cloned_one_by_one=200,
    synced=10,
    small_files=20,
    small_file_bytes=100 * KB,
    large_file_bytes=8 * MIB,
    baseline_seconds=0.05,
)


class HttpSizes(NamedTuple):
    """The same of the benchmark of the HTTP API.

    Attributes:
        events: annotations that a node has before the load, ascending.
        clients: at a time: one, some, many.
        warm_seconds: of each load, before counting.
        seconds: of each load, counted.
        page_step: annotations between the pages that are asked for.
    """

    events: tuple[int, int, int]
    clients: tuple[int, int, int]
    warm_seconds: float
    seconds: float
    page_step: int


class FormatSizes(NamedTuple):
    """The same of the benchmark of formats: annotations of the small and the large dataset, and how many an image has."""

    few: int
    many: int
    boxes_an_image: int
    baseline_seconds: float


FORMATS_FULL = FormatSizes(10_000, 100_000, 10, 0.5)
FORMATS_QUICK = FormatSizes(20, 200, 10, 0.05)

HTTP_FULL = HttpSizes((0, 5000, 100_000), (1, 8, 64), 1.5, 5.0, 500)
HTTP_QUICK = HttpSizes((0, 200, 1000), (1, 8, 16), 0.2, 0.3, 100)
