"""Drops content that this node keeps for nothing: files that only rejected proposals of others name.

Entries stay: an entry that was dropped would come again with the next sync. Content of deleted versions stays too, which is
history, and what a release lists.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from typing import NamedTuple

from gonk_node.node.node import Node
from gonk_node.replica.content.contents import Contents
from gonk_node.replica.content.released_content import ReleasedContent


class Dropped(NamedTuple):
    """How many files were dropped, and their bytes."""

    files: int
    bytes: int


def drop_rejected(node: Node) -> Dropped:
    """Drop what can be, in all datasets of a node.

    Raises:
        DamagedStoreError, StorageError: a dataset cannot be opened, so nobody knows what it names; nothing is dropped.
    """
    replicas = [node.replica_of(info) for info in node.datasets()]
    datasets = [Contents(replica.db) for replica in replicas]
    released = {file.content_id for each in replicas for file in ReleasedContent(each, each.db).files()}
    needed = _Needed(datasets, node.own_keys(), released)
    files = freed = 0
    for content_id in _rejected(datasets):
        size = node.content.size(content_id)
        if size is not None and content_id not in needed:
            node.content.remove(content_id, needed)
            files += 1
            freed += size
    return Dropped(files, freed)


def _rejected(datasets: Iterable[Contents]) -> set[bytes]:
    return {content_id for contents in datasets for content_id in contents.rejected()}


class _Needed(Container[bytes]):
    """The content ids that something names which is not rejected, or is of somebody on this node, or in a release."""

    def __init__(self, datasets: Sequence[Contents], own: Collection[bytes], released: Collection[bytes]) -> None:
        self._datasets = datasets
        self._own = own
        self._released = released

    def __contains__(self, content_id: object) -> bool:
        return isinstance(content_id, bytes) and (
            content_id in self._released
            or any(contents.names_unrejected(content_id, self._own) for contents in self._datasets)
        )
