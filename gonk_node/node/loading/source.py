"""Where samples are read from: one dataset of a node, as it is now or at past heads; and the objects that it has.

Small and picklable, so that each sample can name its source. What a sample offers is `sample`.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, NamedTuple
from uuid import UUID

from gonk_node.core.limits import CHUNK_BYTES
from gonk_node.errors import GonkError, NotFoundError
from gonk_node.formats.export.job import SchemaDocument
from gonk_node.formats.label_set import Label, LabelSet
from gonk_node.formats.loss import Loss
from gonk_node.node.loading.annotations import Annotation
from gonk_node.node.loading.opening import Heads, Opening, OpenNode
from gonk_node.node.loading.typed import typed
from gonk_node.replica.exchange import exporting
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.signing import labels
from gonk_node.store.content_reader import ContentReader


class DataObject(NamedTuple):
    """One revision of an object: a file of any type.

    Attributes:
        uuid: of the object; all its revisions share it.
        version: which revision, from 0.
        name: usually a file name; not unique.
        media_type: such as "image/png".
        size: in bytes.
        sha256: of the bytes, 32 bytes, as its author states it.
        content_id: by which the content store knows the bytes, 32 bytes.
        number: of the event that made it, on this node only.
    """

    uuid: UUID
    version: int
    name: str
    media_type: str
    size: int
    sha256: bytes
    content_id: bytes
    number: int


class Declared(NamedTuple):
    """What a dataset says beside its samples, by the names of schemas without `schema-`.

    Attributes:
        schemas: as of `job.Job`.
        labels: the label sets, by label id.
    """

    schemas: list[SchemaDocument]
    labels: dict[str, dict[str, Label]]


class Source(NamedTuple):
    """One dataset that is read.

    Attributes:
        opening: of its node.
        dataset: its id, 32 bytes.
        name: what it is called here.
        heads: where it is read; None: as it is now.
    """

    opening: Opening
    dataset: bytes
    name: str
    heads: Heads | None = None

    @contextmanager
    def lease(self) -> Iterator[OpenNode]:
        """As `Opening.lease`; hints of errors name the dataset."""
        try:
            with self.opening.lease() as opened:
                yield opened
        except GonkError as error:
            error.in_dataset(self.name)
            raise

    def numbers(self) -> array[int]:
        """As `Samples.numbers`."""
        with self.lease() as opened:
            return opened.samples(self.dataset, self.heads).numbers()

    def contents(self) -> dict[str, int]:
        """As `Samples.contents`."""
        with self.lease() as opened:
            return opened.samples(self.dataset, self.heads).contents()

    def object(self, number: int) -> DataObject:
        """The object revision of a local number; NotFoundError where the node has it no more."""
        with self.lease() as opened:
            revision = opened.samples(self.dataset, self.heads).object(number)
        if revision is None:
            raise NotFoundError("the object is not on this node any more", where=f"event {number}")
        return _object(revision)

    def find(self, text: str) -> DataObject:
        """The object of that uuid or unique name; errors as of `Queries.find_object`, or it has no current revision."""
        with self.lease() as opened:
            revisions = opened.samples(self.dataset, self.heads).queries.find_object(text)
        current = next((each for each in revisions if each.current), None)
        if current is None:
            raise NotFoundError(f"no revision of the object {text!r} is accepted", hint=f"gonk show {self.name} {text}")
        return _object(current)

    def annotations(self, of: DataObject) -> list[Annotation]:
        """What `Samples.annotations` has of an object revision, typed."""
        with self.lease() as opened:
            found = opened.samples(self.dataset, self.heads).annotations(of.number)
        return [typed(annotation, schema) for annotation, schema in found]

    def labels(self, schema: str) -> LabelSet:
        """The label set of a schema that counts, an empty one where there is none; fetched where it is not here."""
        with self.lease() as opened:
            queries = opened.samples(self.dataset, self.heads).queries
            revision = labels.find(queries, schema)
            if revision is not None and not opened.node.content.has(revision.content_id or b""):
                opened.on_demand.fetch(self.dataset, revision.content_id or b"")
            return labels.label_set_of(queries, opened.node.content, schema)

    def declared(self) -> Declared:
        """All schemas and label sets that count; those that are not here are fetched."""
        with self.lease() as opened:
            queries = opened.samples(self.dataset, self.heads).queries
            fetch = partial(opened.on_demand.fetch, self.dataset)
            found = exporting.Samples(queries, opened.node.content, fetch, Loss())
            return Declared(found.schemas(), found.labels())

    def state_digest(self) -> bytes:
        """The State digest, 32 bytes."""
        with self.lease() as opened:
            return opened.state_digest(self.dataset, self.heads)

    def has_content(self, of: DataObject) -> bool:
        """Whether the object's bytes are on this node."""
        with self.lease() as opened:
            return opened.node.content.has(of.content_id)

    def read(self, of: DataObject) -> bytes:
        """The object's bytes, verified; fetched where they are not here. Errors as of `BlockingOnDemand.fetch`."""
        with self.lease() as opened:
            self._have(opened, of)
            return b"".join(opened.node.content.read(of.content_id))

    def open(self, of: DataObject) -> BinaryIO:
        """The object's bytes as a seekable binary file, verified as they are read; otherwise as `read`."""
        with self.lease() as opened:
            self._have(opened, of)
            size = opened.node.content.size(of.content_id)
        return io.BufferedReader(ContentReader(size or 0, lambda index: self._chunk(of, index)))

    def _chunk(self, of: DataObject, index: int) -> bytes:
        with self.lease() as opened:
            return b"".join(opened.node.content.read(of.content_id, index * CHUNK_BYTES, CHUNK_BYTES))

    def _have(self, opened: OpenNode, of: DataObject) -> None:
        if not opened.node.content.has(of.content_id):
            opened.on_demand.fetch(self.dataset, of.content_id)


def _object(revision: Revision) -> DataObject:
    return DataObject(
        UUID(bytes=revision.uuid),
        revision.version or 0,
        revision.name or "",
        revision.media_type or "",
        revision.size or 0,
        revision.sha256 or b"",
        revision.content_id or b"",
        revision.number,
    )
