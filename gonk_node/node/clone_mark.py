"""The mark of a clone that is not through yet: a row of the log's meta table, from its first entry to its first full sync."""

from __future__ import annotations

from gonk_node.replica.replica import Replica

_ROW = b"clone"  # holds the node key of the peer


def is_incomplete(replica: Replica) -> bool:
    """Whether a clone of the dataset was begun here and is not through yet."""
    return replica.log.meta_get(_ROW) is not None


def mark_incomplete(replica: Replica, node_key: bytes) -> None:
    """A clone from that peer begins."""
    replica.log.meta_put(_ROW, node_key)


def mark_complete(replica: Replica) -> None:
    """A session went through: both sides have what the other held."""
    if is_incomplete(replica):
        replica.log.meta_put(_ROW, None)
