"""From a row of the table to an aiohttp handler: form, key, rate, body, then the handler, then its answer as JSON.

The order of these checks is Gonk's. What the answer is, is the handler's; where a request may come from is for `guard`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web

from gonk_node.api.backend import Backend, Caller
from gonk_node.api.body import bytes_to_come, check_content_type, read_json
from gonk_node.api.rate import RateLimit
from gonk_node.api.room import Room
from gonk_node.api.route import Call, Route
from gonk_node.core.limits import API_BODY_SMALL_BYTES
from gonk_node.errors import RequestError

KEY_HEADER = "x-api-key"
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode  # `json.dumps` would make one for each answer


def json_response(value: Any, status: int = 200) -> web.Response:
    """Gonk's form of JSON: sorted keys, no blanks, a line break at the end."""
    return web.Response(body=(_encode(value) + "\n").encode(), status=status, content_type="application/json")


def answering(
    route: Route, backend: Backend, rate: RateLimit, room: Room
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of a row of the table."""
    is_json_due = route.body is not None and route.method in ("POST", "PATCH")

    async def handle(request: web.Request) -> web.StreamResponse:
        if is_json_due:
            check_content_type(request)
        call = Call(request, backend)
        if route.needs_key:
            caller = _caller(request, backend)
            rate.take(caller.name)
            call.user = caller.name
        size = 0 if route.body is None else bytes_to_come(request)
        if size <= API_BODY_SMALL_BYTES:
            return await answer(call)
        async with room.of(call.user, size):  # until it is answered: handlers hold what was in the body
            return await answer(call)

    async def answer(call: Call) -> web.StreamResponse:
        request = call.request
        if route.body is not None and (is_json_due or request.body_exists):
            if not is_json_due and request.content_length != 0:
                check_content_type(request)
            call.body = await read_json(request, route.body) if is_json_due or request.content_length != 0 else {}
        found = await route.handler(call)
        return found if isinstance(found, web.StreamResponse) else json_response(found)

    return handle


def _caller(request: web.Request, backend: Backend) -> Caller:
    """Whose key the request carries; RequestError 400 without one, 401 for a wrong one."""
    key = request.headers.get(KEY_HEADER, "")
    if not key:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"the header {KEY_HEADER} is missing", hint="gonk users add NAME gives a key"
        )
    caller = backend.caller(key)
    if caller is None:
        raise RequestError(
            HTTPStatus.UNAUTHORIZED, "this API key is not known here", hint="gonk users rekey NAME gives a new one"
        )
    return caller


__all__ = ["KEY_HEADER", "answering", "json_response"]
