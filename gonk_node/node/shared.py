"""One dataset made ready for peers: its replica on a thread of its own, and its content.

It calls nobody and answers nobody; `serving` and `syncing` do, with this.
"""

from __future__ import annotations

import asyncio
import logging

from gonk_node.core.keys import Signer
from gonk_node.errors import KeyFileError
from gonk_node.node.clone_mark import mark_complete
from gonk_node.node.content_sync import ContentSync
from gonk_node.node.datasets import DatasetInfo
from gonk_node.node.link import ReplicaLink
from gonk_node.node.node import Node
from gonk_node.node.offering import Offering
from gonk_node.replica.content.contents import Contents
from gonk_node.replica.content.needs import ContentNeeds
from gonk_node.replica.content.released_content import ReleasedContent
from gonk_node.store.state_db import StateDb

_log = logging.getLogger(__name__)


class SharedDataset:
    """A dataset as peers meet it. Make one with `open`, in a thread: catching up may take a while.

    Attributes:
        info: what this node knows of it.
        link: the replica, for sessions.
        content: what is fetched and offered.
    """

    def __init__(
        self, info: DatasetInfo, link: ReplicaLink, content: ContentSync, reader: StateDb, looker: StateDb
    ) -> None:
        self.info = info
        self.link = link
        self.content = content
        self._databases = (reader, looker)
        self._looker = Contents(looker)

    @classmethod
    def open(cls, node: Node, info: DatasetInfo, *, policy: str | None = None) -> SharedDataset:
        """Open a dataset of a node.

        Args:
            node: stays open as long as this is used.
            info: which dataset.
            policy: which content is fetched, if not what is set for the dataset or the node.

        Raises:
            ReadOnlyError: what peers give could not be kept. DamagedStoreError, StorageError, StoreLockedError: as
                `Node.replica_of`.
        """
        replica = node.replica_of(info)
        replica.refuse_read_only()
        # Connections of their own, since a query waits for others on its connection: `reader` belongs to worker threads,
        # which go through whole tables; `looker` to the event loop, for single look-ups.
        reader, looker = (StateDb(info.folder.state_db, info.dataset) for _ in range(2))
        policy = policy or node.content_policy(info)
        released = ReleasedContent(replica, reader)
        offering = Offering(ContentNeeds(reader, policy, node.own_keys, released), node.content, replica.log)
        content = ContentSync(Contents(reader), released, node.content, policy, offering)
        return cls(info, ReplicaLink(replica, node.store_instance, author_signer(node)), content, reader, looker)

    @property
    def name(self) -> str:
        """What the dataset is called here."""
        return self.info.name

    @property
    def is_private(self) -> bool:
        """Whether only keys with a role may read it."""
        return self.link.replica.is_private()

    def may_read(self, author: bytes | None) -> bool:
        """Whether one who proved that author key, or none, may have the dataset."""
        if not self.is_private:
            return True
        return author is not None and self.link.replica.authority.role_now(author) is not None

    def names(self, content_id: bytes) -> bool:
        """Whether an object of the dataset names that content; called on the event loop."""
        return self._looker.names(content_id)

    async def note_synced(self) -> None:
        """A session went through: a clone that was begun is complete."""
        await self.link.run(lambda: mark_complete(self.link.replica))

    async def close(self) -> None:
        """Wait for what is under way; the node closes the replica."""
        await self.link.close()
        for database in self._databases:
            await asyncio.to_thread(database.close)


def author_signer(node: Node) -> Signer | None:
    """The person's key, None where it is locked and nobody unlocks it: all works but signing."""
    try:
        return node.signer()
    except KeyFileError as error:
        _log.warning("no roles are accepted and no private dataset is fetched while the key is locked: %s", error)
        return None
