"""Folders of images by class, out: YOLO classify (below `train`, or the split that they came from), ImageFolder.

Formats: https://docs.ultralytics.com/datasets/classify; torchvision's ImageFolder, without splits. The folders are all
there is, so an image has one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from blake3 import blake3

from gonk_node.errors import RefusedError
from gonk_node.formats.export.citing.files import BESIDE
from gonk_node.formats.export.job import (
    Exporter,
    Job,
    Sample,
    annotation_place,
    kept,
    name_with_ending,
    tell_other_attributes,
    typed_body,
    write_image,
)
from gonk_node.formats.export.numbering import Labels
from gonk_node.formats.inventory import ANY_FOLDER
from gonk_node.formats.safe_names import Names, flat

_SCHEMA = "classification"
SPLITS = ("train", "val", "test")


class _Kind(NamedTuple):
    """What tells the formats apart: the name of attributes of theirs, and the splits, the first for new images."""

    attributes: str
    splits: Sequence[str]


def writer(attributes: str, splits: Sequence[str]) -> Exporter:
    """An exporter of folders by class.

    Args:
        attributes: the name under which its importer keeps them.
        splits: folders above those of the classes; images go to the first, unless they come from another one.
    """
    return partial(_write, kind=_Kind(attributes, splits))


def _write(job: Job, *, kind: _Kind) -> None:
    """Write images by class; see `job.Exporter`.

    Raises:
        RefusedError: without images nothing would be left.
    """
    if not job.images:
        raise RefusedError("the format consists of image files; without them nothing is left", hint="--images copy")
    labels, folders, names = Labels(job.labels_of([_SCHEMA])), Names(), Names(key=flat)
    for sample in job.samples():
        names.add(name_with_ending(sample))
        found = _label(job, sample, kind, tell=False)
        if found is not None:
            labels.add(found[0], None)
    called = labels.names()
    for taken in [*called.values(), *BESIDE]:
        folders.add(_one_part(taken))
    for sample in job.samples():
        found = _label(job, sample, kind, tell=True)
        if found is None:
            job.loss.left_out(sample.place, "has no classification; left out")
            continue
        label, split = called[found[0]], found[1]
        folder = folders.path(_one_part(label), blake3(label.encode()).digest(16))
        name = flat(names.path(name_with_ending(sample), sample.uuid))
        for before, after, what in ((label, folder, "names of classes"), (sample.name, name, "names of images")):
            if before != after:
                job.loss.not_carried(sample.place, f"{what} that are no safe or unique file names; they were changed")
        path = f"{split}/{folder}/{name}" if split else f"{folder}/{name}"
        write_image(job, sample, path, part_of=ANY_FOLDER)


def _one_part(label: str) -> str:
    return label.replace("/", "_").replace("\\", "_")


def _label(job: Job, sample: Sample, kind: _Kind, *, tell: bool) -> tuple[str, str] | None:
    """(label, split) of the first classification."""
    found: tuple[str, str] | None = None
    for annotation in sample.annotations:
        if annotation.schema != _SCHEMA:
            if tell:
                job.loss.not_carried(sample.place, f"annotations of {annotation.schema[:60]}")
            continue
        body = typed_body(annotation, sample, job, again=tell)
        if body is None:
            continue
        labels: list[Any] = body.get("labels") or [body["label"]]
        place = annotation_place(annotation, sample)
        if tell and (found is not None or len(labels) > 1):
            job.loss.not_carried(place, "further labels of an image: it is in the folder of the first")
        if tell and ("score" in body or "scores" in body):
            job.loss.not_carried(place, "scores of labels")
        if tell:
            tell_other_attributes(body, place, kind.attributes, job.loss)
        split = kept(body, kind.attributes).get("split")
        if split not in kind.splits:
            split = next(iter(kind.splits), "")
        found = found or (str(labels[0]), str(split))
    return found
