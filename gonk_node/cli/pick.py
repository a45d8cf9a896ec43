"""What a person means by `UUID`, `UUID@VERSION` or a name: the revisions of one entity, and the version asked for.

The uuid of an event means the one revision that it makes (or would delete); of two that compete for one version number, only
that tells them apart.
"""

from __future__ import annotations

from gonk_node.cli.place import Place
from gonk_node.cli.text import time_text
from gonk_node.core.entry import read_stored
from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.ids import EventRef, event_uuid, is_uuid, parse_uuid, uuid_text
from gonk_node.errors import NotFoundError
from gonk_node.replica.history.erasures import erasure_of
from gonk_node.replica.history.log_pages import name_of
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.signing.proposing import full_schema_name
from gonk_node.store.state_schema import ANNOTATION, OBJECT


def split_version(text: str) -> tuple[str, int | None]:
    """`NAME@2` is ("NAME", 2); without a number behind an @, the whole is the name."""
    name, at, version = text.rpartition("@")
    if not at or not name or not (version.isascii() and version.isdigit()):
        return text, None
    return name, int(version)


def pick(place: Place, text: str, wanted: int = OBJECT) -> tuple[list[Revision], int | None]:
    """All revisions of what the text names, and the version that it asks for, if any.

    Args:
        place: the dataset.
        text: uuid of anything or of an event, unique name of an object, or name of a schema (with or without `schema-`, but
            then an object of that name goes first); then perhaps `@VERSION`.
        wanted: the kind of entity that is looked for; only for the words of the error where there is none.

    Raises:
        NotFoundError, AmbiguousError.
    """
    try:
        return _named(place, text, wanted), None
    except NotFoundError:
        name, version = split_version(text)
        if version is None:
            raise
        return _named(place, name, wanted), version


def version_of(revisions: list[Revision], version: int) -> Revision:
    """The revision of that version; NotFoundError."""
    found = next((each for each in revisions if each.version == version and each.named), None)
    if found is None:
        known = ", ".join(str(each.version) for each in revisions if each.named)
        raise NotFoundError(f"there is no version {version}", hint=f"versions here: {known or 'none'}")
    return found


def _named(place: Place, text: str, wanted: int) -> list[Revision]:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotFoundError(f"nothing here is called {text!a}") from None
    queries = place.queries
    refusal: NotFoundError | None = None
    if len(text) in (32, 36) and is_uuid(text):
        try:
            return queries.find(parse_uuid(text))
        except NotFoundError as error:  # an event, perhaps, or a name of that length
            refusal = error
        try:
            ref = queries.find_event(text)
        except NotFoundError:
            pass
        else:
            revision = queries.proposal(ref)
            if revision is not None:
                return [revision]
            refusal = _makes_nothing(place, ref)
    if text.startswith(SCHEMA_PREFIX) and (found := queries.schema(text)):
        return found
    try:
        return queries.find_object(text)
    except NotFoundError as error:
        if found := queries.schema(full_schema_name(text)):
            return found
        if wanted == ANNOTATION and refusal is None:
            hint = f"annotations go by their uuids: gonk list {place.name} annotations"
            refusal = NotFoundError(f"there is no annotation {text!r}", hint=hint)
        raise refusal or error from None


def _makes_nothing(place: Place, ref: EventRef) -> NotFoundError:
    """Why an event that is held names no revision of anything."""
    where = f"event {uuid_text(event_uuid(ref))}"
    erasure = erasure_of(place.replica, ref)
    if erasure is not None:
        who, when = place.people.who(erasure.author), time_text(erasure.time_ms)
        return NotFoundError(
            f"what it said was erased: redacted by {who} on {when}: {erasure.reason}",
            where=where,
            hint=f"gonk log {place.name} --kind redact",
        )
    record = place.replica.log.record_of(ref.entry_id)
    event = None if record is None else read_stored(record).stored_events()[ref.index]
    if event is None:
        return NotFoundError(
            "only the hash of this event is on this node", where=where, hint=f"gonk sync {place.name} fetches the rest"
        )
    return NotFoundError(
        f"it is a {name_of(event)}, which makes no version of anything, or waits for what is not here",
        where=where,
        hint=f"gonk log {place.name} shows the entries, and what kinds of events they hold",
    )
