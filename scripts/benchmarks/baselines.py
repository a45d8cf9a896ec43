"""The raw rates that figures are compared with: libsodium's signature check through PyNaCl, and puts into bare LMDB."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

import lmdb
from nacl.signing import SigningKey

_MESSAGE_BYTES = 210  # as long as what the signature of an entry covers
_MAP_BYTES = 64 << 30  # address space; the file grows as needed


def verify_rate(seconds: float) -> float:
    """Signatures checked per second by one thread that does nothing else.

    Args:
        seconds: how long to measure.
    """
    signing_key = SigningKey.generate()
    message = os.urandom(_MESSAGE_BYTES)
    signature = signing_key.sign(message).signature
    verify = signing_key.verify_key.verify
    count = 0
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        for _ in range(100):
            verify(message, signature)
        count += 100
    return count / passed


class Around:
    """The verify rate just before and just after a piece of work, and the time that the work took.

    Attributes:
        seconds: what the work took.
        rate: the mean of the two rates.
    """

    seconds = 0.0
    rate = 0.0


@contextmanager
def between_verifications(seconds: float) -> Iterator[Around]:
    """Measure the verify rate for `seconds` on both sides of what happens inside."""
    around = Around()
    before = verify_rate(seconds)
    began = time.perf_counter()
    yield around
    around.seconds = time.perf_counter() - began
    around.rate = mean([before, verify_rate(seconds)])


class BareLmdb:
    """An LMDB environment with one table and no format of its own, flushed as the log of a node is.

    `put` is one transaction of appends in the order of arrival: durable when it returns.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self._env = lmdb.open(
            str(path), map_size=_MAP_BYTES, max_dbs=1, sync=True, metasync=True, writemap=False, max_spare_txns=1
        )
        self._table = self._env.open_db(b"records")
        self._next = 0

    def put(self, values: Sequence[bytes]) -> None:
        """Write values under the next numbers, and flush."""
        with self._env.begin(write=True) as txn:
            for value in values:
                txn.put(self._next.to_bytes(8, "big"), value, db=self._table, append=True)
                self._next += 1

    def close(self) -> None:
        """Close it."""
        self._env.close()
