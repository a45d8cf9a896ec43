"""How something came to be what it is: for each version who proposed and who decided it, and what it changed from which.

Read-only. Reviews without effect (of keys that may not review) are left out: anybody may sign some.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gonk_node.core.ids import EventRef
from gonk_node.errors import NonconformingError
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.replica.replica import Replica
from gonk_node.state.json_diff import Difference, differences
from gonk_node.state.reviews import Decided
from gonk_node.state.strict_json import Json, parse
from gonk_node.store.state_schema import OBJECT, SCHEMA


class Verdict(NamedTuple):
    """A review that counts: which event it is, who signed it and when (ms), ACCEPT or REJECT, and what it says."""

    ref: EventRef
    author: bytes
    decision: int
    comment: str
    time_ms: int


class DeletionBlame(NamedTuple):
    """Who asked when (ms) to delete a version, by which event, what became of it, and who decided so."""

    ref: EventRef
    author: bytes
    time_ms: int
    decided: Decided
    verdicts: list[Verdict]


class VersionBlame(NamedTuple):
    """One version.

    Attributes:
        revision: what it is; its author proposed it.
        base: what it was made from; None for a first version, or where that is not held.
        changes: from `base` to it: of what stands in the body, by JSON pointer; of all else, by the name of the field.
            For a first version, and where all that differs is how the same value is written, empty.
        rewritten: the bodies are of other bytes, but the same value.
        verdicts: the reviews of it.
        deletions: of it.
    """

    revision: Revision
    base: Revision | None
    changes: list[Difference]
    rewritten: bool
    verdicts: list[Verdict]
    deletions: list[DeletionBlame]


class Blaming:
    """Tells the history of entities of one dataset."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._queries = Queries(replica.db)

    def blame(self, revisions: Sequence[Revision]) -> list[VersionBlame]:
        """The history of one entity.

        Args:
            revisions: of it, as `Queries.revisions` gives them; also a choice of them.
        """
        return [self._version(each) for each in revisions]

    def _version(self, revision: Revision) -> VersionBlame:
        base = None if revision.base is None else self._queries.by_number(revision.kind, revision.base)
        fields = [] if base is None else self._fields(base, revision)
        bodies = [] if base is None else _bodies(base, revision)
        rewritten = base is not None and base.body != revision.body and not bodies
        deletions = []
        for ref, author, decided in self._queries.deletions_of(revision.number):
            header = self._replica.log.header_of(ref.entry_id)
            verdicts = self._verdicts(self._queries.number_of(ref))
            time_ms = 0 if header is None else header.time_ms
            deletions.append(DeletionBlame(ref, author, time_ms, Decided(decided), verdicts))
        return VersionBlame(revision, base, [*fields, *bodies], rewritten, self._verdicts(revision.number), deletions)

    def _verdicts(self, number: int | None) -> list[Verdict]:
        found = [] if number is None else self._queries.reviews_of(number)
        return [Verdict(*each) for each in found if self._counts(each[0], each[1])]

    def _counts(self, review: EventRef, author: bytes) -> bool:
        position = self._replica.projection.index.locate(review.entry_id)
        if position is None:
            return False
        return self._replica.authority.review_rank(author, position.branch, position.seq) is not None

    def _fields(self, base: Revision, revision: Revision) -> list[Difference]:
        """What differs beside the body."""
        old, new = self._described(base), self._described(revision)
        return [Difference(name, old[name], new[name]) for name in new if old[name] != new[name]]

    def _described(self, revision: Revision) -> dict[str, Json]:
        if revision.kind == OBJECT:
            return {
                "name": revision.name,
                "media_type": revision.media_type,
                "size": revision.size,
                "sha256": (revision.sha256 or b"").hex(),
            }
        if revision.kind == SCHEMA:
            return {}
        schema = None if revision.schema_no is None else self._queries.by_number(SCHEMA, revision.schema_no)
        return {"schema": None if schema is None else f"{schema.name} version {schema.version}"}


def _bodies(base: Revision, revision: Revision) -> list[Difference]:
    """What differs between two bodies; as one whole, where one of them is no JSON that has one meaning."""
    if base.body is None or revision.body is None or base.body == revision.body:
        return []
    try:
        return differences(parse(base.body), parse(revision.body))
    except (NonconformingError, RecursionError):
        return [Difference("", base.body.decode(errors="replace"), revision.body.decode(errors="replace"))]
