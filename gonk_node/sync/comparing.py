"""The end of a first sync: what each side says that it holds now, and what two such statements mean together."""

from __future__ import annotations

from gonk_node.sync.messages import Done
from gonk_node.sync.outputs import Standing, Synced


def done_of(standing: Standing) -> Done:
    """What this side says, of a whole standing."""
    return Done(standing.heads_digest, standing.state_digest, standing.open_count)


def compare(ours: Done, theirs: Done) -> Synced:
    """Equal heads must mean equal States, unless one of the two lacks bodies or has no State at hand."""
    equal_heads = ours.heads_digest == theirs.heads_digest
    if not equal_heads or ours.open_count or theirs.open_count or not (ours.state_digest and theirs.state_digest):
        return Synced(equal_heads, None)
    return Synced(True, ours.state_digest == theirs.state_digest)
