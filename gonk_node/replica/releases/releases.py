"""Releases of one dataset: made, found, verified and compared. `Releases` is what commands, exporters and loaders use.

A release says which heads it stands on and what hash its manifest has. Nobody is believed about it: whoever opens one folds
the State at those heads from his own log, and compares. How it is written into files is for exporters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gonk_node.core.entry import read_stored
from gonk_node.core.events import ReleaseCreate
from gonk_node.core.heads import Head
from gonk_node.core.ids import EventRef, event_uuid, is_uuid, uuid_text
from gonk_node.core.times import is_time, parse_time
from gonk_node.errors import (
    ErasedError,
    ExistsError,
    NotFoundError,
    NotHeldError,
    ReleaseError,
    UsageError,
    WrongStateError,
)
from gonk_node.replica.history.erasures import erasure_of
from gonk_node.replica.history.standing import undecided
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.releases.diff import Difference, differences
from gonk_node.replica.releases.present import Present, present_of
from gonk_node.replica.releases.snapshot import Progress, Snapshot, heads_at_time, snapshot_at
from gonk_node.replica.replica import Replica
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.governing import Governor
from gonk_node.state.manifest import Summary
from gonk_node.state.releases import Signed, check_tag, named_by_tags, tag_text
from gonk_node.store.state_schema import split_number

_SIGNED = (
    "SELECT r.event_no, r.tag, e.entry_id, b.author, b.log_id, e.branch_no, e.seq FROM releases r"
    " JOIN entries e ON e.lsn = r.event_no >> 12 JOIN branches b USING (branch_no)"
)


class Release(NamedTuple):
    """A release as its owner signed it; whether it is true is asked of `Releases.verify`.

    Attributes:
        ref: the event.
        author: the owner's key.
        time_ms: when, as the owner says; milliseconds since 1970 UTC.
        tag: what it is called.
        notes: for people.
        heads: of the logs that it stands on.
        summary: the hash of its manifest, and its counts.
        is_named: its tag means it, and no other release.
    """

    ref: EventRef
    author: bytes
    time_ms: int
    tag: str
    notes: str
    heads: tuple[Head, ...]
    summary: Summary
    is_named: bool

    @property
    def event(self) -> str:
        """The UUID of the event, as text."""
        return uuid_text(event_uuid(self.ref))


class Verified(NamedTuple):
    """A release that was found true: it, and how many events lie at or before its heads."""

    release: Release
    events: int


class _Row(NamedTuple):
    """A release.create where it stands; `rank` is None where its entry does not count as an owner's."""

    number: int
    tag: str
    ref: EventRef
    author: bytes
    log_id: bytes
    seq: int
    rank: int | None


