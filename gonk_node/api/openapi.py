"""The OpenAPI 3.1 document of the API, made of the table of routes, so that it cannot say anything else than the server."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from gonk_node.api.answering import KEY_HEADER
from gonk_node.api.route import Field, Route, Schema
from gonk_node.api.shapes import COMPONENTS, COUNT, ERROR, NAME, TEXT, UUID, record

API_VERSION = "1.0"  # of what is described, not of the package: raised when clients have to care

_PART = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_ALWAYS = (400, 403, 408, 413, 415, 421, 429, 503)  # from every route, by the guard or for want of room
_PARTS: dict[str, tuple[Schema, str]] = {
    "dataset": ({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9-]{0,99}$"}, "the dataset's name on this node"),
    "uuid": (UUID, "of the object, annotation or event"),
    "version": (COUNT, "which version, from 0"),
    "name": (NAME, "of the schema, with its `schema-`"),
    "user": (NAME, "a user of this node, or a public key of 64 hex digits"),
}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole document, as JSON has it."""
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(plain_path(route), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gonk's HTTP API on this node",
            "version": API_VERSION,
            "description": "Datasets with a complete, signed history; what anybody proposes counts once it is accepted.",
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": KEY_HEADER}},
        },
    }


def plain_path(route: Route) -> str:
    """The path without the forms of its parts."""
    return _PART.sub(r"{\1}", route.path)


def description(route: Route) -> str:
    """What the docstring of the handler says, as Markdown."""
    return inspect.getdoc(route.handler) or ""


def _operation(route: Route) -> dict[str, Any]:
    parts = _PART.findall(route.path)
    found: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "description": description(route),
        "tags": [route.handler.__module__.rpartition(".")[2]],
        "parameters": [
            {"name": part, "in": "path", "required": True, "schema": _PARTS[part][0], "description": _PARTS[part][1]}
            for part in parts
        ]
        + [{"name": each.name, "in": "query", "schema": each.schema, "description": each.what} for each in route.query],
        "responses": _responses(route, has_parts=bool(parts)),
    }
    if route.needs_key:
        found["security"] = [{"key": []}]
    if route.body is not None:
        content = {"application/json": {"schema": _body(route.body)}}
        found["requestBody"] = {"required": any(each.required for each in route.body), "content": content}
    elif route.media_types and route.method in ("POST", "PATCH", "PUT"):
        found["requestBody"] = {"required": True, "content": {kind: _upload(kind) for kind in route.media_types}}
    return found


def _upload(media_type: str) -> dict[str, Any]:
    if media_type != "multipart/form-data":
        return {"schema": {}}
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    return {"schema": {**record(file=file), "properties": {"name": TEXT, "mimetype": TEXT, "file": file}}}


def _body(fields: Iterable[Field]) -> dict[str, Any]:
    named = {each.name: {**each.schema, "description": each.what} for each in fields}
    needed = [each.name for each in fields if each.required]
    return {"type": "object", "properties": named} | ({"required": needed} if needed else {})


def _responses(route: Route, *, has_parts: bool) -> dict[str, Any]:
    if route.answer is None:
        kinds = route.media_types if route.method == "GET" else ()
        content: dict[str, Any] = {kind: {} for kind in kinds}
    else:
        content = {"application/json": {"schema": route.answer}}
    found: dict[str, Any] = {"200": {"description": "done", "content": content}}
    statuses = {*_ALWAYS, *route.statuses, *([401] if route.needs_key else []), *([404] if has_parts else [])}
    for status in sorted(statuses):
        shape = {"application/json": {"schema": ERROR}} if status >= 400 else {}
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": shape}
    return found
