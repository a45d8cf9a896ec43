"""A dataset for Python programs that read it: what counts now, as plain typed values. It signs nothing.

Bytes that are not on this node are fetched from its peers when they are read.

from gonk_node import open_dataset

with open_dataset("cells") as cells:
    for image in cells.objects():
        pixels = cells.read(image)
        boxes = [each.body for each in cells.annotations(image)]
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

from gonk_node.config import find_home, load_config
from gonk_node.errors import NotFoundError
from gonk_node.home import Home
from gonk_node.node.node import Node
from gonk_node.node.on_demand import BlockingOnDemand
from gonk_node.replica.queries import Queries, Revision
from gonk_node.store.state_schema import OBJECT, SCHEMA

_lock = threading.Lock()
_nodes: dict[Path, tuple[Node, int]] = {}  # by folder: the open node, and how many datasets use it


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


class DataAnnotation(NamedTuple):
    """One revision of an annotation.

    Attributes:
        uuid: of the annotation; all its revisions share it.
        version: which revision, from 0.
        schema: the name of its schema, such as "schema-bounding-box".
        schema_version: which revision of that.
        data: its body, exactly the bytes that were signed: UTF-8 JSON.
    """

    uuid: UUID
    version: int
    schema: str
    schema_version: int
    data: bytes

    @property
    def body(self) -> Any:
        """The body as Python has JSON: dict, list, str, float, …."""
        return json.loads(self.data)


class Dataset:
    """An open dataset, as it stood when each method was called. Close it, or use it in a `with` statement."""

    def __init__(self, node: Node, name: str) -> None:
        self._node = node
        self._name = name
        self._replica = node.replica(name)
        self._queries = Queries(self._replica.db)
        self._on_demand = BlockingOnDemand(node)
        self._closed = False

    @property
    def id(self) -> bytes:
        """The dataset's id, 32 bytes: the same on every node."""
        return self._replica.dataset

    @property
    def state_digest(self) -> bytes:
        """32 bytes that are equal on two nodes whose datasets say the same."""
        return self._replica.state_digest()

    def objects(self) -> Iterator[DataObject]:
        """The objects that count now: of each its current revision, in the order in which they came to this node."""
        for revision in self._queries.iterate(OBJECT, "current"):
            yield _object(revision)

    def object(self, name: str) -> DataObject:
        """The object of that uuid or unique name, as it is now.

        Raises:
            NotFoundError: there is none, or none of its revisions counts. AmbiguousError: several have the name.
        """
        revisions = self._queries.find_object(name)
        current = next((each for each in revisions if each.current), None)
        if current is None:
            raise NotFoundError(
                f"no revision of the object {name!r} is accepted", hint=f"gonk show {self._name} {name}"
            )
        return _object(current)

    def annotations(self, on: DataObject) -> list[DataAnnotation]:
        """The annotations of that object revision that count now, in the order in which they came to this node."""
        found = []
        for revision in self._queries.annotations_of(on.number):
            schema = None if revision.schema_no is None else self._queries.by_number(SCHEMA, revision.schema_no)
            if revision.current and schema is not None:
                names = (schema.name or "", schema.version or 0)
                found.append(
                    DataAnnotation(UUID(bytes=revision.uuid), revision.version or 0, *names, revision.body or b"")
                )
        return found

    def has_content(self, of: DataObject) -> bool:
        """Whether the object's bytes are on this node; `read` and `open` fetch them where they are not."""
        return self._node.content.has(of.content_id)

    def read(self, of: DataObject) -> bytes:
        """The object's bytes, verified; where they are not on this node, they are fetched from a peer, and kept.

        Raises:
            PeerUnavailableError: no peer gave them; it says who was asked. DamagedStoreError: they have changed on the disk.
        """
        self._have(of)
        return b"".join(self._node.content.read(of.content_id))

    def open(self, of: DataObject) -> BinaryIO:
        """The object's bytes as a seekable binary file, verified as they are read; fetched, and errors, as of `read`."""
        self._have(of)
        return self._node.content.reader(of.content_id)

    def _have(self, of: DataObject) -> None:
        if not self.has_content(of):
            self._on_demand.fetch(self._replica.dataset, of.content_id)

    def close(self) -> None:
        """Close the dataset; closing again does nothing."""
        if not self._closed:
            self._closed = True
            self._on_demand.close()
            _give_back(self._node)

    def __enter__(self) -> Dataset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_dataset(name: str, home: str | PathLike[str] | None = None) -> Dataset:
    """Open a dataset of a node on this machine for reading; a server may run beside it.

    In a program that forks (as data loaders do), open it after the fork, in each process.

    Args:
        name: its local name, or the first six hex digits or more of its id.
        home: the node's folder; None: GONK_HOME, else the platform's place for user data.

    Raises:
        NotFoundError: no node, or no such dataset. DamagedStoreError, StorageError: as the stores say.
    """
    node = _take(find_home(None if home is None else Path(home)))
    try:
        return Dataset(node, name)
    except BaseException:
        _give_back(node)
        raise


def _take(home: Home) -> Node:
    """The node in a folder. A process opens a store only once, so all datasets of one folder share it."""
    with _lock:
        node, users = _nodes.get(home.root, (None, 0))
        if node is None:
            node = Node.open(home, load_config(home))
        _nodes[home.root] = (node, users + 1)
        return node


def _give_back(node: Node) -> None:
    """Close the node once nobody uses it any more."""
    with _lock:
        _, users = _nodes.pop(node.home.root)
        if users > 1:
            _nodes[node.home.root] = (node, users - 1)
        else:
            node.close()


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
