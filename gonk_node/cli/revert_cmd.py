"""`gonk revert`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural, time_text
from gonk_node.core.events import ACCEPT, OWNER, REVIEWER
from gonk_node.core.ids import EventRef, uuid_text
from gonk_node.core.times import parse_time
from gonk_node.errors import NotAllowedError, RefusedError
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.signing.reverting import Chosen, Plan, Reverting, Step, find_entry

_SHOWN_MAX = 50  # steps, in the text form
_PARTIAL = 6
_OTHERS = {  # one, many, and how else
    "reviews": ("review", "reviews", "gonk review DATASET accept|reject EVENT --supersede"),
    "acts": ("change of roles", "changes of roles", "gonk owner remove, gonk reviewer remove"),
    "releases": ("release", "releases", ""),
}


class _Done(NamedTuple):
    """What became of a plan: the steps proposed now, those refused, the events accepted, and those not, with the reasons."""

    proposed: Sequence[Step] = ()
    refused: Sequence[tuple[Step, RefusedError]] = ()
    accepted: Sequence[EventRef] = ()
    not_accepted: Sequence[tuple[EventRef, RefusedError]] = ()


@verb("revert")
@dataset_argument
@click.option("--author", metavar="KEY", help="What this key proposed: all of it, or its first 8 digits or more.")
@click.option("--entry", metavar="ENTRY", help="What was proposed in this entry: its id, as gonk log shows it.")
@click.option("--since", metavar="TIME", help="What was proposed at that time (UTC) or later, as its author states.")
@click.option("--dry-run", is_flag=True, help="Only show what would be proposed; nothing is signed.")
@click.option("--accept", is_flag=True, help="Accept it at once, with what was proposed before; if you may review.")
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
    before it is then current again. A deletion is undone by proposing the deleted version once more, as a new version; an
    object has its annotations again then. What others built on is left as it is, and listed. What nobody has accepted
    needs no undoing: reject it. Reviews and roles are not undone; who reviewed something, or ranks higher, can take that
    back: gonk review DATASET reject EVENT --supersede. Run again, it goes on: what is proposed already is not proposed
    twice, and --accept accepts it too. Exit code 6: some of it could not be proposed, or not accepted.
    """
    place = Place(run, dataset)
    chosen = Chosen(
        None if author is None else place.people.find(author),
        None if entry is None else find_entry(place.replica.db, entry),
        None if since is None else parse_time(since),
    )
    again = _command(chosen, since)
    key = place.node.author_key
    reverting = Reverting(
        place.queries, place.replica.db, lambda other: other == key or place.people.role(other) is not None
    )
    plan = reverting.plan(chosen)
    done = _Done()
    if not dry_run:
        if accept and (plan.steps or plan.asked):
            _check_reviewer(place, plan, again)
            place.governor.check_comment(comment)
        done = _do(place, reverting, plan, comment, accept=accept)
    if run.as_json:
        run.out.json(_json(place, plan, done))
    else:
        _tell(place, plan)
        _tell_done(place, plan, done, "nothing was signed" if dry_run else None)
        if not (accept or dry_run) and (done.proposed or plan.asked):
            _tell_next(place, again)
    reasons = [error for _, error in (*done.refused, *done.not_accepted)]
    if not reasons:
        return 0
    return _PARTIAL if done.proposed or done.accepted else reasons[0].exit_code


def _do(place: Place, reverting: Reverting, plan: Plan, comment: str, *, accept: bool) -> _Done:
    proposed, refused = reverting.sign(plan, place.author) if plan.steps else ([], [])
    if not accept:
        return _Done(proposed, refused)
    refs = [ref for step in (*plan.asked, *proposed) for ref in step.proposed]
    waiting = [ref for ref in refs if not place.governor.has_reviewed(ref)]
    reviewed = place.governor.review(ACCEPT, waiting, comment)
    return _Done(proposed, refused, reviewed.events, reviewed.refused)


def _check_reviewer(place: Place, plan: Plan, again: str) -> None:
    """NotAllowedError for who may not review; where all is proposed already, it has what others are to run."""
    try:
        place.governor.check_reviewer()
    except NotAllowedError as error:
        if not plan.steps:
            error.hint = f"ask an owner or reviewer to run: {_elsewhere(place, again)}"
        raise


