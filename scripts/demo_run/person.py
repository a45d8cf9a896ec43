"""One person of the demo: a name, a node's folder, and the commands typed there; nothing else is shared with the others."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from demo_run import screen

_GONK = (sys.executable, "-m", "gonk_node")
_COMMAND_SECONDS_MAX = 300
_START_SECONDS_MAX = 60
_STOP_SECONDS_MAX = 20


class DemoError(Exception):
    """The demo did not come to what it must come to; the message is for people."""


class Person:
    """Somebody with a node in `folder`/`name`, who types commands there; `files` is their own working folder.

    Args:
        name: what they are called.
        folder: where the folders of all are.
        port: where their node serves peers.
    """

    def __init__(self, name: str, folder: Path, port: int) -> None:
        self.name = name
        self.home = folder / name.lower()
        self.files = folder / f"{name.lower()}-files"
        self.files.mkdir(parents=True)
        self._environment = {
            **os.environ,
            "GONK_HOME": str(self.home),
            "GONK_PEER_PORT": str(port),
            "GONK_HTTP_PORT": "0",
        }
        self._server: subprocess.Popen[bytes] | None = None
        self._server_log = self.files / "serve.log"

    def gonk(self, *words: str, code: int = 0) -> str:
        """Run a command and show it with what it prints, which is returned; DemoError for any other exit code."""
        printed = self._run(words, code, errors=subprocess.STDOUT)
        screen.output(printed)
        return printed

    def ask(self, *words: str) -> Any:
        """Run a command with --json; what it answers."""
        return json.loads(self._run((*words, "--json"), 0, errors=subprocess.PIPE))

    def _run(self, words: tuple[str, ...], code: int, *, errors: int) -> str:
        line = shlex.join(("gonk", *words))
        screen.command(self.name.lower(), line)
        try:
            ran = subprocess.run(
                [*_GONK, *words],
                env=self._environment,
                cwd=self.files,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                check=False,
                timeout=_COMMAND_SECONDS_MAX,
            )
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"{self.name}: `{line}` did not end within {_COMMAND_SECONDS_MAX} s") from error
        if ran.returncode != code:
            printed = f"{ran.stdout}{ran.stderr or ''}".rstrip()
            raise DemoError(f"{self.name}: `{line}` ended with exit code {ran.returncode}, not {code}\n{printed}")
        return ran.stdout

    def write(self, name: str, body: dict[str, Any]) -> str:
        """Write a JSON file into the person's folder; its name there."""
        (self.files / name).write_text(json.dumps(body), encoding="utf-8")
        return name

    def start_serving(self) -> None:
        """Start `gonk serve` beside the other commands, and wait until it says that it serves."""
        screen.command(self.name.lower(), "gonk serve &")
        with self._server_log.open("wb") as log:
            self._server = subprocess.Popen(
                [*_GONK, "serve"], env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        give_up = time.monotonic() + _START_SECONDS_MAX
        while "gonk://" not in self._server_output():
            if self._server.poll() is not None or time.monotonic() > give_up:
                raise DemoError(f"{self.name}: `gonk serve` did not start\n{self._server_output()}".rstrip())
            time.sleep(0.05)

    def stop_serving(self) -> None:
        """Ctrl-C for `gonk serve`, if it runs."""
        server, self._server = self._server, None
        if server is None:
            return
        screen.command(self.name.lower(), "kill %1        # as Ctrl-C: stops gonk serve")
        server.terminate()
        code = _wait(server)
        if code != 0:
            raise DemoError(f"{self.name}: `gonk serve` ended with exit code {code}\n{self._server_output()}".rstrip())

    def end(self) -> None:
        """Leave no process behind, whatever happened."""
        if self._server is not None:
            self._server.terminate()
            _wait(self._server)

    def _server_output(self) -> str:
        return self._server_log.read_text(encoding="utf-8", errors="replace")


def _wait(server: subprocess.Popen[bytes]) -> int:
    try:
        return server.wait(_STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()
