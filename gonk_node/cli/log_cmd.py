"""`gonk log`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import short, time_json, time_text
from gonk_node.core.entry import Entry, read_stored
from gonk_node.core.event_codec import KINDS, kind_name
from gonk_node.core.events import Event
from gonk_node.core.ids import EventRef

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
    found = list(islice(_entries(place, key, kind), limit))
    if run.as_json:
        run.out.json([_json(place, lsn, entry, kind) for lsn, entry in found])
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


def _entries(place: Place, key: bytes | None, kind: str | None) -> Iterator[tuple[int, Entry]]:
    """(arrival number, entry), newest first; entries that were evicted leave gaps."""
    for lsn in range(place.replica.log.last_lsn(), 0, -1):
        record = place.replica.log.record(lsn)
        if record is None:
            continue
        entry = read_stored(record)
        if key is not None and entry.header.author != key:
            continue
        if kind is None or any(_name(event) == kind for event in entry.stored_events()):
            yield lsn, entry


def _name(event: Event | None) -> str:
    return "erased or withheld" if event is None else kind_name(event)


def _summary(entry: Entry) -> str:
    counts = Counter(_name(event) for event in entry.stored_events())
    return ", ".join(name if count == 1 else f"{count:,} x {name}" for name, count in counts.most_common())


def _json(place: Place, lsn: int, entry: Entry, kind: str | None) -> dict[str, Any]:
    header = entry.header
    return {
        "lsn": lsn,
        "entry": entry.entry_id.hex(),
        "author": place.people.json(header.author),
        "log": header.log_id.hex(),
        "seq": header.seq,
        "time": time_json(header.time_ms),
        "bytes": len(entry.record),
        "events": [
            {"event": event_text(EventRef(entry.entry_id, index)), "kind": None if event is None else kind_name(event)}
            for index, event in enumerate(entry.stored_events())
            if kind is None or _name(event) == kind
        ],
    }
