"""What an importer hands on, whatever the format: images, annotations and problems, one after the other.

Nothing here reads files or knows a dataset; the import command makes objects and annotations of it.

Boxes and points are in pixels, fractions allowed, with the origin at the top left corner of the top left pixel, as the
schemas `bounding-box` and `polygon` say.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeAlias

from blake3 import blake3

from gonk_node import schemas
from gonk_node.core.limits import IMPORTED_BODY_BYTES_MAX, INT_MAX
from gonk_node.formats.file_part import FileOrPart
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import NotCarried
from gonk_node.state.conformance import Conformance, Validator, compile_schema
from gonk_node.state.strict_json import Json, Problem, canonical

KEY_BYTES = 16
NO_UUID = "00000000-0000-0000-0000-000000000000"
"""Where the uuid of an annotation is to be (RFC 9562, section 5.9)."""

_keys = blake3(derive_key_context="gonk-node 2026 v1 import key")


@dataclass(frozen=True, slots=True)
class ImportedImage:
    """One image that the source names.

    Attributes:
        name: as the source writes it, unique in the source; for images in subfolders a relative path with "/".
        path: the file, inside of the images folder (no link leads out of it), or the part of a file that it is; None if
            no folder was given.
        media_type: found from the first bytes of the file, else from the name.
        width: in pixels as the source states it; None if it does not.
        height: in pixels as the source states it; None if it does not.
        attributes: what else the source says of the image, such as its id there.
        object_name: what the object is called, where that is not unique in the source; "" for `name`.
    """

    name: str
    path: FileOrPart | None
    media_type: str
    width: int | None = None
    height: int | None = None
    attributes: dict[str, Json] = field(default_factory=dict)
    object_name: str = ""


class ImportedAnnotation(NamedTuple):
    """One annotation, ready to be signed.

    Attributes:
        image_name: the `name` of an ImportedImage that came before.
        schema: the name of a schema that ships ("bounding-box", …), which the body fits; or of one in the source.
        body: canonical JSON.
        place: where it stands in the source, for messages.
        origin: 16 bytes that tell where it is from: the format, the image, and its id or position in the source.
        said: canonical JSON of what of it tells it from others that are from there; mostly the body.
        uuid: its uuid in the dataset that the source was exported from; empty if the source does not say.
        shipped: the body was made for the schema that ships under that name: it fits that, and its labels are what they are
            called in the source, which a dataset may know by another id. Otherwise it is as the source has it.
        schema_version: which version of a schema of the source; None where it has only one, or does not say.
        refers: members of the body that are uuids of other annotations of the same image, which a dataset gives them: by the
            `key` of the annotation that is meant. It came before; the body holds NO_UUID there, or the uuid in the source.
    """

    image_name: str
    schema: str
    body: bytes
    place: str
    origin: bytes
    said: bytes
    uuid: bytes = b""
    shipped: bool = False
    refers: Mapping[str, bytes] = MappingProxyType({})
    schema_version: int | None = None

    @property
    def key(self) -> bytes:
        """16 bytes that are the same whenever the same annotation of the same source is read again."""
        return import_key(self.origin, self.said)


@dataclass(frozen=True, slots=True)
class ImportedSchema:
    """A schema that the source has itself; it comes before annotations of it.

    Attributes:
        name: without `schema-`.
        document: UTF-8 JSON, an acceptable schema.
        version: which version of the schema it is in the source.
    """

    name: str
    document: bytes
    version: int = 0


@dataclass(frozen=True, slots=True)
class ImportedLabels:
    """The labels that the source declares for a schema, in its order; it may come at any time, and once for each file of it.

    Attributes:
        schema: without `schema-`.
        labels: each id once, and each name.
        place: where they are declared, for messages.
    """

    schema: str
    labels: tuple[Label, ...]
    place: str


Record: TypeAlias = ImportedImage | ImportedAnnotation | ImportedSchema | ImportedLabels | Problem | NotCarried


class Importer(Protocol):
    """Reads one format."""

    def __call__(self, source: Path, images: Path | None) -> Iterator[Record]:
        """Yield what a source holds: each image before its annotations; problems where they are met.

        Args:
            source: the annotation file or folder.
            images: the folder with the image files; None to import annotations without files.

        Raises:
            InputFileError: on the first step, when the source is not of this format at all.
        """
        ...


def annotation(
    image_name: str,
    schema: str,
    body: dict[str, Json],
    *,
    format_name: str,
    source_id: str,
    place: str,
    uuid: bytes = b"",
    identity: Json = None,
    refers: Mapping[str, bytes] | None = None,
) -> ImportedAnnotation | Problem:
    """Make an annotation of a body, or a Problem if the body is too large or does not fit the schema that ships.

    Args:
        image_name: the image it is of.
        schema: the name of its schema.
        body: what it says.
        format_name: "coco", "voc", …; with `source_id` it tells apart what is otherwise equal.
        source_id: the id or the position of the annotation in its source.
        place: where it stands in the source.
        uuid: see `ImportedAnnotation`.
        identity: what of the body tells it from others; None for all of it. A later export of the same source is known by it.
        refers: see `ImportedAnnotation`.
    """
    made = unchecked_annotation(
        image_name,
        schema,
        body,
        format_name=format_name,
        source_id=source_id,
        place=place,
        uuid=uuid,
        shipped=True,
        identity=identity,
        refers=refers,
    )
    if isinstance(made, Problem):
        return made
    validator = shipped_validator(schema)
    if validator.verdict_of(body, made.body) is not Conformance.VALID:
        first = validator.explain(made.body)[0]
        return Problem(place, f"makes no {schema}: {first.place} {first.what}; left out".replace(":  ", ": "))
    return made


def unchecked_annotation(
    image_name: str,
    schema: str,
    body: Json,
    *,
    format_name: str,
    source_id: str,
    place: str,
    uuid: bytes = b"",
    shipped: bool = False,
    identity: Json = None,
    refers: Mapping[str, bytes] | None = None,
) -> ImportedAnnotation | Problem:
    """The same for a schema that need not ship: whether the body fits is seen where the dataset's own is known."""
    try:
        text = canonical(body)
        said = text if identity is None else canonical(identity)
    except (ValueError, RecursionError):
        return Problem(place, "holds what JSON cannot (NaN, Infinity, or half a surrogate pair); left out")
    if len(text) > IMPORTED_BODY_BYTES_MAX:
        return Problem(place, f"would be {len(text):,} bytes; the limit is {IMPORTED_BODY_BYTES_MAX:,}; left out")
    parts = (format_name.encode(), image_name.encode(), schema.encode(), source_id.encode())
    origin = _digest(b"".join([len(part).to_bytes(8, "big") + part for part in parts]))
    return ImportedAnnotation(image_name, schema, text, place, origin, said, uuid, shipped, refers or {})


def import_key(origin: bytes, said: bytes) -> bytes:
    """The key of an annotation (16 bytes) of where it is from (16 bytes) and what it says."""
    return _digest(origin + said)


def _digest(data: bytes) -> bytes:
    hasher = _keys.copy()
    hasher.update(data)
    return hasher.digest(KEY_BYTES)


@functools.cache
def shipped_validator(schema: str) -> Validator:
    """What judges bodies of a schema that ships; NotFoundError for any other name."""
    return compile_schema(schemas.load(schema))


def number(value: Json) -> int | float | None:
    """A finite number as the shortest JSON has it (2.0 becomes 2); None for anything else, true and false included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return value if abs(value) <= INT_MAX else None
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) <= INT_MAX else value


def whole(value: Json) -> int | None:
    """A size in pixels: a whole number above 0, or None."""
    found = number(value)
    return found if isinstance(found, int) and found > 0 else None
