"""Nodes as processes of their own: `gonk serve` and other commands that a test starts, kills and waits for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gonk_node.config import load_config
from gonk_node.home import Home
from gonk_node.node.node import Node
from gonk_node.store.log import LogStore
from kit.authors import TestAuthor
from kit.command_line import Gonk

PATIENCE_SECONDS = 90  # far above what anything here takes; a test that waits so long has failed


class Serving:
    """A running `gonk serve`.

    Attributes:
        port: the peer port.
        links: name of each dataset -> its link.
        url: of the HTTP API.
    """

    def __init__(self, gonk: Gonk, port: int = 0, **environ: str) -> None:
        self._log_path = gonk.files / "serve.log"
        self._process = start(gonk, "serve", "--peer-port", port, "--port", 0, "--json", log=self._log_path, **environ)
        assert self._process.stdout is not None
        ready = json.loads(self._process.stdout.readline() or b"{}")
        assert ready.get("ready"), self.log
        self.port: int = ready["port"]
        self.address: str = ready["address"]
        self.links: dict[str, str] = ready["links"]
        self.url: str = ready["http"]

    @property
    def link(self) -> str:
        """The link of the dataset `cells`."""
        return self.links["cells"]

    @property
    def log(self) -> str:
        """What it wrote to standard error, this time and before."""
        return self._log_path.read_text()

    @property
    def is_up(self) -> bool:
        return self._process.poll() is None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it in order; it must say that all went well."""
        self._process.send_signal(number)
        assert self._process.wait(PATIENCE_SECONDS) == 0, self.log
        self._close()

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._process.kill()
        self._process.wait(PATIENCE_SECONDS)
        self._close()

    def _close(self) -> None:
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def serving(gonk: Gonk, port: int = 0, **environ: str) -> Iterator[Serving]:
    """Serve a node; at the end it must still be up and must stop in order, unless the test ended it itself."""
    server = Serving(gonk, port, **environ)
    try:
        yield server
    except BaseException:
        server.kill()
        raise
    if server._process.returncode is None:
        server.stop()


def start(gonk: Gonk, *arguments: object, log: Path, **environ: str) -> subprocess.Popen[bytes]:
    """Start `gonk --home … ARGUMENTS`; standard output is a pipe, standard error goes to the end of a file."""
    command = [sys.executable, "-m", "gonk_node", "--home", str(gonk.home), *map(str, arguments)]
    with log.open("ab") as errors:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env={**os.environ, **environ})


def person(folder: Path, name: str) -> Gonk:
    """Somebody with a node."""
    gonk = Gonk(folder, name)
    gonk.ok("init", "--name", name)
    return gonk


def until(condition: Callable[[], object], what: str, *servers: Serving) -> None:
    """Wait until something is so; fails after a generous time, telling what the servers said."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}\n" + "\n".join(server.log for server in servers)
        time.sleep(0.05)


def status(gonk: Gonk, dataset: str = "cells") -> dict[str, Any]:
    """What `gonk status` says of a dataset."""
    found: dict[str, Any] = gonk.json("status", dataset)
    return found


def digest(gonk: Gonk, dataset: str = "cells") -> str:
    """The State digest of a dataset."""
    return str(status(gonk, dataset)["state_digest"])


def sync(gonk: Gonk, link: str) -> dict[str, Any]:
    """One `gonk sync` of `cells` with whoever serves there now (the port is another one each time)."""
    gonk.ok("peer", "add", link)
    outcome: dict[str, Any] = gonk.json("sync", "cells", "--peer", link.split("/")[3])[0]
    return outcome


def found_chain(gonk: Gonk, author: TestAuthor, count: int) -> None:
    """Put a dataset `cells` onto a node that consists of that many entries of one event by its founder."""
    genesis = author.genesis()
    home = Home(gonk.home)
    with Node.open(home, load_config(home, environ={})) as node:
        replica = node.replica_of(node.known.make("cells", genesis.record, genesis.entry_id))
        entries = [entry.record for entry in author.chain(count - 1)]
        for first in range(0, len(entries), 1000):
            replica.ingest(entries[first : first + 1000])


def entries_held(gonk: Gonk) -> int:
    """How many entries the only dataset of a node holds, told by a look at its log; 0 before there is one."""
    for dataset in Home(gonk.home).dataset_ids():
        log = LogStore.open(Home(gonk.home).dataset(dataset).log)
        try:
            return log.last_lsn()
        finally:
            log.close()
    return 0
