"""Measures the formats: two datasets (boxes, and one label for each image) of two sizes, out in each format and in again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gonk_node.formats import IMPORTERS
from gonk_node.formats.export import EXPORTERS

from .baselines import verify_rate
from .material import make_classes, make_coco, new_dataset, new_node
from .processes import Facts, job
from .sizes import FormatSizes

_BY_CLASS = ("csv", "imagefolder", "yolo-classify")
_ALIKE = ("yolo-segment", "yolo-pose", "yolo-obb")  # share what takes the time with yolo-detect
_ALONE_TOO = "coco"
_IMAGES = {"coco": "images", "voc": "JPEGImages", "csv": "images", "label-studio": "images", "cvat": "images"}
_MODULE = "formats_work"
IN, OUT, OUT_ALONE = "in", "out", "out, annotations alone"


class Case(NamedTuple):
    """One measurement: a format, in or out, with so many annotations."""

    format_name: str
    way: str
    annotations: int


class FormatsBench:
    """One run of all measurements; what it makes is removed as soon as it is not needed."""

    def __init__(self, folder: Path, sizes: FormatSizes, only: str | None = None) -> None:
        self._folder = folder
        self._sizes = sizes
        self._only = only

    def run(self) -> Iterator[tuple[Case, Facts]]:
        """Each case with what it took; facts of an import have the raw rate of signature checks beside it."""
        for count in (self._sizes.few, self._sizes.many):
            for by_class in (False, True):
                formats = [name for name in EXPORTERS if (name in _BY_CLASS) == by_class and name not in _ALIKE]
                formats = [name for name in formats if self._only in (None, name)]
                if formats:
                    yield from self._dataset(count, by_class, formats)

    def _dataset(self, count: int, by_class: bool, formats: list[str]) -> Iterator[tuple[Case, Facts]]:
        folder = self._folder / f"{count}-{by_class}"
        folder.mkdir()
        home = new_node(folder / "node")
        dataset = new_dataset(home).hex()
        place = {"home": str(home.root), "dataset": dataset}
        if by_class:
            source, format_name = make_classes(folder / "source", count), "imagefolder"
        else:
            source, format_name = make_coco(folder / "source", count // self._sizes.boxes_an_image, count), "coco"
        images = None if by_class else str(source.parent / "images")
        job(_MODULE, "take_in", **place, format_name=format_name, source=str(source), images=images)
        job(_MODULE, "accept", **place)
        for name in formats:
            target = folder / name
            words = {**place, "format_name": name, "target": str(target)}
            if name == _ALONE_TOO:
                yield Case(name, OUT_ALONE, count), job(_MODULE, "write_out", **words, images=False)
                shutil.rmtree(target)
            yield Case(name, OUT, count), job(_MODULE, "write_out", **words, images=True)
            if name in IMPORTERS:
                yield Case(name, IN, count), self._again(folder, name, target)
            shutil.rmtree(target)
        shutil.rmtree(folder)

    def _again(self, folder: Path, format_name: str, source: Path) -> Facts:
        """Import what was exported into a dataset of another node."""
        home = new_node(folder / "other")
        dataset = new_dataset(home).hex()
        images = str(source / _IMAGES[format_name]) if format_name in _IMAGES else None
        before = verify_rate(self._sizes.baseline_seconds)
        words = {"format_name": format_name, "source": str(source), "images": images}
        facts = job(_MODULE, "take_in", home=str(home.root), dataset=dataset, **words)
        shutil.rmtree(folder / "other")
        return {**facts, "verify_rate": (before + verify_rate(self._sizes.baseline_seconds)) / 2}
