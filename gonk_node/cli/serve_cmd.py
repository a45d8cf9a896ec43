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
from gonk_node.node.http_serving import HttpServer
from gonk_node.node.node import Node
from gonk_node.node.serving import Server
from gonk_node.node.serving_mark import Listening, marked


@verb("serve")
@click.option("--peer-port", metavar="PORT", help="The port for peers, if not the setting peer_port; 0: any.")
@click.option("--peer-host", metavar="HOST", help="The address for peers, if not the setting peer_host.")
@click.option("--port", metavar="PORT", help="The port of the HTTP API, if not the setting http_port; 0: any.")
@click.option("--host", metavar="HOST", help="The address of the HTTP API, if not the setting http_host.")
@click.option("--allow-remote", is_flag=True, help="Let the HTTP API listen beyond loopback, over TLS.")
@click.option("--no-http", is_flag=True, help="Serve peers only.")
def serve(
    run: Run,
    peer_port: str | None,
    peer_host: str | None,
    port: str | None,
    host: str | None,
    allow_remote: bool,
    no_http: bool,
) -> None:
    """Serve peers, and Gonk's HTTP API, until stopped.

    Answers peers that call, calls those in the peer book, passes on what is new to all of them as it comes, and fetches
    content. The HTTP API is for the users of this node (gonk users), at http://127.0.0.1:5000 if nothing else is set, with
    its description at /docs. Other commands work beside it. Ctrl-C or SIGTERM ends it in order. With --json, one line
    tells when it is ready: port, node key, the link of each dataset, and the URL of the API.
    """
    node = run.node(peer_port=peer_port, peer_host=peer_host, http_port=port, http_host=host)
    if node.config.log_level == "warning":  # the default: whoever watches a server wants to see what happens
        logging.getLogger("gonk_node.node").setLevel(logging.INFO)
    asyncio.run(_serve(run, node, allow_remote=allow_remote, no_http=no_http))


async def _serve(run: Run, node: Node, *, allow_remote: bool, no_http: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = Server(node)
    api = None if no_http else HttpServer(node, server)
    try:
        await server.start(node.config.peer_host, node.config.peer_port)
        if api is not None:
            await api.start(allow_remote=allow_remote)
        listening = Listening(node.config.peer_host, server.port)
        with marked(node.home.serving_json, listening):
            _tell(run, node, server, None if api is None else api.url)
            await stop.wait()
            run.out.note("stopping")
    finally:
        if api is not None:
            await api.stop()
        await server.stop()


def _tell(run: Run, node: Node, server: Server, url: str | None) -> None:
    own = own_address(node, listening=Listening(node.config.peer_host, server.port))
    links = {shared.name: str(ShareLink(own.address, shared.info.dataset)) for shared in server.datasets()}
    if run.as_json:
        ready = {"ready": True, "port": server.port, "address": str(own.address), "node_key": node.node_key.hex()}
        run.out.line(json.dumps(ready | {"links": links, "http": url}))
        return
    run.out.note(f"serving {plural(len(links), 'dataset')} on {listening_place(node.config, server.port)}")
    for name, link in links.items():
        run.out.line(f"{name}  {link}")
    if url is not None:
        run.out.note(f"Gonk's HTTP API for {plural(len(node.users.all()), 'user')} at {url}, described at {url}/docs")
    if own.doubt:
        run.out.note(own.doubt)
