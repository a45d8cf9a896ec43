"""Measures the import of a COCO file into a new dataset: files read and hashed, boxes validated, signed, stored, folded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from gonk_node.formats import IMPORTERS
from gonk_node.replica.exchange.importing import Importing

from .baselines import between_verifications
from .material import make_coco, new_dataset, new_node, open_node
from .results import Sample
from .sizes import Sizes


class Import:
    """A COCO file with its images, made once; each run imports it into a new node."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        folder.mkdir()
        self._folder = folder
        self._sizes = sizes
        self._file = make_coco(folder / "source", sizes.images, sizes.boxes)

    def run(self) -> Iterator[tuple[str, Sample]]:
        """One import."""
        with TemporaryDirectory(dir=self._folder) as folder:
            home = new_node(Path(folder) / "node")
            dataset = new_dataset(home)
            with open_node(home) as node:
                importing = Importing(node.author(node.replica(dataset.hex())), node.content)
                with between_verifications(self._sizes.baseline_seconds) as around:
                    report = importing.run(IMPORTERS["coco"](self._file, self._file.parent / "images"))
        if (report.objects, report.annotations, report.loss.problems) != (self._sizes.images, self._sizes.boxes, []):
            raise ValueError(f"the import left something out: {report}")
        yield "import", Sample(self._sizes.boxes / around.seconds, around.rate)
