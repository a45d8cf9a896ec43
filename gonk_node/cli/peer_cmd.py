"""`gonk peer add | list | remove`."""

from __future__ import annotations

import click

from gonk_node.cli.run import Run, verb
from gonk_node.cli.text import time_text
from gonk_node.core.times import time_json
from gonk_node.errors import AmbiguousError, NotFoundError, UsageError
from gonk_node.net.address import PeerAddress, parse_address, parse_link
from gonk_node.net.peers import Peer, PeerBook
from gonk_node.node.node import Node

_PREFIX_DIGITS_MIN = 8


@click.group("peer")
def peer() -> None:
    """Add, list and remove peers.

    Peers are the nodes that this one calls: with gonk sync, and all the time while gonk serve runs.
    """


@verb("add")
@click.argument("link", metavar="LINK")
def add(run: Run, link: str) -> None:
    """Add the peer that LINK names, or change its address.

    LINK is what gonk share prints there; without the dataset at its end, the peer is called about every dataset that is
    not private.
    """
    node = run.node()
    address, datasets = _parse(link)
    if address.node_key == node.node_key:
        raise UsageError("this is the address of this node itself", where=link)
    added = PeerBook(node.home.root).add(Peer(address.node_key, address.host, address.port, datasets))
    if run.as_json:
        run.out.json(_json(node, added))
        return
    run.out.note(f"added node {added.node_key.hex()[:8]} at {_address(added).authority}")
    names = _names(node, added) or ["DATASET"]
    run.out.next(f"gonk sync {names[0]}")


@verb("list")
def list_(run: Run) -> None:
    """List the peers of this node, and how the last call of each went."""
    node = run.node()
    peers = PeerBook(node.home.root).peers()
    if run.as_json:
        run.out.json([_json(node, each) for each in peers])
    elif not peers:
        run.out.note("no peers are known yet")
        run.out.next("gonk peer add LINK")
    else:
        rows = [
            [
                each.node_key.hex()[:16],
                _address(each).authority,
                ", ".join(_names(node, each)) or "all that is public",
                "never" if each.last_seen_ms is None else time_text(each.last_seen_ms),
                each.last_error or "",
            ]
            for each in peers
        ]
        run.out.table(["node", "address", "datasets", "last synced (UTC)", "problem"], rows)


@verb("remove")
@click.argument("node_key", metavar="NODE")
def remove(run: Run, node_key: str) -> None:
    """Remove a peer; it is not called any more.

    NODE is its node key, or the first 8 digits of it or more.
    """
    book = PeerBook(run.node().home.root)
    removed = book.remove(find_peer(book, node_key).node_key)
    if run.as_json:
        run.out.json({"node_key": removed.node_key.hex()})
    else:
        run.out.note(f"removed node {removed.node_key.hex()[:8]}")


def find_peer(book: PeerBook, text: str) -> Peer:
    """The peer whose node key is, or begins with, some hex digits; NotFoundError, AmbiguousError, UsageError."""
    digits = text.lower()
    if len(digits) < _PREFIX_DIGITS_MIN or digits.strip("0123456789abcdef"):
        raise UsageError(f"{text!r} is not a node key", hint="give its first 8 hex digits or more: gonk peer list")
    found = [each for each in book.peers() if each.node_key.hex().startswith(digits)]
    if not found:
        raise NotFoundError(f"no peer's key begins with {text}", hint="gonk peer list")
    if len(found) > 1:
        raise AmbiguousError(f"several peers' keys begin with {text}", hint=f"give more of {found[0].node_key.hex()}")
    return found[0]


def _parse(text: str) -> tuple[PeerAddress, tuple[bytes, ...]]:
    """An address or a link."""
    try:
        return parse_address(text), ()
    except UsageError:
        link = parse_link(text)
        return link.address, (link.dataset,)


def _address(each: Peer) -> PeerAddress:
    return PeerAddress(each.host, each.port, each.node_key)


def _names(node: Node, each: Peer) -> list[str]:
    """What the datasets named for a peer are called here; the beginning of the id where one is not here."""
    known = {info.dataset: info.name for info in node.datasets()}
    return [known.get(dataset, dataset.hex()[:12]) for dataset in each.datasets]


def _json(node: Node, each: Peer) -> dict[str, object]:
    return {
        "node_key": each.node_key.hex(),
        "address": str(_address(each)),
        "datasets": [dataset.hex() for dataset in each.datasets],
        "names": _names(node, each),
        "last_synced": None if each.last_seen_ms is None else time_json(each.last_seen_ms),
        "problem": each.last_error,
    }


for _command in (add, list_, remove):
    peer.add_command(_command)
