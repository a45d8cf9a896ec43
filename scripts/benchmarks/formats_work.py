"""One import or export in a process of its own, so that its memory is its own; it tells how long it took."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

from gonk_node.core.events import ACCEPT
from gonk_node.formats import IMPORTERS
from gonk_node.home import Home
from gonk_node.replica.exchange.exporting import export, frozen
from gonk_node.replica.exchange.importing import Importing
from gonk_node.replica.signing.governing import Governor

from .material import open_node
from .processes import Facts, run_role

_STATUS = Path("/proc/self/status")  # proc(5)
_SAMPLE_SECONDS = 0.01
_REVIEWED = 4096  # events that one review names


class PeakMemory:
    """The most memory of its own that this process has had inside of a `with` block, without mapped files; bytes."""

    def __init__(self) -> None:
        self.before = self.peak = _own_memory()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            self.peak = max(self.peak, _own_memory())

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.peak = max(self.peak, _own_memory())


def _own_memory() -> int:
    """Resident memory that is no file's; the kernel may take back the pages of files. 0 where it is not told."""
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


async def take_in(home: str, dataset: str, format_name: str, source: str, images: str | None) -> Facts:
    """Import a source into a dataset; tells seconds, objects, annotations, and memory."""
    with open_node(Home(Path(home))) as node:
        importing = Importing(node.author(node.replica(dataset)), node.content)
        folder = None if images is None else Path(images)
        with PeakMemory() as memory:
            began = time.perf_counter()
            report = importing.run(IMPORTERS[format_name](Path(source), folder))
            seconds = time.perf_counter() - began
    if report.loss.problem_count:
        raise ValueError(f"the import left something out: {report.loss.problems[0]}")
    return {"seconds": seconds, **_counted(report.objects, report.annotations, memory)}


async def write_out(home: str, dataset: str, format_name: str, target: str, images: bool) -> Facts:
    """Export a dataset, with its images or without; tells the same.

    The baseline is to parse and write each body as JSON, and nothing else.
    """
    with open_node(Home(Path(home))) as node, frozen(node.replica(dataset)) as queries:
        with PeakMemory() as memory:
            began = time.perf_counter()
            report = export(queries, node.content, format_name, Path(target), images=images, fetch=_none)
            seconds = time.perf_counter() - began
        raw = [body for _, _, _, _, body in queries.hanging.current_bodies_on(_objects(queries))][:20_000]
        began = time.perf_counter()
        for body in raw:
            json.dumps(json.loads(body))
        rate = len(raw) / (time.perf_counter() - began)
    return {"seconds": seconds, "json_rate": rate, **_counted(report.objects, report.annotations, memory)}


async def accept(home: str, dataset: str) -> Facts:
    """Accept all that waits; tells how many."""
    with open_node(Home(Path(home))) as node:
        governor = Governor(node.author(node.replica(dataset)))
        refs = [each.ref for each in governor.awaiting()]
        for at in range(0, len(refs), _REVIEWED):
            governor.review(ACCEPT, refs[at : at + _REVIEWED])
    return {"accepted": len(refs)}


def _objects(queries: object) -> list[int]:
    return [each.number for each in queries.current_objects(b"", 2000)]  # type: ignore[attr-defined]


def _none(content_id: bytes) -> None:
    raise ValueError(f"{content_id.hex()} is not here")


def _counted(objects: int, annotations: int, memory: PeakMemory) -> Facts:
    return {"objects": objects, "annotations": annotations, "before": memory.before, "peak": memory.peak}


if __name__ == "__main__":
    run_role({}, {"take_in": take_in, "write_out": write_out, "accept": accept})
