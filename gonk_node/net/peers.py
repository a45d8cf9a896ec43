"""The peer book: the addresses that the user named, and how the last attempt to reach each went.

One file, `peers.json`, replaced as a whole. Nothing enters it but by `add`: no discovery, no addresses that
peers tell. It holds no secret keys and no sync cursors (each log has those); it connects nowhere.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from gonk_node.core.ids import HASH_BYTES, KEY_BYTES
from gonk_node.core.limits import (
    INT_MAX,
    PEER_BOOK_BYTES_MAX,
    PEER_DATASETS_MAX,
    PEER_ERROR_CHARS_MAX,
    PEERS_MAX,
)
from gonk_node.errors import DamagedStoreError, NotFoundError, StorageError, UsageError
from gonk_node.store import read_only
from gonk_node.store.private_file import replace_private

FILE_NAME = "peers.json"
_VERSION = 1
_HOST_CHARS_MAX = 255  # RFC 1035 section 2.3.4
_HOST_FORBIDDEN = frozenset("/@?#\\%") | {" "}
_PORT_MAX = 65_535
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Peer:
    """What this node knows of another one.

    Attributes:
        node_key: the key that the other node must prove (Ed25519, 32 bytes).
        host: DNS name or IP address, without port or brackets.
        port: TCP port, 1..65535.
        datasets: ids (32 bytes each) of the datasets to sync with it, sorted.
        last_seen_ms: when a session with it last succeeded, milliseconds since 1970; None: never.
        last_error: how the latest attempt failed, for people; None: it did not.
    """

    node_key: bytes
    host: str
    port: int
    datasets: tuple[bytes, ...] = ()
    last_seen_ms: int | None = None
    last_error: str | None = None

    def is_for(self, dataset: bytes, is_private: bool) -> bool:
        """Whether to call it about a dataset (id) without being told so: private ones are not shown around."""
        return dataset in self.datasets or (not self.datasets and not is_private)


class PeerBook:
    """The peers of one node. Each method reads the file anew, so several processes may share it.

    Every method may raise DamagedStoreError (the file is no peer book; it is kept aside, and the next call
    starts from an empty book), StorageError or DiskFullError; those that change something, ReadOnlyError.

    Args:
        folder: the node's folder; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._lock_path = folder / f"{FILE_NAME}.lock"

    def peers(self) -> list[Peer]:
        """All peers, sorted by node key."""
        with self._locked(to_change=False):
            return self._sorted(self._read())

    def get(self, node_key: bytes) -> Peer | None:
        """The peer of that node key, or None."""
        with self._locked(to_change=False):
            return self._read().get(node_key)

    def add(self, peer: Peer) -> Peer:
        """Add a peer, or change the address of a known one; its datasets are added to those known.

        Returns:
            The peer as it now stands in the book.

        Raises:
            UsageError: a field is not what it must be, or the book is full.
        """
        problem = _problem_with(peer)
        if problem is not None:
            raise UsageError(problem, hint="an address has the form gonk://host:port/<node key>")
        with self._locked():
            book = self._read()
            known = book.get(peer.node_key)
            if known is not None:
                datasets = tuple(sorted({*known.datasets, *peer.datasets}))
                peer = replace(known, host=peer.host, port=peer.port, datasets=datasets)
            else:
                peer = replace(peer, datasets=tuple(sorted(set(peer.datasets))))
            if len(book) >= PEERS_MAX and known is None:
                raise UsageError(f"the peer book is full ({PEERS_MAX})", hint="gonk peer remove")
            if len(peer.datasets) > PEER_DATASETS_MAX:
                raise UsageError(f"a peer may have at most {PEER_DATASETS_MAX} datasets in the peer book")
            book[peer.node_key] = peer
            self._write(book)
        return peer

    def remove(self, node_key: bytes) -> Peer:
        """Take a peer out of the book and return it; NotFoundError if it is not there."""
        with self._locked():
            book = self._read()
            peer = book.pop(node_key, None)
            if peer is None:
                raise NotFoundError(f"no peer with the key {node_key.hex()}", hint="gonk peer list")
            self._write(book)
        return peer

    def record_seen(self, node_key: bytes, time_ms: int) -> None:
        """Note a session that succeeded; a peer that was removed meanwhile stays removed."""
        self._change(node_key, last_seen_ms=time_ms, last_error=None)

    def record_error(self, node_key: bytes, error: str) -> None:
        """Note how an attempt failed, in words for people (cut to a line)."""
        line = " ".join(error.split())[:PEER_ERROR_CHARS_MAX]
        self._change(node_key, last_error=line)

    def _change(self, node_key: bytes, **fields: Any) -> None:
        with self._locked():
            book = self._read()
            peer = book.get(node_key)
            if peer is not None and (changed := replace(peer, **fields)) != peer:
                book[node_key] = changed
                self._write(book)

    @staticmethod
    def _sorted(book: dict[bytes, Peer]) -> list[Peer]:
        return [book[node_key] for node_key in sorted(book)]

    @contextmanager
    def _locked(self, *, to_change: bool = True) -> Iterator[None]:
        """Hold the book for one read-modify-write; another process waits a moment.

        Where the folder cannot be written to, it is read without: the file is always whole.
        """
        try:
            descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if read_only.is_refusal(error) and to_change:
                raise read_only.refused(self._path) from error
            if read_only.is_refusal(error):
                yield
                return
            raise StorageError(f"cannot open the lock file: {error}", where=str(self._lock_path)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)  # gives the lock back

    def _read(self) -> dict[bytes, Peer]:
        try:
            with self._path.open("rb") as file:
                data = file.read(PEER_BOOK_BYTES_MAX + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageError(f"cannot read the peer book: {error}", where=str(self._path)) from error
        try:
            return _decode(data, self._path)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedStoreError(
                f"this is no peer book: {error!r}",
                where=str(self._path),
                hint=f"it is kept as {self._set_aside().name}; name the peers again with gonk peer add",
            ) from error

    def _set_aside(self) -> Path:
        """Rename the damaged file; never over an older one that was kept. Where nothing can be written, it stays."""
        if not read_only.can_write(self._path.parent):
            return self._path
        number = 1
        while (aside := self._path.with_name(f"{FILE_NAME}.damaged-{number}")).exists():
            number += 1
        self._path.rename(aside)
        return aside

    def _write(self, book: dict[bytes, Peer]) -> None:
        replace_private(self._path, _encode(self._sorted(book)))


def _problem_with(peer: Peer) -> str | None:
    """What is wrong with the fields of a peer, or None."""
    if len(peer.node_key) != KEY_BYTES:
        return f"a node key has {KEY_BYTES} bytes, not {len(peer.node_key)}"
    if not 0 < len(peer.host) <= _HOST_CHARS_MAX:
        return f"a host name has 1 to {_HOST_CHARS_MAX} characters, not {len(peer.host)}"
    if not peer.host.isprintable() or _HOST_FORBIDDEN & set(peer.host):
        return f"{peer.host!r} is no host name"
    if not 0 < peer.port <= _PORT_MAX:
        return f"{peer.port} is no port; ports are 1 to {_PORT_MAX}"
    if any(len(dataset) != HASH_BYTES for dataset in peer.datasets):
        return f"a dataset id has {HASH_BYTES} bytes"
    return None


def _encode(peers: list[Peer]) -> bytes:
    rows = [
        {
            "node_key": peer.node_key.hex(),
            "host": peer.host,
            "port": peer.port,
            "datasets": [dataset.hex() for dataset in peer.datasets],
            "last_seen_ms": peer.last_seen_ms,
            "last_error": peer.last_error,
        }
        for peer in peers
    ]
    return json.dumps({"version": _VERSION, "peers": rows}, indent=2).encode() + b"\n"


def _decode(data: bytes, path: Path) -> dict[bytes, Peer]:
    """Read the file's bytes; ValueError, KeyError or TypeError where they are not what `_encode` writes.

    Raises:
        StorageError: a later gonk wrote it; it is left in its place.
    """
    if len(data) > PEER_BOOK_BYTES_MAX:
        raise ValueError(f"more than {PEER_BOOK_BYTES_MAX} bytes")
    document = json.loads(data)
    version = _typed(document["version"], int)
    if version > _VERSION:
        raise StorageError(
            f"the peer book has version {version}; this gonk reads version {_VERSION}",
            where=str(path),
            hint="install the gonk that wrote it",
        )
    if version != _VERSION:
        raise ValueError(f"version {version}")
    book: dict[bytes, Peer] = {}
    for row in document["peers"]:
        peer = Peer(
            node_key=bytes.fromhex(row["node_key"]),
            host=_typed(row["host"], str),
            port=_typed(row["port"], int),
            datasets=tuple(sorted({bytes.fromhex(dataset) for dataset in row["datasets"]})),
            last_seen_ms=None if row["last_seen_ms"] is None else _typed(row["last_seen_ms"], int),
            last_error=None if row["last_error"] is None else _typed(row["last_error"], str),
        )
        problem = _problem_with(peer)
        if problem is not None:
            raise ValueError(problem)
        if abs(peer.last_seen_ms or 0) > INT_MAX:
            raise ValueError(f"{peer.last_seen_ms} is no time")
        book[peer.node_key] = peer
    return book


def _typed(value: object, kind: type[_T]) -> _T:
    if type(value) is not kind:  # a bool is no int here
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
