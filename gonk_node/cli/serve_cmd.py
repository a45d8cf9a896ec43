"""`gonk serve`."""

from __future__ import annotations

import asyncio
import json
import logging
import signal

import click

from gonk_node.cli.run import Run, verb
from gonk_node.cli.text import plural
from gonk_node.net.address import ShareLink
from gonk_node.node.addresses import listening_place, own_address
from gonk_node.node.node import Node
from gonk_node.node.serving import Server


@verb("serve")
@click.option("--peer-port", metavar="PORT", help="The port for peers, if not the setting peer_port; 0: any.")
@click.option("--peer-host", metavar="HOST", help="The address for peers, if not the setting peer_host.")
def serve(run: Run, peer_port: str | None, peer_host: str | None) -> None:
    """Serve peers until stopped.

    Answers those that call, calls those in the peer book, passes on what is new to all of them as it comes, and fetches
    content. Other commands work beside it. Ctrl-C or SIGTERM ends it in order. With --json, one line tells when it is
    ready: port, node key and the link of each dataset.
    """
    node = run.node(peer_port=peer_port, peer_host=peer_host)
    if node.config.log_level == "warning":  # the default: whoever watches a server wants to see what happens
        logging.getLogger("gonk_node.node").setLevel(logging.INFO)
    asyncio.run(_serve(run, node))


async def _serve(run: Run, node: Node) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = Server(node)
    try:
        await server.start(node.config.peer_host, node.config.peer_port)
        _tell(run, node, server)
        await stop.wait()
        run.out.note("stopping")
    finally:
        await server.stop()


def _tell(run: Run, node: Node, server: Server) -> None:
    own = own_address(node, port=server.port)
    links = {shared.name: str(ShareLink(own.address, shared.info.dataset)) for shared in server.datasets()}
    if run.as_json:
        ready = {"ready": True, "port": server.port, "address": str(own.address), "node_key": node.node_key.hex()}
        click.echo(json.dumps(ready | {"links": links}))
        return
    run.out.note(f"serving {plural(len(links), 'dataset')} on {listening_place(node.config, server.port)}")
    for name, link in links.items():
        run.out.line(f"{name}  {link}")
    if own.doubt:
        run.out.note(own.doubt)
