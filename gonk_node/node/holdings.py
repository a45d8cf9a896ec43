"""How much of the content that a dataset's objects name is on this node.

Counts objects that are accepted or proposed by vouched keys, and what releases list besides. Looks up ids; reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gonk_node.replica.content.contents import ACCEPTED, Contents, NamedContent
from gonk_node.replica.content.released_content import ReleasedContent
from gonk_node.replica.replica import Replica
from gonk_node.store.content import ContentStore


class Holdings(NamedTuple):
    """Files that are held whole and files that are not, with their bytes as the objects declare them."""

    held: int
    held_bytes: int
    missing: int
    missing_bytes: int


def holdings_of(replica: Replica, content: ContentStore) -> Holdings:
    """Count the content of one dataset, of the object revisions that the policy "accepted" is about."""
    held = held_bytes = missing = missing_bytes = 0
    for each in _wanted(replica):
        if content.has(each.content_id):
            held += 1
            held_bytes += each.size
        else:
            missing += 1
            missing_bytes += each.size
    return Holdings(held, held_bytes, missing, missing_bytes)


def _wanted(replica: Replica) -> Iterator[NamedContent]:
    contents = Contents(replica.db)
    page = contents.wanted(ACCEPTED)
    while page:
        yield from page
        page = contents.wanted(ACCEPTED, page[-1])
    yield from sorted(ReleasedContent(replica, replica.db).files())
