"""One dataset as the API works with it: where it is read, how it is written, and who its users are there.

Reads run in worker threads on connections of their own, of which no user takes all. Writes go through the group commit of
the replica, so that what many people send at one time shares signatures and flushes. What is read and written is up to the
handlers.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gonk_node.api.answers import Answers
from gonk_node.replica.reading.bodies import Bodies
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.replica import Replica
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.governing import Governor
from gonk_node.replica.signing.group_commit import Committed, Draft, GroupCommit
from gonk_node.replica.signing.proposing import Proposer
from gonk_node.store.content import ContentStore
from gonk_node.store.state_db import StateDb

T = TypeVar("T")


class Desk:
    """An open dataset.

    Args:
        name: what it is called on this node.
        replica: the dataset itself.
        readers: connections to its State.
        content: of the node.
        author_of: makes a user an author there; may unlock a key.
        key_of: with which key a user signs there, told from memory; None where that takes `author_of`.

    Attributes:
        name, replica: as given.
    """

    def __init__(
        self,
        name: str,
        replica: Replica,
        readers: Sequence[StateDb],
        content: ContentStore,
        author_of: Callable[[str], Author],
        key_of: Callable[[str], bytes | None] = lambda _: None,
    ) -> None:
        self.name = name
        self.replica = replica
        self._content = content
        self._author_of = author_of
        self._key_of = key_of
        self._authors: dict[bytes, Author] = {}  # by key: whose it is never changes
        self._databases = tuple(readers)
        self._readers: queue.SimpleQueue[StateDb] = queue.SimpleQueue()
        for reader in self._databases:
            self._readers.put(reader)
        self._threads = ThreadPoolExecutor(max(1, len(self._databases)), thread_name_prefix=f"read {name}")
        self._turns: dict[str, asyncio.Semaphore] = {}  # by user
        self._answers = Answers()
        self._commit = GroupCommit(replica, self._answers.hand_over)
        self._bodies = Bodies(Queries(replica.db))  # compiled schemas, for all users

    async def read(self, user: str, question: Callable[[Queries], T]) -> T:
        """Ask something of the State for a user, in a worker thread."""
        return await self.read_db(user, lambda db: question(Queries(db)))

    async def read_db(self, user: str, question: Callable[[StateDb], T]) -> T:
        """The same, of the database itself."""

        def ask() -> T:
            db = self._readers.get()
            try:
                return question(db)
            finally:
                self._readers.put(db)

        turns = self._turns.get(user)
        if turns is None:
            turns = self._turns[user] = asyncio.Semaphore(max(1, len(self._databases) - 1))
        async with turns:  # one connection is always for the others
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    async def propose(
        self, user: str, touches: Collection[bytes], prepare: Callable[[Proposer], Draft[T]]
    ) -> Committed[T]:
        """Sign what `prepare` makes with the key of a user; durable and folded on return. See `GroupCommit.submit`."""
        proposer = Proposer(await self.author(user), self._bodies)
        return await self._answers.of(lambda: self._commit.submit(proposer.author, touches, lambda: prepare(proposer)))

    async def decide(
        self, user: str, touches: Collection[bytes], prepare: Callable[[Governor], Draft[T]]
    ) -> Committed[T]:
        """The same for what owners and reviewers sign."""
        author = await self.author(user)
        return await self._answers.of(
            lambda: self._commit.submit(author, touches, lambda: prepare(self.governor(author)))
        )

    def governor(self, author: Author) -> Governor:
        """What a user may decide; to be asked where the State is written (`decide`, `alone`)."""
        return Governor(author, self._bodies, lambda: self._content)

    async def alone(self, user: str, task: Callable[[Author], T]) -> T:
        """Run something that signs for itself, in turn with the other writes."""
        author = await self.author(user)
        return await asyncio.wrap_future(self._commit.run(lambda: task(author)))

    async def author(self, user: str) -> Author:
        """A user of this node at this dataset; may unlock a key, the first time."""
        key = self._key_of(user)
        kept = None if key is None else self._authors.get(key)
        if kept is not None:
            return kept
        author = await asyncio.to_thread(self._author_of, user)
        return self._authors.setdefault(author.key, author)

    def close(self) -> None:
        """Finish what waits, and close the connections; the node closes the replica."""
        self._commit.close()
        self._threads.shutdown(wait=True)
        for database in self._databases:
            database.close()
