"""`gonk import`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gonk_node.cli.import_gonk import import_gonk
from gonk_node.cli.output import Output
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural
from gonk_node.errors import InputFileError, UsageError
from gonk_node.formats import IMAGES_BESIDE, IMPORTERS, catalogue
from gonk_node.formats.images import folder_beside
from gonk_node.replica.exchange.import_report import ImportReport
from gonk_node.replica.exchange.importing import Importing

_HELP = f"""Propose objects and annotations from another program's files.

They go into DATASET. Schemas that are missing there are proposed too, and labels that the files declare. Importing the
same files again adds nothing, and finishes what was interrupted. What cannot be taken is listed with its place, and
the rest is imported; the exit code is then 0 too, but 1 if nothing at all could be taken.

FORMAT says what PATH is:

{catalogue.import_help()}

or gonk: the folder of a dataset of Gonk 0.1.4, which comes over with its whole history and reviews, by those who may
review.
"""


@verb("import", help=_HELP)
@dataset_argument
@click.argument("format_name", metavar="FORMAT", type=click.Choice(sorted([*IMPORTERS, "gonk"])))
@click.argument("source", metavar="PATH", type=click.Path(path_type=Path))
@click.option(
    "--images",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="The folder with the image files, if it is not where the format has it: images or JPEGImages, beside PATH.",
)
def import_(run: Run, dataset: str, format_name: str, source: Path, images: Path | None) -> None:
    """Read the files, propose what they hold, and tell what became of it."""
    place = Place(run, dataset)
    if format_name == "gonk":
        if images is not None:
            raise UsageError("a folder of Gonk has the bytes of its objects itself", hint="leave out --images")
        import_gonk(place, source)
        return
    takes = f"{format_name} takes {catalogue.path_of(format_name)}"
    if not os.path.lexists(source):
        raise InputFileError("there is no such file or folder", where=str(source), hint=takes)
    beside = format_name in IMAGES_BESIDE
    folder = images or (folder_beside(source) if beside else None)
    if folder is None and beside:
        run.out.note("no folder with images: annotations of images are put on objects of the same name")
    importing = Importing(place.author, place.node.content, lambda report: advance(report.taken, 0))
    with _when_stopped(run.out, importing.report), run.out.progress("importing") as advance:
        try:
            report = importing.run(IMPORTERS[format_name](source, folder))
        except InputFileError as error:
            error.hint = error.hint or takes
            raise
    if run.as_json:
        run.out.json(report.as_dict())
    for line in report.loss.lines():
        run.out.note(line)
    if not report.taken and report.loss.problems:
        first = report.loss.problems[0]
        hint = "if the image files are elsewhere: --images FOLDER" if beside else None
        raise InputFileError(f"nothing could be imported: {first.what}", where=first.place or str(source), hint=hint)
    if not run.as_json:
        _tell(place, report)
    if report.broken is not None:
        report.broken.hint = "what came before this is proposed; once the file is whole, the same command adds the rest"
        raise report.broken


@contextmanager
def _when_stopped(out: Output, report: ImportReport) -> Iterator[None]:
    """Say what becomes of what was proposed before Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        if report.objects or report.annotations:
            out.note("what was proposed so far stays; the same command goes on from there")
        raise


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
    for name in report.label_sets:
        out.note(f"proposed the labels that {name} lacked: gonk labels {place.name} list, once they are accepted")
    if report.loss.problems:
        lost = f", among them images or schemas with {plural(report.left_out, 'annotation')}" if report.left_out else ""
        out.note(f"left out: {plural(report.loss.problem_count, 'problem')}, listed above{lost}")
    if report.objects or report.annotations:
        place.next_after_proposing()
