"""A node that people share: users, a dataset with many annotations, and `gonk serve` as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from gonk_node.home import Home
from gonk_node.store.state_db import StateDb

from .material import Annotator, new_dataset, new_node, open_node
from .processes import ChildError
from .sizes import GROUP

_ENDING_SECONDS = 60
_COUNT = "SELECT count(*) FROM annotations WHERE version IS NOT NULL"


class SharedNode:
    """A node with users and a dataset of annotations that all are pending.

    Args:
        root: of the node; must not exist.
        events: annotations.
        users: how many.

    Attributes:
        events: as given.
        keys: the users' API keys.
        port: of the HTTP API, while it is served.
        pid: of the process that serves it.
    """

    def __init__(self, root: Path, events: int, users: int) -> None:
        self._home: Home = new_node(root)
        self._dataset = new_dataset(self._home)
        self.events = events
        self.port = self.pid = 0
        with open_node(self._home) as node:
            annotator = Annotator(node, self._dataset)
            annotator.take_in(events, GROUP)
            self.keys: Sequence[str] = [node.users.add(f"user-{number}") for number in range(users)]

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve it for the length of a `with` block."""
        command = [sys.executable, "-m", "gonk_node", "--home", str(self._home.root), "serve", "--json"]
        command += ["--port", "0", "--peer-port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            try:
                line = process.stdout.readline() if process.stdout else ""
                if not line:
                    raise ChildError(f"gonk serve ended with exit code {process.wait()}")
                self.pid = process.pid
                self.port = int(json.loads(line)["http"].rpartition(":")[2])
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(_ENDING_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()

    def get(self, path: str) -> bytes:
        """What it answers to a GET."""
        request = Request(f"http://127.0.0.1:{self.port}{path}", headers={"x-api-key": self.keys[0]})
        with urlopen(request, timeout=_ENDING_SECONDS) as answer:
            found: bytes = answer.read()
        return found

    def annotations(self) -> int:
        """How many annotations it has, by its State on the disk; only while it is not served."""
        db = StateDb(self._home.dataset(self._dataset).state_db, self._dataset)
        try:
            return int(db.rows(_COUNT)[0][0])
        finally:
            db.close()
