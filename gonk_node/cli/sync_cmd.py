"""`gonk sync`."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import click

from gonk_node.cli.peer_cmd import find_peer
from gonk_node.cli.run import Run, complete_dataset, verb
from gonk_node.cli.transfer import report_json, report_lines, transfer_bars
from gonk_node.errors import ConflictsError, DamagedStoreError, GonkError, NotFoundError, PartialError
from gonk_node.net.address import PeerAddress
from gonk_node.net.peers import Peer, PeerBook
from gonk_node.node.datasets import DatasetInfo
from gonk_node.node.node import Node
from gonk_node.node.shared import SharedDataset, author_signer
from gonk_node.node.syncing import SyncReport, Watch, sync_once
from gonk_node.replica.content.contents import ACCEPTED, ALL, NONE
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.replica import clock_ms


class _Outcome(NamedTuple):
    """What came of one dataset at one peer."""

    info: DatasetInfo
    peer: Peer
    report: SyncReport | None
    error: GonkError | None


@verb("sync")
@click.argument("dataset", metavar="[DATASET]", required=False, shell_complete=complete_dataset)
@click.option("--peer", "peer_key", metavar="NODE", help="Only this peer: the first 8 digits of its node key, or more.")
@click.option(
    "--content",
    type=click.Choice([ALL, ACCEPTED, NONE]),
    help="Which content to fetch this time, if not what is set for the dataset.",
)
def sync(run: Run, dataset: str | None, peer_key: str | None, content: str | None) -> None:
    """Exchange with peers what either side lacks.

    Calls every peer known for DATASET (for all datasets without one), one after the other: entries in both directions,
    then content. A peer that is away is passed over, unless all are.
    """
    node = run.node()
    plans = _plans(run, node, dataset, peer_key)
    with transfer_bars(run.out) as watch:
        outcomes = asyncio.run(_sync_all(run, node, plans, content, watch))
    if run.as_json:
        run.out.json([_json(node, outcome) for outcome in outcomes])
    _raise_worst(node, outcomes)


def _plans(run: Run, node: Node, dataset: str | None, peer_key: str | None) -> list[tuple[DatasetInfo, Peer]]:
    """Which datasets to sync with which peers; NotFoundError where there are none."""
    book = PeerBook(node.home.root)
    infos = node.datasets() if dataset is None else [run.find(dataset)]
    peers = book.peers() if peer_key is None else [find_peer(book, peer_key)]
    named = peer_key is not None and dataset is not None
    plans = [
        (info, peer)
        for info in infos
        for peer in peers
        if named or peer.is_for(info.dataset, node.replica_of(info).is_private())
    ]
    if not plans:
        raise NotFoundError(
            "there is no peer to sync with" if infos else "there is no dataset on this node",
            where=dataset,
            hint="gonk peer add LINK" if infos else "gonk clone LINK",
        )
    return plans


async def _sync_all(
    run: Run, node: Node, plans: list[tuple[DatasetInfo, Peer]], policy: str | None, watch: Watch
) -> list[_Outcome]:
    outcomes = []
    for info, peer in plans:
        outcome = await _sync(node, info, peer, policy, watch)
        who = f"{info.name}, node {peer.node_key.hex()[:8]}"
        if outcome.error is not None and len(plans) > 1:  # of one alone the command itself tells
            run.out.note(f"{who}: {outcome.error}")
        for line in report_lines(outcome.report) if outcome.report is not None else ():
            run.out.note(f"{who}: {line}")
        outcomes.append(outcome)
    return outcomes


async def _sync(node: Node, info: DatasetInfo, peer: Peer, policy: str | None, watch: Watch) -> _Outcome:
    """One dataset with one peer; what goes wrong with the peer is noted, what goes wrong here is raised."""
    book = PeerBook(node.home.root)
    shared = SharedDataset.open(node, info, policy=policy)
    before = shared.link.view.last_lsn()
    try:
        report = await sync_once(
            PeerAddress(peer.host, peer.port, peer.node_key),
            shared.link,
            signer=node.node_signer(),
            author=author_signer(node) if shared.is_private else None,
            content=shared.content,
            watch=watch,
        )
        await shared.note_synced()
    except GonkError as error:
        if error.fault == "disk":
            raise
        book.record_error(peer.node_key, str(error))
        if error.exit_code == 3 and shared.link.view.last_lsn() > before:
            partial = PartialError(f"a part was taken; then: {error.what}", where=error.where, hint="gonk sync again")
            return _Outcome(info, peer, None, partial)
        return _Outcome(info, peer, None, error)
    finally:
        await shared.close()
    book.record_seen(peer.node_key, clock_ms())
    return _Outcome(info, peer, report, _problem_of(info, report))


def _problem_of(info: DatasetInfo, report: SyncReport) -> GonkError | None:
    if report.equal_states is False:
        return DamagedStoreError(
            "the same entries give another State at the peer: one of the two programs or stores is wrong",
            where=info.name,
            hint=f"gonk rebuild {info.name}; gonk fsck",
        )
    if report.broken is not None:
        return PartialError(f"all entries came, but not all content: {report.broken.what}", hint="gonk sync again")
    return None


def _raise_worst(node: Node, outcomes: list[_Outcome]) -> None:
    """Raise what decides the exit code: what cannot be verified, then what is partial, then that nobody was there."""
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    for code in (4, 6):
        for error in errors:
            if error.exit_code == code:
                raise error
    if len(errors) == len(outcomes):
        raise errors[0]
    for info in {outcome.info.dataset: outcome.info for outcome in outcomes}.values():
        conflicts = len(Queries(node.replica_of(info).db).conflicts())
        if conflicts:
            raise ConflictsError(
                f"synced; {conflicts} of its entities have accepted versions that compete",
                where=info.name,
                hint=f"gonk conflicts {info.name}",
            )


def _json(node: Node, outcome: _Outcome) -> dict[str, Any]:
    about: dict[str, Any] = {
        "name": outcome.info.name,
        "id": outcome.info.dataset.hex(),
        "peer": outcome.peer.node_key.hex(),
        "state_digest": node.replica_of(outcome.info).state_digest().hex(),
        "error": None if outcome.error is None else outcome.error.as_dict(),
    }
    return about | ({} if outcome.report is None else report_json(outcome.report))
