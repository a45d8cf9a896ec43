"""`gonk revert`."""

from __future__ import annotations

from typing import Any

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural, time_text
from gonk_node.core.events import ACCEPT
from gonk_node.core.ids import EventRef, uuid_text
from gonk_node.core.times import parse_time
from gonk_node.errors import RefusedError
from gonk_node.replica.queries import Revision
from gonk_node.replica.reverting import Chosen, Plan, Reverting, Step, find_entry
from gonk_node.store.state_schema import OBJECT

_SHOWN_MAX = 50  # steps, in the text form
_PARTIAL = 6
_OTHERS = {
    "reviews": ("review", "gonk review DATASET accept|reject EVENT --supersede"),
    "acts": ("change of roles", "gonk owner remove, gonk reviewer remove"),
    "releases": ("release", ""),
}


@verb("revert")
@dataset_argument
@click.option("--author", metavar="KEY", help="What this key proposed: all of it, or its first 8 digits or more.")
@click.option("--entry", metavar="ENTRY", help="What was proposed in this entry: its id, as gonk log shows it.")
@click.option("--since", metavar="TIME", help="What was proposed at that time (UTC) or later, as its author states.")
@click.option("--dry-run", is_flag=True, help="Only show what would be proposed; nothing is signed.")
@click.option("--accept", is_flag=True, help="Accept what is proposed at once, if you may review.")
@click.option("--comment", default="", metavar="TEXT", help="For the review that --accept signs.")
def revert(
    run: Run,
    dataset: str,
    author: str | None,
    entry: str | None,
    since: str | None,
    dry_run: bool,
    accept: bool,
    comment: str,
) -> int:
    """Propose to undo what somebody did, and others accepted.

    Of DATASET it takes what all the options given choose. An accepted version is undone by proposing to delete it: the one
    before it is then current again. A deletion is undone by proposing the deleted version once more, as a new version; the
    annotations of an object stay with the deleted one. What others built on is left as it is, and listed. What nobody has
    accepted needs no undoing: reject it. Reviews and roles are not undone; who reviewed a deletion can also take that back,
    and the version is as it was: gonk review DATASET reject EVENT --supersede. Exit code 6: some of it could not be proposed.
    """
    place = Place(run, dataset)
    chosen = Chosen(
        None if author is None else place.people.find(author),
        None if entry is None else find_entry(place.replica.db, entry),
        None if since is None else parse_time(since),
    )
    key = place.node.author_key
    reverting = Reverting(
        place.queries, place.replica.db, lambda other: other == key or place.people.role(other) is not None
    )
    plan = reverting.plan(chosen)
    if accept and plan.steps and not dry_run:
        place.governor.check_reviewer()
    refs: list[EventRef] = []
    refused: list[tuple[Step, RefusedError]] = []
    if plan.steps and not dry_run:
        refs, refused = reverting.sign(plan, place.author)
    accepted = place.governor.review(ACCEPT, refs, comment).events if accept and refs else []
    if run.as_json:
        run.out.json(_json(place, plan, refs, refused, accepted))
    else:
        _tell(place, plan)
        _tell_signed(place, refs, refused, accepted, dry_run=dry_run)
    if not refused:
        return 0
    return _PARTIAL if refs else refused[0][1].exit_code


# --- for people -----------------------------------------------------------------------------------------


def _tell(place: Place, plan: Plan) -> None:
    out = place.out
    rows = [
        [
            "restore" if step.is_restore else "delete",
            step.revision.type_name,
            place.describer.title(step.revision),
            f"{uuid_text(step.revision.uuid)}@{step.revision.version}",
            place.people.who(step.revision.author),
            time_text(step.revision.time_ms),
            "; ".join(_notes(step)),
        ]
        for step in plan.steps[:_SHOWN_MAX]
    ]
    if rows:
        out.table(["what to do", "with", "what", "version", "by", "time (UTC)", ""], rows)
    if len(plan.steps) > _SHOWN_MAX:
        out.note(f"and {len(plan.steps) - _SHOWN_MAX:,} more; --json shows all")
    for kept in plan.kept[:_SHOWN_MAX]:
        out.note(f"left as it is: {_named(place, kept.revision)}: {kept.why}")
    if len(plan.kept) > _SHOWN_MAX:
        out.note(f"and {len(plan.kept) - _SHOWN_MAX:,} more are left as they are; --json shows all")
    if plan.asked:
        out.note(f"{plural(plan.asked, 'undoing is', 'undoings are')} proposed already")
    if plan.undecided:
        out.note(
            f"{plural(plan.undecided, 'proposal waits', 'proposals wait')} to be decided, and can be rejected instead"
        )
        out.next(f"gonk review {place.name} list")
    for table, count in plan.others.items():
        what, how = _OTHERS[table]
        out.note(f"not undone: {plural(count, what)}{f' ({how})'.replace('DATASET', place.name) if how else ''}")


def _notes(step: Step) -> list[str]:
    notes = []
    if step.is_restore and step.revision.kind == OBJECT:
        notes.append("as a new version, without the annotations of this one")
    elif step.is_restore:
        notes.append("as a new version")
    if step.waiting:
        notes.append(f"{plural(step.waiting, 'proposal of others needs', 'proposals of others need')} it")
    return notes


def _named(place: Place, revision: Revision) -> str:
    title = place.describer.title(revision)
    return f"{revision.type_name} {title} {uuid_text(revision.uuid)}@{revision.version}"


def _tell_signed(
    place: Place,
    refs: list[EventRef],
    refused: list[tuple[Step, RefusedError]],
    accepted: list[EventRef],
    *,
    dry_run: bool,
) -> None:
    out = place.out
    for step, error in refused[:_SHOWN_MAX]:
        out.note(f"not proposed: {_named(place, step.revision)}: {error.what}")
    if dry_run:
        out.note("nothing was signed")
    elif not refs:
        out.note("nothing to undo; nothing was signed")
    else:
        out.line(f"proposed {plural(len(refs), 'change')}" + (f", accepted {len(accepted)}" if accepted else ""))
        if not accepted:
            place.next_after_proposing()


# --- as JSON --------------------------------------------------------------------------------------------


def _json(
    place: Place,
    plan: Plan,
    refs: list[EventRef],
    refused: list[tuple[Step, RefusedError]],
    accepted: list[EventRef],
) -> dict[str, Any]:
    return {
        "steps": [
            {
                "action": "restore" if step.is_restore else "delete",
                "revision": place.describer.json(step.revision),
                "waiting": step.waiting,
            }
            for step in plan.steps
        ],
        "kept": [{"revision": place.describer.json(kept.revision), "why": kept.why} for kept in plan.kept],
        "asked": plan.asked,
        "undecided": plan.undecided,
        "not_undone": plan.others,
        "proposed": [event_text(ref) for ref in refs],
        "refused": [
            {"event": step.revision.event, "error": place.run.named(error).as_dict()} for step, error in refused
        ],
        "accepted": [event_text(ref) for ref in accepted],
    }
