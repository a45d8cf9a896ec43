"""A dataset as samples for the exporters of `formats.export`: what counts now, or counted in a snapshot.

Samples come by the uuids of their objects, and annotations by theirs: no order of arrival, so every node that holds the same
entries gives the same. The State is read page by page, so memory does not grow with the dataset. It writes no files.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from gonk_node.core.ids import uuid_text
from gonk_node.errors import NonconformingError, PeerUnavailableError, RefusedError
from gonk_node.formats.export import EXPORTERS, OF_ANY_SCHEMA
from gonk_node.formats.export.citing import files as citing
from gonk_node.formats.export.citing.release_facts import ReleaseFacts
from gonk_node.formats.export.job import Job, Sample, SampleAnnotation, SchemaDocument
from gonk_node.formats.folder import FolderWriter
from gonk_node.formats.label_set import MEDIA_TYPE, Label
from gonk_node.formats.loss import Loss
from gonk_node.formats.own_objects import is_own
from gonk_node.replica.reading.bodies import Bodies
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.replica.replica import Replica
from gonk_node.replica.signing import labels
from gonk_node.state.conformance import Conformance
from gonk_node.store.content import ContentStore
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import SCHEMA

SCHEMA_PREFIX = "schema-"
_PAGE = 200  # objects read at once, with all their annotations

Fetch = Callable[[bytes], None]
"""Sees that the content of that id is held; raises PeerUnavailableError where nobody gave it."""
Progress = Callable[[int, int], None]
"""(objects done, objects in all)."""


class ExportReport:
    """What an export wrote: how many objects and annotations were read for it, files and bytes, and what was lost.

    `kept` is where the folder is that it replaced, None where there was none.
    """

    def __init__(self) -> None:
        self.loss = Loss()
        self.objects = self.annotations = self.files = self.bytes = 0
        self.kept: Path | None = None

    def as_dict(self) -> dict[str, object]:
        """As plain data, for --json."""
        counts = {name: getattr(self, name) for name in ("objects", "annotations", "files", "bytes")}
        return {**counts, **self.loss.as_dict()}


class _Schema(NamedTuple):
    """A schema revision: its name without `schema-`, and whether bodies must be checked before exporters get them."""

    name: str
    version: int
    judge_here: bool


class Samples:
    """All samples of one State, from the first on each time it is called.

    Args:
        queries: of a State that does not change meanwhile (see `frozen`).
        content: where the bytes are.
        fetch: gets those that are not here.
        loss: where it is told which annotations do not fit their schemas; they are left out, as releases leave them out.
        check_all: check those of schemas that ship too, for an exporter that does not.
    """

    def __init__(
        self, queries: Queries, content: ContentStore, fetch: Fetch, loss: Loss, *, check_all: bool = False
    ) -> None:
        self._queries = queries
        self._content = content
        self._fetch = fetch
        self._loss = loss
        self._check_all = check_all
        self._told = False  # losses are told in the first of several passes
        self._schemas: dict[int, _Schema] = {}
        self._bodies = Bodies(queries)

    def labels(self) -> dict[str, dict[str, Label]]:
        """The label sets of the dataset, by schema (without `schema-`) and label id.

        Raises:
            PeerUnavailableError: as of `fetch`.
        """
        found: dict[str, dict[str, Label]] = {}
        for name in dict.fromkeys(each.name for each in self.schemas()):
            document = labels.find(self._queries, name)
            if document is not None:
                self._have(document.content_id or b"")
                try:
                    own = labels.read(self._content, document, name).labels
                except NonconformingError as error:  # one bad proposal that was accepted must not end all exports
                    self._loss.left_out(str(error.where), f"{error.what}; labels stand for themselves")
                else:
                    found[name] = {each.id: each for each in own}
        return found

    def schemas(self) -> list[SchemaDocument]:
        """The schemas that count, and every version of one, deprecated or not, that current annotations are of.

        By name and version; where two people have made versions of one number apart, the one that counts is taken, else the
        one that answers to that version (A12), else the earlier one: the same on every node.
        """
        used = (self._queries.by_number(SCHEMA, number) for number in self._queries.hanging.schemas_named())
        revisions = [*self._queries.iterate(SCHEMA, "current"), *(each for each in used if each is not None)]
        revisions.sort(key=lambda each: (not each.current, not each.named, each.time_ms, each.ref))
        found: dict[tuple[str, int], bytes] = {}
        for each in revisions:
            key = ((each.name or "").removeprefix(SCHEMA_PREFIX), each.version or 0)
            found.setdefault(key, each.body or b"")
        return [SchemaDocument(name, version, document) for (name, version), document in sorted(found.items())]

    def __call__(self, *, annotations: bool = True) -> Iterator[Sample]:
        """In order of the objects' uuids."""
        after, seen = b"", 0
        while page := self._queries.current_objects(after, _PAGE):
            hanging: dict[int, list[SampleAnnotation]] = {}
            numbers = [each.number for each in page] if annotations else []
            for object_no, uuid, version, schema_no, body in self._queries.hanging.current_bodies_on(numbers):
                seen += 1
                annotation = self._annotation(uuid, version, schema_no, body)
                if annotation is not None:
                    hanging.setdefault(object_no, []).append(annotation)
            for each in page:
                if not is_own(each.media_type or ""):
                    yield self._sample(each, tuple(sorted(set(hanging.get(each.number, ())))))
                elif annotations and not self._told and each.media_type != MEDIA_TYPE:  # label sets come by `labels`
                    self._loss.not_carried(
                        f"object {(each.name or '')[:200]!r}", "what gonk keeps beside a dataset's files"
                    )
            after = page[-1].uuid
        if annotations and not self._told:
            self._tell_hanging(seen)
            self._told = True

    def _tell_hanging(self, seen: int) -> None:
        """Tell which annotations are left out for their objects, and which exporters write more than once."""
        several = self._queries.hanging.current_on_several()
        if several or seen != self._queries.hanging.current_count():
            for uuid in self._queries.hanging.current_elsewhere():
                what = "its object has no current version with the content that it was made on; left out"
                self._loss.left_out(f"annotation {uuid_text(uuid)}", what)
        for uuid in several:
            self._loss.not_carried(
                f"annotation {uuid_text(uuid)}", "that an annotation is of several objects: it is written with each"
            )

    def _sample(self, revision: Revision, annotations: tuple[SampleAnnotation, ...]) -> Sample:
        content_id = revision.content_id or b""

        def open_() -> BinaryIO:
            try:
                self._have(content_id)
            except PeerUnavailableError as error:  # say what it is that nobody gives
                where = f"object {(revision.name or '')[:200]!r}"
                raise PeerUnavailableError(error.what, where=where, hint=error.hint) from error
            return self._content.reader(content_id)

        return Sample(
            revision.uuid,
            revision.version or 0,
            revision.name or "",
            revision.media_type or "",
            revision.size or 0,
            revision.sha256 or b"",
            open_,
            annotations,
        )

    def _have(self, content_id: bytes) -> None:
        if not self._content.has(content_id):
            self._fetch(content_id)

    def _annotation(self, uuid: bytes, version: int, schema_no: int, body: bytes) -> SampleAnnotation | None:
        found = self._schemas.get(schema_no)
        if found is None:
            found = self._schemas[schema_no] = self._schema(schema_no)
        # where it is the one that ships, exporters check bodies themselves
        if not found.judge_here or self._bodies.verdict(schema_no, body) is Conformance.VALID:
            return SampleAnnotation(uuid, version, found.name, found.version, body)
        if not self._told:
            self._loss.left_out(f"annotation {uuid_text(uuid)}", "does not fit its schema; left out")
        return None

    def _schema(self, number: int) -> _Schema:
        revision = self._queries.by_number(SCHEMA, number)
        if revision is None:  # then no body fits it either
            return _Schema("", 0, True)
        judge_here = self._check_all or not self._bodies.ships(revision)
        return _Schema((revision.name or "").removeprefix(SCHEMA_PREFIX), revision.version or 0, judge_here)


