"""`gonk share`."""

from __future__ import annotations

import click

from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.net.address import ShareLink
from gonk_node.node.addresses import own_address
from gonk_node.node.serving_mark import served_at


@verb("share")
@dataset_argument
@click.option("--address", metavar="HOST:PORT", help="Where others reach this node, if not the setting advertise.")
def share(run: Run, dataset: str, address: str | None) -> None:
    """Print the link by which others clone a dataset.

    The link of DATASET carries the key that this node must prove, so nobody can take its place. It gives no rights: a
    private dataset is shown to keys with a role only. Where gonk serve runs, the link has the port that it listens on;
    else the one of the settings.
    """
    node = run.node()
    info = run.find(dataset)
    listening = served_at(node.home.serving_json)
    own = own_address(node, authority=address, listening=listening)
    link = ShareLink(own.address, info.dataset)
    if run.as_json:
        run.out.json({"name": info.name, "id": info.dataset.hex(), "link": str(link), "doubt": own.doubt})
        return
    run.out.line(str(link))
    if own.doubt:
        run.out.note(own.doubt)
    if listening is None:
        run.out.next("gonk serve    (here; it must run for others to reach it)")
    run.out.next("gonk clone LINK    (there)")
