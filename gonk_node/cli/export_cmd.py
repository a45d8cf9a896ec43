"""`gonk export`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural
from gonk_node.formats.export import EXPORTERS
from gonk_node.node.on_demand import BlockingOnDemand
from gonk_node.replica.exporting import export, frozen
from gonk_node.replica.queries import Queries
from gonk_node.replica.releases import Releases


@contextlib.contextmanager
def _state(place: Place, tag: str | None) -> Iterator[Queries]:
    if tag is None:
        with frozen(place.replica) as queries:
            yield queries
        return
    with place.out.progress("State of the release") as advance:
        snapshot = Releases(place.replica).snapshot_of(tag, progress=advance)
    with snapshot:
        yield snapshot.queries


@verb("export")
@dataset_argument
@click.argument("format_name", metavar="FORMAT", type=click.Choice(sorted(EXPORTERS)))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--release", "tag", metavar="TAG", help="What that release lists, instead of what counts now; it is verified."
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
    """Write what is accepted in another program's format.

    FORMAT is jsonl (gonk's own, which carries every schema), csv (of labels), imagefolder (a folder for each
    class), label-studio (tasks, and the labelling config for them), coco, voc, or yolo-detect, yolo-segment,
    yolo-pose, yolo-obb, yolo-classify. OUT is the folder to make; it appears when all of it is written. Only
    objects and annotations that are current in DATASET are written. Two nodes that hold the same entries, or the
    same release, write the same bytes. Images that are not on this node are fetched from its peers. At the end it
    says what the format could not carry.
    """
    place = Place(run, dataset)
    on_demand = BlockingOnDemand(place.node)
    try:
        with _state(place, tag) as queries, run.out.progress("exporting") as advance:
            report = export(
                queries,
                place.node.content,
                format_name,
                target,
                images=images == "copy",
                replace=replace,
                fetch=lambda content_id: on_demand.fetch(place.replica.dataset, content_id),
                progress=advance,
            )
    finally:
        on_demand.close()
    if run.as_json:
        run.out.json(report.as_dict())
        return
    for line in report.loss.lines():
        run.out.note(line)
    told = f"{plural(report.objects, 'object')} and {plural(report.annotations, 'annotation')}"
    run.out.line(f"read {told}; wrote {plural(report.files, 'file')}, {report.bytes:,} bytes, into {target}")
