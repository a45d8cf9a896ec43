"""Routes of annotations: JSON bodies that fit a version of a schema, and hang on versions of objects."""

from __future__ import annotations

import base64
import hashlib
from http import HTTPStatus
from typing import Any, NamedTuple

from gonk_node.api.body import checked, decode_base64
from gonk_node.api.paging import PAGED, parse_uuid
from gonk_node.api.revisions import (
    AUTHOR,
    DATASET,
    VERSION,
    entity_list,
    event_info,
    found,
    found_entity,
    identifier,
    info,
    known_authors,
    path_uuid,
    path_version,
    rivals,
    status_query,
    status_routes,
)
from gonk_node.api.route import Call, Field, Route, Schema
from gonk_node.api.shapes import (
    ANNOTATION,
    BASE64,
    COUNT,
    EVENT_INFO,
    IDENTIFIER,
    INFO,
    SCHEMA_NAME_VERSION,
    STATUS,
    TEXT,
    array,
    record,
)
from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.limits import IMPORTED_BODY_BYTES_MAX, REFS_PER_ANNOTATION_MAX
from gonk_node.errors import NotFoundError, RequestError
from gonk_node.replica.reading.listing import Listing
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.replica.reading.revision_events import events_of
from gonk_node.replica.signing.group_commit import Draft
from gonk_node.replica.signing.proposing import Proposer
from gonk_node.store import state_schema
from gonk_node.store.state_db import StateDb

STATUSES = tuple(STATUS["enum"])
_KIND = state_schema.ANNOTATION


class SchemaVersion(NamedTuple):
    """The schema that a body names."""

    name: str
    version: int


# --- reading --------------------------------------------------------------------------------------------------


async def show_annotation(call: Call) -> object:
    """How many versions an annotation has, whatever their status."""
    desk = await call.desk()
    uuid = path_uuid(call, STATUSES)
    return info(found_entity(await desk.read_db(call.user, lambda db: Listing(db).entity(_KIND, uuid)), _KIND))


async def load_annotation(call: Call) -> object:
    """One version: what it is, its body, the events about it, and the object versions that the annotation hangs on."""
    desk = await call.desk()
    uuid, version = path_uuid(call), path_version(call)

    def read(db: StateDb) -> dict[str, Any]:
        queries = Queries(db)
        revision = found(queries.version(_KIND, uuid, version), _KIND)
        events = events_of(db, desk.replica.authority, rivals(queries, revision))
        objects = queries.hanging.objects_of(revision.number if revision.root is None else revision.root)
        return {
            "annotation": _described(queries, revision),
            "bytes": base64.b64encode(revision.body or b"").decode(),
            "events": [event_info(_KIND, each) for each in events],
            "objects": [identifier(each.uuid, each.version) for each in objects if each.version is not None],
        }

    return await desk.read_db(call.user, read)


def _described(queries: Queries, revision: Revision) -> dict[str, Any]:
    body = revision.body or b""
    schema = found(queries.by_number(state_schema.SCHEMA, revision.schema_no or 0), state_schema.SCHEMA)
    return identifier(revision.uuid, revision.version) | {
        "schema": identifier(schema.uuid, schema.version),
        "size": len(body),
        "hash_type": 1,
        "hash": hashlib.sha256(body).hexdigest(),
    }


# --- writing --------------------------------------------------------------------------------------------------


async def create_annotation(call: Call) -> object:
    """Propose an annotation of one or more object versions, which may still be pending; so may its schema."""
    schema = _schema_in(call)
    names = _objects_in(call)
    desk = await call.desk()

    def prepare(proposer: Proposer) -> Draft[bytes]:
        form = _usable_schema(proposer, schema)
        objects = [_object(proposer.author.queries, *name) for name in names]
        event = proposer.annotation_create(objects, form, _body(call))
        return Draft(event, event.uuid, max(each.time_ms for each in (form, *objects)))

    committed = await desk.propose(call.user, (), prepare)  # the uuid is new, so it is in nobody's way
    return identifier(committed.answer, 0)


async def update_annotation(call: Call) -> object:
    """Propose a new version of an annotation, built on the latest one; it hangs on the same objects."""
    uuid = path_uuid(call)
    schema = _schema_in(call)
    desk = await call.desk()

    def prepare(proposer: Proposer) -> Draft[int]:
        revisions = proposer.author.queries.revisions(_KIND, uuid)
        base = proposer.latest(revisions, known_authors(call, revisions))
        form = _kept_schema(proposer.author.queries, base, schema) or _usable_schema(proposer, schema)
        event = proposer.annotation_update(base, form, _body(call), as_gonk=True)
        return Draft(event, (base.version or 0) + 1, max(base.time_ms, form.time_ms))

    committed = await desk.propose(call.user, {uuid}, prepare)
    return identifier(uuid, committed.answer)


