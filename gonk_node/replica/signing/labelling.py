"""What a person may propose about a label set: the first one of a schema, or a new version. Nothing is signed here."""

from __future__ import annotations

import io

from gonk_node.core.events import ObjectCreate, ObjectUpdate
from gonk_node.formats.label_set import MEDIA_TYPE, LabelSet
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.signing.bases import is_open
from gonk_node.replica.signing.group_commit import Draft
from gonk_node.replica.signing.labels import uuid_of
from gonk_node.replica.signing.proposing import Proposer, check_object_name, full_schema_name
from gonk_node.store.content import ContentStore
from gonk_node.store.state_schema import OBJECT


def object_name(schema_name: str) -> str:
    """What the object of a label set is called, for people: `labels-bounding-box.json`."""
    return f"labels-{full_schema_name(schema_name).removeprefix('schema-')}.json"


def label_set_to_build_on(proposer: Proposer, schema_name: str) -> Revision | None:
    """The object revision that a new version of a schema's label set is built on; None where it begins anew.

    That is what counts, or what its author proposed behind that already.
    """
    revisions = proposer.author.queries.revisions(OBJECT, uuid_of(proposer.author.replica.dataset, schema_name))
    standing = proposer.standing(revisions)
    if not any(is_open(each) for each in standing):
        return None
    found = proposer.update_base(standing)
    return found if found.media_type == MEDIA_TYPE else None


def proposal(proposer: Proposer, content: ContentStore, document: bytes) -> Draft[bool]:
    """The event that makes a document the label set of the schema that it names; its answer: is it a new version of one?

    The bytes are kept as they are, and are on the disk when this returns. Where all that was is rejected or deleted, the
    label set begins anew.

    Raises:
        NonconformingError: it is no label set. NotFoundError, WrongStateError: the schema is not in the dataset, or
            deprecated. ExistsError: nothing differs. UsageError: the schema's name cannot be part of an object's.
    """
    labels = LabelSet.decode(document)
    schema = proposer.usable_schema(labels.schema)
    name = object_name(labels.schema)
    check_object_name(name)
    uuid = uuid_of(proposer.author.replica.dataset, labels.schema)
    standing = proposer.standing(proposer.author.queries.revisions(OBJECT, uuid))
    info = content.put_file(io.BytesIO(document))
    if not any(is_open(each) for each in standing):
        event: ObjectCreate | ObjectUpdate = ObjectCreate(uuid, name, MEDIA_TYPE, *info)
        return Draft(event, False, schema.time_ms)
    base = proposer.update_base(standing)
    event = proposer.object_update(base, name, MEDIA_TYPE, info)
    return Draft(event, True, max(schema.time_ms, base.time_ms))
