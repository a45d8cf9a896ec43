"""What a person means by `UUID`, `UUID@VERSION` or a name: the revisions of one entity, and the version asked for.

The uuid of an event means the one revision that it makes (or would delete); of two that compete for one version number, only
that tells them apart.
"""

from __future__ import annotations

from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.ids import parse_uuid
from gonk_node.errors import NotFoundError, UsageError
from gonk_node.replica.queries import Queries, Revision


def split_version(text: str) -> tuple[str, int | None]:
    """`NAME@2` is ("NAME", 2); without a number behind an @, the whole is the name."""
    name, at, version = text.rpartition("@")
    if not at or not name or not (version.isascii() and version.isdigit()):
        return text, None
    return name, int(version)


def pick(queries: Queries, text: str) -> tuple[list[Revision], int | None]:
    """All revisions of what the text names, and the version that it asks for, if any.

    Args:
        text: uuid of anything or of an event, unique name of an object, or name of a schema (`schema-…`); then perhaps
            `@VERSION`.

    Raises:
        NotFoundError, AmbiguousError.
    """
    try:
        return _named(queries, text), None
    except NotFoundError:
        name, version = split_version(text)
        if version is None:
            raise
        return _named(queries, name), version


def version_of(revisions: list[Revision], version: int) -> Revision:
    """The revision of that version; NotFoundError."""
    found = next((each for each in revisions if each.version == version and each.named), None)
    if found is None:
        known = ", ".join(str(each.version) for each in revisions if each.named)
        raise NotFoundError(f"there is no version {version}", hint=f"versions here: {known or 'none'}")
    return found


def _named(queries: Queries, text: str) -> list[Revision]:
    if len(text) in (32, 36):
        try:
            return queries.find(parse_uuid(text))
        except UsageError:  # a name of that length, an event, or nothing has that uuid
            pass
        try:
            revision = queries.proposal(queries.find_event(text))
        except UsageError:
            revision = None
        if revision is not None:
            return [revision]
    if text.startswith(SCHEMA_PREFIX) and (found := queries.schema(text)):
        return found
    return queries.find_object(text)
