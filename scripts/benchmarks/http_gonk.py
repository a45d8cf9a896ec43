"""Gonk 0.1.4 itself on the same work: installed from the package index into an environment of its own, and run from there.

Where it cannot be installed, the figures of another machine stand in for it, and are labelled so.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

from gonk_node import schemas

from .http_load import Work
from .http_work import DATASET, SCHEMA, creating, encoded
from .material import DATASET_NAME
from .processes import ChildError, Facts

REQUIREMENT = "gonk-ai==0.1.4"  # its name on the package index; "gonk" there is something else
SHIPPED, PATCHED = "as shipped", "re-validation patched out"
_OBJECTS = 20
_INSTALL_SECONDS = 300
_START_SECONDS = 30
_REQUEST_SECONDS = 30
# The patch: events are not validated against their JSON Schema each time that they are read. All else is Gonk's.
_LAUNCH = """
import sys, types
from gonk.api import server
from gonk.core import events
if sys.argv[2] == "patched":
    events.jsonschema = types.SimpleNamespace(validate=lambda **_: None)
server.app.run(port=int(sys.argv[1]))
"""


class Elsewhere(NamedTuple):
    """What was measured on another machine (2 processors of 2.5 GHz): successes a second, and the share that failed."""

    rate: float
    failed: float


ELSEWHERE: dict[tuple[str, int], Elsewhere] = {
    (SHIPPED, 1): Elsewhere(12, 0.0),
    (PATCHED, 1): Elsewhere(60, 0.0),
    (SHIPPED, 8): Elsewhere(1.4, 0.86),
    (PATCHED, 8): Elsewhere(24, 0.82),
}


def elsewhere(which: str, clients: int) -> Facts:
    """The same as `http_load.load` tells, as far as it is known."""
    known = ELSEWHERE[which, clients]
    return {"rate": known.rate, "failed": known.failed, "why": ""}


class Gonk:
    """Gonk in an environment below a folder, which need not exist.

    Raises:
        ChildError: it cannot be installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._python = folder / "environment" / "bin" / "python"
        try:
            venv.create(folder / "environment", with_pip=True)
            command = [str(self._python), "-m", "pip", "install", "--quiet", REQUIREMENT]
            subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            raise ChildError(f"{REQUIREMENT} cannot be installed here: {error}") from error

    @contextmanager
    def serving(self, which: str) -> Iterator[tuple[int, int, Work]]:
        """Serve a new folder for the length of a `with` block: port, process, and the work to be sent there."""
        place = self._folder / f"{which} {time.monotonic_ns()}"
        place.mkdir()
        port = _free_port()
        command = [str(self._python), "-c", _LAUNCH, str(port), "patched" if which == PATCHED else "shipped"]
        key = self._user(place)
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, cwd=place, stdout=quiet, stderr=quiet) as process:
            try:
                _until_it_listens(port, process)
                yield port, process.pid, _furnished(port, key)
            finally:
                process.terminate()

    def _user(self, place: Path) -> str:
        """Make a user; the API key."""
        command = [str(self._python.with_name("gonk-api")), "init", "--username", "bench"]
        done = subprocess.run(command, cwd=place, check=True, capture_output=True, text=True)
        return next(line.removeprefix("KEY: ") for line in done.stdout.splitlines() if line.startswith("KEY: "))


def _furnished(port: int, key: str) -> Work:
    """Make a dataset with a schema and objects; the work."""

    def post(path: str, body: dict[str, Any]) -> Any:
        headers = {"x-api-key": key, "Content-Type": "application/json"}
        request = Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), headers)
        with urlopen(request, timeout=_REQUEST_SECONDS) as answer:
            return json.loads(answer.read())

    post("/datasets", {"name": DATASET_NAME})
    post(f"{DATASET}/schemas", {"name": SCHEMA, "schema": encoded(schemas.load("bounding-box"))})
    objects = [
        post(
            f"{DATASET}/objects",
            {"name": f"image-{number}.png", "mimetype": "image/png", "object": encoded(b"%d" % number)},
        )
        for number in range(_OBJECTS)
    ]
    return Work("POST", creating(objects, Random(_OBJECTS)), [key])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise ChildError(f"Gonk does not serve (exit code {process.poll()})")
