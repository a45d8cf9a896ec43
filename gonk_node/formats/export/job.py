"""What every exporter gets: the samples of a dataset, the folder to write, and the report of what is lost.

A sample is one object with the annotations on it that count. Samples come in order of the objects' uuids and each
sample's annotations in order of theirs, which is the same on every node. An exporter writes from nothing else (no clock,
no random number, no order of arrival), so that its files are the same byte for byte wherever they are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple, Protocol

from gonk_node.core.ids import uuid_text
from gonk_node.core.limits import EXPORT_NUMBER_MAX
from gonk_node.formats.folder import FolderWriter
from gonk_node.formats.image_size import ImageSize, read_size
from gonk_node.formats.images import extension
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import Loss
from gonk_node.formats.safe_names import safe_path
from gonk_node.formats.sample import shipped_validator
from gonk_node.formats.yolo.folder import is_image_file
from gonk_node.state.conformance import Conformance
from gonk_node.state.strict_json import Json

_LARGE = re.compile(rb"[eE]\+?[0-9]{2}|[0-9]{40}")  # only such bodies are looked at closely


class SchemaDocument(NamedTuple):
    """One version of a schema: its name without `schema-`, the number of the version, and the document (UTF-8 JSON)."""

    name: str
    version: int
    document: bytes


class SampleAnnotation(NamedTuple):
    """One annotation as it counts.

    Attributes:
        uuid: 16 bytes.
        version: from 0.
        schema: the name of its schema in the dataset, without `schema-`, such as "bounding-box".
        schema_version: from 0.
        body: UTF-8 JSON, as it was signed.
    """

    uuid: bytes
    version: int
    schema: str
    schema_version: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """One object revision that counts, with its annotations.

    Attributes:
        uuid: 16 bytes.
        version: from 0.
        name: as its author says: anything.
        media_type: such as "image/png".
        size: in bytes.
        sha256: of the bytes, as its author states it.
        open: gives the bytes as a seekable stream; raises an error of `errors` where they cannot be had.
        annotations: in order of their uuids.
    """

    uuid: bytes
    version: int
    name: str
    media_type: str
    size: int
    sha256: bytes
    open: Callable[[], BinaryIO]
    annotations: tuple[SampleAnnotation, ...]

    @property
    def place(self) -> str:
        """The object in a message."""
        return f"object {self.name[:200]!r}"


class Samples(Protocol):
    """The samples of a dataset."""

    def __call__(self, *, annotations: bool = True) -> Iterator[Sample]:
        """All samples in order of their uuids; with `annotations=False` they may come without them, which takes less time."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One export.

    Attributes:
        samples: all samples from the first on, whenever it is called; each time the same.
        folder: where the files go.
        loss: what cannot be taken along is told here.
        images: whether the bytes of the objects are written too.
        labels: the label sets: by schema (without `schema-`) and by label id.
        schemas: the schemas that count, and every version of one that an annotation is of; by name and version.
        unfit: uuids of annotations that `typed_body` found not to fit.
    """

    samples: Samples
    folder: FolderWriter
    loss: Loss
    images: bool = True
    labels: Mapping[str, Mapping[str, Label]] = field(default_factory=dict)
    schemas: Sequence[SchemaDocument] = ()
    unfit: set[bytes] = field(default_factory=set)

    def documents(self) -> dict[str, bytes]:
        """The document of each schema, of its highest version, by name."""
        return {each.name: each.document for each in self.schemas}

    def labels_of(self, schemas: Iterable[str]) -> dict[str, Label]:
        """The labels of several schemas, by id, for a file that has one list of labels.

        Where they disagree, the first of the schemas counts, and it is told; points are those of the first that has any.
        """
        found: dict[str, Label] = {}
        for schema in schemas:
            own = self.labels.get(schema, {})
            self.tell_names(schema, own, found)
            for label_id, label in own.items():
                if label.keypoints and label_id in found and not found[label_id].keypoints:
                    found[label_id] = replace(found[label_id], keypoints=label.keypoints, skeleton=label.skeleton)
            found = {**own, **found}
        return found

    def tell_names(self, schema: str, labels: Mapping[str, Label], before: Mapping[str, Label]) -> None:
        """Tell which labels will not be called as their schema's label set says."""
        names = {label.name: label.id for label in before.values()}
        for label in labels.values():
            place = f"label {label.id[:200]!r} of {schema}"
            if label.id in before and before[label.id].name != label.name:
                self.loss.not_carried(place, "names of labels that another schema's label set calls otherwise")
            elif names.get(label.name, label.id) != label.id:
                self.loss.not_carried(
                    place, "names that are those of two labels, in files that have one list: they get ids"
                )


