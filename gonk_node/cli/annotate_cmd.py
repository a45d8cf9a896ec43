"""`gonk annotate`."""

from __future__ import annotations

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.files import read_input
from gonk_node.cli.pick import pick, split_version
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.core.events import AnnotationCreate, AnnotationUpdate
from gonk_node.core.ids import EventRef, uuid_text
from gonk_node.core.limits import EVENT_BYTES_MAX, REFS_PER_ANNOTATION_MAX
from gonk_node.errors import UsageError, WrongStateError
from gonk_node.replica.reading.queries import Revision
from gonk_node.store.state_schema import ANNOTATION


@verb("annotate")
@dataset_argument
@click.argument("object_name", metavar="OBJECT")
@click.argument("schema", metavar="SCHEMA")
@click.argument("file", metavar="FILE")
@click.option("--update", metavar="ANNOTATION", help="Propose a new version of this annotation (UUID or UUID@VERSION).")
@click.option("--also", metavar="OBJECT", multiple=True, help="One more object that it is of; may be repeated.")
def annotate(
    run: Run, dataset: str, object_name: str, schema: str, file: str, update: str | None, also: tuple[str, ...]
) -> None:
    """Propose an annotation of an object, or a new version of one.

    OBJECT is a uuid or unique name in DATASET, SCHEMA the name of a schema there (perhaps SCHEMA@VERSION), and FILE the
    JSON that fits it, or - for standard input. The bytes are kept as they are.
    """
    body = read_input(file, bytes_max=EVENT_BYTES_MAX)
    if update is not None and also:
        raise UsageError("an update hangs on the objects of the annotation that it changes", hint="leave out --also")
    if len(also) >= REFS_PER_ANNOTATION_MAX:
        raise UsageError(f"an annotation hangs on at most {REFS_PER_ANNOTATION_MAX} objects")
    place = Place(run, dataset)
    objects = [_object(place, text) for text in dict.fromkeys((object_name, *also))]
    schema_revision = place.proposer.usable_schema(*split_version(schema))
    event: AnnotationCreate | AnnotationUpdate
    after = [*objects, schema_revision]
    if update is None:
        event = place.proposer.annotation_create(objects, schema_revision, body)
    else:
        base = _base(place, update, objects[0])
        after.append(base)
        event = place.proposer.annotation_update(base, schema_revision, body)
    entry = place.author.sign([event], after_ms=max(each.time_ms for each in after))
    made = EventRef(entry.entry_id, 0)
    if run.as_json:
        revision = place.queries.proposal(made)
        run.out.json(None if revision is None else place.describer.json(revision))
        return
    run.out.line(uuid_text(event.uuid))
    run.out.note("proposed an annotation" if update is None else "proposed a new version of the annotation")
    place.next_after_proposing(event_text(made))


def _object(place: Place, text: str) -> Revision:
    """The revision to annotate: the version asked for, else what the object is now."""
    revisions, version = pick(place, text)
    if version is None and not any(each.version is not None for each in revisions):
        raise WrongStateError("it waits for entries that are not here", where=text, hint=f"gonk sync {place.name}")
    return place.proposer.base_of(revisions, version)


def _base(place: Place, text: str, on: Revision) -> Revision:
    """The revision of the annotation that is updated; it must hang on that object."""
    revisions, version = pick(place, text, ANNOTATION)
    if revisions[0].kind != ANNOTATION:
        raise WrongStateError(f"this is {revisions[0].a_type}, not an annotation", where=text)
    base = place.proposer.update_base(revisions, version)
    if all(each.uuid != on.uuid for each in place.describer.objects(base)):
        raise WrongStateError(
            "this annotation is of another object",
            where=uuid_text(base.uuid),
            hint=f"gonk show {place.name} {uuid_text(base.uuid)}",
        )
    return base
