"""Where a request may come from, and in which form, before anybody looks at what it wants.

A page in a browser can send requests to loopback, and a name of the attacker's can be made to point there (DNS rebinding): so
the Host must be one of ours (RFC 9110 section 7.4), and what a browser says of the page that sent it must be us. Keys and
bodies are checked elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from gonk_node.errors import RequestError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_FETCH_SITES = ("same-origin", "none")  # "none": typed by the user (Fetch Metadata Request Headers, section 2.4)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guard:
    """Stands in front of every route.

    Args:
        names: host names, without ports, by which the API may be called beside those of loopback.
        is_remote: whether others than this machine can reach it.
    """

    def __init__(self, names: Iterable[str], *, is_remote: bool) -> None:
        own = () if is_remote else _LOOPBACK
        self._names = frozenset(name.lower() for name in (*own, *names))

    def middleware(self) -> Middleware:
        """The check, in aiohttp's form."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._check(request)
            return await handler(request)

        return guard

    def _check(self, request: web.Request) -> None:
        hosts = request.headers.getall(hdrs.HOST, [])
        if len(hosts) != 1 or _name(hosts[0]) not in self._names:
            raise RequestError(
                HTTPStatus.MISDIRECTED_REQUEST,
                "this node is not known by that host name",
                name="MisdirectedRequest",
                hint="call it as localhost; the setting http_names adds further names",
            )
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and not self._is_own(origin, hosts[0]):
            raise _cross_site("pages of other origins may not call this API")
        if request.headers.get("Sec-Fetch-Site", "none").lower() not in _FETCH_SITES:
            raise _cross_site("pages of other sites may not call this API")
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":  # a small body that swells
            raise RequestError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "bodies must come as they are, without a content encoding",
                name="UnsupportedMediaType",
            )
        if hdrs.UPGRADE in request.headers:
            raise RequestError(HTTPStatus.BAD_REQUEST, "there are no WebSockets here", name="BadRequest")

    def _is_own(self, origin: str, host: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def seal(response: web.StreamResponse) -> None:
    """Add the headers that keep browsers from sniffing, framing, caching or sharing an answer, where it says no other."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")


def _name(host: str) -> str:
    """The host name without its port, in lower case; brackets stay around IPv6 addresses."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower().removesuffix(".")


def _cross_site(what: str) -> RequestError:
    return RequestError(HTTPStatus.FORBIDDEN, what, name="Forbidden")
