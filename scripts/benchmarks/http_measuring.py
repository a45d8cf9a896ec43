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
from .processes import Facts, cpu_seconds, job, server
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


class _Target(NamedTuple):
    """A server that is up, and the work for it."""

    what: str
    events: int | None
    port: int
    pid: int
    work: Work
    clients_max: int = 1 << 16


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
            yield from self._loads(Path(folder))
            yield Case(LMDB, None, 1), self._flushes(Path(folder) / "bare")
        if self._gonk is None:
            for which, clients in ELSEWHERE:
                yield Case(GONK[which], 0, clients), elsewhere(which, clients)

    def _loads(self, folder: Path) -> Measured:
        """All servers are up at one time and take their turns, so that a slow moment meets each of them."""
        sizes = self._sizes
        nodes = {events: SharedNode(folder / f"node-{events}", events, max(sizes.clients)) for events in sizes.events}
        accepted = dict.fromkeys(nodes, 0)
        few = min(nodes)
        with ExitStack() as stack:
            targets = [self._node_target(stack, node) for node in nodes.values()]
            targets += self._baselines(stack)
            for clients in sorted(sizes.clients, reverse=True):
                for target in targets:
                    if clients > target.clients_max:
                        continue
                    facts = self._load(target, clients)
                    if target.what == NODE:
                        accepted[target.events or 0] += facts["accepted"]
                    yield Case(target.what, target.events, clients), facts
            shared = targets[0]._replace(work=targets[0].work._replace(keys=nodes[few].keys[:1]))
            facts = self._load(shared, max(sizes.clients))
            accepted[few] += facts["accepted"]
            yield Case(ONE_USER, few, max(sizes.clients)), facts
            yield from self._pages(nodes[max(nodes)])
        for events, node in nodes.items():
            if node.annotations() != events + accepted[events]:
                raise ValueError(
                    f"{accepted[events]} were accepted beside {events}, and {node.annotations()} are there"
                )

    def _node_target(self, stack: ExitStack, node: SharedNode) -> _Target:
        stack.enter_context(node.serving())
        objects = json.loads(node.get(f"{DATASET}/objects/pending"))
        work = Work("POST", creating(objects, Random(node.events)), node.keys)
        return _Target(NODE, node.events, node.port, node.pid, work)

    def _baselines(self, stack: ExitStack) -> list[_Target]:
        objects = [{"uuid": "00000000-0000-4000-8000-000000000000", "version": 0}]
        work = Work("POST", creating(objects, Random(0)), ["gk_" + "0" * 32])
        floor = stack.enter_context(server("http_floor", "serve", answer=_ANSWER))
        targets = [_Target(FLOOR, None, floor["port"], floor["pid"], work)]
        for which, name in GONK.items() if self._gonk else ():
            assert self._gonk is not None
            port, pid, work = stack.enter_context(self._gonk.serving(which))
            targets.append(_Target(name, 0, port, pid, work, clients_max=sorted(self._sizes.clients)[-2]))
        return targets

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
        yield Case(PAGE, node.events, 1), self._load(_Target(PAGE, node.events, node.port, node.pid, work), 1)
        page = node.get(work.requests[0][0]).decode()
        with server("http_floor", "serve", answer=page) as floor:
            yield Case(PAGE_FLOOR, None, 1), self._load(_Target(FLOOR, None, floor["port"], floor["pid"], work), 1)

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
        return {"rate": rate, "p50_ms": p50, "p99_ms": p99, "failed": 0.0, "why": ""}

    def _load(self, target: _Target, clients: int) -> Facts:
        with TemporaryDirectory(dir=self._folder) as folder:
            before = cpu_seconds(target.pid)
            facts = job(
                "http_load",
                "load",
                port=target.port,
                work=target.work.save(Path(folder) / "work.json"),
                clients=clients,
                warm_seconds=self._sizes.warm_seconds,
                seconds=self._sizes.seconds,
            )
        cpu = cpu_seconds(target.pid) - before
        return {**facts, "server_cpu_ms": 1000 * cpu / facts["accepted"] if facts["accepted"] and cpu > 0 else None}
