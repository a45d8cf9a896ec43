"""One dataset as a command works with it: its replica, queries and people, and its author once something is signed."""

from __future__ import annotations

from functools import cached_property

from gonk_node.cli.describe import Describer
from gonk_node.cli.people import People
from gonk_node.cli.run import Run
from gonk_node.core.events import OWNER, REVIEWER
from gonk_node.errors import GonkError
from gonk_node.net.peers import PeerBook
from gonk_node.replica.reading.bodies import Bodies
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.governing import Governor
from gonk_node.replica.signing.proposing import Proposer


class Place:
    """A dataset, opened by its name or the beginning of its id."""

    def __init__(self, run: Run, dataset: str) -> None:
        self.run = run
        self.out = run.out
        self.node = run.node()
        self.info = run.find(dataset)
        self.name = self.info.name
        with self.out.progress("State") as advance:
            self.replica = self.node.replica_of(self.info, advance)
        self.queries = Queries(self.replica.db)
        self.people = People(self.replica)
        self.bodies = Bodies(self.queries)
        self.describer = Describer(self.queries, self.people)

    @cached_property
    def author(self) -> Author:
        """The person of this node; unlocks the key."""
        return self.node.author(self.replica)

    @cached_property
    def proposer(self) -> Proposer:
        """What the person may propose."""
        return Proposer(self.author)

    @cached_property
    def governor(self) -> Governor:
        """What the person may decide."""
        return Governor(self.author, self.bodies, lambda: self.node.content)

    def next_after_proposing(self, event: str | None = None) -> None:
        """Say how a proposal comes to count: reviewed here, or sent to those who may."""
        if self.author.role in (OWNER, REVIEWER):
            self.out.next(f"gonk review {self.name} accept {event or '--all'}")
        else:
            self.next_spreading("owners see it once it has reached them")

    def next_spreading(self, then: str) -> None:
        """Say how what was signed reaches other nodes: this one calls them, or they call it where it knows none to call.

        Args:
            then: what comes of it, in a few words.
        """
        self.out.next(f"gonk sync {self.name}    ({then})" if self._has_peers() else f"gonk serve    ({then})")

    def _has_peers(self) -> bool:
        try:
            peers = PeerBook(self.node.home.root).peers()
        except GonkError:  # a damaged book is told by what needs it
            return True
        return any(peer.is_for(self.info.dataset, self.replica.is_private()) for peer in peers)
