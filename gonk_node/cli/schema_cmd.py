"""`gonk schema add | list | show`."""

from __future__ import annotations

from pathlib import Path

import click

from gonk_node import schemas
from gonk_node.cli.describe import event_text, json_body
from gonk_node.cli.files import place_in, read_input
from gonk_node.cli.pick import split_version, version_of
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, complete_dataset, dataset_argument, verb
from gonk_node.cli.text import time_text
from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.ids import EventRef, uuid_text
from gonk_node.core.limits import SCHEMA_BYTES_MAX
from gonk_node.errors import NonconformingError, NotFoundError, UsageError
from gonk_node.replica.signing.proposing import full_schema_name
from gonk_node.store.state_schema import SCHEMA


@click.group("schema")
def schema() -> None:
    """Add, list and show schemas, which say what annotations look like."""


@verb("add")
@dataset_argument
@click.argument("source", metavar="SCHEMA")
@click.option("--name", metavar="NAME", help="What it is to be called, if not as the file.")
@click.option("--update", is_flag=True, help="Propose a new version of a schema that is in the dataset.")
def add(run: Run, dataset: str, source: str, name: str | None, update: bool) -> None:
    """Propose a schema for DATASET.

    SCHEMA is the name of one that ships (gonk schema list shows them), or a file with a JSON Schema, or - for standard
    input. Names begin with schema-, which is put before yours where it is missing.
    """
    document, default = _document(source)
    if name is None and default is None:
        raise UsageError("a schema from standard input needs a name", hint="--name NAME")
    place = Place(run, dataset)
    called = full_schema_name(name or default or "")
    proposer = place.proposer
    try:
        event = proposer.schema_update(called, document) if update else proposer.schema_create(called, document)
    except NonconformingError as error:
        error.where = place_in(source, error.where, "schema")
        raise
    entry = place.author.sign([event], after_ms=proposer.usable_schema(called).time_ms if update else 0)
    made = EventRef(entry.entry_id, 0)
    if run.as_json:
        revision = place.queries.proposal(made)
        run.out.json(None if revision is None else place.describer.json(revision))
        return
    run.out.line(event_text(made))
    run.out.note(f"proposed {called}{' in a new version' if update else ''}")
    place.next_after_proposing(event_text(made))


@verb("list")
@click.argument("dataset", metavar="[DATASET]", required=False, shell_complete=complete_dataset)
def list_(run: Run, dataset: str | None) -> None:
    """List the schemas of DATASET, in all versions; without it, those that ship with gonk."""
    if dataset is None:
        _list_shipped(run)
        return
    place = Place(run, dataset)
    found = list(place.queries.iterate(SCHEMA))
    found.sort(key=lambda each: (each.name or "", each.version is None, each.version or 0))
    if run.as_json:
        run.out.json([place.describer.json(each) for each in found])
        return
    rows = [
        [
            each.name or "",
            "-" if each.version is None else str(each.version),
            place.describer.status(each),
            place.people.who(each.author),
            time_text(each.time_ms),
            uuid_text(each.uuid),
        ]
        for each in found
    ]
    if rows:
        run.out.table(["name", "version", "status", "by", "time (UTC)", "uuid"], rows)
    else:
        run.out.note(f"there is no schema in {place.name} yet")
        run.out.next(f"gonk schema add {place.name} bounding-box")


def _list_shipped(run: Run) -> None:
    found = [(name, schemas.document(name)) for name in schemas.names()]
    if run.as_json:
        keys = {"id": "$id", "title": "title", "description": "description"}
        run.out.json([{"name": name, **{key: each[its] for key, its in keys.items()}} for name, each in found])
        return
    run.out.table(["name", "title"], [[name, each["title"]] for name, each in found])
    run.out.next("gonk schema show NAME", "gonk schema add DATASET NAME")


@verb("show")
@click.argument("words", metavar="[DATASET] NAME", nargs=-1, required=True, shell_complete=complete_dataset)
def show(run: Run, words: tuple[str, ...]) -> None:
    """Print the document of a schema.

    gonk schema show [DATASET] NAME: the schema NAME, or NAME@VERSION, of DATASET; without DATASET the one of that name
    that ships with gonk. The form of label sets is label-set.
    """
    if len(words) > 2:
        raise UsageError("too many names", where=" ".join(words), hint="give a name, or a dataset and a name")
    if len(words) == 2:
        _show(run, *words)
        return
    shipped = words[0].removeprefix(SCHEMA_PREFIX)
    if run.as_json:
        run.out.json({"name": shipped, "document": schemas.document(shipped)})
    else:
        run.out.document(schemas.load(shipped))


def _show(run: Run, dataset: str, name: str) -> None:
    place = Place(run, dataset)
    bare, version = split_version(name)
    found = place.queries.schema(full_schema_name(bare))
    if not found:
        raise NotFoundError(f"there is no schema {full_schema_name(bare)}", hint=f"gonk schema list {place.name}")
    chosen = next((each for each in found if each.current), found[-1])
    if version is not None:
        chosen = version_of(found, version)
    body = chosen.body or b""
    if run.as_json:
        run.out.json(place.describer.json(chosen) | {"document": json_body(body)})
        return
    run.out.note(f"{chosen.name} version {chosen.version}: {place.describer.status(chosen)}")
    run.out.document(body)


def _document(source: str) -> tuple[bytes, str | None]:
    """The bytes of the schema, and the name that it has by itself."""
    shipped = source.removeprefix(SCHEMA_PREFIX)
    if shipped in schemas.names():
        return schemas.load(shipped), shipped
    if source != "-" and not Path(source).exists():
        ships = ", ".join(schemas.names())
        raise NotFoundError(f"{source!r} is no file, and no schema that ships", hint=f"these ship: {ships}")
    return read_input(source, bytes_max=SCHEMA_BYTES_MAX), None if source == "-" else Path(source).stem


for _command in (add, list_, show):
    schema.add_command(_command)
