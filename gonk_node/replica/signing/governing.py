"""What owners and reviewers may sign: reviews, roles, redactions. Checked here, before anything is signed.

The fold judges what others sign; these checks keep an honest person from signing what would have no effect, and say why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gonk_node.core import limits
from gonk_node.core.codec import CodecError
from gonk_node.core.entry import Entry, read_stored
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import (
    ACCEPT,
    OWNER,
    REDACTABLE_KINDS,
    REVIEWER,
    ROLE_NAMES,
    Grant,
    Pin,
    Redact,
    Review,
    Revoke,
)
from gonk_node.core.ids import EventRef, event_uuid, uuid_text
from gonk_node.errors import (
    ExistsError,
    NonconformingError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
    WrongStateError,
)
from gonk_node.formats.label_set import MEDIA_TYPE
from gonk_node.replica.ingest import unsignable
from gonk_node.replica.reading.bodies import Bodies
from gonk_node.replica.reading.queries import PAGE, Proposal, Revision
from gonk_node.replica.signing import labels
from gonk_node.replica.signing.author import Author
from gonk_node.state.conformance import Conformance, check_schema
from gonk_node.store.content import ContentStore
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA

_REVIEWS_PER_ENTRY = 12  # of twice 4096 references each, about 320 KB: below the size of an entry


class Reviewed(NamedTuple):
    """What became of a wish to review: the events decided, and those refused with the reason."""

    events: list[EventRef]
    refused: list[tuple[EventRef, RefusedError]]


class Governor:
    """The checks, for one author.

    Args:
        author: whose they are.
        bodies: compiled schemas that others share.
        content: gives that of the node, asked when a label set is to be accepted; without it none is looked into.
    """

    def __init__(
        self, author: Author, bodies: Bodies | None = None, content: Callable[[], ContentStore] | None = None
    ) -> None:
        self.author = author
        self._content = content
        self._queries = author.queries
        self._bodies = bodies or Bodies(author.queries)

    # --- reviews ----------------------------------------------------------------------------------------

    def check_reviewer(self) -> None:
        """NotAllowedError unless the key is an owner's or a reviewer's."""
        if self.author.role not in (OWNER, REVIEWER):
            key, dataset = self.author.key.hex(), self.author.replica.dataset.hex()[:16]  # names differ between nodes
            raise NotAllowedError(
                "only owners and reviewers of the dataset may review",
                where=f"your key {key[:8]}",
                hint=f"ask an owner to run: gonk reviewer add {dataset} {key}",
            )

    def check_comment(self, comment: str) -> None:
        """UsageError where no review can be signed with that comment; for who signs something else before."""
        try:
            encode_event(Review(ACCEPT, (EventRef(b"", 0),), (), comment))
        except CodecError as error:
            raise unsignable(error) from None

    def check_event(self, ref: EventRef, decision: int, *, supersede: bool) -> list[EventRef]:
        """Whether this author may decide that event now; returns the reviews that his would supersede.

        Raises:
            NotFoundError: no proposal is held under that reference. WrongStateError: it is decided, or he reviewed it.
            NonconformingError: he would accept what does not fit its schema, or a label set that is none.
        """
        number = self._queries.number_of(ref)
        revision = None if number is None else self._queries.proposal_at(number)
        where = f"event {uuid_text(event_uuid(ref))}"
        if revision is None or number is None:
            raise NotFoundError("there is nothing to review", where=where, hint="gonk review DATASET list")
        reviews = self._queries.reviews_of(number)
        mine = [review for review, author, *_ in reviews if author == self.author.key]
        if mine and not supersede:
            raise WrongStateError("you reviewed it before", where=where, hint="use --supersede to change your mind")
        if self._is_decided(revision, number) and not supersede:
            raise WrongStateError(
                f"it is decided: {', '.join(revision.views)}", where=where, hint="use --supersede to overrule"
            )
        if decision == ACCEPT and revision.number == number:
            self._check_acceptable(revision)
        return [review for review, author, *_ in reviews if author == self.author.key or self._outranks(author)]

    def awaiting(
        self, *, proposer: bytes | None = None, strangers: bool = False, reviewed: bool = False, after: int = 0
    ) -> Iterator[Proposal]:
        """What waits for this author's decision, in order of arrival.

        Args:
            proposer: only what that key proposed; None: what keys with a role proposed.
            strangers: with None: only what keys without a role proposed.
            reviewed: also what this author has reviewed, and which waits for others.
            after: the local number of an event; only what came later.
        """
        authority = self.author.replica.authority
        while page := self._queries.pending(author=proposer, after=after, limit=PAGE):
            for each in page:
                if proposer is None and (authority.role_now(each.author) is None) != strangers:
                    continue
                if reviewed or not self.has_reviewed(each.ref):
                    yield each
            after = page[-1].number

    def has_reviewed(self, ref: EventRef) -> bool:
        """Whether this author has reviewed an event, and it waits for others."""
        if self.author.replica.genesis.approvals == 1:
            return False
        number = self._queries.number_of(ref)
        return number is not None and any(
            author == self.author.key for _, author, *_ in self._queries.reviews_of(number)
        )

    def review(
        self, decision: int, events: Iterable[EventRef], comment: str = "", *, supersede: bool = False
    ) -> Reviewed:
        """Review many events: those that may be are decided, the rest is told apart with the reason.

        Args:
            decision: ACCEPT or REJECT.
            events: exact events, from `Queries.pending` or `find_event`.
            comment: for the authors.
            supersede: replace own earlier reviews, and those of lower-ranked keys.

        Raises:
            NotAllowedError: the key may not review at all; nothing was signed.
        """
        self.check_reviewer()
        result = Reviewed([], [])
        replacing: list[tuple[EventRef, list[EventRef]]] = []
        for ref in events:
            try:
                replaced = self.check_event(ref, decision, supersede=supersede)
            except RefusedError as error:
                result.refused.append((ref, error))
                continue
            result.events.append(ref)
            replacing.append((ref, replaced if supersede else []))
        for group in _groups(_reviews(decision, replacing, comment), _REVIEWS_PER_ENTRY):
            self.author.sign(group, after_ms=self.author.time_of(result.events))
        return result

    def _is_decided(self, revision: Revision, number: int) -> bool:
        if revision.number == number:
            return not revision.status & 1
        return any(
            decided != 0
            for ref, _, decided in self._queries.deletions_of(revision.number)
            if self._queries.number_of(ref) == number
        )

    def _outranks(self, key: bytes) -> bool:
        roles = self.author.replica.authority.roles
        return key in roles and self.author.key in roles and roles[self.author.key].rank < roles[key].rank

    def _check_acceptable(self, revision: Revision) -> None:
        if revision.kind == SCHEMA:
            check_schema(revision.body or b"")
        if revision.kind == OBJECT and revision.media_type == MEDIA_TYPE and self._content is not None:
            labels.check_acceptable(self._content(), revision, self._queries.dataset)
        if revision.kind == ANNOTATION and self._bodies.conformance(revision) is not Conformance.VALID:
            raise NonconformingError(
                "it does not fit its schema, so it cannot be accepted", where=f"annotation {uuid_text(revision.uuid)}"
            )

    # --- roles ------------------------------------------------------------------------------------------

    def check_owner(self, what: str) -> None:
        """NotAllowedError unless the key is an owner's."""
        if self.author.role != OWNER:
            raise NotAllowedError(
                f"only owners may {what}",
                where=f"your key {self.author.key.hex()[:8]}",
                hint="gonk owner list DATASET names them",
            )

    def grant(self, key: bytes, role: int, display_name: str) -> Entry:
        """Give a key a role.

        Raises:
            NotAllowedError, ExistsError (it has that role or a higher one), WrongStateError (revoked keys never return).
        """
        self.check_owner(f"add {_article(role)}")
        held = self.author.replica.authority.roles.get(key)
        if (held is not None and held.revoked) or key in self.author.replica.authority.cut_spans:
            raise WrongStateError(
                "this key was removed, and a removed key never returns",
                where=key.hex(),
                hint="ask for a fresh key (gonk init in a new folder) and add that",
            )
        if held is not None and held.role <= role:
            raise ExistsError(f"it is {_article(held.role)} already", where=key.hex())
        return self.author.sign([Grant(key, role, display_name)])

    def revoke(self, key: bytes, role: int, reason: str) -> Entry:
        """End what a key may do; what is held of its logs up to now stands.

        Raises:
            NotAllowedError: not an owner, or the other ranks higher. WrongStateError: root. NotFoundError: not in that role.
        """
        authority = self.author.replica.authority
        if key != self.author.key:
            self.check_owner(f"remove {_article(role)}")
        if key == authority.root:
            raise WrongStateError(
                "the root owner cannot be removed", where=key.hex(), hint="its recovery keys can replace it"
            )
        held = authority.roles.get(key)
        if held is None or held.revoked or held.role != role:
            raise NotFoundError(f"this key is no {ROLE_NAMES[role]} here", where=key.hex())
        if key != self.author.key and role == OWNER and not self._outranks(key):
            raise NotAllowedError(
                "an owner can only remove owners who were added after him, or by those", where=key.hex()
            )
        return self.author.sign([Revoke(key, self.pins_of(key), reason)])

    def pins_of(self, key: bytes) -> tuple[Pin, ...]:
        """The last entry held of each log of a key (of a forked log, its deepest branch)."""
        deepest: dict[bytes, Pin] = {}
        for head in self.author.replica.log.heads():
            if head.author == key:
                pin = Pin(head.log_id, head.seq, head.entry_id)
                other = deepest.get(head.log_id)
                if other is None or (other.seq, other.entry_id) < (pin.seq, pin.entry_id):
                    deepest[head.log_id] = pin
        return tuple(deepest[log_id] for log_id in sorted(deepest))

    # --- erasure ----------------------------------------------------------------------------------------

    def redact(self, ref: EventRef, reason: str) -> Entry:
        """Have the body of an event dropped everywhere, also where it never came; only its author or an owner may ask."""
        record = self.author.replica.log.record_of(ref.entry_id)
        entry = None if record is None else read_stored(record)
        events = [] if entry is None else list(entry.stored_events())
        is_there = isinstance(events[ref.index] if ref.index < len(events) else None, REDACTABLE_KINDS)
        if entry is None or not (is_there or ref in self.author.replica.projection.missing_bodies()):
            raise NotFoundError("there is nothing to redact", where=f"event {uuid_text(event_uuid(ref))}")
        if entry.header.author != self.author.key:
            self.check_owner("redact what others wrote")
        return self.author.sign([Redact(ref, reason)], after_ms=entry.header.time_ms)


def _article(role: int) -> str:
    return ("an owner", "a reviewer", "a contributor")[role]


def _reviews(decision: int, replacing: Iterable[tuple[EventRef, list[EventRef]]], comment: str) -> Iterator[Review]:
    """As few reviews as hold these events, each with the older reviews that it replaces of its own events (A8)."""
    events: list[EventRef] = []
    replaced: dict[EventRef, None] = {}
    for ref, older in replacing:
        new = sum(each not in replaced for each in older)
        if events and max(len(events) + 1, len(replaced) + new) > limits.REFS_PER_REVIEW_MAX:
            yield Review(decision, tuple(events), tuple(replaced), comment)
            events, replaced = [], {}
        events.append(ref)
        replaced.update(dict.fromkeys(older[: limits.REFS_PER_REVIEW_MAX]))
    if events:
        yield Review(decision, tuple(events), tuple(replaced), comment)


def _groups(items: Iterable[Review], size: int) -> Iterator[list[Review]]:
    group: list[Review] = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
