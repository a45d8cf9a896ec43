"""Measures the HTTP API: nodes with few and many events under clients that write, pages of what is pending, and baselines.

All servers are processes of their own, all clients of one load are one process (`http_load`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from .baselines import BareLmdb
from .http_gonk import ELSEWHERE, PATCHED, SHIPPED, Gonk, elsewhere
from .http_load import Work
from .http_node import SharedNode
from .http_work import DATASET, creating, listing
from .processes import Facts, job, server
from .sizes import HttpSizes

_ANSWER = '{"uuid":"00000000-0000-4000-8000-000000000000","version":0}\n'  # as long as that of a new annotation
_RECORD_BYTES = 380  # of an entry of one annotation
_PAGES = 200  # different ones
NODE, ONE_USER, FLOOR, LMDB = "gonk-node", "gonk-node, all one user", "bare aiohttp", "LMDB put and flush"
PAGE, PAGE_FLOOR = "page of pending", "page, bare aiohttp"
GONK = {which: f"Gonk 0.1.4, {which}" for which in (SHIPPED, PATCHED)}


class Case(NamedTuple):
    """What was measured: which server, with how many events before it began, under how many clients."""

    what: str
    events: int | None
    clients: int


Measured = Iterator[tuple[Case, Facts]]


class HttpBench:
    """One run of all of it after another; what a run writes to is made for that run.

    Args:
        folder: for all stores.
        sizes: how much.
        gonk: Gonk itself; None: figures of another machine stand in.
    """

    def __init__(self, folder: Path, sizes: HttpSizes, gonk: Gonk | None) -> None:
        self._folder = folder
        self._sizes = sizes
        self._gonk = gonk

    def run(self) -> Measured:
        """One run."""
        with TemporaryDirectory(dir=self._folder) as folder:
            yield from self._nodes(Path(folder))
            yield from self._floors()
            yield Case(LMDB, None, 1), self._flushes(Path(folder) / "bare")
        yield from self._gonks()

    # --- the node -------------------------------------------------------------------------------------------

    def _nodes(self, folder: Path) -> Measured:
        """All nodes are up at one time and take their turns, so that a slow moment meets each of them."""
        sizes = self._sizes
        nodes = {events: SharedNode(folder / f"node-{events}", events, max(sizes.clients)) for events in sizes.events}
        accepted = dict.fromkeys(nodes, 0)
        with ExitStack() as stack:
            works = {}
            for events, node in nodes.items():
                stack.enter_context(node.serving())
                objects = json.loads(node.get(f"{DATASET}/objects/pending"))
                works[events] = Work("POST", creating(objects, Random(events)), node.keys)
            for clients in sorted(sizes.clients, reverse=True):
                for events, node in nodes.items():
                    facts = self._load(node.port, works[events], clients)
                    accepted[events] += facts["accepted"]
                    yield Case(NODE, events, clients), facts
            events, clients = min(nodes), max(sizes.clients)
            facts = self._load(nodes[events].port, works[events]._replace(keys=nodes[events].keys[:1]), clients)
            accepted[events] += facts["accepted"]
            yield Case(ONE_USER, events, clients), facts
            yield from self._pages(nodes[max(nodes)])
        for events, node in nodes.items():
            if node.annotations() != events + accepted[events]:
                raise ValueError(
                    f"{accepted[events]} were accepted beside {events}, and {node.annotations()} are there"
                )

    def _pages(self, node: SharedNode) -> Measured:
        """Pages all over the list, one after the other; then the bytes of one of them from a bare server."""
        after, last = [], ""
        for _ in range(_PAGES):
            behind = f"&after={last}" if last else ""
            rows = json.loads(node.get(f"{DATASET}/annotations/pending?limit={self._sizes.page_step}{behind}"))
            if not rows:
                break
            last = rows[-1]["uuid"]
            after.append(last)
        work = Work("GET", listing(after[:-1]), node.keys)
        yield Case(PAGE, node.events, 1), self._load(node.port, work, 1)
        page = node.get(work.requests[0][0]).decode()
        with server("http_floor", "serve", answer=page) as floor:
            yield Case(PAGE_FLOOR, None, 1), self._load(floor["port"], work, 1)

    # --- baselines ------------------------------------------------------------------------------------------

    def _floors(self) -> Measured:
        objects = [{"uuid": "00000000-0000-4000-8000-000000000000", "version": 0}]
        work = Work("POST", creating(objects, Random(0)), ["gk_" + "0" * 32])
        with server("http_floor", "serve", answer=_ANSWER) as floor:
            for clients in self._sizes.clients:
                yield Case(FLOOR, None, clients), self._load(floor["port"], work, clients)

    def _flushes(self, path: Path) -> Facts:
        """Puts of one record, each flushed, one after the other."""
        store = BareLmdb(path)
        seconds = []
        until = time.perf_counter() + self._sizes.seconds
        while (began := time.perf_counter()) < until:
            store.put([bytes(_RECORD_BYTES)])
            seconds.append(time.perf_counter() - began)
        store.close()
        rate = len(seconds) / sum(seconds)
        seconds.sort()
        p50, p99 = (1000 * seconds[len(seconds) * share // 100] for share in (50, 99))
        return {"rate": rate, "p50_ms": p50, "p99_ms": p99, "failed": 0.0, "client_cpu": None, "why": ""}

    def _gonks(self) -> Measured:
        if self._gonk is None:
            for which, clients in ELSEWHERE:
                yield Case(GONK[which], 0, clients), elsewhere(which, clients)
            return
        for which, name in GONK.items():
            with self._gonk.serving(which) as (port, work):
                for clients in self._sizes.clients[:-1]:
                    yield Case(name, 0, clients), self._load(port, work, clients)

    def _load(self, port: int, work: Work, clients: int) -> Facts:
        with TemporaryDirectory(dir=self._folder) as folder:
            return job(
                "http_load",
                "load",
                port=port,
                work=work.save(Path(folder) / "work.json"),
                clients=clients,
                warm_seconds=self._sizes.warm_seconds,
                seconds=self._sizes.seconds,
            )
