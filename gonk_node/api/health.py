"""Routes about the API itself, which need no key: whether it lives, what it counts, and what there is to call."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from aiohttp import web

from gonk_node.api.answering import json_response
from gonk_node.api.docs_page import page
from gonk_node.api.metrics import CONTENT_TYPE, Metrics
from gonk_node.api.openapi import document
from gonk_node.api.route import Call, Route
from gonk_node.api.shapes import FLAG, TEXT, record
from gonk_node.errors import RequestError


async def is_alive(call: Call) -> Any:  # noqa: ARG001 - the form of a handler
    """Say that the process answers."""
    return {"status": "ok"}


async def is_ready(call: Call) -> Any:
    """Say whether the datasets are open and requests are taken; 503 until then."""
    if not call.backend.is_ready():
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "the node is not ready yet", name="ServiceUnavailable")
    return {"ready": True}


ALIVE = (
    Route("GET", "/healthz", is_alive, "Is it alive", record(status=TEXT), needs_key=False),
    Route("GET", "/readyz", is_ready, "Is it ready", record(ready=FLAG), needs_key=False),
)


def describing(routes: Iterable[Route], metrics: Metrics, *, is_remote: bool) -> tuple[Route, ...]:
    """The routes that tell of all others, themselves included.

    Args:
        routes: all others.
        metrics: what is counted.
        is_remote: whether others than this machine can reach them; what is counted then needs a key.
    """

    async def openapi(call: Call) -> Any:  # noqa: ARG001 - the form of a handler
        """Give the OpenAPI 3.1 document of this API."""
        return web.Response(body=described, content_type="application/json")

    async def docs(call: Call) -> Any:  # noqa: ARG001 - the form of a handler
        """Show a page for people, which needs nothing of other hosts."""
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": policy})

    async def count(call: Call) -> Any:  # noqa: ARG001 - the form of a handler
        """Give counts and durations of requests, in the text form of Prometheus."""
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    own = (
        Route("GET", "/openapi.json", openapi, "This API as data", {"type": "object"}, needs_key=False),
        Route("GET", "/docs", docs, "This API for people", None, needs_key=False, media_types=("text/html",)),
        Route("GET", "/metrics", count, "Counts", None, needs_key=is_remote, media_types=("text/plain",)),
    )
    every = (*routes, *own)
    described = json_response(document(every)).body
    html = page(every)
    return own
