"""Who somebody is over HTTP: a user of this node by name, everybody else by the public key in hex."""

from __future__ import annotations

from http import HTTPStatus

from gonk_node.api.backend import Backend
from gonk_node.api.desk import Desk
from gonk_node.api.route import Call
from gonk_node.core.ids import parse_hash
from gonk_node.errors import RequestError, UsageError


def who(backend: Backend, key: bytes) -> str:
    """What a public key is called."""
    return backend.user_of(key) or key.hex()


def author_key(call: Call, desk: Desk, text: str) -> bytes:
    """The public key of the user of this node with that name, or the one that those 64 hex digits are.

    Raises:
        RequestError: 400, it is neither.
    """
    key = call.backend.key_of(text, desk)
    if key is not None:
        return key
    try:
        return parse_hash(text, "public key")
    except UsageError:
        raise RequestError(
            HTTPStatus.BAD_REQUEST,
            f"there is no user {text[:100]!r} on this node",
            hint="give the name of a user of this node, or all 64 hex digits of a public key",
        ) from None


def author_filter(call: Call, desk: Desk) -> bytes | None:
    """The key that the query parameter `author` names; None where there is none."""
    text = call.query.get("author")
    return None if text is None else author_key(call, desk, text)
