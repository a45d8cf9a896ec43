"""`gonk release create | list | show | verify | diff`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import click

from gonk_node.cli.files import check_output, write_output
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural, time_text
from gonk_node.core.ids import is_uuid, uuid_text
from gonk_node.core.times import is_time, time_json
from gonk_node.replica.history.standing import Undecided, undecided
from gonk_node.replica.releases.diff import Difference, Listed
from gonk_node.replica.releases.releases import Release, Releases
from gonk_node.state import release_notes
from gonk_node.state.manifest import ListedObject, Summary
from gonk_node.state.releases import tag_text

_SHOWN_MAX = 100  # differences, in the text form


@click.group("release")
def release() -> None:
    """Make, list, verify and compare releases: named states of a dataset that anybody can check."""


@verb("create")
@dataset_argument
@click.argument("tag", metavar="TAG")
@click.option("--notes", default="", metavar="TEXT", help="What is in it; everybody in the dataset can read it.")
@click.option(
    "--license",
    "licence",
    default="",
    metavar="ID|URL",
    help="Its licence: the id of SPDX, such as CC-BY-4.0, or the address of its text.",
)
@click.option("--url", default="", metavar="URL", help="Where the dataset is found.")
@click.option("--keyword", "keywords", multiple=True, metavar="WORD", help="By which it is found; may be given again.")
def create(run: Run, dataset: str, tag: str, notes: str, licence: str, url: str, keywords: tuple[str, ...]) -> None:
    """Sign a release of what counts in DATASET now; owners only.

    TAG is what it is called, such as v1.0; never a UUID or a time, which mean something else. In it is every object that
    counts, and every annotation that counts, fits its schema and hangs on such objects; without any it is refused. It never
    changes: what is accepted, deleted or arrives later is not in it. Licence, address and keywords are signed with it,
    as lines at the end of its notes; they get into the files that gonk export --release writes for citing it.
    """
    notes = release_notes.compose(notes, licence=licence, url=url, keywords=keywords)
    place = Place(run, dataset)
    with run.out.progress("State") as advance:
        made = Releases(place.replica).create(place.author, tag, notes, advance)
    left = undecided(place.replica)
    if run.as_json:
        pending = {"members": left.members, "strangers": left.strangers}
        run.out.json(_json(place, made) | {"pending": pending, "conflicts": left.conflicts})
        return
    run.out.line(made.event)
    run.out.note(f"released {tag}: {_counts(made.summary)}")
    if made.summary.left_out:
        run.out.next(f"gonk release show {place.name} {tag} --manifest -    (lines that begin with left-out say why)")
    _tell_undecided(place, left)
    place.next_spreading("others can verify it once they have it")


def _tell_undecided(place: Place, left: Undecided) -> None:
    """What is not in a release because nobody has decided it."""
    if left.members or left.strangers:
        strangers = f", {plural(left.strangers, 'proposal')} of strangers" if left.strangers else ""
        place.out.note(f"nobody has decided, so not in it: {plural(left.members, 'proposal')}{strangers}")
        place.out.next(f"gonk review {place.name} list")
    if left.conflicts:
        place.out.note(f"{plural(left.conflicts, 'conflict is', 'conflicts are')} open; what counts for now is in it")
        place.out.next(f"gonk conflicts {place.name}")


@verb("list")
@dataset_argument
def list_(run: Run, dataset: str) -> None:
    """List the releases of DATASET, oldest first.

    Only those that an owner signed. Nothing is verified here: gonk release verify does that.
    """
    place = Place(run, dataset)
    found = Releases(place.replica).all()
    if run.as_json:
        run.out.json([_json(place, each) for each in found])
        return
    if not found:
        run.out.note(f"{place.name} has no releases")
        return
    columns = ("tag", "objects", "annotations", "left out", "by", "time (UTC)", "event")
    run.out.table(columns, [_row(place, each) for each in found])


def _row(place: Place, found: Release) -> list[str]:
    tag = tag_text(found.tag) + ("" if found.is_named else f" ({_unnamed(found)})")
    counts = (found.summary.objects, found.summary.annotations, found.summary.left_out)
    who, when = place.people.who(found.author), time_text(found.time_ms)
    return [tag, *[f"{number:,}" for number in counts], who, when, found.event]


def _unnamed(found: Release) -> str:
    """Why the tag of a release does not mean it."""
    if is_uuid(found.tag) or is_time(found.tag):
        return "reads as something else"
    return "another one has the tag"


@verb("show")
@dataset_argument
@click.argument("tag", metavar="TAG")
@click.option(
    "--manifest", metavar="FILE", help="Verify it, and write its manifest into a new FILE; - is standard output."
)
def show(run: Run, dataset: str, tag: str, manifest: str | None) -> None:
    """Show what the release TAG of DATASET says: counts, manifest hash, heads, licence, notes.

    TAG may also be the uuid of a release's event. The manifest has a line for each object and annotation, with its
    hashes.
    """
    place = Place(run, dataset)
    releases = Releases(place.replica)
    if manifest is not None:
        check_output(manifest, "--manifest", as_json=run.as_json)
        with run.out.progress("State") as advance, releases.snapshot_of(tag, progress=advance) as snapshot:
            write_output(manifest, snapshot.manifest().lines())
        if manifest != "-":
            run.out.note(f"{tag} is what it says; its manifest is saved as {manifest}")
        return
    found = releases.find(tag)
    if run.as_json:
        heads = [
            {"author": head.author.hex(), "log_id": head.log_id.hex(), "seq": head.seq, "entry": head.entry_id.hex()}
            for head in found.heads
        ]
        run.out.json(_json(place, found) | {"heads": heads})
        return
    rows = [("release", tag_text(found.tag)), ("event", found.event), ("by", place.people.who(found.author))]
    rows += [("time (UTC)", time_text(found.time_ms)), ("holds", _counts(found.summary))]
    rows += [("manifest", found.summary.hash.hex()), ("stands on", plural(len(found.heads), "log"))]
    if not found.is_named:
        rows.append(("tag", f"does not mean it, but its event does: {_unnamed(found)}"))
    notes = release_notes.parse(found.notes)
    said = [("licence", notes.licence), ("url", notes.url), ("keywords", ", ".join(notes.keywords))]
    run.out.pairs([*rows, *(pair for pair in said if pair[1]), ("notes", notes.text)])


@verb("verify")
@dataset_argument
@click.argument("tag", metavar="TAG")
def verify(run: Run, dataset: str, tag: str) -> None:
    """Check the release TAG of DATASET against this node's own log.

    The State at the release's heads is derived anew from the signed entries alone, and its manifest must have the hash
    that was signed. Ends with exit code 4, and the reason, where it is not so.
    """
    place = Place(run, dataset)
    with run.out.progress("State") as advance:
        release_, events = Releases(place.replica).verify(tag, advance)
    if run.as_json:
        run.out.json(_json(place, release_) | {"verified": True, "events": events})
        return
    run.out.line(release_.summary.hash.hex())
    who = place.people.who(release_.author)
    run.out.note(
        f"{tag_text(release_.tag)} by {who} is what it says: {_counts(release_.summary)}, from {plural(events, 'event')}"
    )


@verb("diff")
@dataset_argument
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
def diff(run: Run, dataset: str, one: str, other: str) -> None:
    """List what the release B of DATASET has added, removed or changed since A.

    Both are verified first. An annotation that is left out of a release counts as not in it.
    """
    place = Place(run, dataset)
    with run.out.progress("State") as advance:
        found = Releases(place.replica).diff(one, other, advance)
        if run.as_json:
            run.out.json([_difference_json(each) for each in found])
            return
        _tell(run, found)


def _tell(run: Run, found: Iterable[Difference]) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    rows: list[list[str]] = []
    for each in found:
        kind = _kind(each.item)
        counts[each.change, kind] += 1
        if len(rows) < _SHOWN_MAX:
            rows.append([each.change, kind, uuid_text(each.item.uuid), _version(each.before), _version(each.after)])
            rows[-1].append(each.item.name if isinstance(each.item, ListedObject) else each.item.schema_name)
    if not counts:
        run.out.note("both have the same objects and annotations")
        return
    run.out.table(("change", "type", "uuid", "was", "is", "name or schema"), rows)
    if counts.total() > len(rows):
        run.out.note(f"and {counts.total() - len(rows):,} more; --json shows all")
    run.out.note(", ".join(f"{plural(count, kind)} {change}" for (change, kind), count in sorted(counts.items())))


def _kind(item: Listed) -> str:
    return "object" if isinstance(item, ListedObject) else "annotation"


def _version(item: Listed | None) -> str:
    return "-" if item is None else str(item.version)


def _difference_json(difference: Difference) -> dict[str, Any]:
    return {
        "change": difference.change,
        "type": _kind(difference.item),
        "uuid": uuid_text(difference.item.uuid),
        "before": _item_json(difference.before),
        "after": _item_json(difference.after),
    }


def _item_json(item: Listed | None) -> dict[str, Any] | None:
    if item is None:
        return None
    found: dict[str, Any] = {
        name: value.hex() if isinstance(value, bytes) else value for name, value in item._asdict().items()
    }
    found["uuid"] = uuid_text(item.uuid)
    if not isinstance(item, ListedObject):
        found["schema_uuid"] = uuid_text(item.schema_uuid)
        found["objects"] = [{"uuid": uuid_text(uuid), "version": version} for uuid, version in item.objects]
    return found


def _counts(summary: Summary) -> str:
    text = f"{plural(summary.objects, 'object')}, {plural(summary.annotations, 'annotation')}"
    return f"{text}, {summary.left_out:,} left out" if summary.left_out else text


def _json(place: Place, found: Release) -> dict[str, Any]:
    notes = release_notes.parse(found.notes)
    return {
        "tag": found.tag,
        "event": found.event,
        "author": place.people.json(found.author),
        "time": time_json(found.time_ms),
        "notes": found.notes,
        "license": notes.licence or None,
        "url": notes.url or None,
        "keywords": notes.keywords,
        "manifest_hash": found.summary.hash.hex(),
        "objects": found.summary.objects,
        "annotations": found.summary.annotations,
        "left_out": found.summary.left_out,
        "named_by_tag": found.is_named,
    }


for _command in (create, list_, show, verify, diff):
    release.add_command(_command)