@contextlib.contextmanager
def frozen(replica: Replica) -> Iterator[Queries]:
    """What counts now, and goes on counting inside of the `with` statement, whatever comes meanwhile.

    Raises:
        StorageError, DamagedStoreError: the State cannot be read.
    """
    if replica.db.path is None:
        yield Queries(replica.db)
        return
    db = StateDb(replica.db.path, replica.dataset)
    try:
        db.execute("BEGIN")  # in WAL mode a reader sees one State from its first read to the end of its transaction
        db.meta("lsn")
        yield Queries(db)
    finally:
        db.close()


def export(
    queries: Queries,
    content: ContentStore,
    format_name: str,
    target: Path,
    *,
    images: bool = True,
    replace: bool = False,
    release: ReleaseFacts | None = None,
    fetch: Fetch,
    progress: Progress = lambda _done, _total: None,
) -> ExportReport:
    """Write a dataset in another program's format, with SHA256SUMS of all files.

    Args:
        queries: what is written: of a State that does not change meanwhile.
        content: where the objects' bytes are.
        format_name: one of `formats.export.EXPORTERS`.
        target: the folder to make; it appears when all is written.
        images: whether the objects' bytes are written too.
        replace: see `formats.folder.FolderWriter`.
        release: which release `queries` are of; then the files that cite it are written too.
        fetch: gets content that is not here.
        progress: sees how it gets on.

    Raises:
        ExistsError: there is something at the target. NotFoundError: the folder that it is to be in is not there.
        RefusedError: not in this format.
        PeerUnavailableError: content that is needed is not to be had; nothing was written.
        DamagedStoreError, StorageError, DiskFullError: the disk.
    """
    report = ExportReport()
    samples = Samples(queries, content, fetch, report.loss, check_all=format_name in OF_ANY_SCHEMA)
    total = queries.counts()["objects"]["current"]

    def counted(*, annotations: bool = True) -> Iterator[Sample]:
        objects = hanging = 0
        for sample in samples(annotations=annotations):
            objects += 1
            hanging += len(sample.annotations)
            progress(objects, total)
            yield sample
        if annotations:
            report.objects, report.annotations = objects, hanging

    with FolderWriter(target, replace=replace) as folder:
        job = Job(counted, folder, report.loss, images, samples.labels(), samples.schemas())
        EXPORTERS[format_name](job)
        if report.objects and not folder.files:
            first = next(iter(report.loss.problems), None)
            why = "no object has what it takes" if first is None else f"{first.place}: {first.what}"
            raise RefusedError(f"nothing could be written as {format_name}: {why}", where=str(target))
        if release is not None:
            citing.write(folder, release, format_name, job.documents(), report.loss)
        folder.write_checksums()
        report.files, report.bytes = folder.files, folder.bytes
    report.kept = folder.kept
    return report
