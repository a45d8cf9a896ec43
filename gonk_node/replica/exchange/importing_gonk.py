"""A Gonk folder into a dataset: every object, schema, annotation, version, deletion and review, in the order of its log.

`gonk_plan` has verified all of it before anything is signed here. The signature is the importer's, who vouches for it:
Gonk's names have no keys. What was imported before is found again by uuid, version and content, so importing once more
adds what is new, and finishes what was interrupted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from gonk_node.core import events as ev
from gonk_node.core.chunks import ContentInfo
from gonk_node.core.event_codec import encode_event
from gonk_node.core.ids import EventRef, schema_uuid, uuid_text
from gonk_node.core.limits import ENTRY_BYTES_MAX
from gonk_node.errors import ExistsError, GonkError, InputFileError
from gonk_node.formats.gonk.event import AnnotationMade, Deleted, GonkEvent, ObjectMade, OwnerChanged, Reviewed, What
from gonk_node.formats.gonk.folder import GonkFolder, ReadEvent, content_place
from gonk_node.formats.loss import Loss
from gonk_node.formats.own_objects import LOG_OF_GONK
from gonk_node.replica.exchange.gonk_plan import GonkPlan, GonkPlanner
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.signing.author import EVENTS_PER_ENTRY, Author
from gonk_node.replica.signing.governing import Governor
from gonk_node.replica.signing.proposing import Proposer
from gonk_node.store.content import ContentStore
from gonk_node.store.state_schema import ANNOTATION, ENTITY_NAMES, OBJECT, SCHEMA

LOG_NAME = "gonk-log.jsonl"  # of the object that keeps Gonk's log itself
_EVENT_BYTES = 4 * 1024  # of an event without its body, at most: names and comments
_REF_BYTES = 48  # of a reference
_NAME_CHARS_MAX = 200  # of a user, in a comment
_TIME_CHARS_MAX = 40


@dataclass(slots=True)
class GonkReport:
    """What an import brought.

    Attributes:
        events: read in Gonk's log.
        added: signed here, by sort: object, schema, annotation, deletion, review; `known`: were here before.
        authors: names in the log.
        log_uuid: of the object that keeps the log, as text; empty where the log has no events.
        approvals_short: how many more people must accept what Gonk's owners had accepted.
        loss: what was left out, and what has no place here.
    """

    events: int = 0
    added: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    authors: list[str] = field(default_factory=list)
    log_uuid: str = ""
    approvals_short: int = 0
    loss: Loss = field(default_factory=Loss)

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for --json."""
        counts = {"events": self.events, "added": dict(self.added), "known": dict(self.known)}
        return {
            **counts,
            "authors": self.authors,
            "log": self.log_uuid,
            "approvals_short": self.approvals_short,
            **self.loss.as_dict(),
        }