async def delete_annotation(call: Call) -> object:
    """Propose to delete one version."""
    desk = await call.desk()
    uuid, version = path_uuid(call), path_version(call)

    def prepare(proposer: Proposer) -> Draft[None]:
        revision = found(proposer.author.queries.version(_KIND, uuid, version), _KIND)
        return Draft[None](proposer.deletion(revision), None, revision.time_ms)

    await desk.propose(call.user, {uuid}, prepare)
    return identifier(uuid, version)


def _schema_in(call: Call) -> SchemaVersion:
    schema = call.body["schema"]
    return SchemaVersion(_part(schema, "schema", "name", TEXT), _part(schema, "schema", "version", COUNT))


def _objects_in(call: Call) -> list[tuple[bytes, int]]:
    """The object versions that a body names, each once, in its order."""
    named = call.body["object_identifiers"]
    if not 0 < len(named) <= REFS_PER_ANNOTATION_MAX:
        raise RequestError(
            HTTPStatus.BAD_REQUEST,
            f"'object_identifiers' must name 1 to {REFS_PER_ANNOTATION_MAX} object versions, not {len(named)}",
        )
    parts: dict[tuple[bytes, int], None] = {}
    for place, each in enumerate(named):
        where = f"object_identifiers[{place}]"
        if not isinstance(each, dict):
            raise RequestError(HTTPStatus.BAD_REQUEST, f"{where!r} must be an object with a uuid and a version")
        uuid, version = _part(each, where, "uuid", TEXT), _part(each, where, "version", COUNT)
        parts[parse_uuid(uuid, f"{where}.uuid"), version] = None
    return list(parts)


def _part(value: dict[str, Any], where: str, key: str, schema: Schema) -> Any:
    if key not in value:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the key '{where}.{key}' is missing")
    return checked(value[key], schema, f"{where}.{key}")


def _usable_schema(proposer: Proposer, schema: SchemaVersion) -> Revision:
    if not schema.name.startswith(SCHEMA_PREFIX):
        raise NotFoundError(f"there is no schema {schema.name[:100]!r}: their names begin with {SCHEMA_PREFIX!r}")
    return proposer.usable_schema(schema.name, schema.version)


def _kept_schema(queries: Queries, base: Revision, schema: SchemaVersion) -> Revision | None:
    """The schema of the base, if an update names that one: as in Gonk, it may be rejected or deprecated since."""
    kept = None if base.schema_no is None else queries.by_number(state_schema.SCHEMA, base.schema_no)
    return kept if kept is not None and (kept.name, kept.version) == schema else None


def _object(queries: Queries, uuid: bytes, version: int) -> Revision:
    """The object revision of that name, or the schema revision, which annotating refuses."""
    for kind in (state_schema.OBJECT, state_schema.SCHEMA):
        revision = queries.version(kind, uuid, version)
        if revision is not None:
            return revision
    return found(None, state_schema.OBJECT)


def _body(call: Call) -> bytes:
    body = decode_base64(call.body["annotation"], "annotation")
    if len(body) > IMPORTED_BODY_BYTES_MAX:
        raise RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the annotation has {len(body)} bytes; the limit is {IMPORTED_BODY_BYTES_MAX}",
            name="RequestEntityTooLarge",
            hint="larger data belongs into objects",
        )
    return body


_ANNOTATION_FIELD = Field("annotation", BASE64, "the body, JSON in UTF-8")
_SCHEMA_FIELD = Field("schema", {"type": "object", **SCHEMA_NAME_VERSION}, "the schema that it fits")
_OBJECTS_FIELD = Field(
    "object_identifiers",
    {**array(IDENTIFIER), "minItems": 1, "maxItems": REFS_PER_ANNOTATION_MAX},
    "the object versions that it is about",
)
_PATH = DATASET + "/annotations"
_DETAIL = record(annotation=ANNOTATION, bytes=BASE64, events=array(EVENT_INFO), objects=array(IDENTIFIER))

ROUTES = (
    Route(
        "POST",
        _PATH,
        create_annotation,
        "Propose an annotation",
        IDENTIFIER,
        body=(_ANNOTATION_FIELD, _SCHEMA_FIELD, _OBJECTS_FIELD),
        statuses=(409, 413, 422),
    ),
    Route(
        "GET",
        _PATH,
        entity_list(_KIND, "annotations", STATUSES),
        "List annotations",
        array(INFO),
        query=(*PAGED, status_query(STATUSES), AUTHOR),
    ),
    *status_routes(_KIND, "annotations", STATUSES, IDENTIFIER),
    Route("GET", _PATH + "/{uuid}", show_annotation, "Count the versions of an annotation", INFO),
    Route(
        "PATCH",
        _PATH + "/{uuid}",
        update_annotation,
        "Propose a version of an annotation",
        IDENTIFIER,
        body=(_ANNOTATION_FIELD, _SCHEMA_FIELD),
        statuses=(409, 413, 422),
    ),
    Route("GET", f"{_PATH}/{{uuid}}/{VERSION}", load_annotation, "Load a version of an annotation", _DETAIL),
    Route(
        "DELETE", f"{_PATH}/{{uuid}}/{VERSION}", delete_annotation, "Propose a deletion", IDENTIFIER, statuses=(409,)
    ),
)
