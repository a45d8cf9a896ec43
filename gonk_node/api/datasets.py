"""Routes of datasets as a whole: greet, list, found."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from gonk_node.api.route import Call, Field, Route
from gonk_node.api.shapes import COUNT, FLAG, NAME, TEXT, array, record
from gonk_node.errors import ExistsError, RequestError


async def greet(call: Call) -> Any:  # noqa: ARG001 - the form of a handler
    """Say hello: the key works."""
    return {"message": "hello"}


async def list_datasets(call: Call) -> Any:
    """The names of the datasets on this node, those cloned from peers included."""
    return await call.backend.names()


async def found_dataset(call: Call) -> Any:
    """Found a dataset; the user who asks becomes its root owner.

    A name has letters (A-Z, a-z), digits and hyphens, and does not begin with a hyphen.
    """
    body = call.body
    try:
        await call.backend.found(
            call.caller,
            body["name"],
            description=body.get("description", ""),
            private=body.get("private", False),
            approvals=body.get("approvals", 1),
        )
    except ExistsError as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, str(error)) from None  # Gonk's status for it
    return {"dataset": body["name"]}


ROUTES = (
    Route("GET", "/", greet, "Try a key", record(message=TEXT)),
    Route("GET", "/datasets", list_datasets, "List datasets", array(NAME)),
    Route(
        "POST",
        "/datasets",
        found_dataset,
        "Found a dataset",
        record(dataset=NAME),
        body=(
            Field("name", NAME, "what it is called"),
            Field("description", TEXT, "what it is, for people", required=False),
            Field("private", FLAG, "only keys with a role may clone it", required=False),
            Field("approvals", COUNT, "how many owners or reviewers must accept a proposal; 1", required=False),
        ),
    ),
)
