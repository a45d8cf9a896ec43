"""`gonk show`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import click

from gonk_node.cli.bodies_text import brief, changes
from gonk_node.cli.describe import DECISIONS, event_text
from gonk_node.cli.files import check_output, write_output
from gonk_node.cli.label_changes import is_label_set, label_json, label_lines
from gonk_node.cli.pick import pick, version_of
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import safe, size_text, time_text
from gonk_node.core.ids import uuid_text
from gonk_node.node.on_demand import Advance, OnDemand
from gonk_node.replica.reading.queries import Revision
from gonk_node.store.state_schema import ANNOTATION, OBJECT

_SHOWN_MAX = 50  # annotations of one object, in the text form
_BODY_CHARS_MAX = 80


@verb("show")
@dataset_argument
@click.argument("what", metavar="UUID")
@click.option("--save", metavar="FILE", help="Write the content or body into a new FILE; - is standard output.")
def show(run: Run, dataset: str, what: str, save: str | None) -> None:
    """Show all there is about one object, annotation, schema or event.

    UUID is its uuid in DATASET, UUID@VERSION one version of it; unique names of objects and names of schemas do too. It
    shows every version with its status and reviews, the annotations of an object, and which labels a version of a label
    set adds, removes, renames or numbers otherwise. Content that is not on this node is fetched from a peer when it is to
    be saved.
    """
    place = Place(run, dataset)
    revisions, version = pick(place, what)
    chosen = _chosen(revisions, version)
    if save is not None:
        check_output(save, "--save", as_json=run.as_json)
        _save(place, chosen, save)
        return
    if run.as_json:
        run.out.json(_json(place, revisions, chosen))
        return
    _tell(place, revisions, chosen)


def _chosen(revisions: list[Revision], version: int | None) -> Revision:
    """The version that is asked for, else the current one, else the last."""
    if version is not None:
        return version_of(revisions, version)
    return next((each for each in revisions if each.current), revisions[-1])


def _save(place: Place, revision: Revision, target: str) -> None:
    if revision.kind == OBJECT:
        write_output(target, content_of(place, revision))
    else:
        write_output(target, [revision.body or b""])
    if target != "-":
        place.out.note(f"saved {place.describer.title(revision)} version {_number(revision)} as {target}")


def content_of(place: Place, revision: Revision) -> Iterator[bytes]:
    """The bytes of an object; fetched where they are not here."""
    content_id = revision.content_id or b""
    if not place.node.content.has(content_id):
        place.out.note(f"fetching {place.describer.title(revision)} ({size_text(revision.size or 0)})")
        with place.out.progress("content") as advance:
            asyncio.run(_fetch(place, content_id, advance))
    return place.node.content.read(content_id)


async def _fetch(place: Place, content_id: bytes, advance: Advance) -> None:
    on_demand = OnDemand(place.node)
    try:
        await on_demand.fetch(place.replica.dataset, content_id, advance)
    finally:
        await on_demand.close()


def _json(place: Place, revisions: list[Revision], chosen: Revision) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": chosen.type_name,
        "uuid": uuid_text(chosen.uuid),
        "shown": chosen.version,
        "versions": [_version_json(place, each) for each in revisions],
    }
    if chosen.kind == OBJECT:
        found["content_here"] = place.node.content.has(chosen.content_id or b"")
        found["annotations"] = [
            place.describer.json(each) for each in place.queries.hanging.annotations_of(chosen.number)
        ]
        if is_label_set(chosen):
            found["labels"] = label_json(place, chosen)
    elif chosen.kind == ANNOTATION:
        found["conformance"] = place.bodies.conformance(chosen).value
    return found


def _version_json(place: Place, revision: Revision) -> dict[str, Any]:
    deletions = [
        {"event": event_text(ref), "author": place.people.json(author), "decision": DECISIONS[decided]}
        for ref, author, decided in place.queries.deletions_of(revision.number)
    ]
    return place.describer.json(revision) | {
        "reviews": place.describer.reviews_json(revision.number),
        "deletions": deletions,
    }


def _tell(place: Place, revisions: list[Revision], chosen: Revision) -> None:
    out = place.out
    rows = [(chosen.type_name, place.describer.title(chosen)), ("uuid", uuid_text(chosen.uuid))]
    rows += [("version", f"{_number(chosen)}: {place.describer.status(chosen)}"), ("event", chosen.event)]
    if chosen.kind == OBJECT:
        here = "here" if place.node.content.has(chosen.content_id or b"") else "not on this node"
        rows += [
            ("type", chosen.media_type or ""),
            ("size", size_text(chosen.size or 0)),
            ("sha256", (chosen.sha256 or b"").hex()),
            ("content", here),
        ]
    elif chosen.kind == ANNOTATION:
        schema = place.describer.schema(chosen)
        fits = place.bodies.conformance(chosen).value
        rows.append(("schema", "not here" if schema is None else f"{schema.name} version {schema.version} ({fits})"))
        rows += [
            ("object", f"{place.describer.title(each)}  {uuid_text(each.uuid)}@{each.version}")
            for each in place.describer.objects(chosen)
        ]
        rows.append(("body", (chosen.body or b"").decode(errors="replace")))
        base = None if chosen.base is None else place.queries.by_number(ANNOTATION, chosen.base)
        if base is not None:
            rows.append(("changes", "; ".join(changes(base.body or b"", chosen.body or b""))))
    out.pairs(rows)
    if is_label_set(chosen):
        out.line()
        for line in label_lines(place, chosen):
            out.line(line)
    out.line()
    out.table(["version", "status", "by", "time (UTC)", "event"], [_version_row(place, each) for each in revisions])
    _tell_reviews(place, revisions)
    if chosen.kind == OBJECT:
        _tell_annotations(place, chosen)


def _number(revision: Revision) -> str:
    """Its version; "-" while it waits for what is not here."""
    return "-" if revision.version is None else str(revision.version)


def _version_row(place: Place, revision: Revision) -> list[str]:
    version = _number(revision)
    who, when = place.people.who(revision.author), time_text(revision.time_ms)
    return [version, place.describer.status(revision), who, when, revision.event]


def _tell_reviews(place: Place, revisions: list[Revision]) -> None:
    for revision in revisions:
        deletions = [
            (ref, f"deletion of version {_number(revision)}") for ref, *_ in place.queries.deletions_of(revision.number)
        ]
        for ref, what in [(revision.ref, f"version {_number(revision)}"), *deletions]:
            number = place.queries.number_of(ref)
            for _, author, decision, comment, time_ms in place.queries.reviews_of(number or 0):
                said = f": {safe(comment)}" if comment else ""
                who = place.people.who(author)
                place.out.line(f"{time_text(time_ms)}  {what} {DECISIONS[decision]} by {who}{said}")


def _tell_annotations(place: Place, chosen: Revision) -> None:
    found = place.queries.hanging.annotations_of(chosen.number)
    if not found:
        place.out.line("no annotations")
        return
    place.out.line()
    rows = [
        [
            uuid_text(each.uuid),
            _number(each),
            place.describer.status(each),
            place.describer.schema_name(each),
            brief(each.body or b"", _BODY_CHARS_MAX),
        ]
        for each in found[:_SHOWN_MAX]
    ]
    place.out.table(["annotation", "version", "status", "schema", "body"], rows)
    if len(found) > _SHOWN_MAX:
        place.out.note(f"and {len(found) - _SHOWN_MAX} more; --json shows all")
