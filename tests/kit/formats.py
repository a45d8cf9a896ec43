"""Exporters and importers without a node: samples made by hand or of what an importer read, and folders written of them."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gonk_node.core.ids import uuid_text
from gonk_node.formats import IMPORTERS
from gonk_node.formats.export import EXPORTERS
from gonk_node.formats.export.citing import files as citing
from gonk_node.formats.export.citing.files import BESIDE
from gonk_node.formats.export.citing.release_facts import ReleaseFacts
from gonk_node.formats.export.job import Job, Sample, SampleAnnotation, SchemaDocument
from gonk_node.formats.file_part import open_file
from gonk_node.formats.folder import FolderWriter
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import Loss
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, Record

Bodies = list[tuple[str, dict[str, Any]]]  # (schema, body)


def png(width: int = 64, height: int = 48, salt: bytes = b"") -> bytes:
    """The beginning of a PNG file of that size: all that is ever looked at."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0) + salt


def sample(
    name: str, bodies: Bodies, *, data: bytes | None = None, media_type: str = "image/png", uuid: bytes | None = None
) -> Sample:
    """An object with annotations, their uuids in the order given."""
    data = png(salt=name.encode(errors="replace")) if data is None else data
    uuid = uuid or hashlib.sha256(name.encode(errors="replace") + data).digest()[:16]
    annotations = tuple(
        SampleAnnotation(uuid[:12] + index.to_bytes(4, "big"), 0, schema, 0, json.dumps(body).encode())
        for index, (schema, body) in enumerate(bodies)
    )
    digest = hashlib.sha256(data).digest()
    return Sample(uuid, 0, name, media_type, len(data), digest, lambda: io.BytesIO(data), annotations)


def samples_of(records: Iterable[Record]) -> list[Sample]:
    """The samples that a dataset would have after importing these records and accepting all of them.

    Files are read as their records come: those that an importer made itself are gone later.
    """
    images: dict[str, tuple[ImportedImage, bytes]] = {}
    bodies: dict[str, list[ImportedAnnotation]] = {}
    for record in records:
        if isinstance(record, ImportedImage):
            assert record.path is not None
            with open_file(record.path) as file:
                images[record.name] = (record, file.read())
        elif isinstance(record, ImportedAnnotation):
            bodies.setdefault(record.image_name, []).append(record)
    return sorted(
        (_sample_of(image, data, bodies.get(name, [])) for name, (image, data) in images.items()),
        key=lambda each: each.uuid,
    )


def _sample_of(image: ImportedImage, data: bytes, annotations: list[ImportedAnnotation]) -> Sample:
    own = sorted(annotations, key=lambda each: each.key)
    name = image.object_name or image.name
    uuids = {
        each.key: one.uuid
        for each, one in zip(own, sample(name, [("", {})] * len(own), data=data).annotations, strict=True)
    }
    found = []
    for each in own:
        refers = {member: uuid_text(uuids[key]) for member, key in each.refers.items()}
        found.append((each.schema, {**json.loads(each.body), **refers}))
    return sample(name, found, data=data, media_type=image.media_type)


def export(
    samples: Iterable[Sample],
    format_name: str,
    target: Path,
    *,
    images: bool = True,
    labels: Mapping[str, Mapping[str, Label]] | None = None,
    schemas: Mapping[str, bytes] | None = None,
    release: ReleaseFacts | None = None,
) -> Loss:
    """Write samples; what was lost. With a release, also what stands beside an export of one."""
    ordered = sorted(samples, key=lambda each: each.uuid)
    loss = Loss()
    with FolderWriter(target) as folder:
        versions = [SchemaDocument(name, 0, document) for name, document in sorted((schemas or {}).items())]
        job = Job(lambda annotations=True: iter(ordered), folder, loss, images, labels or {}, versions)
        EXPORTERS[format_name](job)
        if release is not None:
            citing.write(folder, release, format_name, schemas or {}, loss)
            folder.write_checksums()
    return loss


def read(format_name: str, source: Path, images: Path | None = None) -> list[Record]:
    """All that an importer yields."""
    return list(IMPORTERS[format_name](source, images))


def read_samples(format_name: str, source: Path, images: Path | None = None) -> list[Sample]:
    """The samples of all that an importer yields."""
    return samples_of(IMPORTERS[format_name](source, images))


def bodies(records: Iterable[Record]) -> dict[str, Bodies]:
    """(schema, body without attributes) of each image, in the order of the file."""
    found: dict[str, Bodies] = {}
    for record in records:
        if isinstance(record, ImportedImage):
            found[record.name] = []
        elif isinstance(record, ImportedAnnotation):
            body = json.loads(record.body)
            body.pop("attributes", None)
            found[record.image_name].append((record.schema, body))
    return found


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def data(folder: Path) -> dict[str, bytes]:
    """The same without the files that stand beside an export."""
    return {name: found for name, found in files(folder).items() if name not in BESIDE}
