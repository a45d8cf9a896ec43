"""Routes of schemas: documents in JSON Schema, by name, that annotations have to fit."""

from __future__ import annotations

import base64
import hashlib
from http import HTTPStatus
from typing import Any

from gonk_node.api.body import decode_base64
from gonk_node.api.paging import PAGED, after, limit
from gonk_node.api.revisions import (
    AUTHOR,
    DATASET,
    VERSION,
    event_info,
    found,
    found_entity,
    identifier,
    info,
    known_authors,
    page_response,
    path_version,
    rivals,
    status_query,
    status_routes,
    wanted,
)
from gonk_node.api.route import Call, Field, Route
from gonk_node.api.shapes import (
    BASE64,
    EVENT_INFO,
    NAME,
    NAMED_IDENTIFIER,
    OBJECT,
    SCHEMA_INFO,
    SCHEMA_STATUS,
    array,
    record,
)
from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.ids import schema_uuid
from gonk_node.core.limits import SCHEMA_BYTES_MAX
from gonk_node.errors import ExistsError, NotFoundError, RequestError
from gonk_node.replica.history.gonk_shapes import SCHEMA_MEDIA_TYPE
from gonk_node.replica.reading.listing import Entity, Listing
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.replica.reading.revision_events import events_of
from gonk_node.replica.signing.group_commit import Draft
from gonk_node.replica.signing.proposing import Proposer
from gonk_node.store import state_schema
from gonk_node.store.state_db import StateDb

STATUSES = tuple(SCHEMA_STATUS["enum"])
_KIND = state_schema.SCHEMA


# --- reading --------------------------------------------------------------------------------------------------


async def list_schemas(call: Call) -> object:
    """The schemas by uuid, of any status, with the number of versions of each; in pages where `limit` or `after` is given."""
    desk = await call.desk()
    cursor = after(call)
    size = None if cursor is None and "limit" not in call.query else limit(call)
    what = await wanted(call, desk, STATUSES)
    return page_response(call, await desk.read_db(call.user, lambda db: Listing(db).schemas(what, cursor, size)), info)


async def show_schema(call: Call) -> object:
    """How many versions a schema has, whatever their status."""
    desk = await call.desk()
    name = call.path["name"]
    if not name.startswith(SCHEMA_PREFIX):
        raise RequestError(
            HTTPStatus.BAD_REQUEST,
            f"{name[:100]!r} is neither a status nor the name of a schema, which begins with {SCHEMA_PREFIX!r}",
            extra={"valid_statuses": list(STATUSES)},
        )
    uuid = schema_uuid(desk.replica.dataset, name)
    return info(found_entity(await desk.read_db(call.user, lambda db: Listing(db).entity(_KIND, uuid)), _KIND))


async def load_schema(call: Call) -> object:
    """One version: what it is, the document, and the events about it."""
    desk = await call.desk()
    uuid, version = schema_uuid(desk.replica.dataset, call.path["name"]), path_version(call)

    def read(db: StateDb) -> dict[str, Any]:
        queries = Queries(db)
        revision = found(queries.version(_KIND, uuid, version), _KIND)
        events = events_of(db, desk.replica.authority, rivals(queries, revision))
        return {
            "schema": _described(revision),
            "bytes": base64.b64encode(revision.body or b"").decode(),
            "events": [event_info(_KIND, each) for each in events],
        }

    return await desk.read_db(call.user, read)


def _described(revision: Revision) -> dict[str, Any]:
    body = revision.body or b""
    return identifier(revision.uuid, revision.version) | {
        "name": revision.name,
        "format": SCHEMA_MEDIA_TYPE,
        "size": len(body),
        "hash_type": 1,
        "hash": hashlib.sha256(body).hexdigest(),
    }


# --- writing --------------------------------------------------------------------------------------------------


