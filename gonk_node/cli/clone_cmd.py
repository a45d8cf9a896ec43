"""`gonk clone`."""

from __future__ import annotations

import asyncio

import click

from gonk_node.cli.run import Run, verb
from gonk_node.cli.transfer import report_json, report_lines, transfer_bars
from gonk_node.errors import DamagedStoreError
from gonk_node.net.address import parse_link
from gonk_node.node.cloning import CloneReport
from gonk_node.node.cloning import clone as clone_dataset
from gonk_node.node.node import Node
from gonk_node.replica.content.contents import ACCEPTED, ALL, NONE


@verb("clone")
@click.argument("link", metavar="LINK")
@click.argument("name", metavar="[NAME]", required=False)
@click.option(
    "--content",
    type=click.Choice([ALL, ACCEPTED, NONE]),
    help="Which content to fetch, if not what the setting content_policy says; kept for this dataset.",
)
def clone(run: Run, link: str, name: str | None, content: str | None) -> None:
    """Fetch a dataset with its whole history from a peer, and verify it.

    LINK is what gonk share prints there; NAME is what the dataset is to be called here. Nothing that the peer says is
    believed: each signature is checked, and who may do what is derived from the log. When it is interrupted, the same
    command goes on from there.
    """
    parsed = parse_link(link)
    node = run.node()
    with transfer_bars(run.out) as watch:
        report = asyncio.run(
            clone_dataset(
                node,
                parsed,
                name,
                policy=content,
                watch=watch,
                on_found=lambda info: run.out.note(
                    f"cloning {info.name} from node {parsed.address.node_key.hex()[:8]}"
                ),
            )
        )
    _tell(run, node, report)
    if report.sync.equal_states is False:
        raise DamagedStoreError(
            "the same entries give another State at the peer: one of the two programs or stores is wrong",
            where=report.info.name,
            hint=f"gonk rebuild {report.info.name}; gonk fsck",
        )


def _tell(run: Run, node: Node, report: CloneReport) -> None:
    replica = node.replica_of(report.info)
    digest = replica.state_digest().hex()
    if run.as_json:
        about = {"name": report.info.name, "id": report.info.dataset.hex(), "resumed": report.resumed}
        about |= {"entries": replica.log.last_lsn(), "state_digest": digest}
        run.out.json(about | report_json(report.sync))
        return
    if report.was_complete:
        run.out.note("it was here already, and is up to date now")
    for line in report_lines(report.sync):
        run.out.note(line)
    run.out.pairs([("dataset", report.info.name), ("State digest", digest)])
    run.out.next(f"gonk status {report.info.name}", f"gonk list {report.info.name} objects")
