"""What an importer of `formats` yields, into a dataset: objects and annotations proposed, many to an entry.

Importing the same source twice adds nothing, because the uuids of objects and annotations follow from what they are; so an
import that was interrupted is finished by running it again. What cannot be taken is told with its place; the rest is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gonk_node import schemas
from gonk_node.core.events import AnnotationCreate
from gonk_node.core.ids import EventRef
from gonk_node.core.limits import SPOOLED_WAITING_BYTES_MAX
from gonk_node.errors import (
    AmbiguousError,
    ExistsError,
    InputFileError,
    NonconformingError,
    NotFoundError,
    WrongStateError,
)
from gonk_node.formats.compact import NameTable
from gonk_node.formats.file_part import FileOrPart, FilePart, open_file
from gonk_node.formats.image_size import read_size
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import (
    ImportedAnnotation,
    ImportedImage,
    ImportedLabels,
    ImportedSchema,
    Record,
)
from gonk_node.replica.exchange.import_report import ImportReport
from gonk_node.replica.exchange.importing_held import HeldAnnotations
from gonk_node.replica.exchange.importing_labels import DeclaredLabels
from gonk_node.replica.exchange.importing_objects import ImportedObjects, Target, Unusable
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.signing.adding import Adder, NewFile
from gonk_node.replica.signing.author import EVENTS_PER_ENTRY, Author
from gonk_node.replica.signing.bases import is_open
from gonk_node.replica.signing.proposing import full_schema_name
from gonk_node.state.strict_json import Problem
from gonk_node.store.content import ContentStore

_WAITING_MAX = 4 * EVENTS_PER_ENTRY  # annotations that wait for their images
_WAITING_BYTES_MAX = 8 * 1024 * 1024  # of their bodies


def _other_size(file: FileOrPart, width: int, height: int) -> bool:
    """Whether an image file has other sides than the source says; False where they cannot be read."""
    try:
        with open_file(file) as stream:
            size = read_size(stream)
    except OSError:
        return False  # told when it is added
    return size is not None and (size.width, size.height) != (width, height)


class Importing:
    """One import by one author."""

    def __init__(
        self, author: Author, content: ContentStore, on_progress: Callable[[ImportReport], None] = lambda _: None
    ) -> None:
        self.report = ImportReport()
        self._author = author
        self._adder = Adder(author, content)
        self._proposer = self._adder.proposer
        self._on_progress = on_progress
        self._images: list[ImportedImage] = []
        self._spooled_bytes = 0  # that they keep in temporary files
        self._waiting: list[ImportedAnnotation] = []
        self._waiting_bytes = 0
        self._objects = ImportedObjects()
        self._counted = NameTable()  # their uuids: a source may name an object many times
        self._schemas: dict[tuple[str, int | None], Revision | Unusable] = {}  # by name and version in the source
        self._documents: dict[str, dict[int, bytes]] = {}  # of schemas that the source has itself, by version
        self._labels = DeclaredLabels(self._proposer, content, self.report.loss)
        self._held = HeldAnnotations(self._proposer, self._labels)
        self._declared: dict[str, list[ImportedLabels]] = {}  # by schema
        self._after_ms = 0  # latest time of what is referred to

    def run(self, records: Iterable[Record]) -> ImportReport:
        """Take everything that an importer yields.

        Raises:
            InputFileError: it is not of its format at all, or broken before anything of it was taken; nothing was signed.
            DiskFullError, StorageError, KeyFileError: what was signed before stands.
        """
        try:
            for record in records:
                self._take(record)
        except InputFileError as error:
            if not self.report.taken:
                raise
            self.report.broken = error
        self._propose_waiting()
        for schema, declared in self._declared.items() if self.report.taken else ():
            self._propose_labels(schema, declared)
        unusable = {id(each): each for each in self._schemas.values()}  # versions of a schema share one
        for found in (*self._objects.unusable(), *unusable.values()):
            if isinstance(found, Unusable):
                self.report.loss.problem(found.problem())
                self.report.left_out += found.annotations
        return self.report

    def _take(self, record: Record) -> None:
        if isinstance(record, Problem):
            self.report.loss.problem(record)
        elif isinstance(record, NotCarried):
            self.report.loss.not_carried(record.place, record.what)
        elif isinstance(record, ImportedSchema):
            self._documents.setdefault(record.name, {})[record.version] = record.document
        elif isinstance(record, ImportedLabels):
            self._declared.setdefault(record.schema, []).append(record)
        elif isinstance(record, ImportedImage):
            self._images.append(record)
            self._spooled_bytes += record.path.spooled_bytes if isinstance(record.path, FilePart) else 0
            if len(self._images) >= EVENTS_PER_ENTRY or self._spooled_bytes >= SPOOLED_WAITING_BYTES_MAX:
                self._propose_objects()
        else:
            self._waiting.append(record)
            self._waiting_bytes += len(record.body)
            if len(self._waiting) >= _WAITING_MAX or self._waiting_bytes >= _WAITING_BYTES_MAX:
                self._propose_waiting()

    # --- objects ----------------------------------------------------------------------------------------

    def _propose_objects(self) -> None:
        images, self._images, self._spooled_bytes = self._images, [], 0
        for image in images:
            if image.path is None:
                self._objects.add(image.name, self._object_named(image.object_name or image.name))
            elif image.width and image.height and _other_size(image.path, image.width, image.height):
                what = "sizes of images that are not those of the image files: were they turned or scaled?"
                self.report.loss.not_carried(image.name, what)
        named = [image.name for image in images if image.path is not None]
        files = [
            NewFile(image.path, image.object_name or image.name, image.media_type)
            for image in images
            if image.path is not None
        ]
        for name, added in zip(named, self._adder.add(files), strict=True):
            if added.uuid is not None and added.ref is not None:
                self._objects.add(name, Target(added.uuid, added.ref))
                self._counted.add(added.uuid.hex())
                self.report.objects += 1
            elif isinstance(added.error, ExistsError) and added.info is not None:
                self._objects.add(name, self._object_with(added.info.content_id, added.file.name))
            else:
                what = added.error.what if added.error is not None else "cannot be used"
                self._objects.add(name, Unusable(name, what))
        self._on_progress(self.report)

    def _object_with(self, content_id: bytes, name: str) -> Target | Unusable:
        """The object of that content that is in the dataset, or was added under another name just now."""
        found = self._proposer.object_with(content_id)
        if found is None:
            return Unusable(name, "cannot be found again")
        if found.name != name:
            self.report.loss.problem(
                Problem(name, f"has the same content as {found.name!r}; one object stands for both")
            )
        revisions = self._author.queries.revisions(found.kind, found.uuid)
        current = next((each for each in revisions if each.current), None)
        if current is not None and current.content_id != content_id:
            what = "is what the object was before an update; what is proposed for it is about that older version"
            self.report.loss.problem(Problem(name, what))
        # annotations are about the bytes that they were made on, whatever the object has become since
        return self._usable([each for each in revisions if each.content_id == content_id], name)

    def _object_named(self, name: str) -> Target | Unusable:
        try:
            return self._usable(self._author.queries.find_object(name), name)
        except NotFoundError:
            return Unusable(name, "there is no image file, and no object of this name in the dataset")
        except AmbiguousError:
            return Unusable(name, "there is no image file, and several objects have this name")

    def _usable(self, revisions: list[Revision], name: str) -> Target | Unusable:
        try:
            revision = self._proposer.base_of(revisions)
        except WrongStateError:
            return Unusable(name, "the object was rejected or deleted in the dataset")
        self.report.objects_known += revision.uuid.hex() not in self._counted
        self._counted.add(revision.uuid.hex())
        self._after_ms = max(self._after_ms, revision.time_ms)
        return Target(revision.uuid, revision.ref)

    # --- annotations ------------------------------------------------------------------------------------

    def _propose_waiting(self) -> None:
        self._propose_objects()
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        wanted: dict[bytes, tuple[ImportedAnnotation, EventRef, Revision]] = {}
        present = self._held.present(waiting, self._object_uuid)
        self.report.annotations_known += len(present)
        for each in waiting:
            if each.key in present:
                continue
            on = self._objects.get(each.image_name)
            if on is None:
                self.report.loss.problem(Problem(each.place, "its image was not named before it; left out"))
            elif isinstance(on, Unusable):
                on.annotations += 1
            elif isinstance(schema := self._schema(each.schema, each.schema_version), Unusable):
                schema.annotations += 1
            else:
                if each.schema_version and self._document(each) != schema.body:
                    what = "which version of its schema an annotation is of: it is proposed for the one that counts"
                    self.report.loss.not_carried(each.place, what)
                uuid = self._held.uuid_of(each, on.uuid)
                wanted[uuid] = (each, on.ref, schema)
        known = self._held.known(wanted)
        self.report.annotations_known += len(known)
        events: dict[bytes, AnnotationCreate] = {}
        for uuid, (each, ref, schema) in sorted(wanted.items(), key=lambda item: bool(item[1][0].refers)):
            if uuid in known:
                continue
            body = self._labels.with_ids(each.schema, each.body) if each.shipped else each.body
            try:
                body = self._held.with_uuids(each, body, self._object_uuid(each.image_name), events)
                if not (each.shipped and body is each.body and self._proposer.bodies.ships(schema)):
                    self._proposer.bodies.check(schema, body)
            except NonconformingError as error:
                self.report.loss.problem(Problem(each.place, f"{error.what}; left out"))
            else:
                events[uuid] = AnnotationCreate(uuid, schema.ref, (ref,), body)
        for refs in self._author.sign_many(events.values(), after_ms=self._after_ms):
            self.report.annotations += len(refs)
            self._on_progress(self.report)

    def _document(self, each: ImportedAnnotation) -> bytes | None:
        """The document in the source of the version of a schema that an annotation is of."""
        return self._documents.get(each.schema, {}).get(each.schema_version if each.schema_version is not None else -1)

    def _object_uuid(self, image_name: str) -> bytes:
        """That of an image in the source; empty where it cannot be used."""
        found = self._objects.get(image_name)
        return found.uuid if isinstance(found, Target) else b""

    def _schema(self, name: str, version: int | None = None) -> Revision | Unusable:
        """The schema in the dataset; where it has none of that name, the one of the source, or that ships, is proposed."""
        key = (name, version if name in self._documents else None)
        if key not in self._schemas:
            try:
                self._schemas[key] = self._usable_schema(*key)
            except (NotFoundError, WrongStateError) as error:
                same = (each for (of, _), each in self._schemas.items() if of == name and isinstance(each, Unusable))
                self._schemas[key] = next(same, Unusable(full_schema_name(name), error.what))
        return self._schemas[key]

    def _propose_labels(self, schema: str, declared: list[ImportedLabels]) -> None:
        usable = not isinstance(self._schema(schema), Unusable)  # otherwise it is told below
        draft = self._labels.proposal(schema, declared) if usable else None
        if draft is not None:
            self._author.sign([draft.event], after_ms=draft.after_ms)
            self.report.label_sets.append(full_schema_name(schema))

    def _usable_schema(self, name: str, version: int | None) -> Revision:
        """The version that has the document of the source; without one, the version to annotate with."""
        try:
            usable = self._proposer.usable_schema(name)
        except NotFoundError:
            documents = self._documents.get(name) or {0: schemas.load(name)}
            self._author.sign(self._proposer.schema_versions(name, [documents[each] for each in sorted(documents)]))
            self.report.schemas.append(full_schema_name(name))
            usable = self._proposer.usable_schema(name)
        wanted = self._documents.get(name, {}).get(version if version is not None else -1)
        alike = (each for each in self._proposer.standing(self._author.queries.schema(full_schema_name(name))))
        schema = next((each for each in alike if each.body == wanted and is_open(each)), usable)
        self._after_ms = max(self._after_ms, schema.time_ms)
        return schema
