"""Where a dataset keeps its label sets: each schema's is an object of the media type MEDIA_TYPE, read here.

So it has versions and is reviewed as any object. Its uuid follows from the schema's name: each schema has one, and a
stranger's counts only once it is accepted. What is in the document is `formats.label_set`.
"""

from __future__ import annotations

from blake3 import blake3

from gonk_node.core.ids import object_uuid, uuid_text
from gonk_node.core.limits import LABEL_SET_BYTES_MAX
from gonk_node.errors import NonconformingError, NotFoundError
from gonk_node.formats.label_set import MEDIA_TYPE, LabelSet, refusal
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.replica.signing.proposing import full_schema_name
from gonk_node.store.content import ContentStore
from gonk_node.store.state_schema import OBJECT

_names = blake3(derive_key_context="gonk-node 2026 v1 label set of schema")


def label_set_of(queries: Queries, content: ContentStore, schema_name: str) -> LabelSet:
    """The label set that counts in a State: the current version of its object; an empty one where there is none.

    Args:
        queries: of the State, be it today's or that of a release.
        content: where its bytes are.
        schema_name: with or without `schema-`.

    Raises:
        NotFoundError: its content is not on this node. NonconformingError: it is no label set for this schema.
    """
    revision = find(queries, schema_name)
    return LabelSet(full_schema_name(schema_name)) if revision is None else read(content, revision, schema_name)


def uuid_of(dataset: bytes, schema_name: str) -> bytes:
    """The uuid (16 bytes) of the object that is the label set of a schema in a dataset."""
    hasher = _names.copy()
    hasher.update(full_schema_name(schema_name).encode())
    return object_uuid(dataset, hasher.digest())


def find(queries: Queries, schema_name: str) -> Revision | None:
    """The object revision that is the label set of a schema now; None where none is accepted."""
    found = queries.current(OBJECT, uuid_of(queries.dataset, schema_name))
    return found if found is not None and found.media_type == MEDIA_TYPE else None


def read(content: ContentStore, revision: Revision, schema_name: str) -> LabelSet:
    """The label set that an object revision holds.

    Raises:
        NotFoundError: its content is not on this node. NonconformingError: it is no label set for this schema.
    """
    made = read_any(content, revision, f"label set of {full_schema_name(schema_name)}")
    if made.schema != full_schema_name(schema_name):
        raise refusal("/schema", f"is for {made.schema}, not for {full_schema_name(schema_name)}")
    return made


def read_any(content: ContentStore, revision: Revision, where: str) -> LabelSet:
    """The label set that an object revision holds, of whatever schema; `where` is what errors call it.

    Raises:
        NotFoundError: its content is not on this node. NonconformingError: it is no label set.
    """
    hint = "gonk labels DATASET set FILE proposes another"
    if (revision.size or 0) > LABEL_SET_BYTES_MAX:
        raise NonconformingError(
            f"is none: it is {revision.size:,} bytes; the limit is {LABEL_SET_BYTES_MAX:,}", where=where, hint=hint
        )
    content_id = revision.content_id or b""
    if not content.has(content_id):
        raise NotFoundError("its content is not on this node", where=where, hint="gonk sync DATASET fetches it")
    try:
        return LabelSet.decode(b"".join(content.read(content_id)))
    except NonconformingError as error:
        place = (error.where or "").removeprefix("label set").strip()
        what = f"is none: {f'{place} ' if place else ''}{error.what}"
        raise NonconformingError(what, where=where, hint=hint) from error


def check_acceptable(content: ContentStore, revision: Revision, dataset: bytes) -> None:
    """Whether a revision that says it is a label set may be accepted as one. Content that is elsewhere is not judged.

    Raises:
        NonconformingError: it is none, or not the object in which its schema's is looked for.
    """
    if not content.has(revision.content_id or b""):
        return
    where = f"object {uuid_text(revision.uuid)}, a label set by its media type,"
    made = read_any(content, revision, where)
    if revision.uuid != uuid_of(dataset, made.schema):
        raise NonconformingError(
            f"is not the one of {made.schema}, which is another object",
            where=where,
            hint="gonk labels DATASET set FILE",
        )
