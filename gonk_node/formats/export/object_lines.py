"""Objects with all their annotations as gonk's own formats have them, out: JSONL and WebDataset say the same of each.

Bodies keep their values, whatever they are; a line is canonical JSON (names sorted, no spaces, UTF-8). Histories are not
written, nor reviews. `formats.object_lines` reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.limits import JSON_DEPTH_MAX, JSONL_LINE_BYTES_MAX
from gonk_node.errors import NonconformingError
from gonk_node.formats.export.job import Job, Sample, SampleAnnotation, SchemaDocument, annotation_place
from gonk_node.formats.label_set import Label, LabelSet
from gonk_node.formats.loss import Loss
from gonk_node.state.strict_json import Json, canonical, parse


def object_line(job: Job, sample: Sample, path: str) -> bytes | None:
    """The object in one line, with its end; None where that would be too long, which is told.

    Args:
        job: where it is told what is left out; it says whether the bytes are written, too.
        sample: its annotations have been checked against their schemas before.
        path: where its bytes are.
    """
    annotations = [
        {
            "uuid": each.uuid.hex(),
            "version": each.version,
            "schema": each.schema,
            "schema_version": each.schema_version,
            "body": body,
        }
        for each, body in bodies(sample, job.loss)
    ]
    found = {
        "uuid": sample.uuid.hex(),
        "version": sample.version,
        "name": sample.name,
        "media_type": sample.media_type,
        "size": sample.size,
        "sha256": sample.sha256.hex(),
        "annotations": annotations,
    }
    line = canonical(found | {"file": path} if job.images else found) + b"\n"
    if len(line) > JSONL_LINE_BYTES_MAX:
        what = f"would be a line of more than {JSONL_LINE_BYTES_MAX:,} bytes; left out, with all its annotations"
        job.loss.left_out(sample.place, what)
        return None
    return line


def schema_lines(schemas: Iterable[SchemaDocument]) -> bytes:
    """The documents of schemas, a line each, in the order given."""
    said = ({"name": each.name, "version": each.version, "document": each.document.decode()} for each in schemas)
    return b"".join(canonical(each) + b"\n" for each in said)


def label_lines(labels: Mapping[str, Mapping[str, Label]]) -> bytes:
    """Label sets (as of `Job.labels`), a line each, in order of the names of their schemas."""
    return b"".join(LabelSet(SCHEMA_PREFIX + name, tuple(own.values())).line() for name, own in sorted(labels.items()))


def bodies(sample: Sample, loss: Loss) -> Iterator[tuple[SampleAnnotation, Json]]:
    """The annotations of an object with what they say, in order; those that say nothing JSON knows are left out and told."""
    for annotation in sample.annotations:
        try:
            body = parse(annotation.body, JSON_DEPTH_MAX)
        except NonconformingError as error:
            loss.left_out(annotation_place(annotation, sample), f"{error.what}; left out")
        else:
            yield annotation, body
