"""The form of a row of the API's table of routes, of which both the server and its OpenAPI document are made.

A handler gets a `Call` and returns what is to be sent as JSON, or a response of its own. No route is named here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from aiohttp import web

from gonk_node.api.backend import Backend, Caller
from gonk_node.api.desk import Desk

Schema: TypeAlias = Mapping[str, Any]  # a JSON Schema (2020-12), as OpenAPI 3.1 has them


class Field(NamedTuple):
    """One key of a JSON body: its schema, what it is for, and whether it must be there."""

    name: str
    schema: Schema
    what: str
    required: bool = True


class Query(NamedTuple):
    """One parameter behind the question mark."""

    name: str
    schema: Schema
    what: str


@dataclass(slots=True)
class Call:
    """One request, its user, and the keys of its JSON body, of the types that the table names."""

    request: web.Request
    backend: Backend
    user: str = ""
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Mapping[str, str]:
        """The parts of the path that stand in braces in the table."""
        return self.request.match_info

    @property
    def query(self) -> Mapping[str, str]:
        """What stands behind the question mark, as text."""
        return self.request.query

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return Caller(self.user)

    async def desk(self) -> Desk:
        """The dataset that the path names; NotFoundError where there is none."""
        return await self.backend.desk(self.path["dataset"])


Handler: TypeAlias = Callable[[Call], Awaitable[object]]


class Route(NamedTuple):
    """One row.

    Attributes:
        method: in capitals. GET answers HEAD as well.
        path: as aiohttp has it; `{uuid}`, or `{version:[0-9]+}` where the form matters.
        handler: what answers; its docstring is the description.
        summary: a few words.
        answer: of status 200; None where it is no JSON.
        body: the keys of the JSON body, in the order in which they are looked for; None where there is none.
        query: what may stand behind the question mark.
        statuses: what else it may answer, beyond 400, 401, 404 and 429, which everything may.
        needs_key: whether an API key is needed.
        media_types: what it reads (upload) or gives (download), where that is no JSON.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: Schema | None
    body: tuple[Field, ...] | None = None
    query: tuple[Query, ...] = ()
    statuses: tuple[int, ...] = ()
    needs_key: bool = True
    media_types: tuple[str, ...] = ()
