"""`gonk import`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural, safe
from gonk_node.errors import InputFileError
from gonk_node.formats import IMPORTERS
from gonk_node.formats.images import folder_beside
from gonk_node.replica.importing import Importing, ImportReport


@verb("import")
@dataset_argument
@click.argument("format_name", metavar="FORMAT", type=click.Choice(sorted(IMPORTERS)))
@click.argument("source", metavar="PATH", type=click.Path(path_type=Path))
@click.option(
    "--images",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="The folder with the image files, if it is not called images or JPEGImages and beside PATH.",
)
def import_(run: Run, dataset: str, format_name: str, source: Path, images: Path | None) -> None:
    """Propose objects and annotations from another program's files.

    FORMAT is coco (PATH is its JSON file) or voc (PATH is the folder with its XML files). They go into DATASET. Schemas
    that are missing there are proposed too. Importing the same files again adds nothing, and finishes what was
    interrupted. What cannot be taken is listed with its place, and the rest is imported; the exit code is then 0 too,
    but 1 if nothing at all could be taken.
    """
    place = Place(run, dataset)
    folder = images or folder_beside(source)
    if folder is None:
        run.out.note("no folder with images: annotations are put on objects of the same name")
    with run.out.progress("importing") as advance:
        importing = Importing(place.author, place.node.content, lambda report: advance(_count(report), 0))
        report = importing.run(IMPORTERS[format_name](source, folder))
    if run.as_json:
        run.out.json(asdict(report))
    for problem in report.problems:
        run.out.note(f"{safe(problem.place)}: {safe(problem.what)}")
    if not _count(report) and report.problems:
        first = report.problems[0]
        raise InputFileError(f"nothing could be imported: {first.what}", where=first.place or str(source))
    if not run.as_json:
        _tell(place, report)


def _tell(place: Place, report: ImportReport) -> None:
    out = place.out
    out.table(
        ["", "proposed", "were there"],
        [
            ["objects", f"{report.objects:,}", f"{report.objects_known:,}"],
            ["annotations", f"{report.annotations:,}", f"{report.annotations_known:,}"],
        ],
    )
    for name in report.schemas:
        out.note(f"proposed the schema {name}, which was missing")
    if report.problems:
        lost = f", among them images or schemas with {plural(report.left_out, 'annotation')}" if report.left_out else ""
        out.note(f"left out: {plural(len(report.problems), 'problem')}, listed above{lost}")
    if report.objects or report.annotations:
        place.next_after_proposing()


def _count(report: ImportReport) -> int:
    return report.objects + report.objects_known + report.annotations + report.annotations_known
