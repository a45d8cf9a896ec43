"""`gonk status`."""

from __future__ import annotations

from typing import Any

import click

from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, complete_dataset, verb
from gonk_node.cli.text import plural, size_text
from gonk_node.errors import GonkError
from gonk_node.node.clone_mark import is_incomplete
from gonk_node.node.holdings import Holdings, holdings_of
from gonk_node.replica.history.standing import ForkFound, standing_of
from gonk_node.store.state_schema import TABLES

_VIEWS = ("current", "accepted", "pending", "rejected", "deleted", "waiting")


@verb("status")
@click.argument("dataset", metavar="[DATASET]", required=False, shell_complete=complete_dataset)
def status(run: Run, dataset: str | None) -> None:
    """Show where a dataset stands, or all of them.

    For DATASET: what it holds, what waits, what is wrong, and the State digest, which is the same on two nodes that have the
    same entries.
    """
    if dataset is not None:
        place = Place(run, dataset)
        found = _status(place)
        if run.as_json:
            run.out.json(found)
        else:
            _tell(place, found)
        return
    every = [_brief(run, info.dataset.hex(), info.name) for info in run.node().datasets()]
    if run.as_json:
        run.out.json(every)
    elif every:
        run.out.table(["name", "objects", "annotations", "pending", "conflicts", "role", "state digest"], _rows(every))
        run.out.next(*(each["error"]["hint"] for each in every if "error" in each and each["error"]["hint"]))
    else:
        run.out.note("there is no dataset on this node yet")
        run.out.next("gonk dataset create NAME", "gonk clone LINK")


def _brief(run: Run, dataset: str, name: str) -> dict[str, Any]:
    """The status, or the error that keeps it from being told: one damaged dataset must not hide the others."""
    try:
        return _status(Place(run, dataset))
    except GonkError as error:
        return {"name": name, "id": dataset, "error": error.in_dataset(name).as_dict()}


def _rows(every: list[dict[str, Any]]) -> list[list[str]]:
    rows = []
    for each in every:
        if "error" in each:
            rows.append([each["name"], "-", "-", "-", "-", "-", each["error"]["what"]])
            continue
        counts = each["counts"]
        rows.append(
            [
                each["name"],
                f"{counts['objects']['current']:,}",
                f"{counts['annotations']['current']:,}",
                f"{each['pending']:,}",
                f"{each['conflicts']:,}",
                each["role"] or "none",
                each["state_digest"][:16],
            ]
        )
    return rows


def _status(place: Place) -> dict[str, Any]:
    replica = place.replica
    found = standing_of(replica, replica.db)
    holdings = holdings_of(replica, place.node.content)
    return {
        "name": place.name,
        "id": replica.dataset.hex(),
        "role": place.people.role(place.node.author_key),
        "incomplete": is_incomplete(replica),
        "entries": found.entries,
        "events": found.events,
        "heads": len(found.heads),
        "heads_digest": found.heads_digest.hex(),
        "state_digest": found.state_digest.hex(),
        "counts": found.counts,
        "pending": found.pending,
        "conflicts": found.conflicts,
        "forks": [_fork(place, fork) for fork in found.forks],
        "withheld": found.withheld,
        "replaced_roots": [key.hex() for key in found.replaced_roots],
        "root_disputed": found.is_root_disputed,
        "content": holdings._asdict(),
    }


def _fork(place: Place, fork: ForkFound) -> dict[str, Any]:
    """Two entries at one place of a log; their ids name the proof."""
    return {
        "author": place.people.json(fork.author),
        "log": fork.log_id.hex(),
        "seq": fork.seq,
        "entries": [entry_id.hex() for entry_id in fork.entries],
    }


def _tell(place: Place, found: dict[str, Any]) -> None:
    out = place.out
    out.pairs(
        [
            ("dataset", f"{place.name}  {found['id']}"),
            ("your role", found["role"] or "none: your proposals wait for an owner"),
            ("log", f"{found['entries']:,} entries, {found['events']:,} events, {plural(found['heads'], 'head')}"),
            ("heads digest", found["heads_digest"]),
            ("State digest", found["state_digest"]),
            ("content", _content(Holdings(**found["content"]))),
            ("conflicts", f"{found['conflicts']:,}"),
        ]
    )
    out.line()
    rows = [[table, *(f"{found['counts'][table][view]:,}" for view in _VIEWS)] for table in TABLES]
    out.table(["", *_VIEWS], rows)
    if found["incomplete"]:
        out.note("not everything was fetched yet: run gonk clone again, or gonk sync")
    for fork in found["forks"]:
        first, second = fork["entries"]
        who = place.people.who(bytes.fromhex(fork["author"]["key"]))
        out.note(f"{who} signed two entries at seq {fork['seq']} of log {fork['log']}: {first} and {second}")
    if found["replaced_roots"]:
        out.note(f"recovery keys replaced the root owner {plural(len(found['replaced_roots']), 'time')}")
    if found["root_disputed"]:
        out.note(
            "recovery keys signed two replacements of one root: ask who holds them; every node follows the same one"
        )
    if found["withheld"]:
        out.note(f"of {plural(found['withheld'], 'event')} only the hash is here; other peers may have the rest")
    if found["conflicts"]:
        out.next(f"gonk conflicts {place.name}")
    if found["pending"]:
        out.next(f"gonk review {place.name} list")


def _content(holdings: Holdings) -> str:
    here = f"{plural(holdings.held, 'file')} here ({size_text(holdings.held_bytes)})"
    if not holdings.missing:
        return f"{here}, none missing"
    return f"{here}, {holdings.missing:,} not on this node ({size_text(holdings.missing_bytes)})"
