"""`gonk labels DATASET list | set | rename`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.files import place_in, read_input
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.show_cmd import content_of
from gonk_node.cli.text import plural
from gonk_node.core.ids import EventRef, uuid_text
from gonk_node.core.limits import LABEL_SET_BYTES_MAX
from gonk_node.errors import NonconformingError, NotFoundError, UsageError
from gonk_node.formats.label_set import LabelSet
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.signing.labelling import label_set_to_build_on, proposal
from gonk_node.replica.signing.labels import find, read
from gonk_node.replica.signing.proposing import full_schema_name
from gonk_node.store.state_schema import SCHEMA

_WORDS = {  # how many words each action takes
    "list": (range(2), "gonk labels {} list [SCHEMA]"),
    "set": (range(1, 2), "gonk labels {} set FILE"),
    "rename": (range(3, 4), "gonk labels {} rename SCHEMA ID NAME"),
}


@verb("labels")
@dataset_argument
@click.argument("action", metavar="ACTION", type=click.Choice(tuple(_WORDS)))
@click.argument("words", metavar="[WORD]...", nargs=-1)
def labels(run: Run, dataset: str, action: str, words: tuple[str, ...]) -> None:
    """List the labels of a dataset, set those of a schema, or rename one.

    ACTION says what to do with DATASET, and each WORD what with: `list [SCHEMA]` shows the labels that count, of all
    schemas or of one; `set FILE` proposes the label set in FILE (- is standard input) for the schema that it names;
    `rename SCHEMA ID NAME` proposes that the label ID of SCHEMA is called NAME.

    Annotations carry the id of a label, so no annotation changes by any of this; exports write the name. What is set or
    renamed counts once it is accepted. gonk schema show label-set prints the form of FILE.
    """
    place = Place(run, dataset)
    counts, usage = _WORDS[action]
    if len(words) not in counts:
        raise UsageError(f"{action} takes other words than these", where=" ".join(words), hint=usage.format(place.name))
    if action == "list":
        _list(place, words)
    elif action == "set":
        _propose(place, _document(words[0]))
    else:
        schema, label_id, name = words
        revision = label_set_to_build_on(place.proposer, schema)
        _propose(place, _read(place, revision, schema)[1].renamed(label_id, name).encode())


def _list(place: Place, words: Sequence[str]) -> None:
    names = words or sorted({each.name or "" for each in place.queries.iterate(SCHEMA, "current")})
    found = [_label_set(place, name) for name in names if words or find(place.queries, name) is not None]
    if place.run.as_json:
        place.out.json([_json(revision, label_set) for revision, label_set in found])
        return
    rows = []
    for _, label_set in found:
        for each in label_set.labels:
            index = "" if each.index is None else str(each.index)
            shown = (each.parent or "", each.colour or "", each.hotkey or "", index)
            rows.append([label_set.schema, each.id, each.name, *shown])
    if rows:
        place.out.table(["schema", "id", "name", "parent", "colour", "hotkey", "index"], rows)
    else:
        place.out.note(f"no label set is accepted in {place.name} yet: labels stand for themselves")
        place.out.next("gonk schema show label-set", f"gonk labels {place.name} set FILE")


def _document(source: str) -> bytes:
    """The bytes of a file, or of standard input for "-", that is a label set; NonconformingError says where it is none."""
    document = read_input(source, bytes_max=LABEL_SET_BYTES_MAX)
    try:
        LabelSet.decode(document)
    except NonconformingError as error:
        error.where = place_in(source, error.where, "label set")
        error.hint = "gonk schema show label-set prints the form that it must have"
        raise
    return document


def _label_set(place: Place, schema: str) -> tuple[Revision, LabelSet]:
    """The label set that counts."""
    return _read(place, find(place.queries, schema), schema)


def _read(place: Place, revision: Revision | None, schema: str) -> tuple[Revision, LabelSet]:
    """The label set that a revision holds; its content is fetched where it is not here."""
    if revision is None:
        raise NotFoundError(
            f"no label set is accepted for {full_schema_name(schema)}", hint=f"gonk labels {place.name} set FILE"
        )
    if not place.node.content.has(revision.content_id or b"") and (revision.size or 0) <= LABEL_SET_BYTES_MAX:
        content_of(place, revision)
    return revision, read(place.node.content, revision, schema)


def _json(revision: Revision, label_set: LabelSet) -> dict[str, Any]:
    shown = [{name: value for name, value in asdict(each).items() if value} for each in label_set.labels]
    for each, label in zip(shown, label_set.labels, strict=True):
        if label.index is not None:  # 0 is an index too
            each["index"] = label.index
    found = {"schema": label_set.schema, "uuid": uuid_text(revision.uuid), "version": revision.version}
    return {**found, "event": revision.event, "labels": shown}


def _propose(place: Place, document: bytes) -> None:
    draft = proposal(place.proposer, place.node.content, document)
    entry = place.author.sign([draft.event], after_ms=draft.after_ms)
    made = EventRef(entry.entry_id, 0)
    if place.run.as_json:
        revision = place.queries.proposal(made)
        place.out.json(None if revision is None else place.describer.json(revision))
        return
    label_set = LabelSet.decode(document)
    place.out.line(event_text(made))
    new = "a new version of the label set" if draft.answer else "a label set"
    place.out.note(f"proposed {new} of {label_set.schema}: {plural(len(label_set.labels), 'label')}")
    place.next_after_proposing(event_text(made))
