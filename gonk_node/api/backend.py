"""What the API asks of the node that it stands in front of; `node.http_backend` gives it. Nothing is answered here."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from gonk_node.api.desk import Desk
from gonk_node.store.content import ContentStore


class Caller(NamedTuple):
    """The user whose API key came with a request; `name` is unique on this node."""

    name: str


class Backend(Protocol):
    """The node behind the API. What is not `async` answers from memory, and may be called on the event loop."""

    @property
    def content(self) -> ContentStore:
        """The content of all datasets."""

    def caller(self, api_key: str) -> Caller | None:
        """Whose API key that is; None where it is nobody's."""

    def user_of(self, key: bytes) -> str | None:
        """The name of the user of this node who signs with that public key; None for everybody else's keys."""

    def key_of(self, user: str, desk: Desk) -> bytes | None:
        """The public key with which a user of this node signs at a dataset; None where there is no such user."""

    async def fresh_key(self, user: str) -> bytes:
        """Make a user a further key pair, since a revoked key never returns; its public key."""

    async def names(self) -> list[str]:
        """The local names of the datasets here, in order."""

    async def desk(self, name: str) -> Desk:
        """The dataset of that local name (no prefix, no id); NotFoundError, or what keeps it from being opened."""

    async def found(self, caller: Caller, name: str, *, description: str, private: bool, approvals: int) -> Desk:
        """Found a dataset whose root owner is the caller.

        Raises:
            UsageError: no such name can be. ExistsError: there is a dataset of that name.
        """

    async def fetch(self, desk: Desk, content_id: bytes) -> None:
        """See that a file is held here, fetching it from a peer where it is not.

        Raises:
            PeerUnavailableError: no peer could be asked, or none has it.
        """

    async def peers(self, desk: Desk) -> list[dict[str, Any]]:
        """The peers that this dataset is exchanged with: address, whether connected, when last synced."""

    def is_ready(self) -> bool:
        """Whether the datasets are open and the node takes requests."""
