"""Revisions, events and reviews as JSON and as lines of tables; the same words in every command."""

from __future__ import annotations

import json
from typing import Any

from gonk_node.cli.people import People
from gonk_node.cli.text import safe
from gonk_node.core.events import ACCEPT
from gonk_node.core.ids import EventRef, event_uuid, uuid_text
from gonk_node.core.times import time_json
from gonk_node.replica.reading.queries import Proposal, Queries, Revision
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA

_NAME_CHARS_MAX = 60
DECISIONS = ("pending", "accepted", "rejected")


class Describer:
    """Describes what one dataset holds."""

    def __init__(self, queries: Queries, people: People) -> None:
        self.queries = queries
        self.people = people

    # --- revisions --------------------------------------------------------------------------------------

    def status(self, revision: Revision) -> str:
        """The statuses, in words; a schema is deprecated, not deleted; strangers' proposals are told apart."""
        views = ["deprecated" if view == "deleted" and revision.kind == SCHEMA else view for view in revision.views]
        text = ", ".join(views)
        if revision.current:
            text += ", current"
        return text if revision.vouched or revision.version is None else f"{text} (stranger's)"

    def title(self, revision: Revision) -> str:
        """What a person would call it: an object's or schema's name; an annotation's schema and object."""
        if revision.kind != ANNOTATION:
            return safe(revision.name or "", _NAME_CHARS_MAX)
        names = [safe(each.name or "", _NAME_CHARS_MAX) for each in self.objects(revision)[:3]]
        return f"{self.schema_name(revision)} of {', '.join(names) or 'an object that is not here'}"

    def objects(self, annotation: Revision) -> list[Revision]:
        """The object revisions that an annotation hangs on."""
        return [] if annotation.root is None else self.queries.hanging.objects_of(annotation.root)

    def schema(self, annotation: Revision) -> Revision | None:
        """The schema revision that an annotation names; None where it is not here."""
        return None if annotation.schema_no is None else self.queries.by_number(SCHEMA, annotation.schema_no)

    def schema_name(self, annotation: Revision) -> str:
        """The name of that schema."""
        schema = self.schema(annotation)
        return "unknown schema" if schema is None else safe(schema.name or "", _NAME_CHARS_MAX)

    def identifier(self, revision: Revision) -> dict[str, Any]:
        """uuid, version, and name where it has one."""
        found: dict[str, Any] = {"uuid": uuid_text(revision.uuid), "version": revision.version}
        return found if revision.name is None else found | {"name": revision.name}

    def json(self, revision: Revision) -> dict[str, Any]:
        """All that is known of a revision itself, but for a schema's document."""
        found = {
            "type": revision.type_name,
            **self.identifier(revision),
            "status": revision.views,
            "current": revision.current,
            "vouched": revision.vouched,
            "event": revision.event,
            "author": self.people.json(revision.author),
            "time": time_json(revision.time_ms),
        }
        if revision.kind == OBJECT and revision.content_id is not None and revision.sha256 is not None:
            found |= {
                "media_type": revision.media_type,
                "size": revision.size,
                "content_id": revision.content_id.hex(),
                "sha256": revision.sha256.hex(),
            }
        if revision.kind == ANNOTATION:
            schema = self.schema(revision)
            found |= {
                "schema": None if schema is None else self.identifier(schema),
                "objects": [self.identifier(each) for each in self.objects(revision)],
                "body": json_body(revision.body or b""),
            }
        return found

    # --- proposals and reviews ---------------------------------------------------------------------------

    def proposal_json(self, proposal: Proposal) -> dict[str, Any]:
        """A pending event: the revision that it makes or would delete, and who asks."""
        return {
            "event": event_text(proposal.ref),
            "action": self.action(proposal),
            "proposer": self.people.json(proposal.author),
            "proposed": time_json(proposal.time_ms),
            "revision": self.json(proposal.revision),
            "approvals": self.approvals(proposal.number),
        }

    def action(self, proposal: Proposal) -> str:
        """What is proposed: add, update, delete, deprecate."""
        if proposal.is_deletion:
            return "deprecate" if proposal.revision.kind == SCHEMA else "delete"
        return "add" if proposal.revision.base is None else "update"

    def approvals(self, number: int) -> int:
        """How many distinct keys with the role for it now have accepted an event (the fold decides which count)."""
        reviews = self.queries.reviews_of(number)
        return len({author for _, author, decision, *_ in reviews if decision == ACCEPT and self.people.role(author)})

    def reviews_json(self, number: int) -> list[dict[str, Any]]:
        """The reviews of an event, in order of arrival."""
        return [
            {
                "event": event_text(ref),
                "decision": DECISIONS[decision],
                "author": self.people.json(author),
                "comment": comment,
                "time": time_json(time_ms),
            }
            for ref, author, decision, comment, time_ms in self.queries.reviews_of(number)
        ]


def event_text(ref: EventRef) -> str:
    """The UUID of an event."""
    return uuid_text(event_uuid(ref))


def json_body(body: bytes) -> Any:
    """An annotation's body or a schema's document as a value; as text where it is no JSON that Python takes."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
