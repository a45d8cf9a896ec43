"""Route of the log: the signed entries of a dataset in pages, chosen by author, kind of event and time."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gonk_node.api.answering import json_response
from gonk_node.api.backend import Backend
from gonk_node.api.paging import LIMIT, limit
from gonk_node.api.people import author_filter, who
from gonk_node.api.route import Call, Query, Route
from gonk_node.api.shapes import COUNT, LOG_ENTRY, TIME, array, nullable, record
from gonk_node.core.event_codec import KINDS
from gonk_node.core.ids import event_uuid, uuid_text
from gonk_node.core.limits import INT_MAX
from gonk_node.core.times import LAST, parse_time, time_json
from gonk_node.errors import RequestError, UsageError
from gonk_node.replica.history.log_pages import Chosen, LoggedEntry, log_page, name_of
from gonk_node.store.state_db import StateDb

_KINDS = tuple(kind.name for kind in KINDS)
_ORDERS = ("oldest", "newest")


def parse_lsn(text: str, name: str) -> int:
    """An arrival number in a request; RequestError otherwise."""
    if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= INT_MAX):
        raise RequestError(HTTPStatus.BAD_REQUEST, f"{name} must be the lsn of an entry: a number", name="ValueError")
    return int(text)


def entry_json(backend: Backend, logged: LoggedEntry) -> dict[str, Any]:
    """What an entry says of itself, without its events."""
    header = logged.entry.header
    return {
        "lsn": logged.lsn,
        "entry": logged.entry.entry_id.hex(),
        "author": who(backend, header.author),
        "key": header.author.hex(),
        "log": header.log_id.hex(),
        "seq": header.seq,
        "time": time_json(header.time_ms) or LAST,
        "bytes": len(logged.entry.record),
    }


async def read_log(call: Call) -> web.Response:
    """A page of the log: entries in the order in which they came to this node, or the newest first.

    An entry is what was signed together. Times are those that authors state. `after` in the answer is where to go on; a page
    may be short, even empty, where little of what was looked at is wanted, and the log is at its end where `after` is null.
    """
    desk = await call.desk()
    cursor, count = call.query.get("after"), limit(call)
    after = None if cursor is None else parse_lsn(cursor, "after")
    chosen = Chosen(
        author_filter(call, desk), _one_of(call, "kind", _KINDS), _time(call, "since"), _time(call, "until")
    )
    newest_first = _one_of(call, "order", _ORDERS) == "newest"

    def read(db: StateDb) -> tuple[list[dict[str, Any]], int | None]:
        page = log_page(desk.replica, db, chosen, after=after, limit=count, newest_first=newest_first)
        return [
            entry_json(call.backend, logged) | {"events": _events(logged, chosen.kind)} for logged in page.entries
        ], page.cursor

    rows, next_after = await desk.read_db(call.user, read)
    response = json_response({"entries": rows, "after": next_after})
    if next_after is not None:
        query = urlencode({**call.query, "after": next_after})
        response.headers["Link"] = f'<{call.request.path}?{query}>; rel="next"'
    return response


def _events(logged: LoggedEntry, kind: str | None) -> list[dict[str, Any]]:
    return [{"uuid": uuid_text(event_uuid(ref)), "kind": name_of(event)} for ref, event in logged.events(kind)]


def _one_of(call: Call, name: str, known: tuple[str, ...]) -> str | None:
    text = call.query.get(name)
    if text is not None and text not in known:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"{name} must be one of {', '.join(known)}, not {text[:60]!r}", name="ValueError"
        )
    return text


def _time(call: Call, name: str) -> int | None:
    text = call.query.get(name)
    if text is None:
        return None
    try:
        return parse_time(text)
    except UsageError as error:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"{name}: {error.what}", name="ValueError", hint=error.hint
        ) from None


ROUTES = (
    Route(
        "GET",
        "/datasets/{dataset}/log",
        read_log,
        "Read the log",
        record(entries=array(LOG_ENTRY), after=nullable(COUNT)),
        query=(
            Query("after", COUNT, "the lsn to go on after, as `after` in the answer before gives it"),
            LIMIT,
            Query("order", {"type": "string", "enum": list(_ORDERS)}, "of arrival; oldest first by default"),
            Query("author", {"type": "string"}, "only what that user, or that public key (64 hex digits), signed"),
            Query("kind", {"type": "string", "enum": list(_KINDS)}, "only entries with such an event, and only those"),
            Query("since", TIME, "only what its author says was signed then or later; a date or an RFC 3339 time"),
            Query("until", TIME, "only what was signed before"),
        ),
    ),
)
