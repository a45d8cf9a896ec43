"""A crash while a small file is written leaves the old one, and no copy of a secret for good: the next start removes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gonk_node.config import load_config
from gonk_node.home import Home
from gonk_node.node.node import Node
from gonk_node.store import keyring
from gonk_node.store.private_file import remove_leftovers, replace_private, write_new

CRASH = """
import os, signal, sys
from pathlib import Path
from gonk_node.store import keyring

os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)  # all is written, and nothing renamed
keyring.change_passphrase(Path(sys.argv[1]), None, None)
"""


def _leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob("*.new"))


@pytest.mark.processes
def test_a_crash_while_the_passphrase_is_changed_leaves_nothing_once_the_node_is_opened_again(tmp_path: Path) -> None:
    home = Home(tmp_path / "node")
    Node.create(home)
    key = keyring.public_key(home.author_key)
    assert subprocess.run([sys.executable, "-c", CRASH, str(home.author_key)], check=False).returncode < 0
    assert [path.parent for path in _leftovers(home.root)] == [home.author_key.parent]
    with Node.open(home, load_config(home, environ={})) as node:
        assert node.signer().author == key
        assert _leftovers(home.root) == []


def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"

    def contents(_: os.stat_result) -> bytes:
        remove_leftovers(tmp_path)
        assert len(_leftovers(tmp_path)) == 1
        return b"whole"

    for write in (write_new, replace_private):
        write(path, contents)
        assert path.read_bytes() == b"whole"
        assert _leftovers(tmp_path) == []


def test_a_new_file_that_is_taken_for_a_leftover_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, made = os.open, []

    def open_(path: object, *arguments: int) -> int:
        descriptor = real(path, *arguments)
        if str(path).endswith(".new") and not made:
            made.append(path)
            Path(str(path)).unlink()  # what `remove_leftovers` of another process does
        return descriptor

    monkeypatch.setattr(os, "open", open_)
    write_new(tmp_path / "file", b"whole")
    assert made
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_other_files_are_not_touched(tmp_path: Path) -> None:
    kept = [
        tmp_path / name for name in ("a.new", ".hidden.new", ".x.0123456789abcdeg.new", ".x.0123456789abcdef.new.bak")
    ]
    gone = tmp_path / ".author.key.0123456789abcdef.new"
    for path in (*kept, gone):
        path.write_bytes(b"")
    remove_leftovers(tmp_path)
    assert all(path.exists() for path in kept)
    assert not gone.exists()
    remove_leftovers(tmp_path / "no such folder")
