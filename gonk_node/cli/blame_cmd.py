"""`gonk blame`."""

from __future__ import annotations

from typing import Any

import click

from gonk_node.cli.describe import DECISIONS, event_text
from gonk_node.cli.label_changes import is_label_set, label_json, label_lines
from gonk_node.cli.pick import pick, version_of
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import safe, time_text
from gonk_node.core.ids import uuid_text
from gonk_node.core.times import time_json
from gonk_node.replica.history.blaming import Blaming, DeletionBlame, Verdict, VersionBlame
from gonk_node.replica.reading.queries import Revision
from gonk_node.state.json_diff import Absent, Difference
from gonk_node.state.strict_json import Json, canonical
from gonk_node.store.state_schema import SCHEMA

_VALUE_CHARS_MAX = 80
_CHANGES_MAX = 40  # of one version, in the text form


@verb("blame")
@dataset_argument
@click.argument("what", metavar="UUID")
def blame(run: Run, dataset: str, what: str) -> None:
    """Show who made something what it is: each version, who decided it, and what it changed.

    UUID is that of an annotation, object or schema of DATASET, or of an event of it; UUID@VERSION tells one version only,
    unique names of objects and names of schemas do too. Bodies are compared value by value: a path, what stood there, what
    stands there now. Reviews of keys that may not review are left out.
    """
    place = Place(run, dataset)
    revisions, version = pick(place, what)
    if version is not None:
        version_of(revisions, version)  # NotFoundError
    found = Blaming(place.replica).blame([each for each in revisions if version in (None, each.version)])
    if run.as_json:
        run.out.json([_json(place, each) for each in found])
        return
    first = revisions[0]
    run.out.line(f"{first.type_name} {uuid_text(first.uuid)}: {place.describer.title(first)}")
    for each in found:
        _tell(place, each)


# --- for people -----------------------------------------------------------------------------------------


def _tell(place: Place, told: VersionBlame) -> None:
    revision, out = told.revision, place.out
    made = "" if told.base is None else f", made from {_version(told.base)}"
    out.line()
    out.line(f"{_version(revision)} ({place.describer.status(revision)}){made}")
    out.line(f"  {time_text(revision.time_ms)}  proposed by {place.people.who(revision.author)}")
    for verdict in told.verdicts:
        out.line(f"  {_verdict(place, verdict)}")
    for change in told.changes[:_CHANGES_MAX]:
        out.line(f"    {safe(change.path, _VALUE_CHARS_MAX) or 'all of it'}: {_change(change)}")
    if len(told.changes) > _CHANGES_MAX:
        out.line(f"    and {len(told.changes) - _CHANGES_MAX:,} more changes; --json lists all")
    if is_label_set(revision):
        for line in label_lines(place, revision):
            out.line(f"    {line}")
    if told.rewritten:
        out.line("    the same value, written otherwise")
    for deletion in told.deletions:
        asked = "deprecation" if revision.kind == SCHEMA else "deletion"
        who = place.people.who(deletion.author)
        out.line(f"  {time_text(deletion.time_ms)}  {asked} proposed by {who}, {DECISIONS[deletion.decided]}")
        for verdict in deletion.verdicts:
            out.line(f"    {_verdict(place, verdict)}")


def _version(revision: Revision) -> str:
    return f"version {'-' if revision.version is None else revision.version}"


def _verdict(place: Place, verdict: Verdict) -> str:
    said = f": {safe(verdict.comment)}" if verdict.comment else ""
    who = place.people.who(verdict.author)
    return f"{time_text(verdict.time_ms)}  {DECISIONS[verdict.decision]} by {who}{said}"


def _change(change: Difference) -> str:
    if isinstance(change.new, Absent):
        return f"removed {_value(change.old)}"
    if isinstance(change.old, Absent):
        return f"added {_value(change.new)}"
    return f"{_value(change.old)} → {_value(change.new)}"


def _value(value: Json) -> str:
    return safe(canonical(value).decode(), _VALUE_CHARS_MAX)


# --- as JSON --------------------------------------------------------------------------------------------


def _json(place: Place, told: VersionBlame) -> dict[str, Any]:
    return {
        **place.describer.json(told.revision),
        "base": None if told.base is None else {"version": told.base.version, "event": told.base.event},
        "changes": [_change_json(each) for each in told.changes],
        "rewritten": told.rewritten,
        **({"labels": label_json(place, told.revision)} if is_label_set(told.revision) else {}),
        "reviews": [_verdict_json(place, each) for each in told.verdicts],
        "deletions": [_deletion_json(place, each) for each in told.deletions],
    }


def _change_json(change: Difference) -> dict[str, Any]:
    """`old` and `new` are missing where there is no value, which null would be."""
    sides = (("old", change.old), ("new", change.new))
    return {"path": change.path} | {side: value for side, value in sides if not isinstance(value, Absent)}


def _verdict_json(place: Place, verdict: Verdict) -> dict[str, Any]:
    return {
        "event": event_text(verdict.ref),
        "decision": DECISIONS[verdict.decision],
        "author": place.people.json(verdict.author),
        "comment": verdict.comment,
        "time": time_json(verdict.time_ms),
    }


def _deletion_json(place: Place, deletion: DeletionBlame) -> dict[str, Any]:
    return {
        "event": event_text(deletion.ref),
        "author": place.people.json(deletion.author),
        "time": time_json(deletion.time_ms),
        "decision": DECISIONS[deletion.decided],
        "reviews": [_verdict_json(place, each) for each in deletion.verdicts],
    }
