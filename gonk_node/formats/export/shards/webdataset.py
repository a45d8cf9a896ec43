"""WebDataset out: shards of samples, each of which has an object's bytes, and in `KEY.json` all that is annotated on it.

Format: https://github.com/webdataset/webdataset. The key is the object's uuid, `KEY.json` a line as JSONL has it (see
`object_lines`); for other programs there are also `KEY.cls`, the number of the first class, and `KEY.txt`, the first text.
Beside the shards are `schemas.jsonl`, `labels.jsonl`, and in `classes.txt` the names of the classes by their numbers.
"""

from __future__ import annotations

import json
import re
from typing import Any, BinaryIO

from gonk_node.core.limits import EXPORT_LABELS_MAX
from gonk_node.errors import RefusedError
from gonk_node.formats.export.job import Job, Sample, check_digest, kept, kept_of_label
from gonk_node.formats.export.numbering import Labels, kept_id
from gonk_node.formats.export.object_lines import label_lines, object_line, schema_lines
from gonk_node.formats.export.shards.tar_shards import ShardWriter
from gonk_node.formats.images import extension
from gonk_node.formats.safe_names import split_extension
from gonk_node.formats.sample import shipped_validator
from gonk_node.formats.yolo.shapes import unused_class
from gonk_node.state.conformance import Conformance

_FORMAT = "webdataset"
_CLASSIFICATION, _CAPTION = "classification", "caption"
_ASIDE = frozenset(  # what readers take for something that is said of the object, and never for it
    ("cls", "cls2", "class", "count", "id", "index", "inx", "json", "jsn", "text", "transcript", "txt")
)
_EXTENSION = re.compile(r"\.([a-z0-9]{1,15})")
_LINE_ENDS = re.compile(r"[\n\r]+")


def write(job: Job) -> None:
    """Write shards; see `job.Exporter`. Annotations have been checked against their schemas before."""
    job.folder.write("schemas.jsonl", schema_lines(job.schemas))
    job.folder.write("labels.jsonl", label_lines(job.labels))
    numbers = _number_classes(job)
    with ShardWriter(job.folder) as shards:
        for sample in job.samples():
            key = sample.uuid.hex()
            name = f"{key}.{_extension(sample)}"
            line = object_line(job, sample, name)
            if line is None:
                continue
            members: dict[str, bytes | BinaryIO] = {f"{key}.json": line}
            found = _first(sample, _CLASSIFICATION)
            if found is not None and numbers:
                members[f"{key}.cls"] = str(numbers[_label(found)]).encode()
            found = _first(sample, _CAPTION)
            if found is not None:
                members[f"{key}.txt"] = found["text"].encode()
            if not job.images:
                shards.add(members)
                continue
            with sample.open() as stream:
                check_digest(job, sample, shards.add(members | {name: stream})[name])


def _number_classes(job: Job) -> dict[str, int]:
    """The numbers of the labels, once their names are written; none where they are too many to be numbered."""
    try:
        labels = Labels(job.labels_of([_CLASSIFICATION]), lambda label: kept_of_label(label, _FORMAT).get("cls"))
        for sample in job.samples():
            found = _first(sample, _CLASSIFICATION)
            if found is not None:
                labels.add(_label(found), kept_id(kept(found, _FORMAT).get("cls")))
    except RefusedError:
        job.loss.not_carried("classes.txt", f"numbers of classes, where there are more than {EXPORT_LABELS_MAX:,}")
        return {}
    numbers, names = labels.numbers(0, dense=True), labels.names()
    if numbers:
        by_number = {number: names[label] for label, number in numbers.items()}
        lines = []
        for number in range(max(by_number) + 1):
            name = by_number.get(number, unused_class(number))
            line = _LINE_ENDS.sub(" ", name)
            if line != name:
                job.loss.not_carried(f"class {number}", "line ends in names of classes (in classes.txt)")
            lines.append(line + "\n")
        job.folder.write("classes.txt", "".join(lines).encode())
    return numbers


def _first(sample: Sample, schema: str) -> dict[str, Any] | None:
    """The body of the first annotation of a schema that ships, if it fits it; all of them are in the JSON."""
    for annotation in sample.annotations:
        if annotation.schema == schema and shipped_validator(schema).verdict(annotation.body) is Conformance.VALID:
            body: dict[str, Any] = json.loads(annotation.body.decode())
            return body
    return None


def _label(body: dict[str, Any]) -> str:
    return str(body["labels"][0] if body.get("labels") else body["label"])


def _extension(sample: Sample) -> str:
    """What stands behind the key: how the object's name ends, else what its media type suggests."""
    found = _EXTENSION.fullmatch(split_extension(sample.name)[1].lower())
    end = found[1] if found else extension(sample.media_type)
    return f"object.{end}" if end in _ASIDE else end
