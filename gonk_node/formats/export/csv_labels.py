"""CSV out: `annotations.csv` with a row for each label, and the objects in `images`.

Format: RFC 4180, UTF-8, as `formats.csv_labels` reads it. Only classifications are written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from gonk_node.core.limits import CSV_COLUMNS_MAX
from gonk_node.formats.csv_cells import COLUMNS, write_cell
from gonk_node.formats.export.job import (
    Job,
    Sample,
    annotation_place,
    kept,
    tell_other_attributes,
    typed_body,
    write_image,
)
from gonk_node.formats.export.numbering import Labels
from gonk_node.formats.safe_names import Names, safe_path
from gonk_node.state.strict_json import canonical

_FORMAT = "csv"
_IMAGES = "images/"
_SCHEMA = "classification"


def write(job: Job) -> None:
    """Write one row a label; see `job.Exporter`."""
    labels, names, others = Labels(job.labels_of([_SCHEMA])), Names(), set[str]()
    for sample in job.samples():
        names.add(sample.name)
        for _, body in _bodies(job, sample, tell=False):
            for label in body.get("labels") or [body["label"]]:
                labels.add(label, None)
            if len(others) < CSV_COLUMNS_MAX:
                others.update(_others(body))
    columns = [*COLUMNS, *sorted(others)[: CSV_COLUMNS_MAX - len(COLUMNS)]]
    called = labels.names()
    with job.folder.create("annotations.csv") as file:
        file.write(_line(columns))
        for sample in job.samples():
            name = names.path(sample.name, sample.uuid)
            if name != sample.name:
                job.loss.not_carried(sample.place, "names that are no safe or unique file names; they were changed")
            for cells in _rows(job, sample, called, columns):
                cells["file_name"] = name
                file.write(_line([cells.get(column, "") for column in columns]))
            write_image(job, sample, safe_path(_IMAGES + name))


def _line(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([write_cell(cell) for cell in cells])
    return text.getvalue().encode()


def _bodies(job: Job, sample: Sample, *, tell: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, body) of each classification; losses are told in one of two passes."""
    for annotation in sample.annotations:
        if annotation.schema != _SCHEMA:
            if tell:
                job.loss.not_carried(sample.place, f"annotations of {annotation.schema[:60]}")
            continue
        body = typed_body(annotation, sample, job, again=tell)
        if body is not None:
            yield annotation_place(annotation, sample), body


def _rows(job: Job, sample: Sample, called: dict[str, str], columns: list[str]) -> Iterator[dict[str, str]]:
    lists, empty = 0, True
    for place, body in _bodies(job, sample, tell=True):
        empty = False
        others = _others(body)
        if any(column not in columns for column in others) or len(others) != len(kept(body, _FORMAT)):
            job.loss.not_carried(place, f"attributes of CSV that are no texts, or more than {CSV_COLUMNS_MAX} columns")
        tell_other_attributes(body, place, _FORMAT, job.loss)
        if "source" in body:
            job.loss.not_carried(place, "the source of annotations")
        scores = _scores(job, place, body)
        lists += "labels" in body
        for label, score in zip(body.get("labels") or [body["label"]], scores, strict=True):
            listed = str(lists) if "labels" in body else ""
            yield {**others, "label": called.get(label, label), "score": score, "annotation": listed}
    if empty:
        yield {}


def _scores(job: Job, place: str, body: dict[str, Any]) -> list[str]:
    """A cell for each label."""
    if "labels" not in body:
        return [_number(body["score"]) if "score" in body else ""]
    scores = [_number(score) for score in body.get("scores", [])]
    if len(scores) == len(body["labels"]):
        return scores
    if "scores" in body:
        job.loss.not_carried(place, "scores that are not as many as the labels")
    return [""] * len(body["labels"])


def _number(value: float) -> str:
    return canonical(value).decode()


def _others(body: dict[str, Any]) -> dict[str, str]:
    """What an import kept of other columns."""
    return {
        column: cell
        for column, cell in kept(body, _FORMAT).items()
        if isinstance(cell, str) and cell and column not in COLUMNS
    }
