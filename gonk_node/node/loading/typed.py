"""Makes typed annotations of revisions: which class, by the schema's `$id`, and its fields of the body.

A class per schema is in `annotations`. Whether a body fits its schema was asked before; here it is only unpacked.
"""

from __future__ import annotations

import functools
import json
from dataclasses import MISSING, fields
from typing import Any
from uuid import UUID

from gonk_node.node.loading.annotations import TYPES, Annotation, ShippedAnnotation
from gonk_node.replica.reading.queries import Revision

_BY_ID = {f"https://gonk.dev/schemas/{name}/1": kind for name, kind in TYPES.items()}
_COMMON = {field.name for field in fields(Annotation)}
_OWN = {kind: [field for field in fields(kind) if field.name not in _COMMON] for kind in TYPES.values()}
_ALL = {kind: {field.name for field in own} for kind, own in _OWN.items()}
_NEEDED = {kind: {field.name for field in own if field.default is MISSING} for kind, own in _OWN.items()}


def typed(annotation: Revision, schema: Revision) -> Annotation:
    """An annotation revision as an object of the class for its schema.

    An annotation of any other schema is a plain `Annotation`; so is one whose dataset kept the `$id` of a schema that ships,
    but has changed which fields a body may or must have.
    """
    data = annotation.body or b""
    common: dict[str, Any] = {
        "uuid": UUID(bytes=annotation.uuid),
        "version": annotation.version or 0,
        "schema": schema.name or "",
        "schema_version": schema.version or 0,
        "data": data,
    }
    kind = _kind(schema.body or b"")
    if kind is not None:
        body = json.loads(data)
        if isinstance(body, dict) and _NEEDED[kind] <= body.keys() <= _ALL[kind]:
            return kind(**common, **body)
    return Annotation(**common)


@functools.lru_cache(maxsize=64)
def _kind(document: bytes) -> type[ShippedAnnotation] | None:
    """The class for a schema document, which is one (something fits it); None where it is none of those that ship."""
    schema = json.loads(document)
    name = schema.get("$id") if isinstance(schema, dict) else None
    return _BY_ID.get(name) if isinstance(name, str) else None
