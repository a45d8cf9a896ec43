"""Routes of objects, in Gonk's form: JSON, with the bytes in base64. Files as they are go by `files`."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import Any, NamedTuple

from aiohttp import web

from gonk_node.api.answering import json_response
from gonk_node.api.body import apart, decode_base64
from gonk_node.api.desk import Desk
from gonk_node.api.paging import PAGED
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
from gonk_node.api.route import Call, Field, Route
from gonk_node.api.sending import base64_length, held_size, in_base64, send
from gonk_node.api.shapes import BASE64, EVENT_INFO, IDENTIFIER, INFO, NAME, OBJECT, STATUS, array, record
from gonk_node.core.chunks import ContentInfo
from gonk_node.core.codec import CodecError
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import ObjectCreate
from gonk_node.core.ids import object_uuid, uuid_text
from gonk_node.core.limits import MIB
from gonk_node.errors import ExistsError, RequestError, UsageError
from gonk_node.replica.reading.listing import Listing
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.replica.reading.revision_events import events_of
from gonk_node.replica.signing.group_commit import Draft
from gonk_node.replica.signing.proposing import Proposer, check_object_name
from gonk_node.store import state_schema
from gonk_node.store.state_db import StateDb

STATUSES = tuple(STATUS["enum"])
_KIND = state_schema.OBJECT
_ANY_CONTENT = ContentInfo(0, bytes(32), bytes(32))


class NewObject(NamedTuple):
    """What a request says of a file, checked."""

    name: str
    media_type: str


# --- reading --------------------------------------------------------------------------------------------------


async def show_object(call: Call) -> object:
    """How many versions an object has, whatever their status."""
    desk = await call.desk()
    uuid = path_uuid(call, STATUSES)
    return info(found_entity(await desk.read_db(call.user, lambda db: Listing(db).entity(_KIND, uuid)), _KIND))


async def load_object(call: Call) -> object:
    """One version: what it is, its bytes, the events about it, and the annotations that hang on it, of any status.

    Deleted and rejected versions are given as well.
    """
    desk = await call.desk()
    uuid, version = path_uuid(call), path_version(call)

    def read(db: StateDb) -> tuple[Revision, dict[str, Any]]:
        queries = Queries(db)
        revision = found(queries.version(_KIND, uuid, version), _KIND)
        events = events_of(db, desk.replica.authority, rivals(queries, revision))
        return revision, {
            "object": _described(revision),
            "events": [event_info(_KIND, each) for each in events],
            "annotations": [info(each) for each in Listing(db).annotations_on(revision.number)],
        }

    revision, value = await desk.read_db(call.user, read)
    return await _with_bytes(call, desk, revision.content_id or b"", value)


def _described(revision: Revision) -> dict[str, Any]:
    return identifier(revision.uuid, revision.version) | {
        "name": revision.name,
        "format": revision.media_type,
        "size": revision.size,
        "hash_type": 1,
        "hash": (revision.sha256 or b"").hex(),
    }


async def _with_bytes(call: Call, desk: Desk, content_id: bytes, value: dict[str, Any]) -> web.StreamResponse:
    """The answer with the content in it; more than a little is sent as it is read."""
    size = await held_size(call, desk, content_id)
    pieces = in_base64(call.backend.content.read(content_id))
    if size <= MIB:
        encoded = b"".join(await asyncio.to_thread(list, pieces))
        return json_response(value | {"bytes": encoded.decode()})
    text = json.dumps(value | {"bytes": ""}, sort_keys=True, separators=(",", ":")).encode()
    before, _, behind = text.partition(b'"bytes":""')  # what comes before has names and uuids of annotations only
    whole: Iterator[bytes] = chain([before + b'"bytes":"'], pieces, [b'"' + behind + b"\n"])
    response = web.StreamResponse()
    response.content_type = "application/json"
    response.content_length = len(text) + 1 + base64_length(size)
    return await send(call.request, response, whole)


# --- writing --------------------------------------------------------------------------------------------------


async def create_object(call: Call) -> object:
    """Propose a new object. Its uuid follows from its bytes, so the same file is the same object everywhere."""
    content, described = await _from_body(call)
    desk = await call.desk()
    return await propose_object(call, desk, described, await _keep(call, content))


async def update_object(call: Call) -> object:
    """Propose a new version of an object, built on the latest one."""
    uuid = path_uuid(call)
    content, described = await _from_body(call)
    desk = await call.desk()
    await latest(call, desk, uuid)
    return await propose_version(call, desk, uuid, described, await _keep(call, content))


async def delete_object(call: Call) -> object:
    """Propose to delete one version."""
    desk = await call.desk()
    uuid, version = path_uuid(call), path_version(call)

    def prepare(proposer: Proposer) -> Draft[None]:
        revision = found(proposer.author.queries.version(_KIND, uuid, version), _KIND)
        return Draft[None](proposer.deletion(revision), None, revision.time_ms)

    await desk.propose(call.user, {uuid}, prepare)
    return identifier(uuid, version)


async def propose_object(call: Call, desk: Desk, described: NewObject, content: ContentInfo) -> dict[str, Any]:
    """Propose an object whose content is kept; its identifier."""
    uuid = object_uuid(desk.replica.dataset, content.content_id)

    def prepare(proposer: Proposer) -> Draft[None]:
        _check_new(call, proposer, content, None)
        return Draft(proposer.object_create(described.name, described.media_type, content), None)

    await desk.propose(call.user, {uuid, content.content_id}, prepare)
    return identifier(uuid, 0)


async def propose_version(
    call: Call, desk: Desk, uuid: bytes, described: NewObject, content: ContentInfo
) -> dict[str, Any]:
    """Propose a version of an object whose content is kept; its identifier."""

    def prepare(proposer: Proposer) -> Draft[int]:
        revisions = proposer.author.queries.revisions(_KIND, uuid)
        base = proposer.latest(revisions, known_authors(call, revisions))
        _check_new(call, proposer, content, uuid)
        event = proposer.object_update(base, described.name, described.media_type, content, as_gonk=True)
        return Draft(event, (base.version or 0) + 1, base.time_ms)

    committed = await desk.propose(call.user, {uuid, content.content_id}, prepare)
    return identifier(uuid, committed.answer)


def _check_new(call: Call, proposer: Proposer, content: ContentInfo, own: bytes | None) -> None:
    """ExistsError where another object than `own` has that content: of the dataset's people, or of users of this node."""
    same = [each for each in proposer.author.queries.objects_by_content(content.content_id) if each.uuid != own]
    standing = proposer.standing(same, known_authors(call, same))
    if standing:
        raise ExistsError(
            f"the same bytes are here already, as version {standing[0].version} of {standing[0].name!r},"
            f" {' and '.join(standing[0].views)}",
            where=f"object {uuid_text(standing[0].uuid)}",
        )


