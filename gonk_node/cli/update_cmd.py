"""`gonk update`."""

from __future__ import annotations

from pathlib import Path

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.pick import pick
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.core.ids import EventRef, uuid_text
from gonk_node.errors import WrongStateError
from gonk_node.formats.images import media_type
from gonk_node.replica.signing.adding import keep_file
from gonk_node.store.state_schema import OBJECT


@verb("update")
@dataset_argument
@click.argument("object_name", metavar="OBJECT")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="A new name; without it the object keeps its name.")
def update(run: Run, dataset: str, object_name: str, file: Path, name: str | None) -> None:
    """Propose a new version of an object.

    OBJECT is a uuid or unique name in DATASET, or OBJECT@VERSION to build on a version that is not the current one.
    FILE has the new bytes. With other bytes an object begins without annotations; with another name it keeps them.
    """
    place = Place(run, dataset)
    revisions, version = pick(place, object_name)
    if revisions[0].kind != OBJECT:
        raise WrongStateError(
            f"this is {revisions[0].a_type}, not an object",
            where=object_name,
            hint=_instead(revisions[0].type_name),
        )
    base = place.proposer.update_base(revisions, version)
    place.proposer.check_base(base)
    called = name or base.name or ""
    kept = keep_file(place.node.content, file)
    event = place.proposer.object_update(base, called, media_type(called, file), kept)
    entry = place.author.sign([event], after_ms=base.time_ms)
    made = EventRef(entry.entry_id, 0)
    if run.as_json:
        revision = place.queries.proposal(made)
        run.out.json(None if revision is None else place.describer.json(revision))
        return
    run.out.line(uuid_text(event.uuid))
    run.out.note(f"proposed version {(base.version or 0) + 1} of {called}")
    place.next_after_proposing(event_text(made))


def _instead(type_name: str) -> str:
    return "gonk annotate … --update" if type_name == "annotation" else "gonk schema add … --update"
