"""THE write path: decode -> verify -> store -> fold. A local edit and an entry from a peer both go through here.

Nothing else appends to a log. What a person may sign is checked before, in `authoring`; here only the V-rules and, for
strangers, this node's quotas count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from gonk_node.core import limits
from gonk_node.core.codec import CodecError
from gonk_node.core.entry import Entry, Header, build_entry
from gonk_node.core.events import Event
from gonk_node.core.ids import EventRef
from gonk_node.core.keys import Signer
from gonk_node.core.outcome import Ingested, Outcome
from gonk_node.core.verify import verify_entry
from gonk_node.errors import InvalidEntryError, UsageError
from gonk_node.replica.folding.collector import paused_collector
from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.snapshot_files import discard_all
from gonk_node.replica.stranger_gate import Quota, StrangerGate
from gonk_node.store.log import LocalPlace, LogStore


class UnsignedEntry(NamedTuple):
    """Events that are to become one entry.

    Attributes:
        signer: whose key signs.
        events: 1 to 4096; references with an empty entry id mean this entry.
        after_ms: times of what the events refer to; each is followed unless it is more than a day ahead.
    """

    signer: Signer
    events: Sequence[Event]
    after_ms: Sequence[int] = ()


class Ingest:
    """The write path of one replica. Its caller serialises calls (`Replica` holds the lock)."""

    def __init__(self, log: LogStore, projection: Projection, quota: Quota) -> None:
        self._log = log
        self._projection = projection
        self._quota = quota

    def ingest(self, records: Sequence[bytes], *, cited: bool = False, signed: Sequence[bool] = ()) -> list[Ingested]:
        """Take records that came from anywhere.

        Args:
            records: as received, a chain in order of seq.
            cited: a peer says that an honoured accept cites these, or what follows them: quotas are wider.
            signed: of the first records, which `core.verify.is_signed` said yes to already.

        Returns:
            One outcome for each record, in order; what is INSERTED or COMPLETED is durable and folded.

        Raises:
            DiskFullError, StorageError: none of those not yet reported stored.
        """
        with paused_collector():
            return self._ingest(records, cited, signed)

    def _ingest(self, records: Sequence[bytes], cited: bool, signed: Sequence[bool]) -> list[Ingested]:
        results: list[Ingested | None] = [None] * len(records)
        held: list[tuple[int, Entry]] = []
        gate = StrangerGate(self._log, self._projection, self._quota, cited)
        for place, record in enumerate(records):
            try:
                entry = verify_entry(record, self._log.dataset, signed=place < len(signed) and signed[place])
            except InvalidEntryError as error:
                results[place] = Ingested(Outcome.INVALID, b"", 0, error)
                continue
            if gate.refuses(entry) and held:
                self._store(held, results, cited=cited)  # one of these may vouch for it
                held.clear()
                gate = StrangerGate(self._log, self._projection, self._quota, cited)
            if gate.refuses(entry):
                results[place] = self._declined(entry)
            else:
                gate.count(entry)
                held.append((place, entry))
        self._store(held, results, cited=cited)
        return [result for result in results if result is not None]

    def sign_group(
        self, entries: Sequence[tuple[bytes, UnsignedEntry]], clock_ms: Callable[[], int]
    ) -> list[Entry | Exception]:
        """Sign the next entries of this node's own logs, and take them in as any other: one flush and one fold for all.

        Args:
            entries: each with the id of this installation's log for its author and dataset.
            clock_ms: the wall clock, milliseconds since 1970 UTC.

        Returns:
            For each the entry, durable and folded; or why it was not signed: UsageError where an event breaks the format.

        Raises:
            DiskFullError, StorageError: none of them is stored; but they are where only folding failed, which the next
                catch-up makes good.
        """

        def place(log_id: bytes, unsigned: UnsignedEntry) -> LocalPlace:
            def build(prev: Header | None, prev_id: bytes) -> Entry:
                now = clock_ms()
                followed = [now, 0 if prev is None else prev.time_ms + 1]
                followed += [after + 1 for after in unsigned.after_ms if after <= now + limits.TIME_LEAP_MS_MAX]
                entry = build_entry(
                    unsigned.signer,
                    dataset=self._log.dataset,
                    log_id=log_id,
                    prev=prev,
                    prev_id=prev_id,
                    time_ms=max(followed),
                    events=unsigned.events,
                )
                return verify_entry(entry.record, self._log.dataset)

            return LocalPlace(unsigned.signer.author, log_id, build)

        results = self._log.append_local_group([place(*each) for each in entries])
        self._fold(
            {result[0].lsn: result[1] for result in results if not isinstance(result, Exception)},
            recheck_withheld=False,
        )
        return [_entry_or_error(result) for result in results]

    def _store(self, held: list[tuple[int, Entry]], results: list[Ingested | None], *, cited: bool) -> None:
        if not held:
            return
        entries = [entry for _, entry in held]
        exempt = frozenset(entry.entry_id for entry in entries) if cited else frozenset()
        outcomes = self._log.append(entries, cited=exempt)
        for (place, _), outcome in zip(held, outcomes, strict=True):
            results[place] = outcome
        inserted = {
            outcome.lsn: entry
            for entry, outcome in zip(entries, outcomes, strict=True)
            if outcome.outcome is Outcome.INSERTED
        }
        self._fold(inserted, recheck_withheld=any(each.outcome is Outcome.COMPLETED for each in outcomes))

    def _fold(self, verified: Mapping[int, Entry], *, recheck_withheld: bool) -> None:
        self._projection.catch_up(recheck_withheld=recheck_withheld, verified=verified)
        self.follow_redactions()

    def follow_redactions(self) -> None:
        """Erase what was redacted, and let back in what is so no longer (A9); to be called after each catch-up.

        Not where the log cannot be written to: the State says all the same what is redacted.
        """
        if self._log.is_read_only:
            return
        for entry_id, indexes in _by_entry(self._projection.restorable).items():
            self._log.allow_bodies(entry_id, indexes)
        self._projection.restorable.clear()
        for entry_id, indexes in _by_entry(self._projection.erasable).items():
            self._log.erase(entry_id, indexes)
        if self._projection.erasable and self._projection.db.path is not None:
            discard_all(self._projection.db.path)  # they may hold what was erased
        self._projection.erasable.clear()

    def _declined(self, entry: Entry) -> Ingested:
        if self._log.has(entry.entry_id):
            return self._log.append([entry])[0]
        return Ingested(Outcome.DECLINED, entry.entry_id, 0)


def unsignable(error: CodecError) -> UsageError:
    """What a person is told about an event that breaks the format."""
    return UsageError(f"this cannot be signed: {error}", hint="shorten or correct it")


def _entry_or_error(result: tuple[Ingested, Entry] | Exception) -> Entry | Exception:
    if isinstance(result, Exception):
        return unsignable(result) if isinstance(result, CodecError) else result
    return result[1]


def _by_entry(refs: Iterable[EventRef]) -> dict[bytes, set[int]]:
    found: dict[bytes, set[int]] = {}
    for entry_id, index in refs:
        found.setdefault(entry_id, set()).add(index)
    return found
