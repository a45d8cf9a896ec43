"""This node as the HTTP API sees it (`api.backend.Backend`): users, datasets, content, peers, opened when asked for.

It answers no request and knows no route.
"""

from __future__ import annotations

import asyncio
from typing import Any

from gonk_node.api.backend import Caller
from gonk_node.api.desk import Desk
from gonk_node.core.limits import API_READERS
from gonk_node.errors import NotFoundError
from gonk_node.net.peers import PeerBook
from gonk_node.node.datasets import DatasetInfo
from gonk_node.node.node import Node
from gonk_node.node.on_demand import OnDemand
from gonk_node.node.serving import Server
from gonk_node.replica.replica import Replica
from gonk_node.replica.signing.author import Author
from gonk_node.store.content import ContentStore
from gonk_node.store.state_db import StateDb


class NodeBackend:
    """A node and, where it serves peers too, the server that does."""

    def __init__(self, node: Node, server: Server) -> None:
        self._node = node
        self._server = server
        self._users = node.users
        self._book = PeerBook(node.home.root)
        self._on_demand = OnDemand(node, server.sources)
        self._desks: dict[str, Desk] = {}
        self._opening = asyncio.Lock()
        self._ready = False

    async def open(self) -> None:
        """Open the datasets that are here, so that the first requests need not wait."""
        self._content = await asyncio.to_thread(lambda: self._node.content)
        for name in await self.names():
            try:
                await self.desk(name)
            except NotFoundError:
                continue  # removed meanwhile
        self._ready = True

    async def close(self) -> None:
        """Finish the writes that wait."""
        self._ready = False
        await self._on_demand.close()
        for desk in self._desks.values():
            await asyncio.to_thread(desk.close)
        self._desks.clear()

    @property
    def content(self) -> ContentStore:
        """The content of all datasets."""
        return self._content

    def caller(self, api_key: str) -> Caller | None:
        """Whose API key that is."""
        user = self._users.authenticate(api_key)
        return None if user is None else Caller(user.name)

    def user_of(self, key: bytes) -> str | None:
        """The user of this node who signs with that key."""
        return self._users.name_of(key)

    def key_of(self, user: str, desk: Desk) -> bytes | None:
        """The key with which a user signs at a dataset."""
        return self._key(user, desk.replica)

    async def fresh_key(self, user: str) -> bytes:
        """A further key pair for a user."""
        found = self._users.by_name(user)
        if found is None:
            raise NotFoundError(f"there is no user {user!r} on this node", hint="gonk users list")
        return await asyncio.to_thread(self._users.fresh_key, found)

    async def names(self) -> list[str]:
        """The names of the datasets that can be opened."""
        return [info.name for info in await asyncio.to_thread(self._node.datasets) if info.has_log]

    async def desk(self, name: str) -> Desk:
        """The dataset of that name."""
        kept = self._desks.get(name)
        if kept is not None:
            return kept
        async with self._opening:
            if name not in self._desks:
                self._desks[name] = await asyncio.to_thread(self._open, name)
            return self._desks[name]

    async def found(self, caller: Caller, name: str, *, description: str, private: bool, approvals: int) -> Desk:
        """Found a dataset with the caller as its root owner."""

        def make() -> DatasetInfo:
            user = self._users.by_name(caller.name)
            if user is None:
                raise NotFoundError(f"there is no user {caller.name!r} on this node any more")
            signer = self._users.signer(user, user.keys[-1])
            return self._node.create_dataset(
                name,
                description=description,
                private=private,
                approvals=approvals,
                signer=signer,
                display_name=caller.name,
            )

        async with self._opening:
            await asyncio.to_thread(make)
        await self._server.look_at_folder()  # peers may clone it at once
        return await self.desk(name)

    async def fetch(self, desk: Desk, content_id: bytes) -> None:
        """See that a file is held here."""
        await self._on_demand.fetch(desk.replica.dataset, content_id)

    async def peers(self, desk: Desk) -> list[dict[str, Any]]:
        """The peers of a dataset, by the peer book and the sessions that are open."""
        dataset = desk.replica.dataset
        connected = self._server.connected(dataset)
        found = []
        for peer in await asyncio.to_thread(self._book.peers):
            if peer.datasets and dataset not in peer.datasets:
                continue
            found.append(
                {
                    "node_key": peer.node_key.hex(),
                    "address": f"{peer.host}:{peer.port}",
                    "connected": peer.node_key in connected,
                    "last_seen_ms": peer.last_seen_ms,
                    "last_error": peer.last_error,
                }
            )
        known = {each["node_key"] for each in found}
        callers = [key for key in connected if key.hex() not in known]
        return found + [
            {"node_key": key.hex(), "address": None, "connected": True, "last_seen_ms": None, "last_error": None}
            for key in callers
        ]

    def is_ready(self) -> bool:
        """Whether the datasets are open."""
        return self._ready

    def _open(self, name: str) -> Desk:
        info = next((info for info in self._node.datasets() if info.name == name), None)
        if info is not None:
            replica = self._node.replica_of(info)
            readers = [StateDb(info.folder.state_db, info.dataset) for _ in range(API_READERS)]
            return Desk(
                name,
                replica,
                readers,
                self.content,
                lambda user: self._author(user, replica),
                lambda user: self._key(user, replica),
            )
        raise NotFoundError(
            f"there is no dataset {name!r} on this node", hint="GET /datasets lists those that are here"
        )

    def _key(self, name: str, replica: Replica) -> bytes | None:
        user = self._users.by_name(name)
        return None if user is None or user.removed else self._users.key_for(user, replica.authority)

    def _author(self, name: str, replica: Replica) -> Author:
        user = self._users.by_name(name)
        if user is None:
            raise NotFoundError(f"there is no user {name!r} on this node any more")
        return self._node.author_of(replica, user)
