"""Routes of a dataset's owners: who they are, add one, remove one. What owners may do is `replica.signing.governing`."""

from __future__ import annotations

from typing import Any

from gonk_node.api.desk import Desk
from gonk_node.api.people import author_key, who
from gonk_node.api.route import Call, Route
from gonk_node.api.shapes import NAME, array, record
from gonk_node.core.events import OWNER
from gonk_node.core.keys import parse_author
from gonk_node.errors import KeyFileError
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.governing import Governor

_OWNERS = "/datasets/{dataset}/owners"
_OWNER = f"{_OWNERS}/{{user}}"


async def list_owners(call: Call) -> Any:
    """The owners, highest rank first: users of this node by name, others by the 64 hex digits of their keys."""
    desk = await call.desk()
    return list(dict.fromkeys(who(call.backend, key) for key in _owner_keys(desk)))


async def add_owner(call: Call) -> Any:
    """Make somebody an owner: a user of this node by name, anybody else by the 64 hex digits of the public key.

    A key that was removed never returns: a user of this node gets a fresh one.
    """
    desk = await call.desk()
    name = call.path["user"]
    parse_author(author_key(call, desk, name).hex())  # not everything of 64 hex digits is a key
    Governor(await desk.author(call.user)).check_owner("add an owner")
    is_user = call.backend.key_of(name, desk) is not None
    if is_user and author_key(call, desk, name) in desk.replica.authority.cut_spans:
        await call.backend.fresh_key(name)

    def grant(author: Author) -> bytes:
        key = author_key(call, desk, name)  # asked again: of two requests at one time, the second finds him an owner
        Governor(author).grant(key, OWNER, name if is_user else "")
        return key

    key = await desk.alone(call.user, grant)
    await _take_up(call, desk, key)
    return {"user": name}


async def remove_owner(call: Call) -> Any:
    """End what an owner may do. What this node holds of theirs stands; whatever else they signed carries no authority.

    The root owner stays, and nobody removes an owner of higher rank.
    """
    desk = await call.desk()
    name = call.path["user"]
    author_key(call, desk, name)

    def revoke(author: Author) -> None:
        governor = Governor(author)
        key = next((key for key in _owner_keys(desk) if call.backend.user_of(key) == name), None)
        governor.revoke(key or author_key(call, desk, name), OWNER, "")

    await desk.alone(call.user, revoke)
    return {"user": name}


def _owner_keys(desk: Desk) -> list[bytes]:
    """Keys that own the dataset, highest rank first."""
    return [info.key for info in desk.replica.authority.ranked() if info.role == OWNER and not info.revoked]


async def _take_up(call: Call, desk: Desk, key: bytes) -> None:
    """Let the new owner's log take up the grant, where the key is of this node."""
    user = call.backend.user_of(key)
    if user is None or call.backend.key_of(user, desk) != key:
        return
    try:
        await desk.alone(user, Author.accept_grants)
    except KeyFileError:
        return  # the grant stands, and is taken up with what this user signs next


ROUTES = (
    Route("GET", _OWNERS, list_owners, "List owners", array(NAME)),
    Route("PUT", _OWNER, add_owner, "Add an owner", record(user=NAME), statuses=(403, 409)),
    Route("DELETE", _OWNER, remove_owner, "Remove an owner", record(user=NAME), statuses=(403, 409)),
)
