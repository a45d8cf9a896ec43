"""What objects, annotations and schemas have in common over HTTP: how requests name them, and how lists and events look.

The lists are those of `replica.reading.listing`; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web

from gonk_node.api.answering import json_response
from gonk_node.api.desk import Desk
from gonk_node.api.paging import PAGED, after, limit, next_link, parse_uuid
from gonk_node.api.people import author_filter
from gonk_node.api.route import Call, Handler, Query, Route, Schema
from gonk_node.api.shapes import array
from gonk_node.core.ids import event_uuid, uuid_text
from gonk_node.core.limits import INT_MAX
from gonk_node.errors import NotFoundError, RequestError
from gonk_node.replica.reading.listing import Entity, Filter, Listing, Page, Version
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.replica.reading.revision_events import ACCEPTED, CREATED, DELETED, REJECTED, UPDATED, RevisionEvent
from gonk_node.store.state_schema import ANNOTATION, ENTITY_NAMES

T = TypeVar("T")

DATASET = "/datasets/{dataset}"
AUTHOR = Query("author", {"type": "string"}, "only what that user, or that public key (64 hex digits), proposed")
VERSION = "{version:[0-9]+}"

_VIEWS = {"deprecated": "deleted"}  # Gonk's word for schemas
_UUID_CHARS = 36
_ACTIONS = {CREATED: "CreateEvent", UPDATED: "UpdateEvent", DELETED: "DeleteEvent"}
_REVIEWS = {ACCEPTED: "ReviewAcceptEvent", REJECTED: "ReviewRejectEvent"}


def status_query(statuses: Sequence[str]) -> Query:
    """The filter of a list by status."""
    return Query("status", {"type": "string", "enum": list(statuses)}, "only what has a version with that status")


# --- how requests name things -------------------------------------------------------------------------------


def path_uuid(call: Call, statuses: Sequence[str] = ()) -> bytes:
    """The uuid in the path, in upper or lower case.

    Raises:
        RequestError: it is none. Where a status could stand in its place (GET), the answer lists those that there are.
    """
    text = call.path["uuid"]
    if statuses and (len(text) != _UUID_CHARS or not set(text) <= set("0123456789abcdefABCDEF-")):
        raise _bad_status(text, statuses)
    return parse_uuid(text, "uuid")


def path_version(call: Call) -> int:
    """The version in the path; NotFoundError for a number that no version has."""
    text = call.path["version"]
    if len(text) > len(str(INT_MAX)):
        raise NotFoundError(f"there is no version {text[:20]}…")
    return int(text)


async def wanted(call: Call, desk: Desk, statuses: Sequence[str], status: str | None = None) -> Filter:
    """What a request wants listed.

    Args:
        call: the request.
        desk: the dataset.
        statuses: those that there are.
        status: the one that the path names; None: as the query says.
    """
    status = call.query.get("status") if status is None else status
    if status is not None and status not in statuses:
        raise _bad_status(status, statuses)
    view = None if status is None else _VIEWS.get(status, status)
    return Filter(view, author_filter(call, desk))


def _bad_status(text: str, statuses: Sequence[str]) -> RequestError:
    return RequestError(
        HTTPStatus.BAD_REQUEST,
        f"{text[:100]!r} is neither a status nor a name of anything here",
        extra={"valid_statuses": list(statuses)},
    )


def found(revision: Revision | None, kind: int) -> Revision:
    """The revision; NotFoundError where there is none."""
    if revision is None:
        raise NotFoundError(f"there is no {ENTITY_NAMES[kind]} of that uuid and version in this dataset")
    return revision


def found_entity(entity: Entity | None, kind: int) -> Entity:
    """The entity; NotFoundError where there is none."""
    if entity is None:
        raise NotFoundError(f"there is no such {ENTITY_NAMES[kind]} in this dataset")
    return entity


# --- how they look ------------------------------------------------------------------------------------------


def identifier(uuid: bytes, version: int | None) -> dict[str, Any]:
    """Names one version."""
    return {"uuid": uuid_text(uuid), "version": version}


def version_row(row: Version) -> dict[str, Any]:
    """Names one version in a list; a schema's with its name."""
    named = {} if row.name is None else {"name": row.name}
    return identifier(row.uuid, row.version) | named


