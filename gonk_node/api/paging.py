"""Pages of lists: where one begins and how long it is, as a request says it, and the link to the next one."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode
from uuid import UUID

from gonk_node.api.route import Call, Query
from gonk_node.core.limits import API_PAGE_ROWS, API_PAGE_ROWS_MAX
from gonk_node.errors import RequestError

AFTER = Query("after", {"type": "string", "format": "uuid"}, "the uuid of the last row of the page before")
LIMIT = Query(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": API_PAGE_ROWS_MAX, "default": API_PAGE_ROWS},
    "rows of a page at most; versions of one thing stay together, also beyond that",
)
PAGED = (AFTER, LIMIT)


def after(call: Call) -> bytes | None:
    """The cursor of a request, 16 bytes, in any form that Python's `UUID` reads; None: from the beginning."""
    text = call.query.get("after")
    return None if text is None else parse_uuid(text, "after")


def limit(call: Call) -> int:
    """How many rows a request asks for."""
    text = call.query.get("limit")
    if text is None:
        return API_PAGE_ROWS
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= API_PAGE_ROWS_MAX):
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"limit must be a number from 1 to {API_PAGE_ROWS_MAX}", name="ValueError"
        )
    return int(text)


def parse_uuid(text: str, name: str) -> bytes:
    """A UUID in a request; RequestError otherwise."""
    try:
        return UUID(text).bytes
    except ValueError:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"{name!r} is no UUID: {text[:60]!r}", name="ValueError", hint="32 hex digits"
        ) from None


def next_link(call: Call, last: str) -> dict[str, str]:
    """The header that names the next page (RFC 8288), which begins behind `last`."""
    query = urlencode({**call.query, "after": last})
    return {"Link": f'<{call.request.path}?{query}>; rel="next"'}