class ImportingGonk:
    """One import by one author, who must be allowed to review."""

    def __init__(
        self, author: Author, content: ContentStore, on_progress: Callable[[int, int], None] = lambda _, __: None
    ) -> None:
        self.report = GonkReport()
        self._author = author
        self._content = content
        self._proposer = Proposer(author)
        self._queries = author.queries
        self._on_progress = on_progress
        self._plan = GonkPlan()
        self._refs: dict[bytes, EventRef] = {}  # by Gonk's event: what it is here; not signed yet: an empty entry id
        self._open: list[tuple[bytes, ev.Event]] = []  # to be signed next, with Gonk's events
        self._open_bytes = 0
        self._after_ms = 0  # latest time of what is referred to
        self._known: set[bytes] = set()  # events that were here before
        self._signed_by: dict[bytes, str] = {}  # by Gonk's event: who did that when, in words
        self._deletions: Counter[EventRef] = Counter()  # met so far, of revisions that were here before

    def run(self, folder: GonkFolder) -> GonkReport:
        """Take everything that a folder holds and that can be taken.

        Raises:
            NotAllowedError: the author may not review. VerificationError: Gonk's log is broken.
            ExistsError: something else has the name of a schema, or the uuid of an object or annotation. Nothing was signed.
            DiskFullError, StorageError: what was signed before stands; importing again goes on from there.
        """
        Governor(self._author).check_reviewer()
        planner = GonkPlanner(folder, self._clash, lambda done: self._on_progress(done, 0))
        self._plan = planner.plan()
        self.report.loss, self.report.authors = self._plan.loss, sorted(self._plan.authors)
        self.report.approvals_short = self._author.replica.genesis.approvals - 1
        with self._content.spool() as log:
            remaining = folder.events()
            while batch := list(islice(remaining, EVENTS_PER_ENTRY)):
                for read in batch:
                    log.write(read.line)
                self._take_batch(folder, [read for read in batch if read.event.uuid in self._plan.taken])
                self.report.events += len(batch)
                self._on_progress(self.report.events, 0)
            self._sign()
            if self._plan.first:
                self._keep_log(self._content.put_file(log.whole()))
        return self.report

    # --- in the order of the log ------------------------------------------------------------------------

    def _take_batch(self, folder: GonkFolder, batch: list[ReadEvent]) -> None:
        paths = {
            read.event.uuid: folder.content(read.event.what.object.id)
            for read in batch
            if isinstance(read.event.what, ObjectMade) and not read.event.what.object.is_schema
        }
        infos = dict(zip(paths, self._content.put_files(_opened(paths.values())), strict=True))
        for read in batch:
            event = read.event
            name, time = event.author[:_NAME_CHARS_MAX], event.timestamp[:_TIME_CHARS_MAX]
            self._signed_by[event.uuid] = f'by "{name}" at {time}'
            self._make_room(event)
            match event.what:
                case ObjectMade():
                    self._take_object(folder, event, event.what, infos.get(event.uuid))
                case AnnotationMade():
                    self._take_annotation(folder, event, event.what)
                case Deleted():
                    self._take_deletion(event, event.what)
                case Reviewed():
                    self._take_review(event, event.what)
                case OwnerChanged():
                    pass

    def _take_object(self, folder: GonkFolder, event: GonkEvent, what: ObjectMade, info: ContentInfo | None) -> None:
        made, base = what.object, self._base(event)
        if info is not None and info.sha256 != made.sha256:
            raise InputFileError("has changed since it was checked", where=content_place(made.id))
        if info is None:
            kind, uuid = SCHEMA, schema_uuid(self._author.replica.dataset, made.name)
        else:
            kind, uuid = OBJECT, made.id.uuid
        if self._find(event, kind, uuid):
            return
        if info is None:
            body = folder.bytes_of(made.id, made.size, made.sha256)
            new: ev.Event = ev.SchemaUpdate(made.name, base, body) if base else ev.SchemaCreate(made.name, body)
            self._add("schema", event, new)
        elif base:
            self._add("object", event, ev.ObjectUpdate(uuid, base, made.name, made.media_type, *info))
        else:
            self._add("object", event, ev.ObjectCreate(uuid, made.name, made.media_type, *info))

    def _take_annotation(self, folder: GonkFolder, event: GonkEvent, what: AnnotationMade) -> None:
        made, base = what.annotation, self._base(event)
        if self._find(event, ANNOTATION, made.id.uuid):
            return
        schema = self._refs[self._plan.objects[made.schema]]
        body = folder.bytes_of(made.id, made.size, made.sha256)
        if base:
            self._add("annotation", event, ev.AnnotationUpdate(made.id.uuid, base, schema, body))
        else:
            objects = tuple(self._refs[self._plan.objects[each]] for each in what.objects)
            self._add("annotation", event, ev.AnnotationCreate(made.id.uuid, schema, objects, body))

    def _take_deletion(self, event: GonkEvent, what: Deleted) -> None:
        made = self._plan.target(what)
        target = self._refs[made or b""]
        if made in self._known:
            number = self._queries.number_of(target)
            held = [] if number is None else self._queries.deletions_of(number)
            ours = [ref for ref, author, _ in held if self._is_ours(author)]
            at = self._deletions[target]
            self._deletions[target] += 1
            if at < len(ours):
                self._is_known("deletion", event, ours[at])
                return
        self._add("deletion", event, ev.Delete(target))

    def _take_review(self, event: GonkEvent, what: Reviewed) -> None:
        target = self._refs[what.event]
        if what.event in self._known:
            number = self._queries.number_of(target)
            held = [] if number is None else self._queries.reviews_of(number)
            ours = [(ref, decision) for ref, author, decision, *_ in held if self._is_ours(author)]
            if ours:
                same = [ref for ref, decision in ours if decision == (ev.ACCEPT if what.is_accept else ev.REJECT)]
                self._is_known("review", event, (same or [ours[0][0]])[0])
                if not same:
                    place = f"event {uuid_text(event.uuid)}"
                    self.report.loss.left_out(place, "was decided otherwise in the dataset, which stays as it is")
                return
        decided = "accepted" if what.is_accept else "rejected"
        comment = f"Gonk: proposed {self._signed_by[what.event]}, {decided} {self._signed_by[event.uuid]}"
        decision = ev.ACCEPT if what.is_accept else ev.REJECT
        self._add("review", event, ev.Review(decision, (target,), (), comment))

    # --- what is here already ---------------------------------------------------------------------------

    def _clash(self, what: ObjectMade | AnnotationMade) -> GonkError | None:
        """Why the first revision of something cannot be taken: the dataset has another under its name or uuid."""
        kind, uuid, name = ANNOTATION, b"", ""
        if isinstance(what, AnnotationMade):
            uuid = what.annotation.id.uuid
        else:
            name, is_schema = what.object.name, what.object.is_schema
            kind = SCHEMA if is_schema else OBJECT
            uuid = schema_uuid(self._author.replica.dataset, name) if is_schema else what.object.id.uuid
        held = self._proposer.standing(self._queries.revisions(kind, uuid))
        if not held or any(each.base is None and _is_same(each, what) for each in held):
            return None
        return ExistsError(
            f"the dataset has another {held[0].type_name} under the {'name' if kind == SCHEMA else 'uuid'} of one in Gonk",
            where=name or uuid_text(uuid),
            hint="import into a dataset of its own: gonk dataset create NAME",
        )

    def _find(self, event: GonkEvent, kind: int, uuid: bytes) -> bool:
        """Whether the revision is here already, built on the same one; then it is remembered as that."""
        made_from = self._plan.base.get(event.uuid)
        if made_from is not None and made_from not in self._known:
            return False
        base = None if made_from is None else self._queries.number_of(self._refs[made_from])
        for each in self._proposer.standing(self._queries.revisions(kind, uuid)):
            if each.base == base and _is_same(each, event.what):
                self._is_known(ENTITY_NAMES[kind], event, each.ref)
                self._after_ms = max(self._after_ms, each.time_ms)
                return True
        return False

    def _is_known(self, sort: str, event: GonkEvent, ref: EventRef) -> None:
        self._refs[event.uuid] = ref
        self._known.add(event.uuid)
        self.report.known[sort] += 1

    def _is_ours(self, key: bytes) -> bool:
        return key == self._author.key or self._author.replica.authority.role_now(key) is not None

    # --- signing ----------------------------------------------------------------------------------------

    def _base(self, event: GonkEvent) -> EventRef | None:
        made_from = self._plan.base.get(event.uuid)
        return None if made_from is None else self._refs[made_from]

    def _make_room(self, event: GonkEvent) -> None:
        """Sign what waits, if what is to come may not fit the entry; before anything refers to what waits."""
        size = _EVENT_BYTES
        if isinstance(event.what, AnnotationMade):
            size += event.what.annotation.size + _REF_BYTES * len(event.what.objects)
        elif isinstance(event.what, ObjectMade) and event.what.object.is_schema:
            size += event.what.object.size
        if len(self._open) >= EVENTS_PER_ENTRY or self._open_bytes + size > ENTRY_BYTES_MAX // 2:
            self._sign()

    def _add(self, sort: str, event: GonkEvent, new: ev.Event) -> None:
        """Have an event signed with the next entry; others may refer to it from now on."""
        self._refs[event.uuid] = EventRef(b"", len(self._open))
        self._open.append((event.uuid, new))
        self._open_bytes += len(encode_event(new))
        self.report.added[sort] += 1

    def _sign(self) -> None:
        if not self._open:
            return
        entry = self._author.sign([new for _, new in self._open], after_ms=self._after_ms)
        for index, (uuid, _) in enumerate(self._open):
            self._refs[uuid] = EventRef(entry.entry_id, index)
        self._open, self._open_bytes = [], 0

    def _keep_log(self, info: ContentInfo) -> None:
        """Have the log of Gonk itself in the dataset, as an object: who did what when, and the hashes that show it."""
        uuid = self._plan.first
        self.report.log_uuid = uuid_text(uuid)
        held = self._proposer.standing(self._queries.revisions(OBJECT, uuid))
        if any((each.media_type, each.sha256) == (LOG_OF_GONK, info.sha256) for each in held):
            return
        new: ev.Event = ev.ObjectCreate(uuid, LOG_NAME, LOG_OF_GONK, *info)
        if held:
            base = max(held, key=lambda each: (each.version or 0, each.number))
            new = ev.ObjectUpdate(uuid, base.ref, LOG_NAME, LOG_OF_GONK, *info)
        accept = ev.Review(ev.ACCEPT, (EventRef(b"", 0),), (), "the log of Gonk that was imported")
        self._author.sign([new, accept], after_ms=max((each.time_ms for each in held), default=0))


def _opened(paths: Iterable[Path]) -> Iterator[BinaryIO]:
    """Each file, open until the next one is asked for."""
    for path in paths:
        with path.open("rb") as file:
            yield file


def _is_same(revision: Revision, what: What) -> bool:
    """Whether a revision holds what one in Gonk holds."""
    if isinstance(what, AnnotationMade):
        return hashlib.sha256(revision.body or b"").digest() == what.annotation.sha256
    if not isinstance(what, ObjectMade):
        return False
    made = what.object
    if made.is_schema:
        return hashlib.sha256(revision.body or b"").digest() == made.sha256
    return (revision.name, revision.media_type, revision.sha256) == (made.name, made.media_type, made.sha256)
