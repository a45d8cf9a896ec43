"""How a schema that is deprecated or rejected comes back: the command for it, with the real events. Signs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from gonk_node.core.ids import event_uuid, uuid_text
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.state.reviews import Decided


def fallen(revisions: Sequence[Revision]) -> Revision:
    """Of the versions of a schema of which none may be used, the one to bring back: the last deprecated, else the last."""
    return next((each for each in reversed(revisions) if "deleted" in each.views), revisions[-1])


def status_text(revision: Revision) -> str:
    """The status of a version of a schema in words: what is deleted of others is deprecated of a schema."""
    return " and ".join(["deprecated" if view == "deleted" else view for view in revision.views])


def way_back(queries: Queries, revision: Revision, *, may_review: bool) -> str | None:
    """The command by which a version of a schema counts again, as a hint; None where this person has none.

    Args:
        queries: of the State.
        revision: the version.
        may_review: whether this person may; else he can propose to undo the deprecation.
    """
    accepted = [ref for ref, _, decided in queries.deletions_of(revision.number) if decided == Decided.ACCEPTED]
    if accepted and may_review:
        events = " ".join([uuid_text(event_uuid(ref)) for ref in accepted])
        return f"gonk review DATASET reject {events} --supersede takes that back, for who accepted it or ranks higher"
    if accepted:
        return f"gonk revert DATASET --entry {accepted[0].entry_id.hex()[:16]} proposes to bring it back"
    if "rejected" in revision.views and may_review:
        return f"gonk review DATASET accept {revision.event} --supersede takes that back, for who rejected it or ranks higher"
    return None
