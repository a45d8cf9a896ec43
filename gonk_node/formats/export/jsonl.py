"""JSONL out, gonk's own format: `objects.jsonl` with a line for each object and all its annotations, of any schema.

Beside it are `schemas.jsonl`, with the schemas' documents, `labels.jsonl`, with the label sets, and the objects' bytes in
`files`. Bodies keep their values, whatever they are; a line is canonical JSON (names sorted, no spaces, UTF-8). Histories are
not written, nor reviews.
"""

from __future__ import annotations

from typing import Any

from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.limits import JSON_DEPTH_MAX, JSONL_LINE_BYTES_MAX
from gonk_node.errors import NonconformingError
from gonk_node.formats.export.job import Job, Sample, SampleAnnotation, annotation_place, write_image
from gonk_node.formats.label_set import LabelSet
from gonk_node.formats.safe_names import Names, safe_path
from gonk_node.state.strict_json import canonical, parse

_FILES = "files/"


def write(job: Job) -> None:
    """Write one line an object; see `job.Exporter`. Annotations have been checked against their schemas before."""
    names = Names()
    for sample in job.samples():
        names.add(sample.name)
    with job.folder.create("schemas.jsonl") as schemas:
        for name, document in sorted(job.schemas.items()):
            schemas.write(canonical({"name": name, "document": document.decode()}) + b"\n")
    with job.folder.create("labels.jsonl") as label_sets:
        for name, own in sorted(job.labels.items()):
            label_sets.write(LabelSet(SCHEMA_PREFIX + name, tuple(own.values())).line())
    with job.folder.create("objects.jsonl") as objects:
        for sample in job.samples():
            path = safe_path(_FILES + names.path(sample.name, sample.uuid))
            line = canonical(_object(job, sample, path)) + b"\n"
            if len(line) > JSONL_LINE_BYTES_MAX:
                what = (
                    f"would be a line of more than {JSONL_LINE_BYTES_MAX:,} bytes; left out, with all its annotations"
                )
                job.loss.left_out(sample.place, what)
                continue
            objects.write(line)
            write_image(job, sample, path)


def _object(job: Job, sample: Sample, path: str) -> dict[str, Any]:
    annotations = [_annotation(job, sample, each) for each in sample.annotations]
    found = {
        "uuid": sample.uuid.hex(),
        "version": sample.version,
        "name": sample.name,
        "media_type": sample.media_type,
        "size": sample.size,
        "sha256": sample.sha256.hex(),
        "annotations": [each for each in annotations if each is not None],
    }
    return found | {"file": path} if job.images else found


def _annotation(job: Job, sample: Sample, annotation: SampleAnnotation) -> dict[str, Any] | None:
    try:
        body = parse(annotation.body, JSON_DEPTH_MAX)
    except NonconformingError as error:
        job.loss.left_out(annotation_place(annotation, sample), f"{error.what}; left out")
        return None
    return {
        "uuid": annotation.uuid.hex(),
        "version": annotation.version,
        "schema": annotation.schema,
        "schema_version": annotation.schema_version,
        "body": body,
    }