class Releases:
    """All releases of one replica, whose State has caught up with its log."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    # --- finding ----------------------------------------------------------------------------------------

    def all(self) -> list[Release]:
        """The releases that count (A13), in order of their times; also those whose tag means another one."""
        rows = self._rows()
        named = _named(rows)
        found = [self._read(row, row.ref in named) for row in rows if row.rank is not None]
        return sorted(found, key=lambda release: (release.time_ms, release.ref))

    def find(self, text: str) -> Release:
        """The release that a tag means, or the one of an event's UUID.

        A text that reads as a UUID never is a tag here, nor is one that reads as a time (A13).

        Raises:
            NotFoundError: there is none. ReleaseError: there is one, signed by a key that was no owner there.
        """
        rows = self._rows()
        named = _named(rows)
        tagged = sorted([each for each in rows if each.tag == text], key=lambda each: each.ref not in named)
        found = self._by_event(rows, text) if is_uuid(text) else [] if is_time(text) else tagged
        if not found:
            owners = [uuid_text(event_uuid(each.ref)) for each in tagged if each.rank is not None]
            hint = f"what has that tag, which reads as something else, is named by its event: {', '.join(owners[:3])}"
            raise NotFoundError(f"there is no release {text!r}", hint=hint if owners else "gonk release list DATASET")
        row = found[0]
        if row.rank is None:
            raise ReleaseError(
                "it was signed by a key that is no owner at that place of its log",
                where=f"release {tag_text(row.tag)} by {row.author.hex()[:8]}",
                hint="gonk owner list DATASET tells who may release",
            )
        return self._read(row, row.ref in named)

    def _by_event(self, rows: list[_Row], text: str) -> list[_Row]:
        try:
            ref = Queries(self._replica.db).find_event(text)
        except UsageError:
            return []
        return [row for row in rows if row.ref == ref]

    def _rows(self) -> list[_Row]:
        authority = self._replica.authority
        found = []
        for number, tag, entry_id, author, log_id, branch, seq in self._replica.db.rows(_SIGNED):
            rank = authority.roles[author].rank if authority.owns(author, branch, seq) else None
            ref = EventRef(entry_id, split_number(number)[1])
            found.append(_Row(number, tag, ref, author, log_id, seq, rank))
        return found

    def _read(self, row: _Row, is_named: bool) -> Release:
        lsn, index = split_number(row.number)
        record = self._replica.log.record(lsn)
        entry = None if record is None else read_stored(record)
        event = None if entry is None else entry.stored_events()[index]
        if entry is None or not isinstance(event, ReleaseCreate):
            raise NotHeldError(
                "the release itself is not on this node", where=f"release {tag_text(row.tag)}", hint="gonk sync DATASET"
            )
        summary = Summary(event.manifest_hash, *event.counts)
        heads = tuple([Head(*head) for head in event.heads])
        time_ms = entry.header.time_ms
        return Release(row.ref, row.author, time_ms, event.tag, event.notes, heads, summary, is_named)

    # --- making -----------------------------------------------------------------------------------------

    def create(self, author: Author, tag: str, notes: str = "", progress: Progress | None = None) -> Release:
        """Sign a release of what counts now.

        Raises:
            UsageError: no tag that can be signed, or the notes are too long.
            NotAllowedError: not an owner. ExistsError: there is a release of that tag.
            NotHeldError: a body is missing that others may have, so they would not come to the same manifest.
            WrongStateError: nothing counts, more logs than a release can name, or what counts depends on what a stranger
                proposed.
        """
        check_tag(tag)
        Governor(author).check_owner("make releases")
        if any(row.tag == tag and row.rank is not None for row in self._rows()):
            raise ExistsError(f"there is a release {tag!r} already", hint=f"gonk release show DATASET {tag}")
        self._check_not_empty()
        author.introduce()
        present = present_of(self._replica)
        heads = [Head(*head) for head in present.heads]
        with snapshot_at(self._replica, heads, progress=progress) as snapshot:
            self._check_whole(snapshot, present)
            manifest_hash, *counts = snapshot.summary()
        event = ReleaseCreate(tag, notes, present.heads, manifest_hash, tuple(counts))
        after_ms = author.time_of([EventRef(head.entry_id, 0) for head in heads])
        entry = author.sign([event], after_ms=after_ms)
        return self.find(uuid_text(event_uuid(EventRef(entry.entry_id, 0))))

    def _check_not_empty(self) -> None:
        """WrongStateError where nothing counts: what is released holds its tag for ever."""
        if Queries(self._replica.db).current_objects(b"", 1):
            return
        waiting = undecided(self._replica)
        hint = "gonk add DATASET FILE, then gonk review DATASET accept EVENT"
        if waiting.members:
            wait = "1 proposal waits" if waiting.members == 1 else f"{waiting.members:,} proposals wait"
            hint = f"{wait}: gonk review DATASET list, then gonk review DATASET accept EVENT, or --all"
        elif waiting.strangers:
            hint = "only strangers proposed something: gonk review DATASET list --strangers"
        raise WrongStateError("nothing is accepted, so there is nothing to release", hint=hint)

    def _check_whole(self, snapshot: Snapshot, present: Present) -> None:
        lacking = [ref for ref in snapshot.lacking() if not self._is_erased(ref)]
        if lacking:
            raise NotHeldError(
                f"the release would stand on events without their bodies, {len(lacking)} of them",
                where=f"event {uuid_text(event_uuid(lacking[0]))}",
                hint="gonk sync DATASET; what no peer has, an owner can redact",
            )
        lost = present.differing(snapshot.db)
        if lost:
            raise WrongStateError(
                f"what counts names what strangers proposed and nobody has decided, in {lost} places",
                hint="decide it first: gonk review DATASET list --strangers",
            )

    # --- opening and verifying ----------------------------------------------------------------------------

    def verify(self, tag: str, progress: Progress | None = None) -> Verified:
        """Fold the State at the heads of a release from the log alone, and compare its manifest with what was signed.

        Raises:
            NotFoundError: no such release.
            ReleaseError: the manifest or a count is another, or who signed it was no owner there.
            ErasedError: bodies that it stands on were erased since. NotHeldError: entries or bodies are not here.
        """
        release = self.find(tag)
        with snapshot_at(self._replica, release.heads, fresh=True, progress=progress) as snapshot:
            self._check(release, snapshot)
            return Verified(release, snapshot.events)

    def snapshot_of(self, tag: str, *, erased_too: bool = False, progress: Progress | None = None) -> Snapshot:
        """The State at the heads of a release, which was verified; to be closed.

        Args:
            tag: the release's.
            erased_too: also where bodies were erased since: without what they said, unverified.
            progress: called while it is folded.

        Raises:
            As of `verify`.
        """
        release = self.find(tag)
        snapshot = snapshot_at(self._replica, release.heads, progress=progress)
        try:
            self._check(release, snapshot)
        except ErasedError:
            if erased_too:
                return snapshot
            snapshot.close()
            raise
        except BaseException:
            snapshot.close()
            raise
        return snapshot

    def at(self, text: str, progress: Progress | None = None) -> Snapshot:
        """What was there at a time (as authors state it), or at a release, for looking back; to be closed.

        What reads as a time is one: nobody changes by a tag what it means.

        Raises:
            NotFoundError: neither a release, nor a time at which the dataset existed. Also as of `snapshot_of`.
        """
        if not is_time(text):
            return self.snapshot_of(text, erased_too=True, progress=progress)
        return snapshot_at(self._replica, heads_at_time(self._replica, parse_time(text)), progress=progress)

    def _check(self, release: Release, snapshot: Snapshot) -> None:
        found = snapshot.summary()
        if found == release.summary:
            return
        where = f"release {tag_text(release.tag)}"
        lacking = snapshot.lacking()
        erased = [ref for ref in lacking if self._is_erased(ref)]
        if len(erased) < len(lacking):
            raise NotHeldError(
                f"it stands on events that are here without their bodies, {len(lacking) - len(erased)} of them",
                where=where,
                hint="gonk sync DATASET fetches them from peers that have them",
            )
        if erased:
            first = erasure_of(self._replica, erased[0])
            raise ErasedError(
                f"it stands on events that were erased since, {len(erased)} of them, so its manifest cannot be made again;"
                f" {first}",
                where=where,
                hint="what is left is as it was; make a new release of it: gonk release create DATASET TAG",
            )
        what = "its manifest has another hash" if found.hash != release.summary.hash else "its counts are wrong"
        raise ReleaseError(
            f"{what}: signed {_text(release.summary)}, the log says {_text(found)}",
            where=where,
            hint="do not use it; ask who signed it",
        )

    def _is_erased(self, ref: EventRef) -> bool:
        """Whether an honoured redaction of today covers an event."""
        return erasure_of(self._replica, ref) is not None

    # --- comparing --------------------------------------------------------------------------------------

    def diff(self, one: str, other: str, progress: Progress | None = None) -> Iterator[Difference]:
        """What the second of two releases has added, removed or changed, in order of type and uuid.

        Raises:
            As of `verify`, before anything is yielded.
        """
        with self.snapshot_of(one, progress=progress) as before, self.snapshot_of(other, progress=progress) as after:
            yield from differences(before, after)


def _named(rows: list[_Row]) -> set[EventRef]:
    signed = [Signed(row.tag, row.rank, row.seq, row.log_id, row.ref) for row in rows if row.rank is not None]
    return set(named_by_tags(signed).values())


def _text(summary: Summary) -> str:
    counts = f"{summary.objects}, {summary.annotations} and {summary.left_out} left out"
    return f"{summary.hash.hex()[:16]} ({counts})"
