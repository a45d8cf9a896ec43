"""JSONL out, gonk's own format: `objects.jsonl` with a line for each object and all its annotations, of any schema.

Beside it are `schemas.jsonl`, with the schemas' documents, `labels.jsonl`, with the label sets, and the objects' bytes in
`files`. What a line says is in `object_lines`.
"""

from __future__ import annotations

from gonk_node.formats.export.job import Job, write_image
from gonk_node.formats.export.object_lines import label_lines, object_line, schema_lines
from gonk_node.formats.safe_names import Names, safe_path

_FILES = "files/"


def write(job: Job) -> None:
    """Write one line an object; see `job.Exporter`. Annotations have been checked against their schemas before."""
    names = Names()
    for sample in job.samples():
        names.add(sample.name)
    job.folder.write("schemas.jsonl", schema_lines(job.schemas))
    job.folder.write("labels.jsonl", label_lines(job.labels))
    with job.folder.create("objects.jsonl") as objects:
        for sample in job.samples():
            path = safe_path(_FILES + names.path(sample.name, sample.uuid))
            line = object_line(job, sample, path)
            if line is not None:
                objects.write(line)
                write_image(job, sample, path)
