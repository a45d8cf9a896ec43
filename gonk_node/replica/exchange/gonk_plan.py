"""Which events of a Gonk folder can be taken into a dataset, found before anything is signed. It signs and stores nothing.

The whole log is verified, every file in the depot is read and compared with its hash, and every body is checked against its
schema: Gonk's server checks no bodies, and may have lost files. What cannot be taken is told with its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from gonk_node.core import limits
from gonk_node.core.codec import CodecError
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import Event, ObjectCreate, SchemaCreate
from gonk_node.errors import GonkError, InputFileError, NonconformingError, UsageError
from gonk_node.formats.gonk.event import (
    AnnotationMade,
    Deleted,
    GonkEvent,
    Identifier,
    ObjectMade,
    OwnerChanged,
    Reviewed,
)
from gonk_node.formats.gonk.folder import GonkFolder, ReadEvent
from gonk_node.formats.loss import Loss
from gonk_node.replica.signing.proposing import check_object_name
from gonk_node.state.conformance import Conformance, Validator, check_schema, compile_schema


@dataclass(slots=True)
class GonkPlan:
    """What can be taken.

    Attributes:
        taken: uuids of the events.
        base: for a revision that is not the first one taken of its entity, the event of the one that it is built on.
        objects: the events that made the versions of objects and schemas.
        annotations: the same of annotations.
        first: the uuid of the first event of the log; empty where it has none.
        authors: all names in the log.
        loss: what cannot be taken.
    """

    taken: set[bytes] = field(default_factory=set)
    base: dict[bytes, bytes] = field(default_factory=dict)
    objects: dict[Identifier, bytes] = field(default_factory=dict)
    annotations: dict[Identifier, bytes] = field(default_factory=dict)
    first: bytes = b""
    authors: set[str] = field(default_factory=set)
    loss: Loss = field(default_factory=Loss)

    def target(self, deleted: Deleted) -> bytes | None:
        """The event that made what is to be deleted; None where it is not taken."""
        return (self.annotations if deleted.is_annotation else self.objects).get(deleted.target)


class GonkPlanner:
    """Reads a folder from beginning to end.

    Args:
        folder: of Gonk.
        clash: what stands in the way in the dataset of the first revision of something; None: nothing.
        on_progress: told how many events were read.
    """

    def __init__(
        self,
        folder: GonkFolder,
        clash: Callable[[ObjectMade | AnnotationMade], GonkError | None],
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._clash = clash
        self._on_progress = on_progress
        self._plan = GonkPlan()
        self._versions: dict[tuple[bool, bytes], int] = {}  # highest one in the log, by entity; (is annotation, uuid)
        self._last: dict[tuple[bool, bytes], bytes] = {}  # event of the last one taken
        self._names: dict[str, bytes] = {}  # of schemas
        self._schemas: dict[Identifier, Validator] = {}
        self._reviewed: set[bytes] = set()
        self._seen: set[bytes] = set()

    def plan(self) -> GonkPlan:
        """What can be taken.

        Raises:
            VerificationError: the log is broken. InputFileError: the folder cannot be read.
            ExistsError: the dataset has something else by the name of a schema, or the uuid of an object or annotation.
        """
        plan = self._plan
        for count, read in enumerate(self._folder.events(), 1):
            event = read.event
            plan.first = plan.first or event.uuid
            plan.authors.add(event.author)
            self._seen.add(event.uuid)
            try:
                self._take(read)
            except InputFileError as error:
                plan.loss.left_out(read.place, f"{_named(event)}: {error}; left out")
            self._on_progress(count)
        for problem in self._folder.loose(self._seen):
            plan.loss.problem(problem)
        return plan

    def _take(self, read: ReadEvent) -> None:
        event = read.event
        match event.what:
            case ObjectMade():
                self._take_object(event, event.what, read.place)
            case AnnotationMade():
                self._take_annotation(event, event.what, read.place)
            case Deleted():
                if self._plan.target(event.what) is None:
                    raise InputFileError("what it is about was left out, or is not in the log")
                self._plan.taken.add(event.uuid)
            case Reviewed(target):
                if target not in self._plan.taken:
                    raise InputFileError("what it is about was left out, or is not in the log")
                if target in self._reviewed:
                    raise InputFileError("it was reviewed before")
                self._reviewed.add(target)
                self._plan.taken.add(event.uuid)
            case OwnerChanged():
                self._plan.loss.not_carried(read.place, "owners, whom Gonk knows by names only")

    def _take_object(self, event: GonkEvent, what: ObjectMade, place: str) -> None:
        made = what.object
        self._check_version(made.id, is_annotation=False, is_update=what.is_update)
        key = (False, made.id.uuid)
        if made.is_schema:
            if self._names.setdefault(made.name, made.id.uuid) != made.id.uuid:
                raise InputFileError(f"the schema {made.name} is there under another uuid")
            self._schemas[made.id] = self._checked_schema(what)
        else:
            self._check_object(what)
        if key not in self._last and (error := self._clash(what)) is not None:
            raise error
        self._made(event, made.id, place, is_annotation=False)

    def _take_annotation(self, event: GonkEvent, what: AnnotationMade, place: str) -> None:
        made, plan = what.annotation, self._plan
        self._check_version(made.id, is_annotation=True, is_update=what.is_update)
        validator = self._schemas.get(made.schema)
        if validator is None:
            raise InputFileError("its schema was left out, or is none")
        if what.is_update and (True, made.id.uuid) not in self._last:
            raise InputFileError("the versions before it were left out, and only the first one names its objects")
        if not what.is_update and not 0 < len(what.objects) <= limits.REFS_PER_ANNOTATION_MAX:
            raise InputFileError(
                f"it hangs on {len(what.objects):,} objects, not 1 to {limits.REFS_PER_ANNOTATION_MAX:,}"
            )
        if any(each not in plan.objects or each in self._schemas for each in what.objects):
            raise InputFileError("an object that it hangs on was left out, or is none")
        if made.size > limits.IMPORTED_BODY_BYTES_MAX:
            raise InputFileError(f"its body has more than {limits.IMPORTED_BODY_BYTES_MAX:,} bytes")
        body = self._folder.bytes_of(made.id, made.size, made.sha256)
        if validator.verdict(body) is not Conformance.VALID:
            found = validator.explain(body)
            why = f": {found[0].place} {found[0].what}" if found else ""
            raise InputFileError(f"its body does not fit its schema{why}")
        if (True, made.id.uuid) not in self._last and (error := self._clash(what)) is not None:
            raise error
        self._made(event, made.id, place, is_annotation=True)

    def _check_version(self, of: Identifier, *, is_annotation: bool, is_update: bool) -> None:
        key = (is_annotation, of.uuid)
        expected = self._versions.get(key, -1) + 1
        if is_update != (expected > 0) or of.version != expected:
            raise InputFileError(f"it says that it is version {of.version}, but {expected} is what follows")
        self._versions[key] = expected

    def _made(self, event: GonkEvent, of: Identifier, place: str, *, is_annotation: bool) -> None:
        plan, key = self._plan, (is_annotation, of.uuid)
        made = plan.annotations if is_annotation else plan.objects
        if Identifier(of.uuid, of.version - 1) not in made and of.version:
            plan.loss.not_carried(place, "version numbers of what follows a version that was left out")
        plan.taken.add(event.uuid)
        if key in self._last:
            plan.base[event.uuid] = self._last[key]
        made[of] = self._last[key] = event.uuid

    def _checked_schema(self, what: ObjectMade) -> Validator:
        made = what.object
        if made.size > limits.SCHEMA_BYTES_MAX:
            raise InputFileError(f"it has more than {limits.SCHEMA_BYTES_MAX:,} bytes")
        document = self._folder.bytes_of(made.id, made.size, made.sha256)
        _check_signable(SchemaCreate(made.name, document))
        try:
            check_schema(document)
            return compile_schema(document)
        except NonconformingError as error:
            raise InputFileError(f"it is no schema: {error.what}") from error

    def _check_object(self, what: ObjectMade) -> None:
        made = what.object
        try:
            check_object_name(made.name)
        except UsageError as error:
            raise InputFileError(error.what) from error
        _check_signable(ObjectCreate(made.id.uuid, made.name, made.media_type, made.size, bytes(32), made.sha256))
        self._folder.check(made.id, made.size, made.sha256)


def _check_signable(event: Event) -> None:
    try:
        encode_event(event)
    except CodecError as error:
        raise InputFileError(str(error)) from error


def _named(event: GonkEvent) -> str:
    """What an event is about, for people."""
    match event.what:
        case ObjectMade(made):
            return f"{'schema' if made.is_schema else 'object'} {made.name} version {made.id.version}"
        case AnnotationMade(made):
            return f"annotation {UUID(bytes=made.id.uuid)} version {made.id.version}"
        case Deleted(target, is_annotation):
            what = "annotation" if is_annotation else "object or schema"
            return f"deletion of {what} {UUID(bytes=target.uuid)} version {target.version}"
        case Reviewed(target):
            return f"review of the event {UUID(bytes=target)}"
        case OwnerChanged(owner):
            return f"owner {owner}"
