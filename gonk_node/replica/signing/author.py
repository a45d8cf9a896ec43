"""A person at a replica: the key that signs, the role that it has, and signing many events in as few entries as fit.

What may be signed is checked by `proposing` and `governing`, before anything comes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from gonk_node.core import limits
from gonk_node.core.entry import Entry
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import CONTRIBUTOR, OWNER, AcceptGrant, Event, Profile
from gonk_node.core.ids import EventRef
from gonk_node.core.keys import Signer
from gonk_node.replica.ingest import UnsignedEntry
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.replica import Replica

EVENTS_PER_ENTRY = 1000  # of a large import: one signature for many, and a small unit to resume at
_ENTRIES_PER_FLUSH = 4  # a flush takes as long as signing some hundred events; all of these are held in memory
_BYTES_PER_ENTRY = limits.ENTRY_BYTES_MAX // 2  # leaves room for the header and the framing of each event


class Author:
    """One key at one replica.

    Attributes:
        display_name: what the person wants to be called; signed once, where no profile of the key is here yet.
    """

    def __init__(self, replica: Replica, signer: Signer, display_name: str = "") -> None:
        self.replica = replica
        self.signer = signer
        self.display_name = display_name
        self.queries = Queries(replica.db)
        self._is_named = not display_name  # or known to be: asked once, since it stays so

    @property
    def key(self) -> bytes:
        """The public key."""
        return self.signer.author

    @property
    def role(self) -> int | None:
        """The role that the key holds now, None for a stranger or a revoked key."""
        return self.replica.authority.role_now(self.key)

    def sign(self, events: Sequence[Event], *, after_ms: int = 0) -> Entry:
        """Sign events into one entry (durable and folded on return).

        What `introduce` says goes before it.
        """
        self.introduce()
        return self.replica.sign(self.signer, events, after_ms=after_ms)

    def sign_many(self, events: Iterable[Event], *, after_ms: int = 0) -> Iterator[list[EventRef]]:
        """Sign any number of events, in entries of up to 1000; yields the references of each entry's events.

        A few entries are signed at a time, with one flush for all of them.
        """
        batches = _batches(events)
        while group := list(islice(batches, _ENTRIES_PER_FLUSH)):
            self.introduce()
            unsigned = [UnsignedEntry(self.signer, batch, (after_ms,)) for batch in group]
            results = self.replica.sign_group(unsigned)
            for batch, result in zip(group, results, strict=True):
                if isinstance(result, Exception):
                    raise result
                yield [EventRef(result.entry_id, index) for index in range(len(batch))]

    def time_of(self, refs: Iterable[EventRef]) -> int:
        """The latest time (ms) of the entries that hold those events: what refers to them is signed after it."""
        headers = [self.replica.log.header_of(entry_id) for entry_id in {ref.entry_id for ref in refs}]
        return max((header.time_ms for header in headers if header is not None), default=0)

    def introduce(self) -> Entry | None:
        """Sign what must come before anything else; None where nothing is to be said.

        That is the display name, once, and an accept-grant where the key has a role that this log has not taken up yet:
        a node accepts every grant that it sees to its keys.
        """
        events = self._acceptance()
        self._is_named = self._is_named or self.queries.display_name(self.key) is not None
        if not self._is_named:
            events.append(Profile(self.display_name))
        return self.replica.sign(self.signer, events) if events else None

    def accept_grants(self) -> Entry | None:
        """Take up the role that was granted to this key, in this installation's log; None where nothing is to be done."""
        acceptance = self._acceptance()
        return self.replica.sign(self.signer, acceptance) if acceptance else None

    def _acceptance(self) -> list[Event]:
        authority = self.replica.authority
        info = authority.roles.get(self.key)
        if info is None or info.revoked or info.role == CONTRIBUTOR or info.grant is None:
            return []
        if self.key == authority.root:
            return []
        leaves = self.replica.log.leaves(self.key, self.replica.log_id(self.key))
        if leaves:
            tip = max(leaves, key=lambda head: (head.seq, head.entry_id))
            position = self.replica.projection.index.locate(tip.entry_id)
            if position and self._holds(info.role, position.branch, position.seq):
                return []
        return [AcceptGrant(info.grant)]

    def _holds(self, role: int, branch: int, seq: int) -> bool:
        """Whether what the key writes at that position counts with that role; a reviewer's is no owner's."""
        authority = self.replica.authority
        if role == OWNER:
            return authority.owns(self.key, branch, seq)
        return authority.review_rank(self.key, branch, seq) is not None


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Events by the entries that they are to be in."""
    batch: list[Event] = []
    size = 0
    for event in events:
        length = len(encode_event(event))
        if batch and (len(batch) >= EVENTS_PER_ENTRY or size + length > _BYTES_PER_ENTRY):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch
