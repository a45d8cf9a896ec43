"""The walk-through in README.md works as printed, in one shell, and prints what it shows."""

from __future__ import annotations

import os
import queue
import random
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.source_tree import ROOT, text

BLOCK = re.compile(r"^```(sh|text|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SECONDS_MAX = 120
END = "-- end of block --"
FAILED = "-- failed: "


def blocks() -> list[tuple[str, str]]:
    """The commands of the walk-through, each block with what is shown below it ("" for nothing).

    The Python program becomes a command that saves it, as the text tells one to do.
    """
    found: list[tuple[str, str]] = []
    for kind, body in BLOCK.findall(text(ROOT / "README.md")):
        if kind == "sh":
            found.append((body, ""))
        elif kind == "python":
            found.append((f"cat > ~/gonk-walk/client.py <<'END OF FILE'\n{body}END OF FILE\n", ""))
        else:
            commands, shown = found[-1]
            assert not shown, "two outputs below one block"
            found[-1] = (commands, body)
    return found


def as_pattern(line: str) -> re.Pattern[str]:
    """A line that is shown: `…` stands for anything, a uuid for any, and spaces for any number of them."""
    parts = []
    for word in re.split(r"(…|\s+)", UUID.sub("UUID", line.strip())):
        if word == "…":
            parts.append(".*")
        else:
            parts.append(r"\s+" if word.isspace() else re.escape(word).replace("UUID", UUID.pattern))
    return re.compile("".join(parts))


class Shell:
    """One bash, as a person has it: aliases are expanded, and background jobs stay."""

    def __init__(self, home: Path, port: int, http_port: int) -> None:
        self._api = f"127.0.0.1:{http_port}"
        commands = home / "bin"
        commands.mkdir(parents=True)
        (commands / "gonk").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gonk_node "$@"\n')
        (commands / "gonk").chmod(0o755)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("GONK_")}
        path = os.pathsep.join([str(commands), inherited["PATH"]])
        self.bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-O", "expand_aliases"],
            env={
                **inherited,
                "HOME": str(home),
                "PATH": path,
                "GONK_PEER_PORT": str(port),
                "GONK_HTTP_PORT": str(http_port),
            },
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._send(f"set -o pipefail; trap 'echo \"{FAILED}$BASH_COMMAND\"' ERR")

    def run(self, commands: str) -> list[str]:
        """Type a block; what it printed. Waits for a server that it starts, and for one that it stops."""
        self._send(commands.replace("127.0.0.1:5000", self._api))
        printed: list[str] = []
        if commands.rstrip().endswith("serve &"):
            printed += self._until("Gonk's HTTP API")
        if "kill $!" in commands:
            self._send("wait $! || true")
        self._send(f"echo '{END}'")
        return printed + self._until(END)

    def close(self) -> None:
        """End the shell and, should a test have failed, the server in it."""
        assert self.bash.stdin is not None
        self._send("kill $! 2>/dev/null; wait; exit")
        self.bash.stdin.close()
        try:
            self.bash.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(self.bash.pid, 9)

    def _send(self, commands: str) -> None:
        assert self.bash.stdin is not None
        self.bash.stdin.write(commands.rstrip("\n") + "\n")
        self.bash.stdin.flush()

    def _read(self) -> None:
        assert self.bash.stdout is not None
        for line in self.bash.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _until(self, mark: str) -> list[str]:
        printed: list[str] = []
        while True:
            try:
                line = self.lines.get(timeout=SECONDS_MAX)
            except queue.Empty:
                pytest.fail(f"{mark!r} did not come within {SECONDS_MAX} s:\n" + "\n".join(printed))
            assert line is not None, "the shell ended:\n" + "\n".join(printed)
            if mark in line:
                return printed
            printed.append(line)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    opened = Shell(tmp_path, *random.sample(range(20_000, 32_000), 2))
    yield opened
    opened.close()


@pytest.mark.slow
@pytest.mark.processes
def test_the_walk_through_works_as_printed(shell: Shell, tmp_path: Path) -> None:
    digests: set[str] = set()
    for commands, shown in blocks():
        printed = shell.run(commands)
        everything = "\n".join([commands, *printed])
        assert not [line for line in printed if line.startswith(FAILED)], everything
        rest = iter(printed)
        for line in shown.splitlines():
            pattern = as_pattern(line)
            assert any(pattern.search(each) for each in rest), f"not printed: {line!r}\n{everything}"
        if "sam status" in commands:
            digests = {line.split()[-1] for line in printed if line.startswith("cells ")}
    assert len(digests) == 1
    folders = [path.name for path in (tmp_path / "gonk-walk").iterdir() if path.is_dir()]
    assert sorted(folders) == ["anna", "hub", "olga", "sam"]


def test_the_walk_through_is_all_of_the_main_job() -> None:
    typed = " ".join(commands for commands, _ in blocks())
    for verb in (
        "init",
        "dataset create",
        "schema add",
        "import",
        "accept",
        "reject",
        "serve",
        "share",
        "clone",
        "sync",
        "init --username",
    ):
        assert f" {verb} " in typed, verb
