"""Tokens that open the content of one dataset to one peer: issued in a session, short-lived, kept as hashes.

The clock is passed in (seconds of a clock that never goes back). What content a dataset names is decided elsewhere.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from gonk_node.core.chunks import chunk_id as plain_hash
from gonk_node.core.limits import CONTENT_TOKEN_BYTES, CONTENT_TOKEN_SECONDS, CONTENT_TOKENS_MAX

_TOKEN_CHARS = 2 * CONTENT_TOKEN_BYTES  # hex


@dataclass(slots=True)
class TokenGrant:
    """What a token stands for.

    Attributes:
        dataset: the dataset whose content it opens, 32 bytes.
        node_key: the peer that it was given to, 32 bytes.
        expires: when it ends, seconds of the table's clock.
        requests: how many requests with it are being answered now.
    """

    dataset: bytes
    node_key: bytes
    expires: float
    requests: int = 0


class TokenTable:
    """The tokens that a node gave out. Held in memory only: a restart ends them all.

    A token is looked up by its hash, so that the time of a look-up tells nothing about the tokens there are.
    """

    def __init__(self) -> None:
        self._grants: dict[bytes, TokenGrant] = {}

    def issue(self, dataset: bytes, node_key: bytes, now: float) -> str:
        """Make a token: 32 random bytes as 64 hex digits. Where too many are out, the oldest one ends."""
        if len(self._grants) >= CONTENT_TOKENS_MAX:
            self._make_room(now)
        token = secrets.token_hex(CONTENT_TOKEN_BYTES)
        self._grants[_key(token)] = TokenGrant(dataset, node_key, now + CONTENT_TOKEN_SECONDS)
        return token

    def check(self, token: str, now: float) -> TokenGrant | None:
        """What the token stands for; None for one that is unknown, revoked or too old."""
        if len(token) != _TOKEN_CHARS:
            return None
        grant = self._grants.get(_key(token))
        return grant if grant is not None and now < grant.expires else None

    def renew(self, token: str, now: float) -> bool:
        """Let a token live on from now; False if it has ended. Its session calls this while it lives."""
        grant = self.check(token, now)
        if grant is None:
            return False
        grant.expires = now + CONTENT_TOKEN_SECONDS
        return True

    def revoke(self, token: str) -> None:
        """End a token; nothing happens where it has ended already."""
        self._grants.pop(_key(token), None)

    def _make_room(self, now: float) -> None:
        self._grants = {key: grant for key, grant in self._grants.items() if now < grant.expires}
        while len(self._grants) >= CONTENT_TOKENS_MAX:
            del self._grants[next(iter(self._grants))]


def _key(token: str) -> bytes:
    return plain_hash(token.encode())
