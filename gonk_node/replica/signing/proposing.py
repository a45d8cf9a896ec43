"""What a person may propose: objects, schemas, annotations, deletions. Checked here, before anything is signed.

Each function returns the event to sign, or raises a `RefusedError` that says why; `Author.sign` signs. The rules are
Gonk's, and hold for honest authors only: what strangers sign anyway is dealt with by the fold.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import uuid4

from gonk_node.core import limits
from gonk_node.core.chunks import ContentInfo
from gonk_node.core.events import (
    OWNER,
    REVIEWER,
    SCHEMA_PREFIX,
    AnnotationCreate,
    AnnotationUpdate,
    Delete,
    ObjectCreate,
    ObjectUpdate,
    SchemaCreate,
    SchemaUpdate,
)
from gonk_node.core.ids import EventRef, object_uuid, schema_uuid, uuid_text
from gonk_node.core.safe_text import is_printable
from gonk_node.errors import (
    ExistsError,
    NotFoundError,
    UsageError,
    WrongStateError,
)
from gonk_node.replica.reading.bodies import Bodies
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.reading.ways_back import fallen, status_text, way_back
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.bases import Bases, is_open
from gonk_node.state.conformance import check_schema
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA


class Proposer(Bases):
    """The checks, for one author.

    Attributes:
        bodies: whether bodies fit their schemas; several may share one, as compiling a schema takes long.
    """

    def __init__(self, author: Author, bodies: Bodies | None = None) -> None:
        super().__init__(author)
        self.bodies = bodies or Bodies(author.queries)

    # --- objects ----------------------------------------------------------------------------------------

    def object_create(
        self, name: str, media_type: str, info: ContentInfo, *, random_uuid: bool = False
    ) -> ObjectCreate:
        """A new object. By default its uuid follows from the content, so adding a file twice names one object.

        Raises:
            UsageError: the name is a schema's. ExistsError: an object with that content is here; it names the object.
        """
        check_object_name(name)
        uuid = uuid4().bytes if random_uuid else object_uuid(self.author.replica.dataset, info.content_id)
        if not random_uuid and (found := self.object_with(info.content_id)) is not None:
            raise ExistsError(
                f"the same content is here already, as {found.name!r} ({', '.join(found.views)})",
                where=f"object {uuid_text(found.uuid)}",
                hint="nothing to add; --new-id proposes it once more, as another object",
            )
        return ObjectCreate(uuid, name, media_type, *info)

    def object_with(self, content_id: bytes) -> Revision | None:
        """The object revision that stands in the way of adding that content; None where nothing does."""
        found = self._queries.revisions(OBJECT, object_uuid(self.author.replica.dataset, content_id))
        found += self._queries.objects_by_content(content_id)
        return next(iter(self.standing(found)), None)

    def object_update(
        self, base: Revision, name: str, media_type: str, info: ContentInfo, *, as_gonk: bool = False
    ) -> ObjectUpdate:
        """A new revision of an object; something must differ from `base`, and no other object have that content.

        Args:
            base: what the object is now; with `as_gonk`, what `latest` gives.
            name: of the new revision.
            media_type: of the new revision.
            info: its content.
            as_gonk: as Gonk has it: the base may be rejected or deleted, but it is the content that must differ.

        Raises:
            UsageError: the name is a schema's. WrongStateError: nothing may be built on `base`. ExistsError.
        """
        check_object_name(name)
        if not as_gonk:
            self.check_base(base)
        if base.content_id == info.content_id and (as_gonk or (base.name, base.media_type) == (name, media_type)):
            raise ExistsError("nothing differs from the version that it would replace", where=uuid_text(base.uuid))
        others = self.standing(self._queries.objects_by_content(info.content_id))
        if any(each.uuid != base.uuid for each in others):
            other = next(each for each in others if each.uuid != base.uuid)
            raise ExistsError(
                f"the same content is here already, as {other.name!r}", where=f"object {uuid_text(other.uuid)}"
            )
        return ObjectUpdate(base.uuid, base.ref, name, media_type, *info)

    # --- schemas ----------------------------------------------------------------------------------------

    def schema_create(self, name: str, document: bytes) -> SchemaCreate:
        """A new schema; the name gets Gonk's prefix where it lacks it."""
        name = full_schema_name(name)
        check_schema(document)
        existing = self.standing(self._queries.schema(name))
        if existing:
            usable = next((each for each in existing if is_open(each)), None)
            shown = usable or fallen(existing)
            raise ExistsError(
                f"there is a schema {name} already ({status_text(shown)})",
                hint=self._way_back(shown)
                if usable is None
                else "gonk schema add DATASET SCHEMA --update proposes a new version of it",
            )
        return SchemaCreate(name, document)

    def schema_versions(self, name: str, documents: Sequence[bytes]) -> list[SchemaCreate | SchemaUpdate]:
        """A new schema with several versions, each built on the one before it, to be signed in one entry.

        Raises:
            As of `schema_create`; NonconformingError also where one of the others is no schema.
        """
        events: list[SchemaCreate | SchemaUpdate] = [self.schema_create(name, documents[0])]
        for document in documents[1:]:
            check_schema(document)
            events.append(SchemaUpdate(full_schema_name(name), EventRef(b"", len(events) - 1), document))
        return events

    def schema_update(
        self, name: str, document: bytes, *, as_gonk: bool = False, known: Collection[bytes] = ()
    ) -> SchemaUpdate:
        """A new revision of a schema, built on the one to annotate with, or as Gonk has it on the `latest`.

        Raises:
            NotFoundError: there is no such schema. WrongStateError: all of its versions are rejected or deprecated.
            ExistsError: the document is that of the revision before. NonconformingError: it is no schema.
        """
        base = self.schema_base(name, known) if as_gonk else self.usable_schema(name)
        check_schema(document)
        if base.body == document:
            raise ExistsError("nothing differs from the version that it would replace", where=str(base.name))
        return SchemaUpdate(str(base.name), base.ref, document)

    def usable_schema(self, name: str, version: int | None = None) -> Revision:
        """The revision of a schema to annotate with: of that version, else the current one, else the newest pending one.

        Raises:
            NotFoundError: no such schema or version. WrongStateError: it is rejected or deprecated.
        """
        name = full_schema_name(name)
        if version is None:
            revisions = [each for each in self._queries.schema(name) if each.version is not None]
        else:
            found = self._queries.version(SCHEMA, schema_uuid(self.author.replica.dataset, name), version)
            revisions = [] if found is None else [found]
        if not revisions:
            raise _no_schema(name, version)
        current = next((each for each in revisions if each.current), None)
        usable = current or next((each for each in reversed(revisions) if is_open(each)), None)
        if usable is None:
            shown = fallen(revisions)
            raise WrongStateError(f"the schema is {status_text(shown)}", where=name, hint=self._way_back(shown))
        return usable

    def _way_back(self, schema: Revision) -> str | None:
        return way_back(self._queries, schema, may_review=self.author.role in (OWNER, REVIEWER))

    def schema_base(self, name: str, known: Collection[bytes] = ()) -> Revision:
        """The revision that an update in Gonk's way builds on: see `latest`. NotFoundError where there is no such schema."""
        name = full_schema_name(name)
        revisions = self._queries.schema(name)
        if not revisions:
            raise _no_schema(name, None)
        return self.latest(revisions, known)

    # --- annotations ------------------------------------------------------------------------------------

    def annotation_create(
        self, objects: Sequence[Revision], schema: Revision, body: bytes, *, uuid: bytes | None = None
    ) -> AnnotationCreate:
        """A new annotation of those object revisions, its body fitting the schema revision.

        Args:
            objects: any number that an event may hold; one may be named twice.
            schema: what `usable_schema` gives.
            body: JSON; kept as it is.
            uuid: of the new annotation; by default a random one.

        Raises:
            WrongStateError: an object is rejected or deleted, or is a schema. NonconformingError: the body does not fit.
            ExistsError: the uuid is taken.
        """
        if not objects:
            raise UsageError("an annotation needs an object to hang on")
        for each in objects:
            if each.kind != OBJECT:
                raise WrongStateError(f"this is {each.a_type}, not an object", where=uuid_text(each.uuid))
            if not is_open(each):
                raise WrongStateError(
                    f"the object is {' and '.join(each.views)}", where=f"{each.name} ({uuid_text(each.uuid)})"
                )
        self.bodies.check(schema, body)
        if uuid is not None and self.standing(self._queries.revisions(ANNOTATION, uuid)):
            raise ExistsError(
                "this annotation is here already", where=uuid_text(uuid), hint="use --update to change it"
            )
        uuid = uuid or uuid4().bytes
        return AnnotationCreate(uuid, schema.ref, tuple(each.ref for each in objects), body)

    def annotation_update(
        self, base: Revision, schema: Revision | None, body: bytes, *, as_gonk: bool = False
    ) -> AnnotationUpdate:
        """A new revision of an annotation.

        Args:
            base: what the annotation is now; with `as_gonk`, what `latest` gives.
            schema: what `usable_schema` gives; None: the schema revision of `base`.
            body: JSON; kept as it is.
            as_gonk: as Gonk has it: the base may be rejected or deleted, and nothing need differ.

        Raises:
            WrongStateError: nothing may be built on `base`. NonconformingError: the body does not fit. ExistsError: nothing
                differs.
        """
        if not as_gonk:
            self.check_base(base)
        if schema is None:
            schema = None if base.schema_no is None else self._queries.by_number(SCHEMA, base.schema_no)
        if schema is None:
            raise WrongStateError("the schema of this annotation is not held here", hint="gonk sync DATASET fetches it")
        self.bodies.check(schema, body)
        if not as_gonk and (base.body, base.schema_no) == (body, schema.number):
            raise ExistsError("nothing differs from the version that it would replace", where=uuid_text(base.uuid))
        return AnnotationUpdate(base.uuid, base.ref, schema.ref, body)

    # --- all --------------------------------------------------------------------------------------------

    def deletion(self, revision: Revision) -> Delete:
        """A proposal to delete one revision.

        Raises:
            WrongStateError: it is rejected, deleted, or its deletion is asked for already.
        """
        views = revision.views
        where = f"{revision.type_name} {uuid_text(revision.uuid)} version {revision.version}"
        if "rejected" in views or "deleted" in views or "waiting" in views:
            raise WrongStateError(f"it is {' and '.join(views)}, so there is nothing to delete", where=where)
        asked = [author for _, author, decided in self._queries.deletions_of(revision.number) if decided == 0]
        if any(self._is_ours(author) for author in asked):
            raise WrongStateError("its deletion is asked for already", where=where, hint="gonk review DATASET list")
        return Delete(revision.ref)

    def _is_ours(self, key: bytes) -> bool:
        return key == self.author.key or self.author.replica.authority.role_now(key) is not None


def full_schema_name(name: str) -> str:
    """A schema's name with Gonk's prefix; UsageError where it is no Unicode text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UsageError("a schema's name must be Unicode text", where=ascii(name)) from None
    return name if name.startswith(SCHEMA_PREFIX) else SCHEMA_PREFIX + name


def _no_schema(name: str, version: int | None) -> NotFoundError:
    what = f"schema {name}" if version is None else f"version {version} of a schema {name}"
    return NotFoundError(f"there is no {what}", hint="gonk schema list DATASET shows all")


def check_object_name(name: str) -> None:
    """UsageError for a name that no object may have: a schema's, none at all, too long, or with control characters."""
    if name.startswith(SCHEMA_PREFIX):
        raise UsageError(
            f"an object's name must not begin with {SCHEMA_PREFIX!r}", where=name, hint="gonk schema add adds a schema"
        )
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise UsageError("an object's name must be Unicode text", where=ascii(name), hint="give one: --name") from None
    if not 0 < size <= limits.NAME_BYTES_MAX or not is_printable(name):
        raise UsageError(
            f"an object's name must be 1 to {limits.NAME_BYTES_MAX} bytes without control characters",
            where=ascii(name),
            hint="give another: --name",
        )
