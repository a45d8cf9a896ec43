"""Under which address others reach this node, as far as it can know: what stands in share links. Connects nowhere."""

from __future__ import annotations

import ipaddress
import socket
from typing import NamedTuple

from gonk_node.config import Config
from gonk_node.net.address import PeerAddress, parse_address
from gonk_node.node.node import Node
from gonk_node.node.serving_mark import Listening


class OwnAddress(NamedTuple):
    """The address to give away, and why it may not serve: a line for people, or None."""

    address: PeerAddress
    doubt: str | None


def own_address(node: Node, *, authority: str | None = None, listening: Listening | None = None) -> OwnAddress:
    """The address of this node.

    Args:
        node: whose key stands in it.
        authority: HOST:PORT as the user says; None: as the settings say.
        listening: what is really listened on, where that is known; else what the settings say.

    Raises:
        UsageError: no such address can be.
    """
    config = node.config
    given = authority or config.advertise
    if given:
        return _judged(parse_address(f"gonk://{given}/{node.node_key.hex()}"))
    bound, port = listening or Listening(config.peer_host, config.peer_port)
    host = socket.gethostname() if _is_any(bound) else bound
    found = _judged(PeerAddress(host, port, node.node_key))
    if found.doubt is None and _is_any(bound):
        doubt = f"others must be able to find {host!r}; the setting advertise takes another HOST:PORT"
        return found._replace(doubt=doubt)
    return found


def listening_place(config: Config, port: int) -> str:
    """HOST:PORT on which peers are served."""
    return PeerAddress(config.peer_host, port, b"").authority


def _judged(address: PeerAddress) -> OwnAddress:
    if address.host == "localhost" or _is_loopback(address.host):
        doubt = 'this address works on this machine only: set peer_host = "0.0.0.0", and advertise where others find it'
        return OwnAddress(address, doubt)
    if address.port == 0:
        return OwnAddress(address, "the port is chosen when gonk serve starts; it then prints the link")
    return OwnAddress(address, None)


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")  # noqa: S104 - nothing is bound here


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