async def latest(call: Call, desk: Desk, uuid: bytes) -> Revision:
    """The newest version of an object; NotFoundError where there is no such object."""
    revisions = await desk.read(call.user, lambda queries: queries.revisions(_KIND, uuid))
    return found(next((each for each in reversed(revisions) if each.version is not None), None), _KIND)


def checked_object(name: str, media_type: str) -> NewObject:
    """Name and media type, if an object may have them; RequestError otherwise. To be asked before bytes are kept."""
    try:
        check_object_name(name)
        encode_event(ObjectCreate(bytes(16), name, media_type, *_ANY_CONTENT))
    except UsageError as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"{error.what}: {name[:100]!r}") from None
    except CodecError as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, str(error)) from None
    return NewObject(name, media_type)


async def _from_body(call: Call) -> tuple[bytes, NewObject]:
    text = call.body["object"]
    decode = partial(decode_base64, name="object")
    content = await apart(decode, text) if len(text) > MIB else decode(text)
    return content, checked_object(call.body["name"], call.body["mimetype"])


async def _keep(call: Call, content: bytes) -> ContentInfo:
    return await asyncio.to_thread(call.backend.content.put_file, io.BytesIO(content))


_BODY = (
    Field("name", NAME, "what it is called; not schema-…"),
    Field("object", BASE64, "its bytes"),
    Field("mimetype", NAME, "its media type"),
)
_PATH = DATASET + "/objects"
_DETAIL = record(object=OBJECT, bytes=BASE64, events=array(EVENT_INFO), annotations=array(INFO))

ROUTES = (
    Route("POST", _PATH, create_object, "Propose an object", IDENTIFIER, body=_BODY, statuses=(409, 413)),
    Route(
        "GET",
        _PATH,
        entity_list(_KIND, "objects", STATUSES),
        "List objects",
        array(INFO),
        query=(*PAGED, status_query(STATUSES), AUTHOR),
    ),
    *status_routes(_KIND, "objects", STATUSES, IDENTIFIER),
    Route("GET", _PATH + "/{uuid}", show_object, "Count the versions of an object", INFO),
    Route("PATCH", _PATH + "/{uuid}", update_object, "Propose a version", IDENTIFIER, body=_BODY, statuses=(409, 413)),
    Route("GET", f"{_PATH}/{{uuid}}/{VERSION}", load_object, "Load a version of an object", _DETAIL, statuses=(502,)),
    Route("DELETE", f"{_PATH}/{{uuid}}/{VERSION}", delete_object, "Propose a deletion", IDENTIFIER, statuses=(409,)),
)
