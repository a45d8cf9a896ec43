"""Routes that tell where a dataset stands here: what it holds, who it is exchanged with, what is wrong with it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gonk_node.api.answering import json_response
from gonk_node.api.desk import Desk
from gonk_node.api.paging import PAGED, after, limit, next_link
from gonk_node.api.people import who
from gonk_node.api.route import Call, Route
from gonk_node.api.shapes import CONFLICT, DATASET_STATUS, array
from gonk_node.core.events import ROLE_NAMES
from gonk_node.core.ids import uuid_text
from gonk_node.core.limits import API_PAGE_ROWS_MAX
from gonk_node.core.times import LAST, time_json
from gonk_node.replica.history.standing import Standing, standing_of
from gonk_node.replica.reading.queries import Revision


async def show_status(call: Call) -> Any:
    """Where a dataset stands: what it holds, by status; its heads, digests, peers and forks; and your role in it.

    Two nodes that hold the same entries have the same `heads_digest`, and then the same `state_digest`. Of heads and forks at
    most 1000 are listed.
    """
    desk = await call.desk()
    found = await desk.read_db(call.user, lambda db: _standing_json(call, desk, standing_of(desk.replica, db)))
    return found | {"name": desk.name, "role": _role(call, desk), "peers": await call.backend.peers(desk)}


def _standing_json(call: Call, desk: Desk, found: Standing) -> dict[str, Any]:
    """In a worker thread: strangers can make many heads."""
    priority = desk.replica.view.priority
    heads = sorted(found.heads, key=lambda head: (priority(head.author), head))[:API_PAGE_ROWS_MAX]
    return {
        "id": desk.replica.dataset.hex(),
        "entries": found.entries,
        "events": found.events,
        "heads": [
            {
                "author": who(call.backend, head.author),
                "log": head.log_id.hex(),
                "seq": head.seq,
                "entry": head.entry_id.hex(),
            }
            for head in heads
        ],
        "head_count": len(found.heads),
        "heads_digest": found.heads_digest.hex(),
        "state_digest": found.state_digest.hex(),
        "counts": found.counts,
        "pending": found.pending,
        "conflicts": found.conflicts,
        "forks": [
            {
                "author": who(call.backend, fork.author),
                "log": fork.log_id.hex(),
                "seq": fork.seq,
                "entries": [entry_id.hex() for entry_id in fork.entries],
            }
            for fork in found.forks[:API_PAGE_ROWS_MAX]
        ],
        "withheld": found.withheld,
        "replaced_roots": [key.hex() for key in found.replaced_roots],
        "root_disputed": found.is_root_disputed,
    }


def _role(call: Call, desk: Desk) -> str | None:
    key = call.backend.key_of(call.user, desk)
    role = None if key is None else desk.replica.authority.role_now(key)
    return None if role is None else ROLE_NAMES[role]


async def list_conflicts(call: Call) -> web.Response:
    """A page of what has several accepted versions that compete, in order of uuid; the current version stands first.

    To settle one, delete the other versions, or update the current one and reject the rest.
    """
    desk = await call.desk()
    cursor, count = after(call), limit(call)
    found = await desk.read(call.user, lambda queries: queries.conflicts(after=cursor or b"", limit=count))
    response = json_response([_conflict(call, versions) for versions in found])
    if len(found) == count:
        response.headers.update(next_link(call, uuid_text(found[-1][0].uuid)))
    return response


def _conflict(call: Call, versions: list[Revision]) -> dict[str, Any]:
    return {
        "type": versions[0].type_name,
        "uuid": uuid_text(versions[0].uuid),
        "versions": [
            {
                "version": each.version,
                "current": each.current,
                "event": each.event,
                "author": who(call.backend, each.author),
                "timestamp": time_json(each.time_ms, "microseconds") or LAST,
            }
            for each in versions
        ],
    }


ROUTES = (
    Route("GET", "/datasets/{dataset}/status", show_status, "Show where a dataset stands", DATASET_STATUS),
    Route("GET", "/datasets/{dataset}/conflicts", list_conflicts, "List conflicts", array(CONFLICT), query=PAGED),
)
