"""`gonk list`."""

from __future__ import annotations

from itertools import islice

import click

from gonk_node.cli.describe import Describer
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import size_text, time_text
from gonk_node.core.ids import uuid_text
from gonk_node.core.limits import INT_MAX
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.replica.releases.releases import Releases
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA, TABLES

STATUSES = ("current", "accepted", "pending", "rejected", "deleted", "deprecated", "waiting")
_KINDS = dict(zip(TABLES, (OBJECT, ANNOTATION, SCHEMA), strict=True))
_COLUMNS = {
    OBJECT: ("uuid", "version", "status", "name", "type", "size", "by", "time (UTC)"),
    ANNOTATION: ("uuid", "version", "status", "schema", "object", "by", "time (UTC)"),
    SCHEMA: ("uuid", "version", "status", "name", "by", "time (UTC)"),
}


@verb("list")
@dataset_argument
@click.argument("kind", metavar="KIND", type=click.Choice(TABLES))
@click.option("--status", type=click.Choice(STATUSES), help="Only versions with this status; they overlap.")
@click.option("--author", metavar="KEY", help="Only what this key proposed: all of it, or its first 8 digits or more.")
@click.option("--at", metavar="TAG|TIME", help="As it was in a release, or at a time (UTC) that authors state.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, INT_MAX), help="How many at most.")
@click.option(
    "--after",
    default=0,
    metavar="CURSOR",
    type=click.IntRange(0, INT_MAX),
    help="Go on behind the last one of the page before.",
)
def list_(
    run: Run, dataset: str, kind: str, status: str | None, author: str | None, at: str | None, limit: int, after: int
) -> None:
    """List objects, annotations or schemas.

    KIND is objects, annotations or schemas of DATASET. Each version is a line, in the order in which they came to this
    node. What strangers proposed is marked, and counts for nothing until it is accepted. With --at, it is what the
    entries up to a release, or up to a time, say; what was erased since is not shown.
    """
    place = Place(run, dataset)
    key = None if author is None else place.people.find(author)
    if at is None:
        _show(place, place.queries, kind, status, key, limit, after)
        return
    with run.out.progress("State") as advance, Releases(place.replica).at(at, advance) as snapshot:
        _show(place, snapshot.queries, kind, status, key, limit, after)


def _show(
    place: Place, queries: Queries, kind: str, status: str | None, author: bytes | None, limit: int, after: int
) -> None:
    run, describer = place.run, Describer(queries, place.people)
    found = queries.page(_KINDS[kind], status, author=author, after=after, limit=limit + 1)
    cursor = found[limit - 1].number if len(found) > limit else None
    found = list(islice(found, limit))
    if run.as_json:
        run.out.json({kind: [describer.json(each) for each in found], "next": cursor})
        return
    if found:
        run.out.table(_COLUMNS[_KINDS[kind]], [_row(place, describer, each) for each in found])
    else:
        run.out.note(f"no {kind}" + (f" that are {status}" if status else "") + f" in {place.name}")
    if cursor is not None:
        run.out.note(f"there are more: --after {cursor}")


def _row(place: Place, describer: Describer, revision: Revision) -> list[str]:
    version = "-" if revision.version is None else str(revision.version)
    row = [uuid_text(revision.uuid), version, describer.status(revision)]
    if revision.kind == OBJECT:
        row += [describer.title(revision), revision.media_type or "", size_text(revision.size or 0)]
    elif revision.kind == ANNOTATION:
        row += [describer.schema_name(revision), _objects(describer, revision)]
    else:
        row.append(describer.title(revision))
    return [*row, place.people.who(revision.author), time_text(revision.time_ms)]


def _objects(describer: Describer, annotation: Revision) -> str:
    objects = describer.objects(annotation)
    if not objects:
        return "-"
    more = f" and {len(objects) - 1} more" if len(objects) > 1 else ""
    return describer.title(objects[0]) + more
