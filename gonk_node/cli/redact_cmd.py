"""`gonk redact`."""

from __future__ import annotations

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.core.ids import EventRef


@verb("redact")
@dataset_argument
@click.argument("event", metavar="EVENT")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays readable for ever.")
def redact(run: Run, dataset: str, event: str, reason: str) -> None:
    """Have the contents of one event erased on every node.

    EVENT is the uuid of an event of DATASET, as gonk show and gonk log --json give it: a proposal, or a profile, which is
    what somebody is called (his node tells its display name again with what he signs next). Its author may ask, and
    owners. The entry stays and still verifies, but what the event said is gone, also on nodes that sync later. The bytes
    of files are content, and stay where they are kept; nor can anybody be made to forget what he copied.
    """
    place = Place(run, dataset)
    ref = place.queries.find_event(event)
    entry = place.governor.redact(ref, reason)
    made = event_text(EventRef(entry.entry_id, 0))
    if run.as_json:
        run.out.json({"event": made, "redacted": event_text(ref)})
        return
    run.out.line(made)
    run.out.note("erased here")
    place.next_spreading("other nodes follow once they have it")
