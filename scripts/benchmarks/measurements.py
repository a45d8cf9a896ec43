"""The table of measurements: what `--only` can name, and what each makes the first time that it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from .appending import append_grouped, append_one
from .cloning import Cloning
from .contents import Contents
from .importing import Import
from .releasing import Release
from .results import Sample
from .sizes import GROUP, Sizes


class Bench:
    """What measurements share, made when it is first wanted and kept for the later runs."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes

    @cached_property
    def importing(self) -> Import:
        """The COCO file."""
        return Import(self.folder / "import", self.sizes)

    @cached_property
    def grouped(self) -> Cloning:
        """A sender with entries of 1,000 events."""
        sizes = self.sizes
        return Cloning(self.folder / "grouped", sizes, events=sizes.cloned, per_entry=GROUP, label="1000")

    @cached_property
    def single(self) -> Cloning:
        """A sender with entries of one event."""
        sizes = self.sizes
        return Cloning(self.folder / "single", sizes, events=sizes.cloned_one_by_one, per_entry=1, label="1")

    @cached_property
    def releasing(self) -> Release:
        """A dataset with a release."""
        return Release(self.folder / "releasing", self.sizes)

    @cached_property
    def contents(self) -> Contents:
        """A sender with content."""
        return Contents(self.folder / "contents", self.sizes)


Measurement = Callable[[Bench], Iterator[tuple[str, Sample]]]

MEASUREMENTS: dict[str, Measurement] = {
    "append-one": lambda bench: append_one(bench.folder, bench.sizes),
    "append-grouped": lambda bench: append_grouped(bench.folder, bench.sizes),
    "import": lambda bench: bench.importing.run(),
    "clone-1000": lambda bench: bench.grouped.clone(),
    "clone-1": lambda bench: bench.single.clone(),
    "sync": lambda bench: bench.grouped.sync(),
    "rebuild-1000": lambda bench: bench.grouped.rebuild(),
    "rebuild-1": lambda bench: bench.single.rebuild(),
    "release": lambda bench: bench.releasing.run(),
    "content-small": lambda bench: bench.contents.small_files(),
    "content-large": lambda bench: bench.contents.large_file(),
}
"""By name: one run, which yields the names of figures with a sample for each."""
