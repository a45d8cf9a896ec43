"""What the API counts of itself, in the text form that Prometheus reads. No names of datasets or users are in it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_UNKNOWN = "unknown"  # one series for whatever strangers make up


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._kept: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        labels = ("method", "route")
        self._requests = Counter(
            "gonk_http_requests", "Requests answered.", (*labels, "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "gonk_http_request_seconds",
            "From the end of the headers to the end of the answer.",
            labels,
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._open = Gauge("gonk_http_requests_open", "Requests that are being answered.", registry=self._registry)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

    def middleware(self) -> Middleware:
        """Counts each request, in aiohttp's form; to stand outside of what turns errors into answers."""

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            began = time.perf_counter()
            self._open.inc()
            status = 499  # the client went away (as nginx counts it)
            try:
                response = await handler(request)
                status = response.status
                return response
            finally:
                self._open.dec()
                resource = request.match_info.route.resource
                route = _UNKNOWN if resource is None else resource.canonical
                method = request.method if resource is not None else _UNKNOWN
                requests, seconds = self._series(method, route, status)
                requests.inc()
                seconds.observe(time.perf_counter() - began)

        return count

    def _series(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """Where such a request is counted; kept, since to find it by its labels takes longer than to count."""
        key = (method, route, status)
        found = self._kept.get(key)
        if found is None:
            found = self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)
            self._kept[key] = found
        return found