def info(entity: Entity) -> dict[str, Any]:
    """An entity in a list; a schema with its name."""
    named = {} if entity.name is None else {"name": entity.name}
    return {"uuid": uuid_text(entity.uuid), "versions": entity.versions} | named


def event_info(kind: int, event: RevisionEvent) -> dict[str, Any]:
    """An event in the details of a version, by the names of Gonk's classes; schemas are objects there."""
    subject = "Annotation" if kind == ANNOTATION else "Object"
    return {
        "uuid": uuid_text(event_uuid(event.ref)),
        "type": _REVIEWS.get(event.action) or subject + _ACTIONS[event.action],
        "review": None if event.decided is None else event.decided.name,
    }


def rivals(queries: Queries, revision: Revision) -> list[Revision]:
    """All revisions with the uuid and version of that one, which answers to them."""
    return [each for each in queries.revisions(revision.kind, revision.uuid) if each.version == revision.version]


def known_authors(call: Call, revisions: Sequence[Revision]) -> set[bytes]:
    """Those of the authors who are users of this node: no strangers here, though perhaps without a role in the dataset."""
    return {each.author for each in revisions if call.backend.user_of(each.author) is not None}


# --- lists --------------------------------------------------------------------------------------------------


def page_response(call: Call, page: Page[T], row: Callable[[T], dict[str, Any]]) -> web.Response:
    """One page of a list, with a link to the next one where there is one."""
    response = json_response([row(each) for each in page.rows])
    if page.after is not None:
        response.headers.update(next_link(call, uuid_text(page.after)))
    return response


def entity_list(kind: int, plural: str, statuses: Sequence[str]) -> Handler:
    """The handler that lists entities of a type."""

    async def handler(call: Call) -> object:
        """A page of them in order of arrival, with the number of versions of each, whatever their status."""
        desk = await call.desk()
        cursor, size = after(call), limit(call)
        what = await wanted(call, desk, statuses)
        return page_response(
            call, await desk.read_db(call.user, lambda db: Listing(db).entities(kind, what, cursor, size)), info
        )

    return _named(handler, plural, f"list_{plural}")


def status_routes(kind: int, plural: str, statuses: Sequence[str], row: Schema) -> tuple[Route, ...]:
    """The rows of the table that list versions of a type by status."""
    return tuple(
        Route(
            "GET",
            f"{DATASET}/{plural}/{status}",
            _named(_version_list(kind, statuses, status), plural, f"list_{status}_{plural}"),
            f"List {status} versions of {plural}",
            array(row),
            query=(*PAGED, AUTHOR),
        )
        for status in statuses
    )


def _version_list(kind: int, statuses: Sequence[str], status: str) -> Handler:
    async def handler(call: Call) -> object:
        """A page of the versions with that status; one version may have several. Those of one thing stand together."""
        desk = await call.desk()
        cursor, size = after(call), limit(call)
        what = await wanted(call, desk, statuses, status)
        return page_response(
            call, await desk.read_db(call.user, lambda db: Listing(db).versions(kind, what, cursor, size)), version_row
        )

    return handler


def _named(handler: Handler, plural: str, name: str) -> Handler:
    """A handler that was made here, as if it stood in the module of its type: the OpenAPI document names both."""
    handler.__name__ = name
    handler.__module__ = f"{__package__}.{plural}"
    return handler


__all__ = [
    "AUTHOR",
    "DATASET",
    "VERSION",
    "entity_list",
    "event_info",
    "found",
    "found_entity",
    "identifier",
    "info",
    "known_authors",
    "page_response",
    "path_uuid",
    "path_version",
    "rivals",
    "status_query",
    "status_routes",
    "version_row",
    "wanted",
]
