"""`gonk log`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import short, time_text
from gonk_node.core.entry import Entry
from gonk_node.core.event_codec import KINDS
from gonk_node.core.times import time_json
from gonk_node.replica.log_pages import Chosen, LoggedEntry, log_entries, name_of

KIND_NAMES = tuple(kind.name for kind in KINDS)


@verb("log")
@dataset_argument
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="How many entries at most.")
@click.option("--author", metavar="KEY", help="Only what this key signed: all of it, or its first 8 digits or more.")
@click.option("--kind", type=click.Choice(KIND_NAMES), help="Only entries that have such an event.")
def log(run: Run, dataset: str, limit: int, author: str | None, kind: str | None) -> None:
    """Show the signed entries of a dataset, newest first.

    An entry of DATASET is what was signed together: one event, or thousands. Newest means last to come to this node.
    """
    place = Place(run, dataset)
    key = None if author is None else place.people.find(author)
    found = list(log_entries(place.replica, place.replica.db, Chosen(key, kind), limit, newest_first=True))
    if run.as_json:
        run.out.json([_json(place, logged, kind) for logged in found])
        return
    rows = [
        [
            time_text(entry.header.time_ms),
            place.people.who(entry.header.author),
            short(entry.header.log_id),
            str(entry.header.seq),
            _summary(entry),
            entry.entry_id.hex()[:16],
        ]
        for _, entry in found
    ]
    if rows:
        run.out.table(["time (UTC)", "by", "log", "seq", "what", "entry"], rows)
    else:
        run.out.note("no such entries")


def _summary(entry: Entry) -> str:
    counts = Counter(name_of(event) for event in entry.stored_events())
    return ", ".join(name if count == 1 else f"{count:,} x {name}" for name, count in counts.most_common())


def _json(place: Place, logged: LoggedEntry, kind: str | None) -> dict[str, Any]:
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
            for ref, event in logged.events(kind)
        ],
    }
