"""`gonk import DATASET gonk FOLDER`: what it does and tells; the command itself is in `import_cmd`."""

from __future__ import annotations

from pathlib import Path

from gonk_node.cli.place import Place
from gonk_node.cli.text import plural
from gonk_node.errors import InputFileError
from gonk_node.formats.gonk.folder import GonkFolder
from gonk_node.replica.exchange.importing_gonk import GonkReport, ImportingGonk

_SORTS = (
    ("object", "objects"),
    ("schema", "schemas"),
    ("annotation", "annotations"),
    ("deletion", "deletions"),
    ("review", "reviews"),
)


def import_gonk(place: Place, source: Path) -> None:
    """Import a folder of Gonk 0.1.4, and tell what came of it."""
    folder = GonkFolder(source)
    with place.out.progress("importing") as advance:
        report = ImportingGonk(place.author, place.node.content, advance).run(folder)
    if place.run.as_json:
        place.out.json(report.as_dict())
    for line in report.loss.lines():
        place.out.note(line)
    if report.loss.problems and not report.added.total() and not report.known.total():
        first = report.loss.problems[0]
        raise InputFileError(f"nothing could be imported: {first.what}", where=first.place)
    if not place.run.as_json:
        _tell(place, report)


def _tell(place: Place, report: GonkReport) -> None:
    out = place.out
    rows = [[many, f"{report.added[one]:,}", f"{report.known[one]:,}"] for one, many in _SORTS]
    out.table(["", "added", "were there"], rows)
    out.note(
        f"the log of Gonk is verified: {plural(report.events, 'event')} by {', '.join(report.authors) or 'nobody'}"
    )
    if report.log_uuid:
        out.note(f"it is kept as an object, which says who did what when: gonk show {place.name} {report.log_uuid}")
    if report.approvals_short:
        short = plural(report.approvals_short, "more person", "more people")
        out.note(f"what Gonk's owners accepted counts once {short} accept it here")
        out.next(f"gonk review {place.name} list")
