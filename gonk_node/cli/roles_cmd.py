"""`gonk owner | reviewer | contributor list | add | remove`: one group for each role, made from one pattern."""

from __future__ import annotations

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, Verb, dataset_argument, verb
from gonk_node.cli.text import plural
from gonk_node.core.events import CONTRIBUTOR, OWNER, REVIEWER, ROLE_NAMES
from gonk_node.core.ids import EventRef
from gonk_node.core.keys import parse_author
from gonk_node.state.authority import RoleInfo


def _group(role: int, can: str, help_text: str) -> click.Group:
    group = click.Group(ROLE_NAMES[role], help=help_text)
    for command in (_list_command(role), _add_command(role, can), _remove_command(role)):
        group.add_command(command)
    return group


def _list_command(role: int) -> Verb:
    @verb("list", help=f"List the {ROLE_NAMES[role]}s of DATASET, those that were removed too.")
    @dataset_argument
    def list_(run: Run, dataset: str) -> None:
        place = Place(run, dataset)
        found = [info for info in place.replica.authority.ranked() if info.role == role]
        if run.as_json:
            run.out.json(
                [
                    place.people.json(info.key)
                    | {"rank": info.rank, "root": info.key == place.replica.authority.root}
                    | {"accepted": info.accepted, "removed": info.revoked}
                    for info in found
                ]
            )
            return
        if not found:
            run.out.note(f"{place.name} has no {ROLE_NAMES[role]}s")
            return
        rows = [[place.people.who(info.key), info.key.hex(), _state(place, info)] for info in found]
        run.out.table([ROLE_NAMES[role], "key", "state"], rows)

    return list_


def _state(place: Place, info: RoleInfo) -> str:
    if info.revoked:
        return "removed"
    if info.key == place.replica.authority.root:
        return "root"
    return "active" if info.accepted else "added; their node takes it up with its next sync"


def _add_command(role: int, can: str) -> Verb:
    name = ROLE_NAMES[role]
    help_text = (
        f"Make KEY a {name} of DATASET, who can {can}.\n\nKEY has 64 hex digits; its holder sees it in gonk whoami. Make sure"
        " that it is really theirs, over a way that nobody else can write to."
    ).replace(" a owner", " an owner")

    @verb("add", help=help_text)
    @dataset_argument
    @click.argument("key", metavar="KEY")
    @click.option(
        "--name", default="", metavar="NAME", help="What you call them; everybody in the dataset can read it."
    )
    def add(run: Run, dataset: str, key: str, name: str) -> None:
        place = Place(run, dataset)
        entry = place.governor.grant(parse_author(key), role, name)
        if run.as_json:
            run.out.json(
                {"event": event_text(EventRef(entry.entry_id, 0)), "key": key.lower(), "role": ROLE_NAMES[role]}
            )
            return
        run.out.note(f"added {place.people.who(parse_author(key))} as {ROLE_NAMES[role]}")
        place.next_spreading("it takes effect on other nodes once they have it")

    return add


def _remove_command(role: int) -> Verb:
    name = ROLE_NAMES[role]
    help_text = (
        f"End what the {name} KEY may do in DATASET.\n\nKEY is the whole key, or its first 8 digits or more. What this node"
        " holds of theirs stands; whatever else they signed, or sign later, carries no authority anywhere. A key that was"
        " removed never returns: a fresh one can be added."
    )

    @verb("remove", help=help_text)
    @dataset_argument
    @click.argument("key", metavar="KEY")
    @click.option("--reason", default="", metavar="TEXT", help="Why; everybody in the dataset can read it.")
    def remove(run: Run, dataset: str, key: str, reason: str) -> None:
        place = Place(run, dataset)
        found = place.people.find(key)
        who, reviews = place.people.who(found), place.queries.review_count(found)
        entry = place.governor.revoke(found, role, reason)
        if run.as_json:
            event = event_text(EventRef(entry.entry_id, 0))
            run.out.json({"event": event, "key": found.hex(), "role": name, "reviews_that_stand": reviews})
            return
        run.out.note(f"removed {who} as {name}")
        if reviews:
            run.out.note(
                f"{plural(reviews, 'review')} of theirs that this node holds {'stands' if reviews == 1 else 'stand'}"
            )
        place.next_spreading("other nodes honour it once they have it")

    return remove


owner = _group(
    OWNER, "review, add and remove others", "List, add and remove owners, who review and decide about roles."
)
reviewer = _group(
    REVIEWER, "accept and reject proposals", "List, add and remove reviewers, who accept and reject proposals."
)
contributor = _group(
    CONTRIBUTOR,
    "propose without the limits for strangers",
    "List, add and remove contributors, whose proposals spread.",
)
