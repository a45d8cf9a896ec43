"""`gonk delete`."""

from __future__ import annotations

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.pick import pick
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.core.ids import EventRef
from gonk_node.store.state_schema import SCHEMA


@verb("delete")
@dataset_argument
@click.argument("target", metavar="UUID")
def delete(run: Run, dataset: str, target: str) -> None:
    """Propose to delete an object or annotation, or to deprecate a schema.

    UUID names it in DATASET (unique names of objects, and names of schemas, do too); UUID@VERSION one version of it, and so
    does the uuid of the event that made it. Without a version the current one is meant; once that is deleted, the version
    before it is current again.
    """
    place = Place(run, dataset)
    revisions, version = pick(place, target)
    revision = place.proposer.base_of(revisions, version)
    entry = place.author.sign([place.proposer.deletion(revision)], after_ms=revision.time_ms)
    made = event_text(EventRef(entry.entry_id, 0))
    if run.as_json:
        run.out.json({"event": made, "target": place.describer.identifier(revision), "type": revision.type_name})
        return
    run.out.line(made)
    what = "deprecation" if revision.kind == SCHEMA else "deletion"
    run.out.note(f"proposed the {what} of {place.describer.title(revision)} version {revision.version}")
    place.next_after_proposing(made)
