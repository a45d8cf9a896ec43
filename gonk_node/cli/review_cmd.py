"""`gonk review DATASET list | accept | reject`."""

from __future__ import annotations

from collections import Counter

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural, time_text
from gonk_node.core.events import ACCEPT, REJECT
from gonk_node.core.ids import EventRef
from gonk_node.errors import ConflictsError, RefusedError, UsageError
from gonk_node.replica.reading.queries import PAGE, Proposal
from gonk_node.replica.signing.governing import Reviewed

_PARTIAL = 6
_REVIEW = ("owner", "reviewer")  # roles that may
_REASONS_MAX = 20


@verb("review")
@dataset_argument
@click.argument("action", metavar="ACTION", type=click.Choice(("list", "accept", "reject")))
@click.argument("events", metavar="[EVENT]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything pending, but for what strangers proposed.")
@click.option("--strangers", is_flag=True, help="With --all or list: only what keys without a role proposed.")
@click.option("--author", metavar="KEY", help="Only what this key proposed: all of it, or its first 8 digits or more.")
@click.option("--comment", default="", metavar="TEXT", help="For the authors.")
@click.option("--supersede", is_flag=True, help="Replace your earlier review, or those of lower-ranked people.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="How many are listed at most.")
def review(
    run: Run,
    dataset: str,
    action: str,
    events: tuple[str, ...],
    everything: bool,
    strangers: bool,
    author: str | None,
    comment: str,
    supersede: bool,
    limit: int,
) -> int:
    """List, accept or reject proposals.

    ACTION is list, accept or reject. EVENT is the uuid of an event of DATASET that waits, as the list gives it; --all
    and --author take many at a time. You sign for exactly what you name: an update that comes later waits anew. Exit
    code 6: some were decided, others not; the message says why.
    """
    place = Place(run, dataset)
    key = None if author is None else place.people.find(author)
    if action == "list":
        if events:
            raise UsageError("list takes no events", hint=f"gonk show {place.name} EVENT")
        _list(place, key, strangers, limit)
        return 0
    if bool(events) == (everything or key is not None):
        raise UsageError(
            "name the events, or choose them with --all or --author KEY", hint=f"gonk review {place.name} list"
        )
    place.governor.check_reviewer()
    if events:
        refs = [place.queries.find_event(text) for text in dict.fromkeys(events)]
    else:
        found = place.governor.awaiting(proposer=key, strangers=strangers, reviewed=supersede)
        refs = [each.ref for each in found]
    if not refs:
        return _nothing(place, key, strangers)
    decision = ACCEPT if action == "accept" else REJECT
    before = place.queries.conflict_count()
    reviewed = place.governor.review(decision, refs, comment, supersede=supersede)
    return _report(place, action, reviewed) or _tell_conflicts(place, before)


def _is_ours(place: Place, proposal: Proposal) -> bool:
    return place.people.role(proposal.author) is not None


def _list(place: Place, key: bytes | None, strangers: bool, limit: int) -> None:
    shown: list[Proposal] = []
    counts: Counter[bool] = Counter()
    after = 0
    while page := place.queries.pending(author=key, after=after, limit=PAGE):
        for each in page:
            ours = _is_ours(place, each)
            counts[ours] += 1
            if len(shown) < limit and (key is not None or ours != strangers):
                shown.append(each)
        after = page[-1].number
    if place.run.as_json:
        pending = {"members": counts[True], "strangers": counts[False]}
        place.out.json({"proposals": [place.describer.proposal_json(each) for each in shown], "pending": pending})
        return
    needed = place.replica.genesis.approvals
    rows = [
        [
            event_text(each.ref),
            f"{place.describer.action(each)} {each.revision.type_name}",
            place.describer.title(each.revision),
            f"{place.describer.approvals(each.number)}/{needed}",
            place.people.who(each.author),
            time_text(each.time_ms),
        ]
        for each in shown
    ]
    if rows:
        place.out.table(["event", "proposal", "of", "approvals", "by", "time (UTC)"], rows)
    waiting = sum(counts.values()) if key is not None else counts[not strangers]
    place.out.note(f"{plural(waiting, 'proposal')} {'waits' if waiting == 1 else 'wait'}")
    if counts[False] and not strangers and key is None:
        place.out.note(f"and {plural(counts[False], 'proposal')} of strangers: --strangers lists them")
    if rows:
        place.out.next(f"gonk show {place.name} EVENT    (what it is, and what it would change)")
        if place.people.role(place.node.author_key) in _REVIEW:
            place.out.next(f"gonk review {place.name} accept EVENT", f"gonk review {place.name} reject EVENT")


def _nothing(place: Place, key: bytes | None, strangers: bool) -> int:
    if place.run.as_json:
        place.out.json({"decided": [], "refused": []})
        return 0
    place.out.note("nothing waits")
    if key is None and not strangers and next(place.governor.awaiting(strangers=True, reviewed=True), None):
        place.out.next(f"gonk review {place.name} list --strangers    (what keys without a role propose)")
    return 0


def _tell_conflicts(place: Place, before: int) -> int:
    """What was accepted competes with what was accepted before; returns the exit code."""
    new = place.queries.conflict_count() - before
    if new <= 0:
        return 0
    if not place.run.as_json:
        place.out.note(f"{plural(new, 'thing')} now {'has' if new == 1 else 'have'} several accepted versions")
        place.out.next(f"gonk conflicts {place.name}")
    return ConflictsError.exit_code


def _report(place: Place, action: str, reviewed: Reviewed) -> int:
    """Tell what was decided and what was not; returns the exit code."""
    refused: list[tuple[EventRef, RefusedError]] = reviewed.refused
    if len(refused) == 1 and not reviewed.events:
        raise refused[0][1]
    if place.run.as_json:
        place.out.json(
            {
                "decision": f"{action}ed",
                "decided": [event_text(ref) for ref in reviewed.events],
                "refused": [
                    {"event": event_text(ref), "error": place.run.named(error).as_dict()} for ref, error in refused
                ],
            }
        )
    else:
        place.out.line(f"{action}ed {plural(len(reviewed.events), 'proposal')}")
        for ref, error in refused[:_REASONS_MAX]:
            place.out.note(f"{event_text(ref)}: not {action}ed: {error.what}")
        if len(refused) > _REASONS_MAX:
            place.out.note(f"and {len(refused) - _REASONS_MAX} more were not {action}ed; --json lists all")
        needed = place.replica.genesis.approvals
        if needed > 1 and action == "accept":
            place.out.note(f"each counts once {needed} different people have accepted it")
    if not refused:
        return 0
    return _PARTIAL if reviewed.events else refused[0][1].exit_code