class Exporter(Protocol):
    """Writes one format."""

    def __call__(self, job: Job) -> None:
        """Write all samples into the folder.

        Raises:
            RefusedError: the dataset cannot be written in this format. StorageError: the disk.
            Errors of a sample's `open`.
        """
        ...


def typed_body(
    annotation: SampleAnnotation, sample: Sample, job: Job, *, again: bool = False
) -> dict[str, Json] | None:
    """The body, if it fits the schema that ships under that name (a dataset may have another one of the same name).

    One with a number beyond EXPORT_NUMBER_MAX is none that can be written: what one person signed must not end all exports.

    Args:
        annotation: of a schema that ships.
        sample: that it is of.
        job: where it is told, and remembered, if it does not fit.
        again: it was asked for before, in an earlier pass of the same job.
    """
    if again:
        if annotation.uuid in job.unfit:
            return None
        body: dict[str, Json] = json.loads(annotation.body.decode())
        return body
    verdict, value = shipped_validator(annotation.schema).judge(annotation.body)
    if verdict is not Conformance.VALID:
        what = f"does not fit the {annotation.schema} that ships with gonk; left out"
    elif _LARGE.search(annotation.body) and _is_too_large(value):
        what = f"has a number beyond {EXPORT_NUMBER_MAX:g}; left out"
    else:
        found: dict[str, Json] = value
        return found
    job.unfit.add(annotation.uuid)
    job.loss.left_out(annotation_place(annotation, sample), what)
    return None


def _is_too_large(value: Json) -> bool:
    """Whether a body has a number that cannot be reckoned with, but in its attributes."""
    if isinstance(value, dict):
        return any(_is_too_large(each) for name, each in value.items() if name != "attributes")
    if isinstance(value, list):
        return any(map(_is_too_large, value))
    return isinstance(value, int | float) and abs(value) > EXPORT_NUMBER_MAX


def annotation_place(annotation: SampleAnnotation, sample: Sample) -> str:
    """The annotation in a message."""
    return f"{sample.place}: annotation {uuid_text(annotation.uuid)}"


def kept_of_label(label: Label, format_name: str) -> dict[str, Json]:
    """What an importer kept of what its file said of a label; empty where it is none."""
    found = (label.attributes or {}).get(format_name)
    return found if isinstance(found, dict) else {}


def kept(body: dict[str, Json], format_name: str) -> dict[str, Json]:
    """What an importer kept in `attributes` of what its file said of the annotation; empty where it is none."""
    attributes = body.get("attributes")
    found = attributes.get(format_name) if isinstance(attributes, dict) else None
    return found if isinstance(found, dict) else {}


def tell_other_attributes(body: dict[str, Json], place: str, format_name: str, loss: Loss) -> None:
    """Tell which attributes are not those of this format, and so are not carried."""
    for name in body.get("attributes") or ():
        if name != format_name:
            loss.not_carried(place, f"the attribute {name[:40]!r} of annotations")


def image_size(sample: Sample) -> ImageSize | None:
    """The size of the image that the object is; None where it is none, or of a kind that is not known.

    Raises:
        Errors of the sample's `open`.
    """
    with sample.open() as file:
        return read_size(file)


def name_with_ending(sample: Sample) -> str:
    """The object's name, for formats whose readers know images by their endings: with one behind it where it has none."""
    safe, ending = PurePosixPath(safe_path(sample.name)), f".{extension(sample.media_type)}"
    needs = sample.media_type.startswith("image/") and not is_image_file(safe)
    return f"{safe}{ending}" if needs and is_image_file(PurePosixPath(f"x{ending}")) else sample.name


def write_image(job: Job, sample: Sample, path: str, *, part_of: str | None = None) -> None:
    """Write the object's bytes, if that is wanted.

    Args:
        job: this export.
        sample: whose object it is.
        path: where to.
        part_of: the folder of all such files, see `formats.inventory`; None: the first of the path.

    Raises:
        Errors of the sample's `open`; StorageError, DiskFullError.
    """
    if not job.images:
        return
    with sample.open() as file:
        part_of = path.partition("/")[0] if part_of is None else part_of
        check_digest(job, sample, job.folder.copy(path, file, part_of=part_of))


def check_digest(job: Job, sample: Sample, sha256: bytes) -> None:
    """Tell it where the bytes that were written have another SHA-256 than their author states."""
    if sha256 != sample.sha256:
        job.loss.left_out(sample.place, "has another SHA-256 than its author states; it is written as it is")
