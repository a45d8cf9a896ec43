"""`gonk export`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural
from gonk_node.core.ids import EventRef
from gonk_node.formats import catalogue
from gonk_node.formats.export import EXPORTERS
from gonk_node.formats.export.citing.release_facts import ReleaseFacts
from gonk_node.node.on_demand import BlockingOnDemand
from gonk_node.replica.exchange.exporting import export, frozen
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.releases.citing import release_facts
from gonk_node.replica.releases.releases import Releases

_LACKING = (
    "what the release stands on and was erased since, or is not on this node: a name, or a schema that nothing is of"
)


@contextlib.contextmanager
def _state(place: Place, tag: str | None) -> Iterator[tuple[Queries, ReleaseFacts | None, list[EventRef]]]:
    """What to export, of which release, and the events under it without their bodies, which its manifest does not name."""
    if tag is None:
        with frozen(place.replica) as queries:
            yield queries, None, []
        return
    releases = Releases(place.replica)
    with place.out.progress("State of the release") as advance:
        release = releases.find(tag)
        snapshot = releases.snapshot_of(release.event, progress=advance)  # the same one, whatever comes meanwhile
    with snapshot:
        yield snapshot.queries, release_facts(place.replica, release, snapshot), snapshot.lacking()


_HELP = f"""Write what is accepted in another program's format.

OUT is the folder to make; it appears when all of it is written. Only objects and annotations that are current in
DATASET are written. Two nodes that hold the same entries, or the same release, write the same bytes. Images that are
not on this node are fetched from its peers. At the end it says what the format could not carry.

SHA256SUMS in OUT has the hash of every file: sha256sum -c SHA256SUMS checks them. With --release there are CITATION.cff
and croissant.json too, which say what the dataset is, who made it and under which licence, as far as the release names
one (gonk release create --license).

FORMAT is one of:

{catalogue.export_help()}
"""


@verb("export", help=_HELP)
@dataset_argument
@click.argument("format_name", metavar="FORMAT", type=click.Choice(sorted(EXPORTERS)))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--release",
    "tag",
    metavar="TAG",
    help="What that release lists, instead of what counts now; it is verified. Files that cite it are written too.",
)
@click.option(
    "--images",
    type=click.Choice(["copy", "none"]),
    default="copy",
    show_default=True,
    help="Write the image files too, or the annotations alone.",
)
@click.option(
    "--replace", is_flag=True, help="If OUT is there already, keep it as OUT.1, OUT.2, … and write a new one."
)
def export_(
    run: Run, dataset: str, format_name: str, target: Path, tag: str | None, images: str, replace: bool
) -> None:
    """Write the files, and tell what became of it."""
    place = Place(run, dataset)
    on_demand = BlockingOnDemand(place.node)
    try:
        with _state(place, tag) as (queries, release, lacking), run.out.progress("exporting") as advance:
            report = export(
                queries,
                place.node.content,
                format_name,
                target,
                images=images == "copy",
                replace=replace,
                release=release,
                fetch=lambda content_id: on_demand.fetch(place.replica.dataset, content_id),
                progress=advance,
            )
    finally:
        on_demand.close()
    for ref in lacking:
        report.loss.not_carried(f"event {event_text(ref)}", _LACKING)
    if run.as_json:
        run.out.json(report.as_dict())
        return
    for line in report.loss.lines():
        run.out.note(line)
    told = f"{plural(report.objects, 'object')} and {plural(report.annotations, 'annotation')}"
    run.out.line(f"read {told}; wrote {plural(report.files, 'file')}, {report.bytes:,} bytes, into {target}")
    if report.kept is not None:
        run.out.note(f"what was there before is kept as {target.with_name(report.kept.name)}")
    if tag is None and not report.annotations:
        _tell_what_waits(place)


def _tell_what_waits(place: Place) -> None:
    """Where hardly anything was written, mostly nobody has accepted it yet."""
    waiting = sum(views["pending"] for views in place.queries.counts().values())
    if waiting:
        place.out.note(
            f"only what is accepted is written; {plural(waiting, 'proposal')} of {place.name} may be reviewed"
        )
        place.out.next(f"gonk review {place.name} list")