def _command(chosen: Chosen, since: str | None) -> str:
    """The options that choose the same on every node, behind `gonk revert DATASET`, and --accept."""
    given = (("--author", chosen.author), ("--entry", chosen.entry_id))
    words = [word for flag, value in given if value is not None for word in (flag, value.hex())]
    words += [] if since is None else ["--since", since]
    return shlex.join([*words, "--accept"])


def _elsewhere(place: Place, again: str) -> str:
    return f"gonk revert {place.info.dataset.hex()[:16]} {again}"  # names differ between nodes


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
        out.note(f"{plural(len(plan.asked), 'undoing is', 'undoings are')} proposed already")
    if plan.undecided:
        out.note(
            f"{plural(plan.undecided, 'proposal waits', 'proposals wait')} to be decided, and can be rejected instead"
        )
        out.next(f"gonk review {place.name} list")
    for table, count in plan.others.items():
        one, many, how = _OTHERS[table]
        out.note(f"not undone: {plural(count, one, many)}{f' ({how})'.replace('DATASET', place.name) if how else ''}")


def _notes(step: Step) -> list[str]:
    notes = []
    if step.is_restore:
        notes.append("as a new version")
    if step.waiting:
        notes.append(f"{plural(step.waiting, 'proposal of others needs', 'proposals of others need')} it")
    return notes


def _named(place: Place, revision: Revision) -> str:
    title = place.describer.title(revision)
    return f"{revision.type_name} {title} {uuid_text(revision.uuid)}@{revision.version}"


def _tell_done(place: Place, plan: Plan, done: _Done, why_nothing: str | None) -> None:
    out = place.out
    for step, error in done.refused[:_SHOWN_MAX]:
        out.note(f"not proposed: {_named(place, step.revision)}: {error.what}")
    for ref, error in done.not_accepted[:_SHOWN_MAX]:
        out.note(f"not accepted: {event_text(ref)}: {error.what}")
    accepted = f", accepted {len(done.accepted):,}" if done.accepted else ""
    if done.proposed or done.accepted:
        out.line(f"proposed {plural(len(done.proposed), 'change')}{accepted}")
    else:
        out.note(why_nothing or f"nothing {'more ' if plan.asked else ''}to undo; nothing was signed")
    needed = place.replica.genesis.approvals
    if done.accepted and needed > 1:
        out.note(f"each counts once {needed} different people have accepted it")


def _tell_next(place: Place, again: str) -> None:
    """How what was proposed comes to count."""
    if place.author.role in (OWNER, REVIEWER):
        place.out.next(f"gonk revert {place.name} {again}")
        return
    place.next_spreading("owners see it once it has reached them")
    place.out.next(f"{_elsewhere(place, again)}    (there, by an owner or reviewer)")


# --- as JSON --------------------------------------------------------------------------------------------


def _json(place: Place, plan: Plan, done: _Done) -> dict[str, Any]:
    named = place.run.named
    return {
        "steps": [_step_json(place, step) for step in plan.steps],
        "kept": [{"revision": place.describer.json(kept.revision), "why": kept.why} for kept in plan.kept],
        "asked": [_step_json(place, step) for step in plan.asked],
        "undecided": plan.undecided,
        "not_undone": plan.others,
        "proposed": [event_text(ref) for step in done.proposed for ref in step.proposed],
        "refused": [{"event": step.revision.event, "error": named(error).as_dict()} for step, error in done.refused],
        "accepted": [event_text(ref) for ref in done.accepted],
        "not_accepted": [
            {"event": event_text(ref), "error": named(error).as_dict()} for ref, error in done.not_accepted
        ],
    }


def _step_json(place: Place, step: Step) -> dict[str, Any]:
    return {
        "action": "restore" if step.is_restore else "delete",
        "revision": place.describer.json(step.revision),
        "waiting": step.waiting,
        "deletions": [event_text(ref) for ref in step.deletions],
        "proposed": [event_text(ref) for ref in step.proposed],
    }
