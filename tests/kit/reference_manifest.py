"""A second implementation of rule A15: the manifest as text, from the tables that `reference_state` gives by the rules."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import UUID

VERSION, CURRENT, CONTENT = 5, 8, 13  # places in a row of a revision; what follows the tenth is its own


def reference_manifest(tables: dict[str, Any], dataset: bytes, fits: Callable[[bytes, bytes], bool]) -> str:
    """The whole manifest.

    Args:
        tables: of `reference_snapshot`.
        dataset: its id.
        fits: whether a body (second) fits a schema's document (first).
    """
    lines = [("gonk-node manifest 1", dataset.hex())]
    for row in sorted(tables["objects"], key=lambda row: row[3]):
        if row[CURRENT]:
            name, media_type, size, content_id, sha = row[10:]
            lines.append(("object", *_named(row), name, media_type, str(size), content_id.hex(), sha.hex()))
    for row in sorted(tables["annotations"], key=lambda row: row[3]):
        if row[CURRENT]:
            lines.append(_annotation(tables, row, fits))
    return "".join("\t".join(line) + "\n" for line in lines)


def _named(row: tuple[Any, ...]) -> tuple[str, str]:
    return str(UUID(bytes=row[3])), str(row[VERSION])


def _annotation(tables: dict[str, Any], row: tuple[Any, ...], fits: Callable[[bytes, bytes], bool]) -> tuple[str, ...]:
    root, (schema_ref, body) = row[2], row[10:]
    schema = next(each for each in tables["schemas"] if each[0] == schema_ref)
    name, document = schema[10:]
    if not fits(document, body):
        return ("left-out", *_named(row), "nonconforming")
    named = {target for target, hanging in tables["annotation_objects"] if hanging == root}
    shown = {(each[3], each[CONTENT]) for each in tables["objects"] if each[0] in named}
    objects = [each for each in tables["objects"] if each[CURRENT] and (each[3], each[CONTENT]) in shown]
    if len(objects) < len(shown):
        return ("left-out", *_named(row), "object")
    version = "-" if schema[VERSION] is None else str(schema[VERSION])
    on = ",".join("@".join(_named(each)) for each in sorted(objects, key=lambda each: each[3]))
    about_schema = (name, version, str(UUID(bytes=schema[3])), sha256(document).hexdigest())
    return ("annotation", *_named(row), *about_schema, on, sha256(body).hexdigest())
