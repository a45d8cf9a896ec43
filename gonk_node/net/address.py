"""Addresses of peers and links to datasets as text: what people pass on to one another.

    gonk://host:port/<node key>                a peer
    gonk://host:port/<node key>/<dataset id>   a dataset at a peer: what `gonk share` prints and `gonk clone` takes

Key and id are 64 hex digits; an IPv6 address stands in brackets. Nothing is resolved or connected here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gonk_node.core.ids import HASH_BYTES
from gonk_node.core.keys import parse_author
from gonk_node.errors import UsageError

SCHEME = "gonk://"
_ADDRESS_CHARS_MAX = 512  # a host name has at most 255 (RFC 1035), key and id have 64 each
_PORT_MAX = 65_535
# The host is checked no further than that it cannot be mistaken for another part: resolving it says the rest.
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:/@?#\\\[\]%]+)):(?P<port>[0-9]{1,5})")
_ADDRESS_HINT = "an address is gonk://host:port/<node key>; `gonk share` prints one"
_LINK_HINT = "a link is gonk://host:port/<node key>/<dataset id>; `gonk share` prints it"


class PeerAddress(NamedTuple):
    """Where a node can be reached (host without brackets), and the key that it must prove (32 bytes)."""

    host: str
    port: int
    node_key: bytes

    @property
    def authority(self) -> str:
        """`host:port`, with an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def base_url(self) -> str:
        """`https://host:port`, for requests."""
        return f"https://{self.authority}"

    def __str__(self) -> str:
        return f"{SCHEME}{self.authority}/{self.node_key.hex()}"


class ShareLink(NamedTuple):
    """A dataset (id, 32 bytes) at a peer."""

    address: PeerAddress
    dataset: bytes

    def __str__(self) -> str:
        return f"{self.address}/{self.dataset.hex()}"


def parse_address(text: str) -> PeerAddress:
    """Read a peer's address; UsageError saying what is wrong. A link is refused: it means a dataset."""
    address, dataset = _parse(text, _ADDRESS_HINT)
    if dataset is not None:
        raise UsageError(f"{text!r} is a link to a dataset, not an address", hint=_ADDRESS_HINT)
    return address


def parse_link(text: str) -> ShareLink:
    """Read a link to a dataset; UsageError saying what is wrong."""
    address, dataset = _parse(text, _LINK_HINT)
    if dataset is None:
        raise UsageError(f"{text!r} names no dataset", hint=_LINK_HINT)
    return ShareLink(address, dataset)


def _parse(text: str, hint: str) -> tuple[PeerAddress, bytes | None]:
    shown = repr(text[:_ADDRESS_CHARS_MAX])
    if len(text) > _ADDRESS_CHARS_MAX or not text.startswith(SCHEME):
        raise UsageError(f"{shown} does not begin with {SCHEME}, or is too long", hint=hint)
    authority, *path = text.removeprefix(SCHEME).removesuffix("/").split("/")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise UsageError(f"{shown}: {authority!r} is not host:port", hint=hint)
    port = int(match["port"])
    if not 0 < port <= _PORT_MAX:
        raise UsageError(f"{shown}: {port} is no port; ports are 1 to {_PORT_MAX}", hint=hint)
    if not 1 <= len(path) <= 2:
        raise UsageError(f"{shown} must have a node key, and may have a dataset id after it", hint=hint)
    node_key = parse_author(path[0])
    dataset = None if len(path) == 1 else _parse_dataset(path[1], hint)
    return PeerAddress(match["v6"] or match["host"], port, node_key), dataset


def _parse_dataset(text: str, hint: str) -> bytes:
    if not re.fullmatch(rf"[0-9A-Fa-f]{{{2 * HASH_BYTES}}}", text):
        raise UsageError(f"{text!r} is not a dataset id", hint=hint)
    return bytes.fromhex(text)
