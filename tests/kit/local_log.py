"""One entry appended to a log as this node's own, for tests of the store that sign one at a time."""

from __future__ import annotations

from collections.abc import Callable

from gonk_node.core.entry import Entry, Header
from gonk_node.core.outcome import Ingested
from gonk_node.store.log import LocalPlace, LogStore


def append_local(
    log: LogStore, author: bytes, log_id: bytes, build: Callable[[Header | None, bytes], Entry]
) -> tuple[Ingested, Entry]:
    """A group of one; what kept it from being stored is raised."""
    (result,) = log.append_local_group([LocalPlace(author, log_id, build)])
    if isinstance(result, Exception):
        raise result
    return result
