"""The whole API as one aiohttp application: the table of routes, and what each request passes on its way in and out."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from gonk_node.api import datasets, events, files, health, live, log, objects, owners, reviews, schemas, status
from gonk_node.api.annotations import ROUTES as ANNOTATIONS  # its module is named as a feature of Python
from gonk_node.api.answering import answering, json_response
from gonk_node.api.backend import Backend
from gonk_node.api.failure import describe
from gonk_node.api.guard import Guard, seal
from gonk_node.api.metrics import Metrics
from gonk_node.api.rate import RateLimit
from gonk_node.api.room import Room
from gonk_node.api.route import Route

ROUTES: tuple[Route, ...] = (
    *datasets.ROUTES,
    *objects.ROUTES,
    *files.ROUTES,
    *ANNOTATIONS,
    *schemas.ROUTES,
    *owners.ROUTES,
    *live.ROUTES,  # before those of events, one of which would take its path
    *events.ROUTES,
    *reviews.ROUTES,
    *log.ROUTES,
    *status.ROUTES,
    *health.ALIVE,
)

_BEGUN = web.RequestKey("BEGUN", bool)  # whether the head of the answer is sent
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ANY_FORM = re.compile(r"\{(\w+)\}")  # aiohttp lets no braces into such a part, but names and uuids may have them


def make_app(
    backend: Backend, *, requests_per_second: int, names: Iterable[str] = (), is_remote: bool = False
) -> web.Application:
    """The application.

    Args:
        backend: the node.
        requests_per_second: of one API key.
        names: host names by which clients may call it, beside those of loopback.
        is_remote: whether others than this machine can reach it.
    """
    guard = Guard(names, is_remote=is_remote)
    metrics = Metrics()
    app = web.Application(middlewares=[metrics.middleware(), _failures, guard.middleware()])
    app.on_response_prepare.append(_seal)
    app[live.STREAMS] = streams = live.Streams()
    app.on_shutdown.append(streams.end)
    rate = RateLimit(requests_per_second, time.monotonic)
    add_routes(app, every_route(metrics, is_remote=is_remote), backend, rate)
    return app


def every_route(metrics: Metrics | None = None, *, is_remote: bool = False) -> tuple[Route, ...]:
    """The whole table, with the rows that tell of all others."""
    return (*ROUTES, *health.describing(ROUTES, metrics or Metrics(), is_remote=is_remote))


def add_routes(app: web.Application, routes: Iterable[Route], backend: Backend, rate: RateLimit) -> None:
    """Add rows of the table to an application; GET answers HEAD as well, and OPTIONS is answered everywhere."""
    methods: dict[str, list[str]] = {}
    room = Room()
    for route in routes:
        path = _ANY_FORM.sub(r"{\1:[^/]+}", route.path)
        app.router.add_route(route.method, path, answering(route, backend, rate, room))
        methods.setdefault(path, []).append(route.method)
        if route.method == "GET":
            app.router.add_route("HEAD", path, answering(route, backend, rate, room))
    for path, names in methods.items():
        app.router.add_route("OPTIONS", path, _options(names))


def _options(methods: Iterable[str]) -> _Handler:
    allowed = ", ".join(sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}))

    async def handle(request: web.Request) -> web.StreamResponse:  # noqa: ARG001 - the form of a handler
        return web.Response(headers={"Allow": allowed})

    return handle


async def _seal(request: web.Request, response: web.StreamResponse) -> None:
    request[_BEGUN] = True
    seal(response)


@web.middleware
async def _failures(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Turn every error into an answer of Gonk's shape."""
    try:
        return await handler(request)
    except Exception as error:  # whatever went wrong, the node stays up and says so
        transport = request.transport
        if isinstance(error, ConnectionError) and (transport is None or transport.is_closing()):
            raise  # the client went away: nobody is to be told, and nothing is wrong here
        status, value = describe(error)
        if _BEGUN in request:  # a second answer within the first would be taken for a part of it
            if transport is not None:
                transport.abort()
            raise ConnectionResetError("broken off") from error
        response = json_response(value, status)
        if status == 405 and isinstance(error, web.HTTPMethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return response
