"""Authors that sign valid entries: whole logs, forks, any events, reproducible from a name."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from gonk_node.core.entry import Entry, Header, build_entry
from gonk_node.core.events import PUBLIC, DatasetCreate, Event, Profile
from gonk_node.core.keys import Signer

FIRST_TIME_MS = 1_700_000_000_000


class TestAuthor:
    """One key that writes one log. The name decides the key and the log id.

    Attributes:
        dataset: the dataset it writes to; empty until `genesis` made one or it was given.
        entries: what it signed into its log, in order of seq; forks are not in it.
    """

    __test__ = False  # pytest: not a test class

    def __init__(self, name: str, dataset: bytes = b"", *, log: int = 0) -> None:
        self.signer = Signer.from_seed(sha256(f"seed {name}".encode()).digest())
        self.author = self.signer.author
        self.log_id = sha256(f"log {name} {log}".encode()).digest()[:8]
        self.dataset = dataset
        self.entries: list[Entry] = []
        self._forks = 0

    def genesis(self, name: str = "cells", *, approvals: int = 1, recovery: Sequence[bytes] = ()) -> Entry:
        """Create a dataset: the first entry of this author's log."""
        nonce = sha256(f"nonce {name}".encode()).digest()[:16]
        create = DatasetCreate(name, "", 1, approvals, PUBLIC, tuple(recovery), min(1, len(recovery)), nonce)
        entry = self.append(create)
        self.dataset = entry.entry_id
        return entry

    def append(self, *events: Event, time_ms: int | None = None) -> Entry:
        """Sign the next entry; without events, a profile."""
        prev = self.entries[-1] if self.entries else None
        entry = self.sign(prev, events or (Profile(f"number {len(self.entries)}"),), time_ms=time_ms)
        self.entries.append(entry)
        return entry

    def chain(self, count: int) -> list[Entry]:
        """Sign that many entries of one event."""
        return [self.append() for _ in range(count)]

    def fork(self, at: Entry | None, *events: Event) -> Entry:
        """Sign one more successor of `at` (None: one more first entry), different from all others."""
        self._forks += 1
        return self.sign(at, events or (Profile(f"fork {self._forks}"),))

    def fork_chain(self, at: Entry | None, count: int) -> list[Entry]:
        """Sign a whole branch beside the log."""
        branch: list[Entry] = []
        for _ in range(count):
            branch.append(self.fork(branch[-1] if branch else at))
        return branch

    def sign(self, prev: Entry | None, events: Sequence[Event], *, time_ms: int | None = None) -> Entry:
        """Sign a successor of any entry of this log."""
        return self.sign_after(
            None if prev is None else prev.header,
            b"" if prev is None else prev.entry_id,
            events,
            time_ms=time_ms,
        )

    def sign_after(
        self, prev: Header | None, prev_id: bytes, events: Sequence[Event] = (), *, time_ms: int | None = None
    ) -> Entry:
        """The same given a header: what `append_local_group` wants."""
        if time_ms is None:
            time_ms = FIRST_TIME_MS if prev is None else prev.time_ms + 1
        return build_entry(
            self.signer,
            dataset=self.dataset,
            log_id=self.log_id,
            prev=prev,
            prev_id=prev_id,
            time_ms=time_ms,
            events=events or (Profile("local"),),
        )
