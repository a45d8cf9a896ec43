"""A load of HTTP/1.1 requests on many connections, from one process: raw asyncio protocols, so that little of it is measured.

Each client sends its next request when the last one was answered, on a connection that it keeps open; where the server closes
it, the time of connecting anew counts. Reads of an answer only the status and the length.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .processes import Facts, run_role

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_LOOPBACK = "127.0.0.1"
_STRIDE = 17  # requests from where one client begins to where the next one does
_SHOWN_BYTES = 300  # of an answer that says why a request failed


class Work(NamedTuple):
    """What is sent, in turn by each client.

    Attributes:
        method: of all requests.
        requests: path and JSON body (may be empty) of each; clients begin at different places and start over at the end.
        keys: API keys; clients beyond their number share them in turn.
    """

    method: str
    requests: Sequence[tuple[str, str]]
    keys: Sequence[str]

    def save(self, path: Path) -> str:
        """Write it for the child process to read, since it is too long for a command line; returns where it is."""
        path.write_text(json.dumps(self))
        return str(path)

    @classmethod
    def load(cls, path: str) -> Work:
        """What `save` wrote."""
        return cls(*json.loads(Path(path).read_text()))

    def encoded(self, port: int, client: int) -> list[bytes]:
        """The requests as one client sends them."""
        key = self.keys[client % len(self.keys)]
        first = client * _STRIDE % len(self.requests)
        return [self._request(port, key, *each) for each in (*self.requests[first:], *self.requests[:first])]

    def _request(self, port: int, key: str, path: str, body: str) -> bytes:
        lines = [f"{self.method} {path} HTTP/1.1", f"Host: {_LOOPBACK}:{port}", f"x-api-key: {key}"]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
        return ("\r\n".join([*lines, "", ""]) + body).encode()


class _Answer(NamedTuple):
    status: int
    body: bytes
    is_last: bool  # the server closes the connection


class _Connection(asyncio.Protocol):
    """One connection, on which one request at a time is asked."""

    def __init__(self) -> None:
        self._got = bytearray()
        self._waiting: asyncio.Future[_Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, request: bytes) -> asyncio.Future[_Answer]:
        """Send a request; its answer. ConnectionError where none comes."""
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        length = _LENGTH.search(self._got, 0, end + 2) if end >= 0 else None
        if self._waiting is None or length is None or len(self._got) < end + 4 + int(length[1]):
            return
        is_last = _CLOSE.search(self._got, 0, end + 2) is not None
        self._waiting.set_result(_Answer(int(self._got[9:12]), bytes(self._got[end + 4 :]), is_last))
        self._waiting = None
        self._got.clear()

    def connection_lost(self, _: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("the connection was cut"))


class _Tally:
    """What came back; `seconds` and `failed` only while it counts, `accepted` always."""

    def __init__(self) -> None:
        self.is_counting = False
        self.is_over = False
        self.seconds: list[float] = []  # of each request that succeeded
        self.failed = 0
        self.why = ""  # the first one failed
        self.accepted = 0

    def add(self, status: int, seconds: float, answer: bytes) -> None:
        """Count an answer; status 0: there was none."""
        if status == 200:
            self.accepted += 1
            if self.is_counting:
                self.seconds.append(seconds)
        elif self.is_counting:
            self.failed += 1
            self.why = self.why or answer[:_SHOWN_BYTES].decode(errors="replace")


async def _client(port: int, requests: Sequence[bytes], tally: _Tally) -> None:
    """One client, until it is over."""
    loop = asyncio.get_running_loop()
    connection: _Connection | None = None
    at = 0
    while not tally.is_over:
        began = time.perf_counter()
        try:
            if connection is None:
                _, connection = await loop.create_connection(_Connection, _LOOPBACK, port)
            answer = await connection.ask(requests[at])
        except OSError as error:
            answer = _Answer(0, str(error).encode(), is_last=True)
        tally.add(answer.status, time.perf_counter() - began, answer.body)
        at = (at + 1) % len(requests)
        if answer.is_last and connection is not None:
            connection.transport.close()
            connection = None
    if connection is not None:
        connection.transport.close()


async def load(port: int, work: str, clients: int, warm_seconds: float, seconds: float) -> Facts:
    """Put a load on a server; counts what is answered in the time after warming up.

    Args:
        port: on loopback.
        work: file that a `Work` was saved in.
        clients: how many connections, each with one request under way.
        warm_seconds: before counting begins: connections are made, caches filled.
        seconds: how long it counts.

    Returns:
        rate: successes a second; p50_ms, p99_ms: their latencies; failed: share of requests that failed, 0 to 1; why: the
        first of them; client_cpu: share of one core that this process took; accepted: successes from first to last.
    """
    known = Work.load(work)
    encoded = [known.encoded(port, number) for number in range(clients)]
    tally = _Tally()
    running = [asyncio.create_task(_client(port, each, tally)) for each in encoded]
    await asyncio.sleep(warm_seconds)
    tally.is_counting = True
    began, cpu_began = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    tally.is_counting = False
    passed, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    tally.is_over = True
    await asyncio.gather(*running)
    latencies = sorted(tally.seconds) or [0.0]
    return {
        "rate": len(tally.seconds) / passed,
        "p50_ms": 1000 * latencies[len(latencies) // 2],
        "p99_ms": 1000 * latencies[len(latencies) * 99 // 100],
        "failed": tally.failed / max(1, tally.failed + len(tally.seconds)),
        "why": tally.why,
        "client_cpu": cpu / passed,
        "accepted": tally.accepted,
    }


if __name__ == "__main__":
    run_role({}, {"load": load})
