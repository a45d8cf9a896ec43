"""`gonk log`."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.pick import pick
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import short, time_text
from gonk_node.core.event_codec import KINDS
from gonk_node.core.times import parse_time, time_json
from gonk_node.errors import NotFoundError, UsageError
from gonk_node.replica.history.entity_log import Touching, entries_touching, events_touching
from gonk_node.replica.history.log_pages import Chosen, LoggedEntry, log_entries, name_of
from gonk_node.store.state_schema import ANNOTATION, ENTITY_NAMES, OBJECT, SCHEMA

_TOLD_BY = {OBJECT: "gonk log {} --object", ANNOTATION: "gonk log {} --annotation", SCHEMA: "gonk blame {}"}
KIND_NAMES = tuple(kind.name for kind in KINDS)
_KINDS_TOLD = f"{', '.join(KIND_NAMES[:-1])} or {KIND_NAMES[-1]}"


@verb("log")
@dataset_argument
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="How many entries at most.")
@click.option("--author", metavar="KEY", help="Only what this key signed: all of it, or its first 8 digits or more.")
@click.option(
    "--kind", metavar="KIND", type=click.Choice(KIND_NAMES), help=f"Only entries that have an event of: {_KINDS_TOLD}."
)
@click.option("--object", "object_", metavar="OBJECT", help="Only what is about this object, its annotations included.")
@click.option("--annotation", metavar="UUID", help="Only what is about this annotation.")
@click.option("--since", metavar="TIME", help="Only what was signed at that time (UTC) or later, as its author states.")
@click.option("--until", metavar="TIME", help="Only what was signed before that time.")
def log(
    run: Run,
    dataset: str,
    limit: int,
    author: str | None,
    kind: str | None,
    object_: str | None,
    annotation: str | None,
    since: str | None,
    until: str | None,
) -> None:
    """Show the signed entries of a dataset, newest first.

    An entry of DATASET is what was signed together: one event, or thousands. Newest means last to come to this node. Of
    an entry that is about more than the OBJECT (a uuid or a unique name) or annotation asked for, only the events that are
    about it are shown, reviews included. A TIME is such as 2026-01-31 or 2026-01-31T12:00:00Z.
    """
    if object_ is not None and annotation is not None:
        raise UsageError("--object and --annotation exclude each other")
    place = Place(run, dataset)
    chosen = Chosen(None if author is None else place.people.find(author), kind, _time(since), _time(until))
    wanted = (object_, OBJECT) if object_ is not None else (annotation, ANNOTATION)
    found = list(_found(place, chosen, limit + 1, *wanted))
    more = len(found) > limit
    del found[limit:]
    if run.as_json:
        run.out.json([_json(place, logged, events, kind) for logged, events in found])
        return
    rows = [
        [
            time_text(entry.header.time_ms),
            place.people.who(entry.header.author),
            short(entry.header.log_id),
            str(entry.header.seq),
            _summary(events),
            entry.entry_id.hex()[:16],
        ]
        for (_, entry), events in found
    ]
    if rows:
        run.out.table(["time (UTC)", "by", "log", "seq", "what", "entry"], rows)
    else:
        run.out.note("no such entries")
    if more:
        run.out.note(f"there are more: --limit {10 * limit}")


def _time(text: str | None) -> int | None:
    return None if text is None else parse_time(text)


def _found(
    place: Place, chosen: Chosen, limit: int, named: str | None, entity_kind: int
) -> Iterator[tuple[LoggedEntry, Touching]]:
    """The entries wanted, each with the events of it to tell."""
    db = place.replica.db
    if named is None:
        for logged in log_entries(place.replica, db, chosen, limit, newest_first=True):
            yield logged, logged.events()
        return
    revision = pick(place, named, entity_kind)[0][0]
    if revision.kind != entity_kind:
        hint = f"{_TOLD_BY[revision.kind].format(place.name)} {shlex.quote(named)}"
        raise NotFoundError(f"this is {revision.a_type}, not an {ENTITY_NAMES[entity_kind]}", where=named, hint=hint)
    numbers = events_touching(db, revision.kind, revision.uuid)
    yield from entries_touching(place.replica, numbers, chosen, limit)


def _summary(events: Touching) -> str:
    counts = Counter(name_of(event) for _, event in events)
    return ", ".join(name if count == 1 else f"{count:,} x {name}" for name, count in counts.most_common())


def _json(place: Place, logged: LoggedEntry, events: Touching, kind: str | None) -> dict[str, Any]:
    header = logged.entry.header
    return {
        "lsn": logged.lsn,
        "entry": logged.entry.entry_id.hex(),
        "author": place.people.json(header.author),
        "log": header.log_id.hex(),
        "seq": header.seq,
        "time": time_json(header.time_ms),
        "bytes": len(logged.entry.record),
        "events": [
            {"event": event_text(ref), "kind": None if event is None else name_of(event)}
            for ref, event in events
            if kind is None or name_of(event) == kind
        ],
    }
