"""`gonk conflicts`."""

from __future__ import annotations

from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural, time_text
from gonk_node.core.ids import uuid_text
from gonk_node.errors import ConflictsError


@verb("conflicts")
@dataset_argument
def conflicts(run: Run, dataset: str) -> int:
    """List what has several accepted versions that compete.

    It happens in DATASET when two people change one thing apart from each other and both changes are accepted. One of them
    is current, the same one on every node. To settle it, delete the others, or update the current one and reject the rest.
    Exit code 5 if there are any.
    """
    place = Place(run, dataset)
    found = place.queries.conflicts()
    if run.as_json:
        run.out.json([[place.describer.json(each) for each in rivals] for rivals in found])
        return ConflictsError.exit_code if found else 0
    if not found:
        run.out.note("no conflicts")
        return 0
    rows = [
        [
            each.type_name,
            place.describer.title(each),
            f"{uuid_text(each.uuid)}@{each.version}",
            "current" if each.current else "",
            place.people.who(each.author),
            time_text(each.time_ms),
            each.event,
        ]
        for rivals in found
        for each in rivals
    ]
    run.out.table(["type", "what", "version", "", "by", "time (UTC)", "event"], rows)
    run.out.note(f"{plural(len(found), 'conflict')}")
    other = next(each for each in found[0] if not each.current)
    run.out.next(
        f"gonk review {place.name} reject {other.event} --supersede    (overrules the one that is not current)"
    )
    return ConflictsError.exit_code
