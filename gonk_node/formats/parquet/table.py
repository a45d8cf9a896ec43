"""The one layout of tables of gonk's objects, which `gonk export DATASET parquet` and `Dataset.to_parquet` write.

A row is an object, its annotations are a list in one cell, and bodies are JSON text, so that any schema fits and nothing is
lost. Files are written by `export.shards.parquet` and read by `importer`; both give pyarrow: nothing of it is imported here.
"""

from __future__ import annotations

from typing import Any

OBJECT_COLUMNS = ("uuid", "version", "name", "media_type", "size", "sha256")
"""Of an object: uuid as text with dashes, version from 0, name, media type, size in bytes, SHA-256 as hex."""

ANNOTATIONS = "annotations"
"""The column with the list of annotations, each of which has ANNOTATION_FIELDS."""

ANNOTATION_FIELDS = ("uuid", "version", "schema", "schema_version", "body")
"""Of an annotation: uuid, version from 0, full name of the schema (`schema-…`) and its version, body as canonical JSON."""

CONTENT = "content"
"""The column with the bytes of the object; absent in tables without them."""

SCHEMAS, LABELS = "gonk.schemas", "gonk.labels"
"""Keys of the file's metadata: the schemas' documents and the label sets, as lines of JSON."""

_NUMBERS = frozenset({"version", "schema_version"})  # 32 bits; texts otherwise
_REQUIRED = ("uuid", "name", "media_type", "sha256", ANNOTATIONS)


def table_schema(arrow: Any, *, content: bool) -> Any:
    """The `pyarrow.Schema`, with or without the column of bytes."""
    fields = [(name, arrow.int32() if name in _NUMBERS else arrow.string()) for name in ANNOTATION_FIELDS]
    columns = {name: arrow.int32() if name in _NUMBERS else arrow.string() for name in OBJECT_COLUMNS}
    columns |= {"size": arrow.int64(), ANNOTATIONS: arrow.list_(arrow.struct(fields))}
    if content:
        columns[CONTENT] = arrow.binary()
    return arrow.schema([arrow.field(name, kind, nullable=False) for name, kind in columns.items()])


def is_own(arrow: Any, schema: Any) -> bool:
    """Whether a table has this layout, as far as it is needed to read it; other programs may have written it again."""
    kinds = {name: plain(arrow, schema.field(at).type) for at, name in enumerate(schema.names)}
    if not all(name in kinds for name in _REQUIRED):
        return False
    texts = all(is_text(arrow, kinds[name]) for name in _REQUIRED if name != ANNOTATIONS)
    if not texts or not is_list(arrow, kinds[ANNOTATIONS]) or not is_bytes(arrow, kinds.get(CONTENT, arrow.binary())):
        return False
    item = kinds[ANNOTATIONS].value_type
    found = {each.name: plain(arrow, each.type) for each in item} if arrow.types.is_struct(item) else {}
    return all(name in found and is_text(arrow, found[name]) for name in ("uuid", "schema", "body"))


def plain(arrow: Any, kind: Any) -> Any:
    """The type of the values that a column holds, stored once each or not."""
    return kind.value_type if arrow.types.is_dictionary(kind) else kind


def is_text(arrow: Any, kind: Any) -> bool:
    """Whether values are texts, however they are stored."""
    types = arrow.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def is_bytes(arrow: Any, kind: Any) -> bool:
    """Whether values are bytes, however they are stored."""
    types = arrow.types
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def is_list(arrow: Any, kind: Any) -> bool:
    """Whether values are lists of any length."""
    return bool(arrow.types.is_list(kind) or arrow.types.is_large_list(kind))
