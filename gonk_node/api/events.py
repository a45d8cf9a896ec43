"""Routes that read events: the list in Gonk's order and shapes, and one event with its reviews."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gonk_node.api.answering import json_response
from gonk_node.api.desk import Desk
from gonk_node.api.paging import PAGED, after, limit, next_link, parse_uuid
from gonk_node.api.people import who
from gonk_node.api.route import Call, Route
from gonk_node.api.shapes import EVENT, EVENT_DETAIL, array
from gonk_node.core.events import ACCEPT
from gonk_node.core.ids import EventRef, event_uuid, uuid_text
from gonk_node.core.limits import API_PAGE_ROWS_MAX
from gonk_node.core.times import LAST, time_json
from gonk_node.errors import NotFoundError
from gonk_node.replica.history.gonk_events import GonkEvents
from gonk_node.replica.reading.queries import Queries
from gonk_node.store.state_db import StateDb

_EVENTS = "/datasets/{dataset}/events"


def gonk_events(call: Call, desk: Desk, db: StateDb) -> GonkEvents:
    """The events of a dataset, with the names that its users have on this node."""
    return GonkEvents(desk.replica, db, lambda key: who(call.backend, key))


async def list_events(call: Call) -> web.Response:
    """A page of events in the order in which they came to this node, after the event `after`.

    It has what takes effect here and what Gonk has a class for: objects and schemas, annotations, deletions, reviews that
    count, owners. `…/log` has everything that was signed.
    """
    desk = await call.desk()
    cursor, count = after(call), limit(call)

    def page(db: StateDb) -> list[dict[str, Any]]:
        start: int | None = 0
        if cursor is not None:
            try:
                start = _number(Queries(db), cursor)
            except NotFoundError:
                return []
        return gonk_events(call, desk, db).page(start or 0, count)

    found = await desk.read_db(call.user, page)
    response = json_response(found)
    if len(found) == count:
        response.headers.update(next_link(call, found[-1]["uuid"]))
    return response


async def show_event(call: Call) -> Any:
    """One event, what became of it (null for what nobody reviews), and its reviews with their comments.

    A review is honoured where its author had the right to review when signing it.
    """
    desk = await call.desk()
    uuid = parse_uuid(call.path["uuid"], "event")

    def show(db: StateDb) -> dict[str, Any]:
        queries = Queries(db)
        number = _number(queries, uuid)
        events = gonk_events(call, desk, db)
        found = events.at(number)
        if found is None:
            raise NotFoundError("the body of this event was erased, or is not here", where=f"event {uuid_text(uuid)}")
        return found | {"review": events.review_state(number), "reviews": _reviews(call, queries, events, number)}

    return await desk.read_db(call.user, show)


def _number(queries: Queries, uuid: bytes) -> int:
    """The local number of an event; NotFoundError where there is none."""
    number = queries.number_of(find_event(queries, uuid))
    if number is None:
        raise NotFoundError("there is no such event")
    return number


def find_event(queries: Queries, uuid: bytes) -> EventRef:
    """The event of that uuid; NotFoundError where this dataset has none."""
    try:
        return queries.find_event(uuid_text(uuid))
    except NotFoundError:
        raise NotFoundError(
            f"there is no event {uuid_text(uuid)} in this dataset", hint="GET …/events lists those that there are"
        ) from None


def _reviews(call: Call, queries: Queries, events: GonkEvents, number: int) -> list[dict[str, Any]]:
    """Those that are honoured first, then in order of arrival."""
    found = [
        {
            "uuid": uuid_text(event_uuid(ref)),
            "author": who(call.backend, author),
            "decision": "accept" if decision == ACCEPT else "reject",
            "comment": comment,
            "timestamp": time_json(time_ms, "microseconds") or LAST,
            "honoured": events.counts_as_review(ref.entry_id),
        }
        for ref, author, decision, comment, time_ms in queries.reviews_of(number)
    ]
    return sorted(found, key=lambda review: not review["honoured"])[:API_PAGE_ROWS_MAX]


ROUTES = (
    Route("GET", _EVENTS, list_events, "List events", array(EVENT), query=PAGED),
    Route("GET", f"{_EVENTS}/{{uuid}}", show_event, "Show an event and its reviews", EVENT_DETAIL),
)
