"""Errors as Gonk's clients know them: `{"error": TEXT}`, or `{"error": {NAME: TEXT}}` for what the rules forbid.

The status comes from `gonk_node.errors`; only the shape is decided here.
"""

from __future__ import annotations

import logging

from aiohttp import web

from gonk_node.errors import GonkError, RefusedError, RequestError, StorageError, UsageError

_log = logging.getLogger(__name__)


def describe(error: Exception) -> tuple[int, dict[str, object]]:
    """The status and the JSON of an error; what is no error of ours is logged, and told without its details."""
    if isinstance(error, RequestError):
        text = str(error)
        return error.http_status, {"error": text if error.name is None else {error.name: text}} | error.extra
    if isinstance(error, UsageError):
        return error.http_status, {"error": str(error)}
    if isinstance(error, RefusedError):
        return error.http_status, {"error": {"ValidationError": str(error)}}
    if isinstance(error, StorageError):
        _log.error("%s", error)
        return error.http_status, {"error": {"StorageError": str(error)}}
    if isinstance(error, GonkError):
        return error.http_status, {"error": {type(error).__name__: str(error)}}
    if isinstance(error, web.HTTPException):
        return error.status, {"error": {error.reason.replace(" ", ""): _text(error)}}
    _log.error("a fault in gonk itself", exc_info=error)
    return 500, {"error": {type(error).__name__: "a fault in gonk itself; the log of the node says more"}}


def _text(error: web.HTTPException) -> str:
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{error.method} is not answered here, but {', '.join(sorted(error.allowed_methods))}"
    if error.status == 404:
        return "there is nothing under this path; /docs lists what there is"
    return error.reason