async def create_schema(call: Call) -> object:
    """Propose a new schema; its name begins with `schema-` and has no slash."""
    document = _document(call)
    name = call.body["name"]
    if not name.startswith(SCHEMA_PREFIX):
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"a schema's name must begin with {SCHEMA_PREFIX!r}, not {name[:100]!r}"
        )
    desk = await call.desk()
    uuid = schema_uuid(desk.replica.dataset, name)

    def prepare(proposer: Proposer) -> Draft[None]:
        revisions = proposer.author.queries.schema(name)
        standing = proposer.standing(revisions, known_authors(call, revisions))
        if standing:
            raise ExistsError(f"there is a schema {name} already, {' and '.join(standing[0].views)}")
        return Draft(proposer.schema_create(name, document), None)

    await desk.propose(call.user, {uuid}, prepare)
    return info(Entity(uuid, 1, name))


async def update_schema(call: Call) -> object:
    """Propose a new version of a schema, built on the latest one."""
    document = _document(call)
    name = _path_name(call)
    desk = await call.desk()
    uuid = schema_uuid(desk.replica.dataset, name)

    def prepare(proposer: Proposer) -> Draft[int]:
        revisions = proposer.author.queries.schema(name)
        known = known_authors(call, revisions)
        base = proposer.latest(revisions, known)
        event = proposer.schema_update(name, document, as_gonk=True, known=known)
        return Draft(event, (base.version or 0) + 2, base.time_ms)

    committed = await desk.propose(call.user, {uuid}, prepare)
    return info(Entity(uuid, committed.answer, name))


async def delete_schema(call: Call) -> object:
    """Propose to deprecate one version: nothing new is to be annotated in its form."""
    desk = await call.desk()
    name, version = _path_name(call), path_version(call)
    uuid = schema_uuid(desk.replica.dataset, name)

    def prepare(proposer: Proposer) -> Draft[None]:
        revision = found(proposer.author.queries.version(_KIND, uuid, version), _KIND)
        return Draft[None](proposer.deletion(revision), None, revision.time_ms)

    await desk.propose(call.user, {uuid}, prepare)
    return identifier(uuid, version) | {"name": name}


def _path_name(call: Call) -> str:
    """The name in the path; NotFoundError for one that no schema has."""
    name = call.path["name"]
    if not name.startswith(SCHEMA_PREFIX):
        raise NotFoundError(f"there is no schema {name[:100]!r}: their names begin with {SCHEMA_PREFIX!r}")
    return name


def _document(call: Call) -> bytes:
    document = decode_base64(call.body["schema"], "schema")
    if len(document) > SCHEMA_BYTES_MAX:
        raise RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the schema has {len(document)} bytes; the limit is {SCHEMA_BYTES_MAX}",
            name="RequestEntityTooLarge",
        )
    return document


_DOCUMENT = Field("schema", BASE64, "the document, JSON Schema in UTF-8")
_PATH = DATASET + "/schemas"
_DETAIL = record(schema=OBJECT, bytes=BASE64, events=array(EVENT_INFO))

ROUTES = (
    Route(
        "POST",
        _PATH,
        create_schema,
        "Propose a schema",
        SCHEMA_INFO,
        body=(Field("name", NAME, "what it is called, schema-…"), _DOCUMENT),
        statuses=(409, 413, 422),
    ),
    Route(
        "GET",
        _PATH,
        list_schemas,
        "List schemas",
        array(SCHEMA_INFO),
        query=(*PAGED, status_query(STATUSES), AUTHOR),
    ),
    *status_routes(_KIND, "schemas", STATUSES, NAMED_IDENTIFIER),
    Route("GET", _PATH + "/{name}", show_schema, "Count the versions of a schema", SCHEMA_INFO),
    Route(
        "PATCH",
        _PATH + "/{name}",
        update_schema,
        "Propose a version of a schema",
        SCHEMA_INFO,
        body=(_DOCUMENT,),
        statuses=(409, 413, 422),
    ),
    Route("GET", f"{_PATH}/{{name}}/{VERSION}", load_schema, "Load a version of a schema", _DETAIL),
    Route(
        "DELETE",
        f"{_PATH}/{{name}}/{VERSION}",
        delete_schema,
        "Propose a deprecation",
        NAMED_IDENTIFIER,
        statuses=(409,),
    ),
)
