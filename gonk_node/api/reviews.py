"""Routes of reviews: accept or reject one event, or many at a time. Who may, and what, is `replica.signing.governing`."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any, NamedTuple

from gonk_node.api.desk import Desk
from gonk_node.api.events import find_event
from gonk_node.api.paging import parse_uuid
from gonk_node.api.people import author_key
from gonk_node.api.route import Call, Field, Route
from gonk_node.api.shapes import FLAG, TEXT, UUID, array, nullable, record
from gonk_node.core.events import ACCEPT, REJECT, Review
from gonk_node.core.ids import EventRef, event_uuid, uuid8, uuid_text
from gonk_node.core.limits import REFS_PER_REVIEW_MAX
from gonk_node.errors import GonkError, NotFoundError, RequestError
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.governing import Governor
from gonk_node.replica.signing.group_commit import Draft

_DATASET = "/datasets/{dataset}"
_DECISIONS = {"accept": ACCEPT, "reject": REJECT}
_COMMENT = Field("comment", TEXT, "for the authors; everybody in the dataset can read it", required=False)


async def accept_event(call: Call) -> Any:
    """Accept a proposal: an event that adds, changes or deletes something. You sign for exactly that event."""
    return await _decide(call, ACCEPT)


async def reject_event(call: Call) -> Any:
    """Reject a proposal. Where it was to delete something, that can be asked for again."""
    return await _decide(call, REJECT)


async def _decide(call: Call, decision: int) -> Any:
    desk = await call.desk()
    uuid = uuid8(parse_uuid(call.path["uuid"], "event"))  # in the form that events have, so that one has one name

    def prepare(governor: Governor) -> Draft[None]:
        governor.check_reviewer()
        ref = find_event(governor.author.queries, uuid)
        governor.check_event(ref, decision, supersede=False)
        review = Review(decision, (ref,), (), call.body.get("comment", ""))
        return Draft(review, None, governor.author.time_of([ref]))

    await desk.decide(call.user, [uuid], prepare)
    return {"uuid": uuid_text(uuid)}


class _Wish(NamedTuple):
    """What a request wants reviewed: those events, or all that wait, of that author, after that event."""

    decision: int
    comment: str
    events: list[bytes] | None
    proposer: bytes | None
    after: bytes | None


class _Outcome(NamedTuple):
    """Events by uuid: those decided, those refused and why, and where to go on (None: nothing more waits)."""

    reviewed: list[bytes]
    refused: list[tuple[bytes, GonkError]]
    after: bytes | None


async def review_many(call: Call) -> Any:
    """Accept or reject up to 4096 events: those named in `events`, or with `all` those that wait.

    `all` leaves out what keys without a role proposed, unless `author` names the one; and what you reviewed before. Where
    more than 4096 wait, `after` is not null: ask again with it.
    """
    desk = await call.desk()
    wish = _wish(call, desk)

    def review(author: Author) -> _Outcome:
        governor = desk.governor(author)
        governor.check_reviewer()
        refs, refused, cursor = _chosen(governor, wish)
        reviewed = governor.review(wish.decision, refs, wish.comment)
        refused += [(event_uuid(ref), error) for ref, error in reviewed.refused]
        return _Outcome([event_uuid(ref) for ref in reviewed.events], refused, cursor)

    outcome = await desk.alone(call.user, review)
    return {
        "reviewed": [uuid_text(uuid) for uuid in outcome.reviewed],
        "refused": [{"uuid": uuid_text(uuid), "error": str(error)} for uuid, error in outcome.refused],
        "after": None if outcome.after is None else uuid_text(outcome.after),
    }


def _wish(call: Call, desk: Desk) -> _Wish:
    """Read the body of a request; RequestError where its keys do not go together."""
    body = call.body
    if body["decision"] not in _DECISIONS:
        raise RequestError(HTTPStatus.BAD_REQUEST, "'decision' must be 'accept' or 'reject'")
    everything, events = body.get("all", False), body.get("events")
    if everything == (events is not None):
        raise RequestError(HTTPStatus.BAD_REQUEST, "name the events in 'events', or send 'all': true; one of both")
    if events is not None:
        if "author" in body or "after" in body:
            raise RequestError(HTTPStatus.BAD_REQUEST, "'author' and 'after' go with 'all' only")
        if not 1 <= len(events) <= REFS_PER_REVIEW_MAX:
            raise RequestError(HTTPStatus.BAD_REQUEST, f"'events' must have 1 to {REFS_PER_REVIEW_MAX} uuids")
    return _Wish(
        _DECISIONS[body["decision"]],
        body.get("comment", ""),
        None if events is None else list(dict.fromkeys(_event(text) for text in events)),
        author_key(call, desk, body["author"]) if "author" in body else None,
        parse_uuid(body["after"], "after") if "after" in body else None,
    )


def _event(text: object) -> bytes:
    if not isinstance(text, str):
        raise RequestError(HTTPStatus.BAD_REQUEST, "'events' must be a list of uuids", name="ValueError")
    return uuid8(parse_uuid(text, "events"))


def _chosen(governor: Governor, wish: _Wish) -> tuple[list[EventRef], list[tuple[bytes, GonkError]], bytes | None]:
    """The events to review, those that are not here, and the last of a full page."""
    queries = governor.author.queries
    refs: list[EventRef] = []
    unknown: list[tuple[bytes, GonkError]] = []
    if wish.events is None:
        start = 0 if wish.after is None else queries.number_of(find_event(queries, wish.after))
        found = governor.awaiting(proposer=wish.proposer, after=start or 0)
        refs = [each.ref for each in islice(found, REFS_PER_REVIEW_MAX)]
        return refs, unknown, event_uuid(refs[-1]) if _has_more(found) else None
    for uuid in wish.events:
        try:
            refs.append(find_event(queries, uuid))
        except NotFoundError as error:
            unknown.append((uuid, error))
    return refs, unknown, None


def _has_more(found: Iterator[object]) -> bool:
    return next(found, None) is not None


_REVIEWED = record(reviewed=array(UUID), refused=array(record(uuid=UUID, error=TEXT)), after=nullable(UUID))

ROUTES = (
    Route(
        "PUT",
        f"{_DATASET}/events/{{uuid}}/accept",
        accept_event,
        "Accept an event",
        record(uuid=UUID),
        body=(_COMMENT,),
        statuses=(403, 409, 422),
    ),
    Route(
        "PUT",
        f"{_DATASET}/events/{{uuid}}/reject",
        reject_event,
        "Reject an event",
        record(uuid=UUID),
        body=(_COMMENT,),
        statuses=(403, 409),
    ),
    Route(
        "POST",
        f"{_DATASET}/reviews",
        review_many,
        "Accept or reject many events",
        _REVIEWED,
        body=(
            Field("decision", {"type": "string", "enum": list(_DECISIONS)}, "accept or reject"),
            Field(
                "events",
                {"type": "array", "items": UUID, "minItems": 1, "maxItems": REFS_PER_REVIEW_MAX},
                "which events",
                required=False,
            ),
            Field("all", FLAG, "instead of events: everything that waits", required=False),
            Field("author", TEXT, "with all: only what that user, or that key in hex, proposed", required=False),
            Field("after", UUID, "with all: only what came after that event", required=False),
            _COMMENT,
        ),
        statuses=(403,),
    ),
)
