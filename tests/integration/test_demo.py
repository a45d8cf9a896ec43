"""The demo runs end to end, and says so when something is not as it must be. How long it takes is not judged."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kit.source_tree import ROOT

SECONDS_MAX = 240
PEOPLE = ("Olga", "Anna", "Sam")


def start(tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    """Start what `scripts/demo` runs, in the environment of the tests; its nodes are below `tmp_path`."""
    path = os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GONK_")}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "demo_run", *options],
        env={**inherited, "PYTHONPATH": path, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def some_port() -> str:
    """A port that no other test chose: below those that systems give to outgoing connections."""
    return str(random.randrange(20_000, 32_000))


def processes_of(folder: Path) -> list[str]:
    """The ids of running processes that were told of the folder (Linux; none elsewhere)."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in environment.read_bytes():
                found.append(environment.parent.name)
        except OSError:
            continue  # it ended, or is another user's
    return found


@pytest.mark.slow
@pytest.mark.processes
def test_the_demo_comes_to_one_state_on_three_nodes(tmp_path: Path) -> None:
    demo = start(tmp_path, "--port", some_port())
    printed, _ = demo.communicate(timeout=SECONDS_MAX)
    assert demo.returncode == 0, printed
    rows = {words[0]: words for line in printed.splitlines() if (words := line.split()) and words[0] in PEOPLE}
    assert tuple(name for name in PEOPLE if name in rows) == PEOPLE, printed
    assert {row[1] for row in rows.values()} == {"owner", "contributor", "none"}
    assert {tuple(row[2:6]) for row in rows.values()} == {("25", "326", "0", "1")}
    assert len({row[-1] for row in rows.values()}) == 1
    assert list(tmp_path.iterdir()) == [], "it left something behind"
    assert processes_of(tmp_path) == []


@pytest.mark.slow
@pytest.mark.processes
def test_interrupted_while_a_node_serves_it_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = start(tmp_path, "--port", some_port())
    assert demo.stdout is not None
    for line in demo.stdout:
        if "gonk share" in line:
            break
    demo.send_signal(signal.SIGINT)
    printed, _ = demo.communicate(timeout=SECONDS_MAX)
    assert demo.returncode == 130, printed
    assert list(tmp_path.iterdir()) == [], "it left something behind"
    give_up = time.monotonic() + SECONDS_MAX
    while processes_of(tmp_path) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert processes_of(tmp_path) == []


@pytest.mark.slow
@pytest.mark.processes
def test_a_command_that_fails_is_shown_with_what_it_printed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo = start(tmp_path, "--port", str(taken.getsockname()[1]))
        printed, _ = demo.communicate(timeout=SECONDS_MAX)
    assert demo.returncode == 1
    assert "The demo failed. Olga: `gonk serve` did not start\n" in printed
    assert "gonk: " in printed.partition("The demo failed.")[2]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, "[]", '{"images": [], "annotations": [], "categories": []}'])
def test_a_folder_that_it_cannot_take_is_named(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    if content is not None:
        (folder / "instances.json").write_text(content)
    demo = start(tmp_path, str(folder))
    printed, _ = demo.communicate(timeout=SECONDS_MAX)
    assert demo.returncode == 1
    assert printed.startswith("\nThe demo failed. ")
    assert str(folder) in printed
